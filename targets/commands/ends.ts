// SPDX-License-Identifier: MIT
/** What the end of a command means for the case: the entry's rules, and what is true of every program. */
import type { Complaint, Death } from '../../model/index.ts';
import { complaintsIn, diedOf, endingOf, type CommandResult } from '../process/index.ts';
import type { Meaning, Rule } from './entry.ts';

export interface Judged {
  readonly meaning: Meaning;
  /** Present where the meaning is crash, and no complaint says it. */
  readonly death?: Death;
  readonly complaints: readonly Complaint[];
  /** Why, for people: the last line of its standard error, or its exit code. */
  readonly why: string;
}

/** What a shell says of a program that SIGXFSZ ended. */
const SHELL_SIGXFSZ = 128 + 25;
/** Characters of a reason. */
const MAX_WHY = 300;

/** `phase`: `open` or `read 3`. Never blames a program for what we did to it when the run was stopped. */
export function meaningOf({ end, stopped, errors }: CommandResult, rules: readonly Rule[], phase: string): Judged {
  const why = reasonOf(errors, end.code);
  if (stopped === 'time') return { meaning: 'crash', ...diedOf(errors, 'hang', 'no end in time', phase), why };
  if (stopped === 'output') return { meaning: 'crash', ...diedOf('', 'hang', 'flood of standard output', phase), why };
  // More output than a device may have: it took for sound what says so, and that is judged, not that we cut it short.
  if (end.signal === 'SIGXFSZ' || end.code === SHELL_SIGXFSZ) return { meaning: 'error', complaints: complaintsIn(errors), why: 'wrote more than it may' };
  if (end.overrun !== undefined || end.signal !== null) return { meaning: 'crash', ...endingOf(end, phase, errors, ''), why };
  const complaints = complaintsIn(errors);
  const code = end.code ?? 0;
  const rule = rules.find((r) => (r.exit === undefined || r.exit.includes(code)) && (r.stderr === undefined || errors.split('\n').some((line) => new RegExp(r.stderr!).test(line))));
  const meaning = rule?.is ?? (code === 0 ? 'ok' : phase === 'open' ? 'refused' : 'error');
  // A shell says 128 + n of a program that signal n ended.
  if (meaning === 'crash' || (rule === undefined && code > 128 && code < 160)) return { meaning: 'crash', ...endingOf(end, phase, errors, ''), why };
  // A sanitizer's exit code is no refusal.
  const memory = complaints.some((c) => c.kind !== 'leak');
  return { meaning: memory && meaning !== 'ok' ? 'crash' : meaning, complaints, why };
}

function reasonOf(errors: string, code: number | null): string {
  const lines = errors.split('\n').map((l) => l.trim()).filter((l) => l !== '');
  return (lines.at(-1) ?? `exit code ${code}`).slice(0, MAX_WHY);
}
