// SPDX-License-Identifier: MIT
/** One outcome against what was observed: what differs first, if anything. */
import { createHash } from 'node:crypto';
import type { Case, Crowd, Expectation, GovernedRange, Observation, Opened, Outcome, ReadObservation, ReadOutcome, ReadPlan, Refusal } from '../model/index.ts';
import { crowdText, FINDING_KINDS, isPlainRead, mayFail, readText, type FindingKind, type Meanwhile } from '../model/index.ts';

export interface Mismatch {
  readonly kind: FindingKind;
  readonly clause: string;
  readonly why: string;
  readonly read?: number;
}

/** What the judge must know of the target's kind of device. */
export interface DeviceKind {
  /** 512: a table gave the device its length, in sectors. 1: the reader says the size itself. */
  readonly sizeUnit: 1 | 512;
}

/** The worst difference between an outcome and an observation that ran to its end; null where there is none. */
export function compare(c: Case, expected: Outcome, seen: Observation, device: DeviceKind, expectation: Expectation): Mismatch | null {
  return expected.outcome === 'refuse' ? compareRefusal(expected, seen) : compareOpened(c, expected, seen, device, expectation);
}

/** True where an image that must be refused was opened and then gave no byte away: noticed late, but noticed. */
export function refusedLate(expected: Outcome, seen: Observation): boolean {
  return expected.outcome === 'refuse' && seen.open === 'opened'
    && seen.reads.every((r) => r.result <= 0) && seen.reads.some((r) => r.result < 0);
}

function compareRefusal(expected: Refusal, seen: Observation): Mismatch | null {
  if (seen.open === 'refused' || refusedLate(expected, seen)) return null;
  return { kind: 'accepts-invalid', clause: expected.clause, why: `must be refused: ${expected.why} (byte ${expected.at} of layer ${expected.layer}); it was opened` };
}

function compareOpened(c: Case, expected: Opened, seen: Observation, device: DeviceKind, expectation: Expectation): Mismatch | null {
  if (seen.open === 'refused') {
    if (mayFail(c.access)) return null;
    const clause = refusedClause(c, expectation);
    return { kind: 'refuses-valid', clause, why: `must be opened; it was refused: ${seen.refusal ?? 'no reason given'}` };
  }
  const size = device.sizeUnit === 1 ? expected.size : c.access.deviceBytes;
  if (seen.size !== undefined && seen.size !== size) {
    return { kind: 'corruption', clause: c.device === 'zfile' ? 'DM-TBL-01' : 'ST-SIZE-01', why: `the device must have ${size} bytes; it has ${seen.size}` };
  }
  let worst = compareMeanwhile(c, seen);
  for (const i of expected.reads.keys()) {
    const m = compareRead(c, i, size, expected, seen);
    if (m && (!worst || FINDING_KINDS.indexOf(m.kind) < FINDING_KINDS.indexOf(worst.kind))) worst = m;
  }
  return worst;
}

/** What was done to the device while it was read, where it failed: all of it must succeed on a device that could be made. */
function compareMeanwhile(c: Case, { meanwhile }: Observation): Mismatch | null {
  if (!c.access.crowd || meanwhile?.failed === undefined || mayFail(c.access)) return null;
  return { kind: 'refuses-valid', clause: crowdClause(c.access.crowd), why: `${crowdText(c.access.crowd)}: after ${meanwhile.times - 1} times it failed: ${meanwhile.failed}` };
}

function compareRead(c: Case, i: number, size: number, expected: Opened, seen: Observation): Mismatch | null {
  const want = expected.reads[i]!;
  const got = seen.reads[i];
  if (!got) return { kind: 'refuses-valid', clause: 'DM-SAFE-01', read: i, why: `read ${i} was never answered` };
  if (want.outcome === 'any') return null;
  if (got.result < 0 && mayFail(c.access)) return null;
  const { offset, length } = c.access.reads[i]!;
  // A device whose table made it shorter than the image ends there.
  const end = Math.min(offset + length, size);
  const visible = Math.max(0, end - offset);
  // Where its table made it longer, what stands behind the image's end is nobody's: the read may fail there or give anything.
  const known = Math.max(0, Math.min(end, expected.size) - offset);
  if (known < visible) {
    if (got.result < 0) return null;
    const clipped = clip(got, known);
    return clipped ? compareKnown(c, i, want, known, clipped, seen, expected) : null;
  }
  return compareKnown(c, i, want, visible, got, seen, expected);
}

/** The first `known` bytes of an observed read, whose digest nobody looks at beside them; null where it was sent as a digest of more than those. */
function clip(got: ReadObservation, known: number): ReadObservation | null {
  if (got.result <= known) return got;
  return got.bytes ? { ...got, result: known, bytes: got.bytes.subarray(0, known) } : null;
}

function compareKnown(
  c: Case, i: number, want: Exclude<ReadOutcome, { outcome: 'any' }>, visible: number, got: ReadObservation, seen: Observation, expected: Opened,
): Mismatch | null {
  if (want.outcome === 'bytes') {
    const bytes = want.bytes.subarray(0, visible);
    if (want.mayFail && (got.result < 0 || rightSoFar(got, bytes))) return null;
    return compareBytes(c, i, bytes, got, seen, expected, want.ranges);
  }
  if (want.goodBytes.length >= visible) return compareBytes(c, i, want.goodBytes.subarray(0, visible), got, seen, expected);
  return compareError(i, want, got);
}

