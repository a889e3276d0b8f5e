// SPDX-License-Identifier: MIT
/** What one implementation gets wrong, as a page in Markdown to send to those who write it. */
import { readText, type FindingKind, type TargetIdentity } from '../model/index.ts';
import { clauseText } from './clause-text.ts';
import { hexLines } from './hex-text.ts';
import { md, mdBlock, mdCode, mdTable } from './markdown.ts';
import { count } from './text.ts';
import type { FindingView, View } from './view/view.ts';

/** The sections of a page, what matters to users first. */
const SECTIONS: readonly (readonly [title: string, what: string, kinds: readonly FindingKind[]])[] = [
  ['Wrong bytes', 'Sound images that read as something else than they hold.', ['corruption']],
  ['Invalid but accepted', 'Images that must be refused, or whose reads must fail, and that were read.', ['accepts-invalid']],
  ['Valid but refused', 'Sound images that were refused, or whose reads failed.', ['refuses-valid']],
  ['Crashes and hangs', 'Images that end the reader or keep it for ever.', ['crash', 'hang']],
  ['Memory', 'Memory that was read or written where it must not be.', ['memory']],
  ['Not given back', '', ['leak']],
  ['Other than declared', '', ['docs']],
];

/** Parts of an identity that are versions people know. */
const VERSIONS = /^(?:kernel|version|program|qemu|compiler|suite|linux-(?:image|source)-.*)$/;

/** Targets of the run that have findings which were shown again: those that have a page. */
export function errataTargets({ run, findings }: View): TargetIdentity[] {
  return run.targets.filter(({ name }) => findings.some((f) => f.event.target === name && f.event.confirmation.blame !== 'unreliable'));
}

/** The page of one target of the run. */
export function errataText(view: View, { name, description, parts }: TargetIdentity): string {
  const found = view.findings.filter((f) => f.event.target === name && f.event.confirmation.blame !== 'unreliable');
  const versions = Object.entries(parts).filter(([key]) => VERSIONS.test(key));
  const lines = [
    `# Errata: ${md(name)}`, '', md(description), '',
    ...mdTable(['', ''], [
      ...versions.map(([key, value]) => [md(key), mdCode(value.length > 120 ? `${value.slice(0, 119)}…` : value)]),
      ...(parts['sources'] === undefined ? [] : [['sources (SHA-256)', mdCode(parts['sources'])]]),
      ['found by', `${md(view.run.suite)}, ${view.run.corpus === undefined ? `seed ${view.run.seed}` : `corpus ${md(view.run.corpus)}`}, ${count(view.footer?.cases ?? view.run.cases, 'case')}`],
    ], 2), '',
    `${count(found.length, 'finding')}; each was shown again by its smallest case${view.embargo ? '. Images and scripts are held back for now' : ''}. Numbers such as ${mdCode('ZF-IDX-03')} are clauses of the suite's specification.`, '',
    ...(view.footer === null || !view.footer.complete ? ['The run was not finished: there may be more.', ''] : []),
  ];
  for (const [title, what, kinds] of SECTIONS) {
    const here = found.filter((f) => kinds.includes(f.event.kind));
    if (here.length === 0) continue;
    lines.push(`## ${title}`, '', ...(what === '' ? [] : [what, '']), ...here.flatMap(findingLines));
  }
  return `${lines.join('\n')}\n`;
}

function findingLines({ event, evidence }: FindingView): string[] {
  const strict = evidence?.manifest.expectation.strict;
  const statement = event.clause === undefined ? '' : clauseText(event.clause);
  return [
    `### ${md(event.signature)}`, '', `${md(event.why)}.`, '',
    ...(event.clause === undefined ? [] : [`Clause ${mdCode(event.clause)}${statement === '' ? '' : `: ${md(statement)}`}`, '']),
    `Shown ${event.confirmation.shown} of ${event.confirmation.tried} times${event.confirmation.blame === 'sequence' ? ', after the cases before it' : ''}; ${count(event.count, 'case')} of the run. Smallest: ${md(event.smallest)}.`, '',
    ...(event.label === undefined ? [] : [md(event.label), '']),
    ...(strict?.outcome === 'refuse' ? [`Expected: refused by ${mdCode(strict.clause)}, layer ${strict.layer}, byte ${strict.at}: ${md(strict.why)}`, '']
      : strict === undefined ? [] : [`Expected: opened, ${strict.size} bytes.`, '']),
    ...(evidence === null ? ['Its folder could not be read.', ''] : [
      ...mdBlock([...evidence.manifest.case.table, ...evidence.manifest.case.access.reads.slice(0, 8).map((r, i) => `read ${i}: ${readText(r)}`)].join('\n')), '',
      ...evidence.reads.slice(0, 1).flatMap((r) => [
        `Read ${r.read}: ${r.observedSize} bytes came of ${r.expectedSize}, ${r.different} of them differ, the first at ${r.firstDifference}. Expected, then observed, from byte ${r.from}:`, '',
        ...mdBlock([r.expected, r.observed].map((b) => Buffer.from(b, 'base64').subarray(0, 64).toString('hex').replace(/(..)(?=.)/g, '$1 ')).join('\n')), '',
      ]),
      ...(evidence.manifest.where === undefined || evidence.manifest.where.length === 0 ? [] : [`Where: ${evidence.manifest.where.map(mdCode).join(' ← ')}`, '']),
      ...evidence.images.flatMap((image) => [`${mdCode(image.file)}: ${md(image.title)}, ${count(image.size, 'byte')}`, '', ...mdBlock(hexLines(image).join('\n')), '']),
    ]),
  ];
}
