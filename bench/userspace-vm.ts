// SPDX-License-Identifier: MIT
/**
 * The same cases on the patch in a virtual machine with sanitizers and in
 * userspace, and where their verdicts differ. What the machine did is kept case
 * by case, so that a run that was stopped goes on where it was; userspace, which
 * takes seconds, is done anew each time:
 *
 *   node --import tsx bench/userspace-vm.ts PATCH RESULTS.jsonl [--cases 5000] [--seed 1] [--plain] [--only-compare] [--in-use]
 *
 * `--in-use`: only cases with many readers, or with attempts to change the device; so many of the first `cases`.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { execute, type Executed, type Judged } from '../engine/execute.ts';
import { caseDigest, declaredFlags } from '../engine/prepare.ts';
import { build, drawCase } from '../generators/draw.ts';
import type { Case } from '../model/index.ts';
import { examine } from '../oracles/examine.ts';
import { openKernelTarget } from '../targets/kernel/kernel-target.ts';
import { Cache, loadPatches, prepareLab, Steps } from '../targets/kernel/lab/index.ts';
import { openUserspaceTarget } from '../targets/userspace/userspace-target.ts';

const { values, positionals: [patch, file] } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: 'string', default: '5000' }, seed: { type: 'string', default: '1' }, plain: { type: 'boolean', default: false }, 'only-compare': { type: 'boolean', default: false }, 'in-use': { type: 'boolean', default: false } },
});
if (patch === undefined || file === undefined) throw new Error('bench/userspace-vm.ts PATCH RESULTS.jsonl');
/** Cases of one batch: a virtual machine is restored for each. */
const BATCH = 25;

interface Row {
  readonly case: string;
  /** Of the case's bytes and plan: another version of the generators draws others. */
  readonly digest: string;
  readonly vm: string;
  /** In a machine of its own, after it had differed. */
  readonly alone?: true;
}
const told = ({ verdict }: Executed): string => verdict.signature ?? verdict.kind;
const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter((l) => l !== '') : [];
/** The later line of a case counts. */
const rows = new Map(lines.map((l) => JSON.parse(l) as Row).map((row) => [row.case, row]));

const tools = { cache: new Cache(), steps: new Steps() };
const column = (await loadPatches([patch], undefined)).columns.at(-1)!;
const sources = { files: column.sources, name: column.title };
const userspace = await openUserspaceTarget({ name: 'userspace', sources, ...tools });
const declared = declaredFlags([userspace]);
const stop = new AbortController();
process.on('SIGINT', () => stop.abort());
const inUse = ({ access }: Case): boolean => access.crowd !== undefined || access.attempts !== undefined;
const drawn = Array.from({ length: Number(values.cases) }, (_, i) => drawCase(Number(values.seed), i)).filter((d) => !values['in-use'] || inUse(build(d).case));
const made = (batch: typeof drawn): Judged[] => batch.map((d) => examine(build(d).case, declared));

/** Runs these on the machine, so many in one. */
async function onMachine(path: string, missing: typeof drawn, batch: number): Promise<void> {
  if (missing.length === 0) return;
  const lab = await prepareLab({ sources, sanitize: !values.plain, ...tools });
  const vm = await openKernelTarget(lab, { name: 'vm', steps: tools.steps, cacheDir: tools.cache.root, lanes: 1 });
  const session = await vm.open();
  try {
    for (let from = 0; from < missing.length && !stop.signal.aborted; from += batch) {
      const cases = made(missing.slice(from, from + batch));
      for (const [k, seen] of (await execute(vm, session, cases, { signal: stop.signal })).entries()) {
        const row: Row = { case: cases[k]!.case.id, digest: caseDigest(cases[k]!.case), vm: told(seen), ...(batch === 1 ? { alone: true as const } : {}) };
        rows.set(row.case, row);
        appendFileSync(path, `${JSON.stringify(row)}\n`);
      }
    }
  } finally {
    await vm.close();
  }
}

interface Pair {
  readonly case: string;
  readonly vm: string;
  readonly userspace: string;
}

async function compareAll(): Promise<Pair[]> {
  const pairs: Pair[] = [];
  const session = await userspace.open();
  const known = drawn.filter((d) => rows.has(d.id));
  for (let from = 0; from < known.length; from += BATCH) {
    const cases = made(known.slice(from, from + BATCH));
    const results = await execute(userspace, session, cases);
    cases.forEach(({ case: c }, k) => {
      const row = rows.get(c.id)!;
      if (row.digest === caseDigest(c)) pairs.push({ case: c.id, vm: row.vm, userspace: told(results[k]!) });
    });
  }
  await session.close();
  return pairs;
}

let all: Pair[] = [];
try {
  if (!values['only-compare']) await onMachine(file, drawn.filter((d) => !rows.has(d.id)), BATCH);
  all = await compareAll();
  if (!values['only-compare']) {
    // What came before a case may have left something in the machine: what differs is asked again, alone.
    const differ = new Set(all.filter((p) => p.vm !== p.userspace && !rows.get(p.case)!.alone).map((p) => p.case));
    await onMachine(file, drawn.filter((d) => differ.has(d.id)), 1);
    all = all.map((p) => ({ ...p, vm: rows.get(p.case)!.vm }));
  }
} finally {
  await userspace.close();
}

const kindOf = (text: string): string => text.split(':')[0]!;
const ran = all.filter((r) => !['unsupported', 'engine-error'].includes(r.vm) && r.userspace !== 'engine-error');
const [same, kinds] = [ran.filter((r) => r.vm === r.userspace).length, ran.filter((r) => kindOf(r.vm) === kindOf(r.userspace)).length];
console.log(`${ran.length} cases that ran on both: the same signature in ${same}, the same kind in ${kinds}`);
const pairs = new Map<string, string[]>();
for (const r of ran) {
  if (r.vm === r.userspace) continue;
  const key = `${r.vm} | ${r.userspace}`;
  pairs.set(key, [...(pairs.get(key) ?? []), r.case]);
}
for (const [key, list] of [...pairs].sort((a, b) => b[1].length - a[1].length)) console.log(`${String(list.length).padStart(5)}  ${key}  (${list.slice(0, 3).join(', ')})`);
