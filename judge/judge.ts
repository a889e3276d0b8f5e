// SPDX-License-Identifier: MIT
/** Expectation × observation × stance → verdict. */
import { CLAUSES, DECLARED_ONLY } from '../spec/index.ts';
import {
  FINDING_KINDS, mayFail, readText, type Alternative, type Case, type Complaint, type Death, type Expectation, type FindingKind, type Observation, type Opened,
  type Outcome, type Stance, type Verdict,
} from '../model/index.ts';
import { compare, refusedLate, type DeviceKind } from './compare.ts';

/** Judges one case: by the worst of all that can be said of it. `device` says how the target's devices get their size. */
export function judge(c: Case, expectation: Expectation, seen: Observation, stance: Stance, device: DeviceKind): Verdict {
  if (seen.engineError !== undefined) return { kind: 'engine-error', why: seen.engineError };
  const { death } = seen;
  if (death?.kind === 'lost') return { kind: 'engine-error', why: `the target vanished (${death.title}) during ${death.phase}` };
  const outcome = fromOutcomes(c, expectation, seen, stance, device);
  return worst([death ? fromDeath(c, expectation, death) : null, ...seen.complaints.map(fromComplaint), fromSpill(c, seen), fromChange(seen), outcome]) ?? outcome;
}

/** The finding of the worst kind, the first one of that kind; null where none of the verdicts is a finding. */
function worst(verdicts: readonly (Verdict | null)[]): Verdict | null {
  for (const kind of FINDING_KINDS) {
    const found = verdicts.find((v) => v?.kind === kind);
    if (found) return found;
  }
  return null;
}

function finding(kind: FindingKind, clause: string, what: string, why: string, read?: number): Verdict {
  return { kind, clause, signature: `${kind}: ${what}`, why, ...(read === undefined ? {} : { read }) };
}

/** A pass, with the flags that made it one. */
function pass(undeclared: readonly string[] = []): Verdict {
  return { kind: 'pass', why: '', ...(undeclared.length > 0 ? { undeclared } : {}) };
}

function fromDeath(c: Case, expectation: Expectation, death: Death): Verdict {
  if (death.kind === 'crash') return finding('crash', 'DM-SAFE-01', death.title, `crashed during ${death.phase}: ${death.title}`);
  const phase = death.phase.split(' ')[0]!;
  const clause = hangingClause(c, expectation, phase);
  // Without a frame, where a hang sits tells most: open and read are different faults, reads of one case are not.
  const where = / in \S/.test(death.title) ? death.title : `${phase} under ${clause}`;
  return finding('hang', clause, where.replace(/^hang /, ''), `no answer in time during ${death.phase}: ${death.title}`);
}

/** The clause a hanging case was about: what it violates, or what it leans on. */
function hangingClause(c: Case, expectation: Expectation, phase: string): string {
  const { strict, notable } = expectation;
  const violated = strict.outcome === 'refuse' || phase === 'read' ? violatedClause(expectation) : null;
  return violated ?? (c.access.fault && mayFail(c.access) ? 'DM-FLT-01' : notable[0]) ?? 'DM-SAFE-01';
}

/** What an image is refused for, or its first read that must fail; null where neither is. */
function violatedClause({ strict }: Expectation): string | null {
  if (strict.outcome === 'refuse') return strict.clause;
  return strict.reads.find((r) => r.outcome === 'error')?.clause ?? null;
}

function fromComplaint({ kind, title }: Complaint): Verdict {
  return finding(kind, kind === 'leak' ? 'DM-FREE-01' : 'DM-SAFE-01', title, `the target's log says: ${title}`);
}

function fromSpill(c: Case, seen: Observation): Verdict | null {
  const read = seen.reads.findIndex((r) => r.spill && r.spill.before + r.spill.after > 0);
  if (read < 0) return null;
  const { before, after, first } = seen.reads[read]!.spill!;
  return finding('memory', 'DM-RD-03', 'DM-RD-03',
    `read ${read} (${readText(c.access.reads[read]!)}) changed ${before} bytes before and ${after} after its buffer, the first at ${first}`, read);
}

