// SPDX-License-Identifier: MIT
/**
 * Do the opinions agree? Generates cases, asks the generator's model, the
 * strict reader and the Kaitai-based reader, and counts what each costs.
 *
 *   node --import tsx bench/agreement.ts [--cases 200000] [--seed 1] [--jobs 2]
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { opinionsDiffer } from '../engine/agreement.ts';
import { build, drawCase } from '../generators/draw.ts';
import { crossRead } from '../oracles/cross/read.ts';
import { examine } from '../oracles/examine.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '200000' }, seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) }, worker: { type: 'string' },
  },
});
const [cases, seed, jobs] = [Number(values.cases), Number(values.seed), Number(values.jobs)];

interface Tally {
  cases: number;
  valid: number;
  permissive: number;
  invalid: number;
  /** Cases that the second reader had an opinion on. */
  crossed: number;
  /** Bytes of images made, and bytes of reads judged. */
  imageBytes: number;
  readBytes: number;
  /** Milliseconds of processor time. */
  generate: number;
  oracle: number;
  cross: number;
  differences: string[];
}

const empty = (): Tally => ({
  cases: 0, valid: 0, permissive: 0, invalid: 0, crossed: 0, imageBytes: 0, readBytes: 0, generate: 0, oracle: 0, cross: 0, differences: [],
});

/** Cases that a worker reports at a time. */
const STEP = 500;

/** Milliseconds of processor time of this process, so that the figures hold on a busy machine too. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function one(index: number, t: Tally): void {
  const began = cpuMs();
  const built = build(drawCase(seed, index));
  const made = cpuMs();
  const { case: c, expectation } = examine(built.case);
  const judged = cpuMs();
  const strict = expectation.strict;
  const readable = strict.outcome === 'open' && strict.reads.every((r) => r.outcome === 'bytes');
  const cross = readable ? crossRead(c) : null;
  const done = cpuMs();
  const difference = opinionsDiffer(built, c, expectation, cross);
  t.cases++;
  t[expectation.class]++;
  if (cross) t.crossed++;
  t.generate += made - began;
  t.oracle += judged - made;
  t.cross += done - judged;
  for (const l of c.layers) t.imageBytes += l.bytes.length + (l.index?.length ?? 0) + (l.remote?.length ?? 0);
  if (strict.outcome === 'open') for (const r of strict.reads) if (r.outcome === 'bytes') t.readBytes += r.bytes.length;
  if (difference !== null) t.differences.push(`s${seed}-c${index}: ${difference}`);
}

function work(lane: number): void {
  for (let at = lane * STEP; at < cases; at += jobs * STEP) {
    const t = empty();
    for (let i = at; i < Math.min(at + STEP, cases); i++) one(i, t);
    process.send!(t);
  }
}

async function main(): Promise<void> {
  const total = empty();
  const began = performance.now();
  let said = began;
  const lane = (n: number): Promise<void> => new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--worker', String(n)], { execArgv: ['--import', 'tsx'] });
    child.on('message', (t: Tally) => {
      for (const key of Object.keys(total) as (keyof Tally)[]) {
        if (key === 'differences') total.differences.push(...t.differences);
        else total[key] += t[key];
      }
      for (const d of t.differences) console.log(`DIFFERENT ${d}`);
      if (performance.now() - said > 10_000) {
        said = performance.now();
        console.error(`${total.cases}/${cases} cases, ${total.differences.length} disagreements, ${((said - began) / 1000).toFixed(0)} s`);
      }
    });
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`worker ${n} ended with ${code}`))));
  });
  await Promise.all(Array.from({ length: jobs }, (_, n) => lane(n)));
  report(total, (performance.now() - began) / 1000);
  process.exitCode = total.differences.length > 0 ? 1 : 0;
}

function report(t: Tally, seconds: number): void {
  const per = (ms: number): string => `${(ms / t.cases).toFixed(2)} ms a case`;
  const rate = (bytes: number, ms: number): string => `${(bytes / 1e6 / (ms / 1000)).toFixed(0)} MB/s`;
  console.log(`${t.cases} cases of seed ${seed}: ${t.valid} valid, ${t.permissive} permissive, ${t.invalid} invalid`);
  console.log(`${t.differences.length} disagreements; the second reader was asked ${t.crossed} times`);
  console.log(`generate and encode  ${per(t.generate)}, ${rate(t.imageBytes, t.generate)} of images`);
  console.log(`oracle, all readings ${per(t.oracle)}, ${rate(t.readBytes, t.oracle)} of reads`);
  console.log(`second reader        ${(t.cross / t.crossed).toFixed(2)} ms a case that it reads`);
  console.log(`${seconds.toFixed(0)} s with ${jobs} processes, ${(t.cases / seconds).toFixed(0)} cases/s`);
}

if (values.worker === undefined) await main();
else work(Number(values.worker));
