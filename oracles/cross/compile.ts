// SPDX-License-Identifier: MIT
/**
 * From a Kaitai Struct description to its parser, in memory: there is no
 * generated file that could be stale, and it takes a third of a second.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { compileFunction } from 'node:vm';

/** The descriptions in spec/. */
export type DescriptionName = 'zfile' | 'lsmt';

/** A compiled description: a class over a stream. */
export type Parser<T> = new (stream: object) => T;

interface Compiler {
  compile(language: string, description: unknown, importer: null, debug: boolean): Promise<Record<string, string>>;
}

const load = createRequire(import.meta.url);
const SPEC = path.resolve(import.meta.dirname, '..', '..', 'spec');
// These packages have no types, or none that fit an ES module; this is all of them that is used.
const compiler = load('kaitai-struct-compiler') as Compiler;
const yaml = load('js-yaml') as { load(text: string): unknown };
const KaitaiStream = load('kaitai-struct/KaitaiStream') as new (view: DataView) => object;

/** The sources that the compiler makes of a description, by file name; with `debug` as Kaitai's browsers want them. Throws where the description has a fault. */
export function compileSources(name: DescriptionName, language = 'javascript', debug = false): Promise<Record<string, string>> {
  return compiler.compile(language, yaml.load(readFileSync(path.join(SPEC, `${name}.ksy`), 'utf8')), null, debug);
}

/** The description's class. One made with `debug` parses nothing before its `_read` is called. */
export async function compileParser<T>(name: DescriptionName, debug = false): Promise<Parser<T>> {
  const exports: Record<string, Parser<T>> = {};
  for (const [file, source] of Object.entries(await compileSources(name, 'javascript', debug))) {
    compileFunction(source, ['exports', 'require'], { filename: file })(exports, load);
  }
  return Object.values(exports)[0]!;
}

/** What a parser reads from; a view into `bytes`. */
export function streamOf(bytes: Uint8Array): object {
  return new KaitaiStream(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
