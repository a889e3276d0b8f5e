// SPDX-License-Identifier: MIT
/** Expectation × observation × stance → verdict. */
import { DECLARED_ONLY } from '../spec/index.ts';
import type { Case, Expectation, FindingKind, Observation, Stance, Verdict } from '../model/index.ts';
import { compare, refusedLate, type DeviceKind, type Mismatch } from './compare.ts';

/** Judges one case. `device` says how the target's devices get their size. */
export function judge(c: Case, expectation: Expectation, seen: Observation, stance: Stance, device: DeviceKind): Verdict {
  if (seen.engineError !== undefined) return { kind: 'engine-error', why: seen.engineError };
  return fromDeath(expectation, seen)
    ?? fromComplaint(seen, 'crash') ?? fromComplaint(seen, 'memory')
    ?? fromSpill(c, seen)
    ?? fromOutcomes(c, expectation, seen, stance, device)
    ?? fromComplaint(seen, 'leak')
    ?? { kind: 'pass', why: '' };
}

function finding(kind: FindingKind, clause: string, what: string, why: string, read?: number): Verdict {
  return { kind, clause, signature: `${kind}: ${what}`, why, ...(read === undefined ? {} : { read }) };
}

function fromDeath(expectation: Expectation, seen: Observation): Verdict | null {
  const { death } = seen;
  if (!death) return null;
  if (death.kind === 'lost') return { kind: 'engine-error', why: `the target vanished (${death.title}) during ${death.phase}` };
  if (death.kind === 'crash') return finding('crash', 'DM-SAFE-01', death.title, `crashed during ${death.phase}: ${death.title}`);
  const phase = death.phase.split(' ')[0]!;
  const clause = firstClause(expectation, phase);
  // Without a frame, where a hang sits tells most: open and read are different faults, reads of one case are not.
  const where = / in \S+/.test(death.title) ? death.title : `${phase} under ${clause}`;
  return finding('hang', clause, where.replace(/^hang /, ''), `no answer in time during ${death.phase}: ${death.title}`);
}

/** The clause a hanging case was about: what it violates, or what its first read of note is governed by. */
function firstClause({ strict, notable }: Expectation, phase: string): string {
  if (strict.outcome === 'refuse') return strict.clause;
  const bad = strict.reads.find((r) => r.outcome === 'error');
  if (bad?.outcome === 'error' && phase === 'read') return bad.clause;
  return notable[0] ?? 'DM-SAFE-01';
}

function fromComplaint(seen: Observation, kind: 'crash' | 'memory' | 'leak'): Verdict | null {
  const complaint = seen.complaints.find((x) => x.kind === kind);
  if (!complaint) return null;
  const clause = kind === 'leak' ? 'DM-FREE-01' : 'DM-SAFE-01';
  return finding(kind, clause, complaint.title, `the target's log says: ${complaint.title}`);
}

function fromSpill(c: Case, seen: Observation): Verdict | null {
  const read = seen.reads.findIndex((r) => r.spill && r.spill.before + r.spill.after > 0);
  if (read < 0) return null;
  const { before, after, first } = seen.reads[read]!.spill!;
  const plan = c.access.reads[read]!;
  return finding('memory', 'DM-RD-03', 'DM-RD-03',
    `read ${read} (${plan.length} bytes at ${plan.offset}, buffer at ${plan.bufferOffset} in its page) changed ${before} bytes before and ${after} after its buffer, the first at ${first}`, read);
}

/** Permissive flag of a reader that notices at the first read what it should have noticed at open. */
const LATE = 'suite.late-refusal';

function fromOutcomes(c: Case, expectation: Expectation, seen: Observation, stance: Stance, device: DeviceKind): Verdict | null {
  const strict = compare(c, expectation.strict, seen, device, expectation);
  const permitted = expectation.alternatives.filter((a) => a.flags.every((f) => stance.flags[f] ?? !DECLARED_ONLY.has(f)));
  const matching = permitted.find((a) => compare(c, a.outcome, seen, device, expectation) === null);
  if (!strict) {
    const declared = firstDeclaredLenient(expectation, stance);
    // An undeclared point, or a declared one that this image does not tell apart.
    if (declared && !matching) {
      return finding('docs', strictClause(expectation), declared, `the stance declares ${declared}, but the target took the other side`);
    }
    if (!refusedLate(expectation.strict, seen) || stance.flags[LATE] === true) return null;
    if (stance.flags[LATE] === undefined) return { kind: 'pass', why: '', undeclared: [LATE] };
    return finding('accepts-invalid', strictClause(expectation), strictClause(expectation), 'it was opened and noticed only when it was read');
  }
  if (matching) {
    const undeclared = matching.flags.filter((f) => stance.flags[f] === undefined);
    return undeclared.length > 0 ? { kind: 'pass', why: '', undeclared } : null;
  }
  // A target that took the lenient side is judged by what that side asks of it.
  const taken = strict.kind === 'accepts-invalid' ? permitted.toSorted((a, b) => b.flags.length - a.flags.length)[0] : undefined;
  const asked = taken && compare(c, taken.outcome, seen, device, expectation);
  // An image that may be refused may also fail to be read.
  if (asked?.kind === 'refuses-valid') return { kind: 'pass', why: '', undeclared: [LATE] };
  const charge = asked ?? strict;
  if (isCleanRefusal(charge) && !supported(expectation, stance)) return { kind: 'unsupported', why: charge.why };
  return finding(charge.kind, charge.clause, charge.clause, charge.why, charge.read);
}

function firstDeclaredLenient(expectation: Expectation, stance: Stance): string | null {
  const all = expectation.alternatives.filter((a) => a.flags.length === 1).flatMap((a) => a.flags);
  return all.find((f) => stance.flags[f] === true) ?? null;
}

function strictClause({ strict }: Expectation): string {
  return strict.outcome === 'refuse' ? strict.clause : strict.reads.find((r) => r.outcome === 'error')?.clause ?? 'DM-SAFE-01';
}

function isCleanRefusal(m: Mismatch): boolean {
  return m.kind === 'refuses-valid';
}

/** Whether the stance holds everything the images need. */
export function supported({ needs }: Expectation, { supports }: Stance): boolean {
  return needs.layers <= supports.maxLayers
    && needs.algorithms.every((a) => supports.algorithms.includes(a))
    && (supports.blockSizes.length === 0 || needs.blockSizes.every((b) => supports.blockSizes.includes(b)));
}
