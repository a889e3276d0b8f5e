// SPDX-License-Identifier: MIT
/**
 * The run in the kernel's own test format, KTAP version 1: a test for each
 * target with one for each case in it, and one for the run itself. Format:
 * Documentation/dev-tools/ktap.rst of the kernel.
 */
import { isFindingKind, type CaseEvent, type Event, type FindingEvent, type FooterEvent, type Reporter, type RunEvent } from '../model/index.ts';
import { count, oneLine } from './text.ts';

/** Collects the run and writes it at once, at `close`: a target's tests must stand together. */
export class KtapReporter implements Reporter {
  readonly #write: (text: string) => void;
  #run: RunEvent | undefined;
  #footer: FooterEvent | undefined;
  readonly #cases = new Map<string, CaseEvent[]>();
  readonly #findings: FindingEvent[] = [];

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  event(event: Event): void {
    if (event.type === 'run') {
      this.#run = event;
      for (const t of event.targets) this.#cases.set(t.name, []);
    }
    if (event.type === 'case') this.#cases.get(event.target)?.push(event);
    if (event.type === 'finding') this.#findings.push(event);
    if (event.type === 'footer') this.#footer = event;
  }

  close(): void {
    const targets = this.#run?.targets ?? [];
    const skipped = this.#run?.skipped ?? [];
    const lines = ['KTAP version 1', `1..${targets.length + skipped.length + 1}`];
    let n = 0;
    for (const { name, description } of targets) {
      const cases = this.#cases.get(name)!;
      const failed = cases.some((c) => isFailure(c));
      lines.push(...suite(name, description, cases));
      for (const f of this.#findings.filter((x) => x.target === name)) {
        lines.push(diagnostic(`${f.signature} (${count(f.count, 'case')}, ${f.confirmation.blame}): ${f.why}`), diagnostic(`  ${f.replay}`));
      }
      lines.push(`${failed ? 'not ok' : 'ok'} ${++n} ${testName(name)}${cases.length > 0 ? '' : ' # SKIP no case ran'}`);
    }
    for (const { target, reason } of skipped) lines.push(`ok ${++n} ${testName(target)} # SKIP ${oneLine(reason).replaceAll('#', '')}`);
    const stopped = this.#footer === undefined ? 'the run ended without its footer'
      : this.#footer.complete ? undefined : `the run was stopped after ${count(this.#footer.cases, 'case')}`;
    if (stopped !== undefined) lines.push(diagnostic(stopped));
    lines.push(`${stopped === undefined ? 'ok' : 'not ok'} ${++n} complete`);
    this.#write(`${lines.join('\n')}\n`);
  }
}

/** The tests of one target, indented below its own version line. */
function suite(name: string, description: string, cases: readonly CaseEvent[]): string[] {
  if (cases.length === 0) return [];
  const lines = ['KTAP version 1', `# Subtest: ${testName(name)}`, `1..${cases.length}`, diagnostic(description)];
  cases.forEach((c, i) => {
    if (isFailure(c)) lines.push(diagnostic([c.signature ?? c.kind, c.why ?? ''].filter(Boolean).join(': ')));
    const skip = c.kind === 'unsupported' ? ` # SKIP ${oneLine(c.why ?? 'unsupported').replaceAll('#', '')}` : '';
    lines.push(`${isFailure(c) ? 'not ok' : 'ok'} ${i + 1} ${testName(c.case)}${skip}`);
  });
  return lines.map((line) => `    ${line}`);
}

function isFailure(c: CaseEvent): boolean {
  return isFindingKind(c.kind) || c.kind === 'engine-error';
}

/** A line that parsers pass on: what a target said must never look like a result, a plan or a subtest's head. */
function diagnostic(text: string): string {
  return `# ${oneLine(text).replace(/^Subtest:/, 'Subtest -')}`;
}

/** `#` begins a directive. */
function testName(name: string): string {
  return oneLine(name).replaceAll('#', '-');
}
