// SPDX-License-Identifier: MIT
/**
 * Findings as SARIF 2.1.0 (OASIS Standard, section numbers in comments), for code scanning and for editors: a rule a
 * clause, a result a finding of a target, in the patch's source where a frame names a line, else in the image.
 */
import { createHash } from 'node:crypto';
import { CLAUSES } from '../spec/index.ts';
import type { FindingKind } from '../model/index.ts';
import { oneLine } from './text.ts';
import type { FindingView, View } from './view/view.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
/** What breaks a machine or lies about data is an error. */
const LEVEL: Readonly<Record<FindingKind, 'error' | 'warning'>> = {
  'crash': 'error', 'hang': 'error', 'memory': 'error', 'corruption': 'error', 'accepts-invalid': 'error', 'refuses-valid': 'warning', 'leak': 'warning', 'docs': 'warning',
};
const KINDS: Readonly<Record<FindingKind, string>> = {
  'crash': 'The reader dies.', 'hang': 'The reader does not answer.', 'memory': 'Memory is touched that must not be.', 'corruption': 'Wrong bytes are read.',
  'accepts-invalid': 'An image that must be refused is accepted.', 'refuses-valid': 'A sound image is refused.', 'leak': 'Something is not given back.',
  'docs': 'A contested point is taken other than declared.',
};

/** The log as text. */
export function sarifText(view: View): string {
  const rules = rulesOf(view);
  const index = new Map(rules.map((r, i) => [r.id, i]));
  return `${JSON.stringify({
    $schema: SCHEMA, version: '2.1.0',
    runs: [{
      tool: { driver: { name: 'overlaybd-conformance', semanticVersion: /(\d+\.\d+\.\d+)$/.exec(view.run.suite)?.[1] ?? '0.0.0', rules } },
      // 3.17: what this run is one of, and which one it is.
      automationDetails: { id: `overlaybd-conformance/seed-${view.run.seed}/` },
      invocations: [{
        // 3.20.14: false where it did not come to its end.
        executionSuccessful: view.footer?.complete ?? false,
        ...(view.footer !== null && { exitCode: view.footer.exitCode }),
        toolExecutionNotifications: [
          ...view.problems.map((text) => ({ level: 'warning', message: { text: oneLine(text) } })),
          ...view.run.skipped.map(({ target, reason }) => ({ level: 'note', message: { text: `${oneLine(target)} was skipped: ${oneLine(reason)}` } })),
        ],
      }],
      columnKind: 'utf16CodeUnits',
      results: view.findings.map((f) => resultOf(f, index)),
    }],
  }, null, 2)}\n`;
}

function ruleOf({ event }: FindingView): string {
  return event.clause ?? event.kind;
}

function rulesOf(view: View): { id: string; shortDescription: { text: string }; helpUri?: string; properties: object }[] {
  const wanted = new Set(view.findings.map(ruleOf));
  const clauses = CLAUSES.filter((c) => wanted.delete(c.id)).map(({ id, text, level, source, contested }) => ({
    id, shortDescription: { text }, properties: { level, sources: source, contested },
  }));
  // Kinds without a clause, and clauses of another version of the specification.
  return [...clauses, ...[...wanted].map((id) => ({ id, shortDescription: { text: KINDS[id as FindingKind] ?? `Clause ${id}, which this version of the specification does not have.` }, properties: {} }))];
}

function resultOf(finding: FindingView, index: ReadonlyMap<string, number>): object {
  const { event, evidence } = finding;
  const { confirmation } = event;
  const rule = ruleOf(finding);
  const frames = (evidence?.manifest.where ?? []).flatMap(frameOf);
  const image = imageLocation(finding);
  return {
    ruleId: rule, ruleIndex: index.get(rule)!,
    // 3.27.10: what nobody could see again is not worth more than a note.
    level: confirmation.blame === 'unreliable' ? 'note' : LEVEL[event.kind],
    // 3.11.6: brackets before parentheses would be a link, to wherever a reader's words say.
    message: { text: `${oneLine(event.target)}: ${oneLine(event.signature)}: ${oneLine(event.why)}`.replaceAll('](', '] (') },
    locations: [frames[0] ?? image],
    ...(frames.length > 0 && { relatedLocations: [...frames.slice(1), image].map((location, i) => ({ id: i + 1, ...location })) }),
    partialFingerprints: { 'ovbdSignature/v1': createHash('sha256').update(`${event.target}\0${event.signature}`).digest('hex') },
    // 3.27.23: known failures, from a file of whoever runs the suite.
    ...(event.known && { suppressions: [{ kind: 'external', justification: oneLine(event.known.reason) }] }),
    occurrenceCount: Math.max(1, event.count),
    properties: {
      kind: event.kind, target: event.target, firstCase: event.firstCase, smallest: event.smallest, confirmation,
      ...(event.label !== undefined && { label: event.label }), ...(evidence !== null && evidence.manifest.replay !== '' && { replay: event.replay }),
    },
  };
}

/** `dm-zfile.c:88 zfile_open`; a frame without a line has no place in a source. */
function frameOf(where: string): object[] {
  const match = /^([\w.+-]{1,200}\.[chS]):(\d{1,7})(?: (\w{1,200}))?/.exec(where);
  const line = Number(match?.[2]);
  if (match === null || line < 1) return [];
  return [{
    physicalLocation: { artifactLocation: { uri: encodeURIComponent(match[1]!) }, region: { startLine: line } },
    ...(match[3] !== undefined && { logicalLocations: [{ name: match[3], kind: 'function' }] }),
  }];
}

/** The image that shows it, at the byte that the expectation names; else what describes the case. */
function imageLocation({ event, evidence }: FindingView): object {
  const folder = event.folder.split(/[\\/]+/).filter((part) => part !== '' && part !== '.' && part !== '..').map(encodeURIComponent).join('/');
  const strict = evidence?.manifest.expectation.strict;
  const layer = strict?.outcome === 'refuse' ? evidence?.manifest.case.layers[strict.layer] : undefined;
  // The byte counts in the innermost file: only of a plain layer is that the image.
  if (strict?.outcome !== 'refuse' || layer === undefined || layer.wrapping.length > 0 || layer.index !== undefined || strict.at >= layer.size) {
    return { physicalLocation: { artifactLocation: { uri: `${folder}/finding.json` }, region: { startLine: 1 } } };
  }
  // 3.30.11: a region of bytes.
  return { physicalLocation: { artifactLocation: { uri: `${folder}/${layer.file}` }, region: { byteOffset: strict.at, byteLength: 1 } } };
}
