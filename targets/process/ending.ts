// SPDX-License-Identifier: MIT
/** What the end of a target, or its silence, comes to: a death, or a complaint where a sanitizer ended it. */
import type { Complaint, Death } from '../../model/index.ts';
import type { ChildEnd } from './child.ts';
import { errorReports } from './errors.ts';

/** What is said of a case whose target ended. */
export interface Ending {
  readonly death?: Death;
  readonly complaints: readonly Complaint[];
}

/** Signals with which people and the kernel end what did nothing wrong. */
const FROM_OUTSIDE: readonly (NodeJS.Signals | null)[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];

/** Complaints in the log of a target that goes on. */
export function complaintsIn(log: string): Complaint[] {
  return errorReports(log).filter((r) => !r.deathOnly).map(({ kind, title }) => ({ kind, title }));
}

/** A target that ended by itself or by a limit. `rest`: a message that it did not finish. */
export function endingOf({ code, signal, killed, overrun }: ChildEnd, phase: string, log: string, rest: string): Ending {
  const word = phase.split(' ')[0]!;
  if (overrun === 'errors') return { death: { kind: 'hang', title: 'flood of standard error', phase }, complaints: [] };
  if (overrun !== undefined) return crashed(`${overrun === 'memory' ? 'memory over its limit' : 'too many processes'} in ${word}`, phase);
  if (!killed && signal !== null && FROM_OUTSIDE.includes(signal)) return { death: { kind: 'lost', title: `killed from outside by ${signal}`, phase }, complaints: [] };
  const what = signal ?? `exit code ${code}${rest === '' ? '' : ' in mid-message'}`;
  return diedOf(log, 'crash', `${what} in ${word}`, phase);
}

/** A death by what the log says of it, or else under its own name. */
export function diedOf(log: string, kind: 'crash' | 'hang', title: string, phase: string): Ending {
  const reports = errorReports(log);
  const complaints = reports.filter((r) => !r.deathOnly).map((r) => ({ kind: r.kind, title: r.title }));
  // A sanitizer that ends a program has seen wrong memory, which says more than that it ended.
  if (kind === 'crash' && complaints.some((c) => c.kind === 'memory')) return { complaints: complaints.filter((c) => c.kind !== 'crash') };
  const crash = reports.find((r) => r.kind === 'crash' && !r.deathOnly) ?? reports.find((r) => r.deathOnly);
  return { death: { kind, title: kind === 'crash' && crash ? crash.title : title, phase }, complaints: complaints.filter((c) => c.kind !== 'crash') };
}

function crashed(title: string, phase: string): Ending {
  return { death: { kind: 'crash', title, phase }, complaints: [] };
}
