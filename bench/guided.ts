// SPDX-License-Identifier: MIT
/**
 * libFuzzer with our mutations beside libFuzzer with its own: same module, same sound seed inputs, same time, a
 * processor each. Distinct findings after 1, 5, 15 minutes: titles of deaths and complaints that it sees while it fuzzes, and
 * signatures once the oracle has judged every input that it kept.
 *
 *   node --import tsx bench/guided.ts PATCH [--minutes 15] [--seed 1] [--seeds 400]
 */
import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { execute } from '../engine/execute.ts';
import { prepare, storedOrigin } from '../engine/prepare.ts';
import { CHUNK } from '../engine/screen.ts';
import { drawCase } from '../generators/draw.ts';
import { isFindingKind, type Case } from '../model/index.ts';
import { Cache, Steps } from '../targets/kernel/lab/index.ts';
import { loadPatches } from '../targets/kernel/lab/patch/columns.ts';
import { runGuided, type Guided } from '../targets/userspace/fuzz/guided.ts';
import { openUserspaceTarget } from '../targets/userspace/userspace-target.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true, options: { minutes: { type: 'string', default: '15' }, seed: { type: 'string', default: '1' }, seeds: { type: 'string', default: '400' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const marks = [1, 5, 15, minutes].filter((m, i, all) => m <= minutes && all.indexOf(m) === i);
const { signal } = new AbortController();
const { columns } = await loadPatches([positionals[0]!], undefined, signal);
const sources = { files: columns.at(-1)!.sources, name: columns.at(-1)!.title };
const tools = { cache: new Cache(), steps: new Steps(), sources };
// Sound images and right tables only: what is wrong with a case has to be found, not drawn.
const seeds: Case[] = Array.from({ length: Number(values.seeds) }, (_, i) => prepare(drawCase(seed, i))).flatMap(({ case: c, expectation }) => (expectation.class === 'valid' && !c.access.table ? [c] : []));
const folder = mkdtempSync(join(tmpdir(), 'ovbd-bench-guided-'));

/** Seconds after which each signature was first in reach: when the input that shows it was kept. */
async function judged(run: Guided, began: number): Promise<Map<string, number>> {
  const target = await openUserspaceTarget({ ...tools, name: 'userspace' });
  const session = await target.open();
  const first = new Map<string, number>();
  try {
    for (let at = 0; at < run.cases.length; at += CHUNK) {
      const cases = run.cases.slice(at, at + CHUNK).map((c, i) => prepare(storedOrigin(c, at + i)));
      const results = await execute(target, session, cases);
      results.forEach(({ verdict }, i) => {
        if (!isFindingKind(verdict.kind) || verdict.signature === undefined) return;
        const seconds = Math.max(0, statSync(run.files[at + i]!).mtimeMs - began) / 1000;
        first.set(verdict.signature, Math.min(seconds, first.get(verdict.signature) ?? Infinity));
      });
    }
  } finally {
    await session.close();
    await target.close();
  }
  return first;
}

try {
  const runs = await Promise.all([true, false].map(async (structured) => {
    const at = join(folder, structured ? 'ours' : 'plain');
    mkdirSync(at);
    const run = await runGuided({ ...tools, seeds, seed, limit: { seconds: minutes * 60 }, folder: at, structured });
    return { structured, run, began: Date.now() - minutes * 60_000 };
  }));
  console.log(`${basename(positionals[0]!)}: ${sources.name}, seed ${seed}, ${runs[0]!.run.seeds} seed inputs, ${minutes} minutes`);
  console.log(`| | executions | edges | ${marks.map((m) => `titles, ${m} min`).join(' | ')} | ${marks.map((m) => `signatures, ${m} min`).join(' | ')} |`);
  console.log(`|---|---|---|${marks.map(() => '---|---|').join('')}`);
  for (const { structured, run, began } of runs) {
    const titles = run.found.filter((f) => f.first);
    const signatures = [...await judged(run, began)];
    console.log(`| ${structured ? 'our mutations' : "libFuzzer's own"} | ${run.executions} | ${run.edges} | ${marks.map((m) => titles.filter((t) => t.seconds <= m * 60).length).join(' | ')} | ${marks.map((m) => signatures.filter(([, s]) => s <= m * 60).length).join(' | ')} |`);
    console.log(`<!-- ${titles.map((t) => `${t.title} ${t.seconds.toFixed(0)} s`).join('; ')} ; signatures: ${signatures.map(([s, t]) => `${s} ${t.toFixed(0)} s`).join('; ')} -->`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
