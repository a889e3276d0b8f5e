// SPDX-License-Identifier: MIT
/** What many readers get that read at the same time: what one gets alone, unless the reader has a mistake. */
import type { Case, Observation, ReadObservation } from '../../../model/index.ts';
import type { Has } from './defects.ts';
import { readIntoMemory } from './memory.ts';
import type { Device } from './stack.ts';

const ENXIO = 6;

/** `alone`: what one reader got of each read of the case. */
export function readTogether(c: Case, device: Device, alone: readonly ReadObservation[], has: Has): Pick<Observation, 'reads' | 'meanwhile'> {
  const { crowd, reads: plans } = c.access;
  if (!crowd || plans.length === 0) return { reads: alone };
  const failed = alone.map((r) => (r.result > 0 ? { result: -ENXIO, sha256: '', reader: 1 } : r));
  if (crowd.meanwhile === 'suspend' && has('live-suspended-error')) return { reads: failed };
  if (crowd.meanwhile?.endsWith('remove') && has('live-removed-early')) return { reads: failed };
  const meanwhile = crowd.meanwhile && { meanwhile: { times: 1, ...(crowd.meanwhile === 'reload' && has('live-table-in-use') ? { failed: 'table load: EBUSY' } : {}) } };
  if (crowd.readers > 1 && plans.length > 1 && has('crowd-one-place')) {
    const shared = plans.map((plan) => ({ ...plan, offset: plans[0]!.offset }));
    return { ...meanwhile, reads: alone.map((r, i) => (r.result > 0 ? { ...readIntoMemory(device, shared[i]!, null, has), reader: 2 } : r)) };
  }
  return { ...meanwhile, reads: alone };
}
