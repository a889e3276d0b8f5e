// SPDX-License-Identifier: MIT
/** libFuzzer on the module's code in userspace: from seed cases to what made it misbehave and what reached new code. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../../model/errors.ts';
import type { Case } from '../../../model/index.ts';
import type { Cache } from '../../kernel/lab/cache.ts';
import { CLEAN_ENV, run } from '../../kernel/lab/child.ts';
import type { Steps } from '../../kernel/lab/steps.ts';
import { buildProgram } from '../build.ts';
import { FUZZER } from '../flags.ts';
import { MOST_CASE_BYTES, decodeCase, encodeCase } from './case-bytes.ts';
import { fieldsHeader } from './fields-header.ts';

/** Bytes of an input: what is larger is slow and shows nothing that smaller ones do not. */
const MOST_INPUT = 128 << 10;
const RSS_MIB = 2048;
/** Seconds beyond its own limit before libFuzzer is ended. */
const GRACE_S = 60;
/** Bytes of what it says that are read. */
const MOST_LIST = 16 << 20;

export interface GuidedOptions {
  /** The module's sources, and their name for people. */
  readonly sources: { readonly files: ReadonlyMap<string, string>; readonly name: string };
  readonly cache: Cache;
  readonly steps: Steps;
  /** Cases to begin with; those that the bytes cannot say, and large ones, are left out. */
  readonly seeds: Iterable<Case>;
  /** Of libFuzzer's choices: the same seed, seeds and number of executions give the same run. */
  readonly seed: number;
  /** Seconds of fuzzing, or executions. */
  readonly limit: { readonly seconds: number } | { readonly executions: number };
  /** An empty folder for inputs and what was found. */
  readonly folder: string;
  /** False: libFuzzer's own mutations, which know nothing of the formats. */
  readonly structured: boolean;
  readonly signal?: AbortSignal;
}

/** The first time that something was seen to go wrong, or a smaller input that shows it. */
export interface Found {
  readonly kind: 'crash' | 'hang' | 'memory' | 'leak';
  readonly title: string;
  /** Name of the input in the folder `found`. */
  readonly input: string;
  readonly bytes: number;
  /** Whether it is the first input with this title. */
  readonly first: boolean;
  /** Since the start. */
  readonly seconds: number;
  readonly executions: number;
}

export interface Guided {
  /** Seed cases that it began with. */
  readonly seeds: number;
  readonly found: readonly Found[];
  /** The smallest input of each title, then those that reached something new; each once, as cases. */
  readonly cases: readonly Case[];
  /** The file of each. */
  readonly files: readonly string[];
  readonly executions: number;
  /** Edges of the module's code that were reached. */
  readonly edges: number;
}

/** Runs it to its limit. Throws `UsageError` for sources that do not compile, `EngineError` where libFuzzer itself fails. */
export async function runGuided(o: GuidedOptions): Promise<Guided> {
  const main = ['fuzz/target.c', 'fuzz/case-bytes.c', ...(o.structured ? ['fuzz/mutate.c', 'fuzz/reseal.c'] : [])];
  const built = await buildProgram(o.sources.files, o.sources.name, o.cache, o.steps, {
    toolchain: FUZZER, main, headers: new Map([['fields.h', fieldsHeader()]]), ...(o.signal && { signal: o.signal }),
  });
  const [seeds, kept, found] = ['seeds', 'kept', 'found'].map((name) => join(o.folder, name)) as [string, string, string];
  for (const folder of [seeds, kept, found]) await mkdir(folder, { recursive: true });
  const count = await writeSeeds(o.seeds, seeds);
  const limit = 'seconds' in o.limit ? [`-max_total_time=${Math.max(1, Math.ceil(o.limit.seconds))}`] : [`-runs=${o.limit.executions}`];
  const seconds = 'seconds' in o.limit ? o.limit.seconds + GRACE_S : 86_400;
  const result = await o.steps.run(`fuzz ${o.sources.name} from ${count} cases`, () => run(built.path, [
    `-seed=${o.seed >>> 0 || 1}`, ...limit, `-max_len=${MOST_INPUT}`, `-rss_limit_mb=${RSS_MIB}`, '-timeout=60', '-detect_leaks=0', '-print_final_stats=1', `-artifact_prefix=${o.folder}/`,
    // The layer names faults itself, and goes on.
    ...['segv', 'bus', 'abrt', 'ill', 'fpe'].map((name) => `-handle_${name}=0`), kept, seeds,
  ], { env: { ...CLEAN_ENV, OVBD_FOUND: found }, seconds, signal: o.signal, cwd: o.folder }));
  if (result.code !== 0) throw new EngineError(`libFuzzer failed (${result.timedOut ? 'it did not stop' : `code ${result.code}`}): ${result.stderr.trim().split('\n').slice(-3).join(' | ').slice(0, 400)}; its folder: ${o.folder}`);
  const list = await foundIn(found);
  return {
    seeds: count, found: list, ...await casesOf(found, kept, list),
    executions: Number(/number_of_executed_units:\s*(\d+)/.exec(result.stderr)?.[1] ?? 0),
    edges: Math.max(0, ...[...result.stderr.matchAll(/ cov: (\d+)/g)].map((m) => Number(m[1]))),
  };
}

async function writeSeeds(cases: Iterable<Case>, folder: string): Promise<number> {
  let count = 0;
  for (const c of cases) {
    const bytes = encodeCase(c);
    if (bytes && bytes.length <= MOST_INPUT / 4) await writeFile(join(folder, `${String(count++).padStart(6, '0')}-${c.id}`), bytes);
  }
  return count;
}

async function foundIn(folder: string): Promise<Found[]> {
  const path = join(folder, 'found.jsonl');
  if ((await stat(path)).size > MOST_LIST) throw new EngineError(`${path} is larger than ${MOST_LIST} bytes`);
  // The last line may be half a one where the run was ended.
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Found);
}

async function casesOf(found: string, kept: string, list: readonly Found[]): Promise<Pick<Guided, 'cases' | 'files'>> {
  const titled = [...new Set(list.map((f) => f.input))];
  const all = [...titled.map((name) => join(found, name)), ...(await readdir(kept)).sort().map((name) => join(kept, name))];
  const cases: Case[] = [];
  const files: string[] = [];
  for (const [i, file] of all.entries()) {
    if ((await stat(file)).size > MOST_CASE_BYTES) continue;
    const c = decodeCase(await readFile(file), `${i < titled.length ? 'found' : 'kept'}-${i}`);
    if (!c) continue;
    cases.push(c);
    files.push(file);
  }
  return { cases, files };
}
