// SPDX-License-Identifier: MIT
/** junit.xml: a test suite for each target, a test case for each case, and one for the run itself. */
import {
  isFindingKind, type CaseEvent, type Event, type FooterEvent, type Reporter, type RunEvent, type TargetIdentity,
} from '../model/index.ts';
import { writeAtomically } from './atomic.ts';

/** Collects the run and writes it once, at `close`. */
export class JunitReporter implements Reporter {
  readonly #write: (text: string) => void;
  #run: RunEvent | undefined;
  #footer: FooterEvent | undefined;
  readonly #cases = new Map<string, CaseEvent[]>();
  /** target and signature → why it is known. */
  readonly #known = new Map<string, string>();

  /** `to` is the file's path, or who takes the text. */
  constructor(to: string | ((text: string) => void)) {
    this.#write = typeof to === 'string' ? (text) => writeAtomically(to, text) : to;
  }

  event(event: Event): void {
    if (event.type === 'run') this.#run = event;
    if (event.type === 'footer') this.#footer = event;
    if (event.type === 'finding' && event.known) this.#known.set(keyOf(event), `known: ${event.known.reason}`);
    if (event.type === 'case') {
      const cases = this.#cases.get(event.target);
      if (cases) cases.push(event);
      else this.#cases.set(event.target, [event]);
    }
  }

  close(): void {
    this.#write([...this.#xml()].join(''));
  }

  *#xml(): Generator<string> {
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="overlaybd-conformance">\n';
    const targets = new Map<string, TargetIdentity | undefined>(this.#run?.targets.map((t) => [t.name, t]));
    for (const name of this.#cases.keys()) if (!targets.has(name)) targets.set(name, undefined);
    for (const [name, identity] of targets) yield suite(name, identity, this.#cases.get(name) ?? [], this.#known);
    yield runSuite(this.#footer);
    yield '</testsuites>\n';
  }
}

function keyOf({ target, signature }: { readonly target: string; readonly signature?: string }): string {
  return `${target}\n${signature ?? ''}`;
}

/** What is known does not fail the run, so its cases do not fail here either. */
function suite(name: string, identity: TargetIdentity | undefined, cases: readonly CaseEvent[], known: ReadonlyMap<string, string>): string {
  const failures = cases.filter((c) => isFindingKind(c.kind) && !known.has(keyOf(c))).length;
  const errors = cases.filter((c) => c.kind === 'engine-error').length;
  const skipped = cases.filter((c) => c.kind === 'unsupported' || (isFindingKind(c.kind) && known.has(keyOf(c)))).length;
  const properties = Object.entries(identity?.parts ?? {})
    .map(([key, value]) => `      <property name="${xml(key)}" value="${xml(value)}"/>\n`).join('');
  return `  <testsuite name="${xml(name)}" tests="${cases.length}" failures="${failures}" errors="${errors}" skipped="${skipped}">\n`
    + (properties && `    <properties>\n${properties}    </properties>\n`)
    + cases.map((c) => testcase(c, known.get(keyOf(c)))).join('')
    + '  </testsuite>\n';
}

function testcase(c: CaseEvent, known: string | undefined): string {
  const open = `    <testcase classname="${xml(c.target)}" name="${xml(c.case)}"`;
  const message = xml(c.why ?? '');
  if (isFindingKind(c.kind) && known !== undefined) return `${open}>\n      <skipped message="${xml(`${known} (${c.signature})`)}"/>\n    </testcase>\n`;
  if (isFindingKind(c.kind)) {
    return `${open}>\n      <failure type="${c.kind}" message="${xml(c.signature ?? c.kind)}">${message}</failure>\n    </testcase>\n`;
  }
  if (c.kind === 'engine-error') return `${open}>\n      <error type="engine-error" message="${message}"/>\n    </testcase>\n`;
  if (c.kind === 'unsupported') return `${open}>\n      <skipped message="${message}"/>\n    </testcase>\n`;
  return `${open}/>\n`;
}

/** A run that stopped early must not look like one that passed. */
function runSuite(footer: FooterEvent | undefined): string {
  const error = footer === undefined ? 'the run ended without its footer'
    : footer.complete ? undefined : `the run was stopped after ${footer.cases} cases`;
  return `  <testsuite name="run" tests="1" failures="0" errors="${error ? 1 : 0}" skipped="0">\n`
    + `    <testcase classname="run" name="complete"${error ? `>\n      <error type="incomplete" message="${error}"/>\n    </testcase>` : '/>'}\n`
    + '  </testsuite>\n';
}

/** Escapes for text and attributes. Characters that XML 1.0 cannot hold at all become `\uNNNN`. */
function xml(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/[&<>"\t\n\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}
