// SPDX-License-Identifier: MIT
/** Targets that misbehave on command: they prove that the engine and the judge see it. */
import type { Observation } from '../../model/index.ts';
import type { Target } from '../target.ts';
import { altered } from './altered.ts';

/** Reads right, but flips a bit in the last byte of every third case's reads. */
export function lyingTarget(honest: Target): Target {
  return altered(honest, 'fake-lies', 'a reader that lies in every third case', (seen, n) => (n % 3 === 2 ? withFlippedBit(seen) : seen));
}

/** Dies in every fourth case. */
export function crashingTarget(honest: Target): Target {
  return altered(honest, 'fake-crashes', 'a reader that dies in every fourth case', (seen, n) => (n % 4 !== 3 ? seen : {
    ...seen, reads: [], death: { kind: 'crash', title: 'NULL pointer dereference in fake_read', phase: 'read 0' },
  }));
}

/** The canary: wrong in every case, so that a run in which it passes has proved nothing. */
export function canaryTarget(honest: Target): Target {
  return altered(honest, 'canary', 'must fail: wrong in every case', (seen) => (seen.open === 'opened' ? withFlippedBit(seen) : {
    ...seen, open: 'opened', size: 512, reads: [{ result: 512, sha256: '', bytes: new Uint8Array(512) }],
  }));
}

function withFlippedBit(seen: Observation): Observation {
  return {
    ...seen,
    reads: seen.reads.map((r) => {
      if (!r.bytes || r.bytes.length === 0) return r;
      const bytes = r.bytes.slice();
      bytes[bytes.length - 1]! ^= 1;
      return { ...r, sha256: '', bytes };
    }),
  };
}
