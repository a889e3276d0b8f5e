// SPDX-License-Identifier: MIT
/** A comparison of readers or writers for people: what each did, who agrees with whom, and the places where they part. */
import type { Comparison, DifferenceRow, ReaderComparison, SideView, WriterComparison, WrittenRow } from '../model/index.ts';
import { letters } from './matrix-text.ts';
import { count, oneLine, wrap } from './text.ts';

/** Columns of a line. */
const WIDTH = 110;

/** The whole comparison, a line each. */
export function compareLines(c: Comparison): string[] {
  return (c.mode === 'readers' ? readerLines(c) : writerLines(c)).map((line) => line.trimEnd());
}

function readerLines(c: ReaderComparison): string[] {
  const names = c.targets.map((t) => t.name);
  const takesAll = c.answers[names[0]!]!.notGiven === 0;
  const from = 'seed' in c.from ? `seed ${c.from.seed}, ${count(c.cases, 'case')}` : `${c.from.images.map(oneLine).join(', ')}`;
  const kinds = [['opened', 'opened'], ['refused', 'refused'], ['died', 'died'], ['not given', 'notGiven'], ['failed', 'failed']] as const;
  const used = kinds.filter(([, key]) => key === 'opened' || key === 'refused' || names.some((n) => c.answers[n]![key] > 0));
  return [
    oneLine(`${c.suite}: ${from}${c.complete ? '' : '; stopped before the end'}`),
    ...c.targets.flatMap((t, i) => entry(`  ${letters(i)}  ${t.name.padEnd(longest(names))}  `, t.description)),
    ...c.skipped.flatMap((s) => entry('  skipped  ', `${s.target}: ${s.reason}`)),
    '',
    ...table(['', ...names.map((_, i) => letters(i))], [
      ...used.map(([head, key]) => [head, ...names.map((n) => number(c.answers[n]![key]))]),
      ['cases a second', ...names.map((n) => c.answers[n]!.rate.toFixed(1))],
    ]),
    '',
    'cases on which two of them do the same / may differ / differ:',
    ...table(['', ...names.slice(1).map((_, i) => letters(i + 1))], names.slice(0, -1).map((a, i) => [letters(i), ...names.slice(1).map((b) => {
      const pair = c.pairs[a]![b];
      return pair === undefined ? '' : `${pair.same}/${pair.allowed}/${pair.differ}`;
    })])),
    '',
    ...(c.rows.length === 0
      ? [`nobody differs from ${names[0]}`]
      : [
        `where they differ from a (${oneLine(names[0]!)})${takesAll ? '' : ', or from the first one that takes the case'}, cases:`,
        ...table(['', ...names.slice(1).map((_, i) => letters(i + 1)), ''], c.rows.map((row, i) => [
          String(i + 1), ...names.slice(1).map((n) => number(row.cells[n] ?? 0)), `${row.what}: ${row.clause}`,
        ]), 'last'),
        ...c.rows.flatMap((row, i) => ['', ...rowLines(row, i + 1, names)]),
      ]),
  ];
}

function rowLines({ what, clause, smallest }: DifferenceRow, n: number, names: readonly string[]): string[] {
  const where = smallest.position === undefined ? '' : `, from byte ${smallest.position} of the device on`;
  return [
    ...entry(`${String(n).padStart(3)}. `, `${what}: ${clause}; smallest: ${smallest.case}, ${smallest.class}, ${count(smallest.bytes, 'byte')}${where}`),
    ...smallest.place.flatMap((p) => entry('     ', p.text)),
    ...alike(smallest.sides).flatMap((group) => {
      const [s] = group as [SideView];
      const who = group.map((x) => letters(names.indexOf(x.target))).join(', ');
      return [
        ...entry(`     ${who}  `, `${s.does} (${s.verdict}${s.clause === undefined ? '' : ` ${s.clause}`})`),
        ...(s.bytes === undefined ? [] : entry(' '.repeat(7 + who.length), `${s.bytes}${s.origin === undefined ? '' : `: ${s.origin}`}`)),
      ];
    }),
  ];
}