function fromChange({ changed }: Observation): Verdict | null {
  if (!changed) return null;
  return finding('corruption', 'DM-WR-01', 'DM-WR-01', `an attempt to change the device changed byte ${changed.at} of the device under layer ${changed.layer}`);
}

/** Permissive flag of a reader that notices at a read what it should have noticed at open. */
const LATE = 'suite.late-refusal';

function fromOutcomes(c: Case, expectation: Expectation, seen: Observation, stance: Stance, device: DeviceKind): Verdict {
  const strict = compare(c, expectation.strict, seen, device, expectation);
  const permitted = expectation.alternatives.filter((a) => a.flags.every((f) => stance.flags[f] ?? !DECLARED_ONLY.has(f)));
  const matching = permitted.find((a) => compare(c, a.outcome, seen, device, expectation) === null);
  if (!strict) {
    const declared = firstDeclaredLenient(expectation, stance);
    // Without a matching one: an undeclared point, or a declared one that this image does not tell apart.
    if (declared !== null && !matching) {
      return finding('docs', violatedClause(expectation) ?? clauseOfFlag(declared), declared, `the stance declares ${declared}, but the target took the other side`);
    }
    if (!refusedLate(expectation.strict, seen) || stance.flags[LATE] === true) return pass();
  }
  if (matching) return pass(matching.flags.filter((f) => stance.flags[f] === undefined));
  if (!strict) return noticedLate(violatedClause(expectation)!, stance);
  // A target that took the lenient side is judged by what that side asks of it.
  const taken = strict.kind === 'accepts-invalid' ? mostLenient(permitted, expectation.strict) : undefined;
  const asked = taken && compare(c, excused(taken, expectation.strict, seen), seen, device, expectation);
  if (asked === null) return noticedLate(strict.clause, stance);
  const charge = asked ?? strict;
  if (charge.kind === 'refuses-valid' && !supported(expectation, stance)) return { kind: 'unsupported', why: charge.why };
  return finding(charge.kind, charge.clause, charge.clause, charge.why, charge.read);
}

/** What the most lenient reader opens; where it opens nothing, by what it refuses after all that may be overlooked. */
function mostLenient(alternatives: readonly Alternative[], strict: Outcome): Outcome | undefined {
  const byFlags = alternatives.toSorted((a, b) => b.flags.length - a.flags.length).map((a) => a.outcome);
  return byFlags.find((o) => o.outcome === 'open') ?? (strict.outcome === 'refuse' ? byFlags[0] : undefined);
}

/** The lenient side for a reader that took it in part: an image that may be refused may also fail to be read, a read that may fail may do so. */
function excused(lenient: Outcome, strict: Outcome, seen: Observation): Outcome {
  if (lenient.outcome === 'refuse') return lenient;
  const failed = (i: number): boolean => seen.reads[i] !== undefined && seen.reads[i].result < 0;
  const reads = lenient.reads.map((r, i) => {
    const strictly = strict.outcome === 'refuse' ? strict : strict.reads[i]!;
    return failed(i) && strictly.outcome !== 'bytes' ? { outcome: 'any' as const, clause: strictly.clause } : r;
  });
  return { ...lenient, reads };
}

/** What an image comes to that was opened against the clause, and of which reads then failed. */
function noticedLate(clause: string, stance: Stance): Verdict {
  if (stance.flags[LATE] !== false) return pass(stance.flags[LATE] === undefined ? [LATE] : []);
  return finding('accepts-invalid', clause, clause, 'it was opened and noticed only when it was read');
}

function firstDeclaredLenient(expectation: Expectation, stance: Stance): string | null {
  const all = expectation.alternatives.filter((a) => a.flags.length === 1).flatMap((a) => a.flags);
  return all.find((f) => stance.flags[f] === true) ?? null;
}

/** The first clause of which the flag is the other side. */
function clauseOfFlag(flag: string): string {
  return CLAUSES.find((c) => c.flag === flag)!.id;
}

/** Whether the stance holds everything the images need. */
export function supported({ needs }: Expectation, { supports }: Stance): boolean {
  return needs.layers <= supports.maxLayers
    && needs.algorithms.every((a) => supports.algorithms.includes(a))
    && (supports.blockSizes.length === 0 || needs.blockSizes.every((b) => supports.blockSizes.includes(b)));
}
