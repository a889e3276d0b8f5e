// SPDX-License-Identifier: MIT
/** Builders for the judge's tests: cases of which only the access counts, expectations, and observations. */
import { createHash } from 'node:crypto';
import type { Case, Expectation, GovernedRange, Observation, Opened, Outcome, ReadError, ReadObservation, ReadOutcome, ReadPlan, Refusal } from '../model/index.ts';

/** `length` bytes of which no two within 251 are the same. */
export function content(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

/** A direct read into a buffer on a page border. */
export function plan(offset: number, length: number, change: Partial<ReadPlan> = {}): ReadPlan {
  return { offset, length, bufferOffset: 0, mode: 'direct', ...change };
}

export function caseOf(reads: readonly ReadPlan[], change: { device?: Case['device']; deviceBytes?: number } = {}): Case {
  return {
    id: 'c', device: change.device ?? 'lsmt', layers: [{ wrapping: [], bytes: new Uint8Array(0) }],
    access: { slack: 'page', deviceBytes: change.deviceBytes ?? 8192, reads },
    clauses: { exercises: [], violates: [] },
  };
}

export const REFUSED: Refusal = { outcome: 'refuse', clause: 'LS-IDX-04', layer: 2, at: 96, why: 'entries overlap' };

export function opened(size: number, ...reads: readonly ReadOutcome[]): Opened {
  return { outcome: 'open', size, reads };
}

export function wanted(bytes: Uint8Array, ranges: readonly GovernedRange[] = [{ from: 0, to: bytes.length, clause: 'LS-MAP-01' }]): ReadOutcome {
  return { outcome: 'bytes', bytes, ranges };
}

export function failing(goodBytes: Uint8Array, clause = 'ZF-BLK-03'): ReadError {
  return { outcome: 'error', clause, layer: 0, at: 9, why: 'the CRC differs', goodBytes };
}

export function expectationOf(strict: Outcome, change: Partial<Expectation> = {}): Expectation {
  return { class: 'valid', needs: { algorithms: [], blockSizes: [], layers: 1 }, notable: [], alternatives: [], strict, ...change };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A read that gave these bytes and tells them. */
export function got(bytes: Uint8Array, change: Partial<ReadObservation> = {}): ReadObservation {
  return { result: bytes.length, sha256: sha256(bytes), bytes, ...change };
}

/** A read that gave these bytes and tells their digest only. */
export function digest(bytes: Uint8Array): ReadObservation {
  return { result: bytes.length, sha256: sha256(bytes) };
}

export function failed(errno = 5): ReadObservation {
  return { result: -errno, sha256: '' };
}

/** The bytes with one bit flipped at `at`. */
export function damaged(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}

export function seen(reads: readonly ReadObservation[], change: Partial<Observation> = {}): Observation {
  return { open: 'opened', reads, complaints: [], log: '', history: 0, ...change };
}

export function refused(refusal?: string): Observation {
  return seen([], { open: 'refused', ...(refusal === undefined ? {} : { refusal }) });
}