/** Sides of which the same is told, together. */
function alike(sides: readonly SideView[]): SideView[][] {
  const groups = new Map<string, SideView[]>();
  for (const side of sides) {
    const { target: _, ...told } = side;
    const key = JSON.stringify(told);
    groups.set(key, [...(groups.get(key) ?? []), side]);
  }
  return [...groups.values()];
}

function writerLines(c: WriterComparison): string[] {
  const names = c.writers.map((w) => w.name);
  return [
    oneLine(`${c.suite}: writers of ${c.makes === 'lsmt' ? 'LSMT layers' : 'ZFiles'}, seed ${c.seed}, ${count(c.inputs, 'input')}${c.complete ? '' : '; stopped before the end'}`),
    ...c.writers.flatMap((w, i) => entry(`  ${letters(i)}  ${w.name.padEnd(longest(names))}  `, w.description)),
    ...c.skipped.flatMap((s) => entry('  skipped  ', `${s.target}: ${s.reason}`)),
    '',
    ...table(['', ...names.map((_, i) => letters(i))], [
      ['images made', ...names.map((n) => number(c.counts[n]!.made))],
      ['byte for byte those of a', ...names.map((n) => number(c.counts[n]!.identical))],
      ['read as their input', ...names.map((n) => number(c.counts[n]!.readsRight))],
      ['failed', ...names.map((n) => number(c.counts[n]!.failed))],
    ]),
    '',
    ...(c.rows.length === 0
      ? [`every image is byte for byte the one of ${names[0]}`]
      : [
        `what is the first thing that differs from a (${oneLine(names[0]!)}), inputs:`,
        ...table(['', ...names.slice(1).map((_, i) => letters(i + 1)), ''], c.rows.map((row, i) => [
          String(i + 1), ...names.slice(1).map((n) => number(row.cells[n] ?? 0)), row.what,
        ]), 'last'),
        ...c.rows.flatMap((row, i) => ['', ...writtenLines(row, i + 1, names)]),
      ]),
  ];
}

function writtenLines({ what, smallest }: WrittenRow, n: number, names: readonly string[]): string[] {
  const size = (w: string): string => {
    const image = smallest.images.find((i) => i.writer === w);
    return image?.bytes === undefined ? image?.why ?? 'no image' : `${count(image.bytes, 'byte')}${image.readsRight === false ? ', which does not read as its input' : ''}`;
  };
  return [
    ...entry(`${String(n).padStart(3)}. `, `${what}; smallest: ${smallest.input}, ${smallest.options}`),
    ...smallest.images.flatMap((i) => entry(`     ${letters(names.indexOf(i.writer))}  `, size(i.writer))),
    ...smallest.places.flatMap(({ writer, place, bytes }) => [
      ...entry(`     in ${letters(names.indexOf(writer))}'s: `, place.text), ...(bytes === '' ? [] : entry('        ', bytes)),
    ]),
    ...(smallest.fields.length === 0 ? [] : entry('     ', `differ: ${smallest.fields.join(', ')}`)),
  ];
}

/** A head, and text that is wrapped beside it. */
function entry(head: string, text: string): string[] {
  return wrap(oneLine(text), Math.max(20, WIDTH - head.length)).map((part, i) => oneLineKeepingLead(i === 0 ? head : ' '.repeat(head.length)) + part);
}

function oneLineKeepingLead(head: string): string {
  const lead = /^ */.exec(head)![0];
  const tail = / *$/.exec(head.slice(lead.length))![0];
  return lead + oneLine(head) + tail;
}

/** Columns of one width each, numbers to the right; the first one (`last`: and the last one) to the left. */
function table(head: readonly string[], rows: readonly (readonly string[])[], left: 'first' | 'last' = 'first'): string[] {
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((r) => oneLine(r[i]!).length)));
  return [head, ...rows].map((row) => `  ${row.map((text, i) => {
    const atLeft = i === 0 ? left === 'first' : left === 'last' && i === row.length - 1;
    return atLeft ? oneLine(text).padEnd(widths[i]!) : oneLine(text).padStart(widths[i]!);
  }).join('  ')}`);
}

function number(n: number): string {
  return n === 0 ? '·' : String(n);
}

/** Names that are longer do not push the others aside. */
const LONG = 32;

function longest(names: readonly string[]): number {
  return Math.min(LONG, Math.max(0, ...names.map((n) => n.length)));
}
