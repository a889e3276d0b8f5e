// SPDX-License-Identifier: MIT
/** What a fault of the device under an image, or a lack of memory, may do to a reader. */
import type { AccessPlan } from './case.ts';

/**
 * Whether the device may be refused and any read of it may fail: some bytes of
 * the device under a layer cannot be read, or there is no memory. It is any read, and also before the
 * fault and after it, since which bytes a reader fetches for a read, and when,
 * is its own affair: it may look ahead, keep blocks, and give a device up for
 * good after its first error. What it gives must be right all the same.
 */
export function mayFail({ fault, failsAfter }: Pick<AccessPlan, 'fault' | 'failsAfter'>): boolean {
  return failsAfter !== undefined || (fault !== undefined && fault.kind !== 'delay');
}

/** Whether the fault is there, or was, when the read is done; then wrong bytes may be its doing. */
export function isFaulty({ fault }: Pick<AccessPlan, 'fault'>, read: number): boolean {
  return fault !== undefined && fault.kind !== 'delay' && read >= fault.since;
}
