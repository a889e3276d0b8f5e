// SPDX-License-Identifier: MIT
/** The guest agent: one static binary out of all C files of its folder. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../../../model/errors.ts';
import type { Cache } from './cache.ts';
import { CLEAN_ENV, run } from './child.ts';
import { COMPILER, compilerVersion, firstErrors } from './compiler.ts';
import { ensurePackages } from './packages.ts';
import { hashSources } from './sources.ts';
import type { Steps } from './steps.ts';

export interface BuiltAgent {
  readonly path: string;
  /** SHA-256 (hex) over the names and contents of its sources. */
  readonly sources: string;
}

const KIND = 'agent';
const FLAGS = ['-O2', '-static', '-Wall', '-pthread', '-s', '-Wl,--build-id=none'];
const AGENT_FOLDER = fileURLToPath(new URL('../agent/', import.meta.url));
/** Where the headers made from the field tables are. */
const SPEC_FOLDER = fileURLToPath(new URL('../../../spec/', import.meta.url));

/** Compiles the agent, unless the cache has it. Throws `EngineError` with the first compiler errors. */
export async function buildAgent(cache: Cache, steps: Steps, signal?: AbortSignal, folder: string = AGENT_FOLDER): Promise<BuiltAgent> {
  const files = await readC(folder);
  const main = [...files.keys()].filter((name) => name.endsWith('.c')).sort();
  if (main.length === 0) throw new EngineError(`the guest agent is missing: no C file in ${folder}`);
  for (const [name, bytes] of await readC(SPEC_FOLDER)) files.set(`spec/${name}`, bytes);
  const sources = hashSources(files);
  const recipe = short(JSON.stringify([sources, FLAGS]), 24);
  const compiler = await compilerVersion(signal);
  let entry: string | undefined;
  if (compiler === undefined) {
    // Without the compiler, any build of the same sources is better than none.
    const key = (await cache.list(KIND)).find((k) => k.startsWith(`${recipe}-`));
    if (key !== undefined) entry = cache.find(KIND, key);
  } else {
    entry = cache.find(KIND, `${recipe}-${short(compiler, 8)}`);
  }
  if (entry === undefined) {
    await ensurePackages('build', steps, signal);
    entry = await cache.make(
      KIND,
      `${recipe}-${short((await compilerVersion(signal)) ?? '', 8)}`,
      'the guest agent',
      (temp) => steps.run('compile the guest agent', () => compile(main, folder, temp, signal)),
      { signal },
    );
  }
  return { path: join(entry, 'init'), sources };
}

async function compile(main: readonly string[], folder: string, temp: string, signal?: AbortSignal): Promise<void> {
  const result = await run(COMPILER, [...FLAGS, '-I', SPEC_FOLDER, '-o', join(temp, 'init'), ...main.map((name) => `./${name}`)], {
    cwd: folder, env: { ...CLEAN_ENV, TMPDIR: temp }, seconds: 120, signal,
  });
  if (result.code !== 0) throw new EngineError(`the guest agent does not compile:\n${firstErrors(result.stderr, [folder.replace(/\/$/, '')])}`);
}

async function readC(folder: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.[ch]$/.test(name));
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}

function short(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
