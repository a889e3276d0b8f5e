// SPDX-License-Identifier: MIT
/** From frames of the module under test to lines of its sources, by binutils' addr2line, inlined calls included. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { moduleFunctions, type ModuleFunction } from './frames-elf.ts';
import { frameOf, headFrame, plainLine, sameModule, type Frame } from './klog-lines.ts';
import { CLEAN_ENV, findCommand, run } from './lab/child.ts';

/** One function at one place: `dm-zfile.c:88 zfile_open`, or `zfile_open+0x82` where the line is not known. */
export interface Place {
  readonly name: string;
  /** `dm-zfile.c:88`; absent where there is no debug information. */
  readonly line?: string;
  /** Bytes from the start of the function that was called, not inlined. */
  readonly offset: number;
}

export interface ModuleFiles {
  /** The kernel's name for the module. */
  readonly name: string;
  /** The .ko with its debug information. */
  readonly symbols?: string | undefined;
  /** Folder of its sources, for which names are cut to the file's. */
  readonly sourceFolder?: string | undefined;
}

/** Bytes to which functions are aligned at most. */
const ALIGNMENT = 64;
/** Frames looked up at a time; an argument list is not endless. */
const AT_ONCE = 200;

export class Symbols {
  readonly #files: ModuleFiles;
  #functions: readonly ModuleFunction[] | undefined;
  #sources: ReadonlySet<string> = new Set();
  /** Places by section and address, innermost first. */
  readonly #known = new Map<string, readonly Place[]>();

  constructor(files: ModuleFiles) {
    this.#files = files;
  }

  get module(): string {
    return this.#files.name;
  }

  /** True for a frame of the module. */
  own(frame: Frame | undefined): frame is Frame {
    return frame !== undefined && sameModule(frame.module, this.#files.name);
  }

  /** Finds the places of all the module's frames in these lines. Where something is missing for it they stay function and offset. */
  async load(lines: readonly string[]): Promise<void> {
    const wanted = new Map<string, { section: string; address: number; frame: Frame }>();
    for (const line of lines) {
      const frame = frameIn(line);
      const found = this.own(frame) ? this.#address(frame) : undefined;
      if (found !== undefined && !this.#known.has(found.key)) wanted.set(found.key, { ...found, frame: frame! });
    }
    for (const section of new Set([...wanted.values()].map((one) => one.section))) {
      const entries = [...wanted].filter(([, one]) => one.section === section);
      for (let i = 0; i < entries.length; i += AT_ONCE) await this.#lookUp(section, entries.slice(i, i + AT_ONCE));
    }
  }

  /** The places of a frame, innermost first; one with an offset only where `load` found none. */
  places(frame: Frame): readonly Place[] {
    const found = this.#address(frame);
    return (found === undefined ? undefined : this.#known.get(found.key)) ?? [{ name: frame.name, offset: frame.offset }];
  }

  #address(frame: Frame): { key: string; section: string; address: number } | undefined {
    // The kernel's size of a function goes up to the next one, which may be aligned.
    const one = this.#table().find((f) => f.symbol === frame.symbol && frame.size >= f.size && frame.size - f.size < ALIGNMENT);
    if (one === undefined || frame.offset > frame.size) return undefined;
    // A trace holds the address to return to, which may be another line's already.
    const address = one.at + frame.offset - (frame.exact || frame.offset === 0 ? 0 : 1);
    return { key: `${one.section} ${address}`, section: one.section, address };
  }

  #table(): readonly ModuleFunction[] {
    if (this.#functions === undefined) {
      const { symbols, sourceFolder } = this.#files;
      this.#functions = symbols !== undefined && existsSync(symbols) ? moduleFunctions(readFileSync(symbols)) : [];
      this.#sources = new Set(sourceFolder !== undefined && existsSync(sourceFolder) ? readdirSync(sourceFolder) : []);
    }
    return this.#functions;
  }

  async #lookUp(section: string, entries: readonly (readonly [string, { address: number; frame: Frame }])[]): Promise<void> {
    const tool = findCommand('addr2line');
    if (tool === undefined) return;
    const addresses = entries.map(([, { address }]) => `0x${address.toString(16)}`);
    const result = await run(tool, ['-e', this.#files.symbols!, '-j', section, '-a', '-f', '-i', ...addresses], { env: CLEAN_ENV, seconds: 20 });
    if (result.code !== 0) return;
    // An address, then a line with a function and one with its place for each level of inlining.
    const blocks = result.stdout.split(/^0x[0-9a-f]+\n/m).slice(1);
    if (blocks.length !== entries.length) return;
    entries.forEach(([key, { frame }], i) => {
      const words = blocks[i]!.split('\n');
      const places: Place[] = [];
      for (let k = 0; k + 1 < words.length; k += 2) {
        const line = this.#short(words[k + 1]!);
        if (line !== undefined) places.push({ name: words[k]!, line, offset: frame.offset });
      }
      if (places.length > 0) this.#known.set(key, places);
    });
  }

  /** A source's own name; of the kernel's headers the path from `include/` on; undefined for an unknown place. */
  #short(place: string): string | undefined {
    const match = /^(.+):(\d+)(?: \(discriminator \d+\))?$/.exec(place);
    if (match === null || match[1] === '??' || match[2] === '0') return undefined;
    const name = basename(match[1]!);
    const path = this.#sources.has(name) ? name : match[1]!.replace(/^.*?\/((?:arch\/\w+\/)?include\/)/, '$1');
    return `${path}:${match[2]}`;
  }
}

/** The frame that a line of a log names, be it of a trace or a report's first line. */
export function frameIn(line: string): Frame | undefined {
  const plain = plainLine(line);
  return frameOf(plain) ?? headFrame(plain);
}

/** `dm-zfile.c:88 zfile_open`, or `zfile_open+0x82`. */
export function placeText({ name, line, offset }: Place): string {
  return line === undefined ? `${name}+0x${offset.toString(16)}` : `${line} ${name}`;
}
