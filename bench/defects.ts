// SPDX-License-Identifier: MIT
/**
 * Which mistakes of a reader the suite sees, after how many cases, and how
 * small the case is that it ends up with, as Markdown.
 *
 *   node --import tsx bench/defects.ts [--seed 1] [--cases 2000] [--shrink 480]
 */
import { parseArgs } from 'node:util';
import { isTiny, sizeOf, sizeText } from '../engine/case-size.ts';
import { screenDefects, shrinkDefect } from '../engine/defects.ts';
import { CLAUSES } from '../spec/index.ts';
import { DEFECTS, NOT_SHOWN } from '../targets/fakes/reader/defects.ts';

const { values } = parseArgs({ options: {
  seed: { type: 'string', default: '1' }, cases: { type: 'string', default: '2000' }, shrink: { type: 'string', default: '480' },
} });
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const screened = await screenDefects(Number(values.seed), Number(values.cases));
print('# Defects of a reader, and what shows them\n');
print(`Seed ${values.seed}, at most ${values.cases} cases, shrunk until it is at most 3 layers and 3 entries, or 3 blocks, for at most about ${values.shrink} executions. Made by \`bench/defects.ts\`.\n`);
print(`${screened.found.length} of ${DEFECTS.length} defects found in ${screened.casesRun} cases; the sound reader differed from the suite on ${screened.disputed.length}.\n`);
print('| defect | what such a reader does | clause | cases needed | found as | smallest case |');
print('|---|---|---|---:|---|---|');
let large = 0;
for (const found of screened.found) {
  const { smallest, executions } = await shrinkDefect(found, Number(values.shrink), (c) => isTiny(sizeOf(c)));
  const size = sizeOf(smallest);
  if (!isTiny(size) && found.defect.needs === undefined) large++;
  const note = isTiny(size) ? '' : found.defect.needs === undefined ? ' (large)' : ` (needs ${found.defect.needs})`;
  const reads = smallest.case.access.reads.length;
  print(`| ${found.defect.name} | ${found.defect.what} | ${found.defect.clause} | ${found.cases} | ${found.shown.verdict.signature} | ${sizeText(size, smallest.case.device)}, ${reads} ${reads === 1 ? 'read' : 'reads'}${note} |`);
  process.stderr.write(`${found.defect.name}: ${executions} executions\n`);
}
for (const d of screened.missed) print(`| ${d.name} | ${d.what} | ${d.clause} | not found | | |`);
const covered = new Set<string>(DEFECTS.map((d) => d.clause));
const without = CLAUSES.filter((c) => !covered.has(c.id)).map((c) => c.id);
print(`\nNot tiny: ${large}.\n\nClauses without a defect:\n`);
for (const id of without) print(`- ${id}: ${NOT_SHOWN[id] ?? 'none yet'}`);
for (const d of screened.disputed) print(`\nDisputed: ${d.case}: ${d.why}`);