/** The clause that a refused sound image leans on, where it is not the plainest one. */
function refusedClause(c: Case, expectation: Expectation): string {
  return expectation.notable[0] ?? (c.device === 'zfile' ? 'DM-TBL-01' : 'DM-TBL-02');
}

function compareError(read: number, want: Extract<ReadOutcome, { outcome: 'error' }>, got: ReadObservation): Mismatch | null {
  if (got.result < 0 || rightSoFar(got, want.goodBytes)) return null;
  return {
    kind: 'accepts-invalid', clause: want.clause, read,
    why: `read ${read} must fail after ${want.goodBytes.length} bytes: ${want.why}; it gave ${got.result} bytes`,
  };
}

/** `ranges`: the clauses of `want`; absent where only the read itself can be charged. */
function compareBytes(
  c: Case, read: number, want: Uint8Array, got: ReadObservation, seen: Observation, expected: Opened, ranges?: readonly GovernedRange[],
): Mismatch | null {
  const crowd = got.reader === undefined ? undefined : c.access.crowd!;
  const what = `read ${read} (${readText(c.access.reads[read]!)}${crowd ? `; reader ${got.reader} of ${crowdText(crowd)}, not the one that read it alone` : ''})`;
  const contentClause = (at: number): string => ranges?.find((r) => at < r.to)?.clause ?? 'DM-RD-01';
  // What one reader alone got right is charged neither to the content nor to the way of reading.
  const clauseAt = (at: number, content = at): string => (crowd ? crowdClause(crowd) : accessClause(c, read, at, seen, expected) ?? contentClause(content));
  if (got.result < 0) {
    // Which part of it made the read fail is not told; a tail or a gap at its end is likelier than what came before.
    return { kind: 'refuses-valid', clause: clauseAt(0, want.length - 1), read, why: `${what} must give ${want.length} bytes; it failed with ${errno(got.result)}` };
  }
  // What came before a device failed may be given first.
  if (mayFail(c.access) && rightSoFar(got, want)) return null;
  if (got.result !== want.length) {
    return { kind: 'corruption', clause: clauseAt(Math.min(got.result, want.length)), read, why: `${what} must give ${want.length} bytes; it gave ${got.result}` };
  }
  if (sameBytes(got, want)) return null;
  if (!got.bytes) return { kind: 'corruption', clause: crowd ? crowdClause(crowd) : contentClause(0), read, why: `${what} has another SHA-256 than expected` };
  const first = want.findIndex((b, i) => got.bytes![i] !== b);
  const { untouched = want.length } = got;
  if (untouched <= first) return { kind: 'memory', clause: 'DM-RD-05', read, why: `${what} succeeded, but its bytes from ${untouched} on were never written` };
  return { kind: 'corruption', clause: clauseAt(first), read, why: `${what}: byte ${first} must be ${hex(want[first]!)}, is ${hex(got.bytes[first]!)}` };
}

/**
 * The access clause, where this read is not of whole pages and the same byte
 * came right in an earlier read: then the way of reading is at fault, not the content.
 */
function accessClause(c: Case, read: number, at: number, seen: Observation, expected: Opened): string | null {
  const plan = c.access.reads[read]!;
  if (isPlainRead(plan)) return null;
  const position = plan.offset + at;
  const rightBefore = c.access.reads.slice(0, read).some((p, i) => {
    const want = expected.reads[i]!;
    return p.offset <= position && position < p.offset + p.length && want.outcome === 'bytes' && sameBytes(seen.reads[i]!, want.bytes);
  });
  return rightBefore ? wayOfReading(plan, c.access.replaces !== undefined) : null;
}

/** The clause of what is special about many readers, or of what is done to the device while they read. */
function crowdClause({ meanwhile }: Crowd): string {
  return meanwhile ? MEANWHILE_CLAUSE[meanwhile] : 'DM-RD-09';
}

const MEANWHILE_CLAUSE: Readonly<Record<Meanwhile, string>> = {
  suspend: 'DM-LIVE-01', reload: 'DM-LIVE-02', remove: 'DM-LIVE-03', 'deferred-remove': 'DM-LIVE-03',
};

/** The clause of the rarest way in which a read is not plain. `replaced`: the device showed another image before. */
function wayOfReading(plan: ReadPlan, replaced: boolean): string {
  if (replaced && plan.mode !== 'direct') return 'DM-LIVE-04';
  if (plan.mode === 'mmap') return 'DM-RD-06';
  if (plan.pieces) return 'DM-RD-07';
  if (plan.huge) return 'DM-RD-08';
  return plan.mode === 'buffered' ? 'DM-RD-04' : 'DM-RD-02';
}

/** Whether a read gave the first of these bytes, or all of them, and no other; one that gave nothing did not. */
function rightSoFar(got: ReadObservation, want: Uint8Array): boolean {
  return got.result > 0 && sameBytes(got, want.subarray(0, got.result));
}

function sameBytes(got: ReadObservation, want: Uint8Array): boolean {
  if (got.bytes) return Buffer.compare(got.bytes, want) === 0;
  return got.result === want.length && got.sha256 === createHash('sha256').update(want).digest('hex');
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

const ERRNO: Readonly<Record<number, string>> = { 5: 'EIO', 11: 'EAGAIN', 12: 'ENOMEM', 14: 'EFAULT', 22: 'EINVAL', 28: 'ENOSPC', 61: 'ENODATA', 74: 'EBADMSG', 110: 'ETIMEDOUT', 117: 'EUCLEAN', 121: 'EREMOTEIO' };

function errno(result: number): string {
  return ERRNO[-result] ?? `errno ${-result}`;
}
