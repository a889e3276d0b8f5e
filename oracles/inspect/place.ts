// SPDX-License-Identifier: MIT
/** Where a level's bytes come from, and what becomes of a read that fails. */
import type { Space, StopView } from '../../model/index.ts';
import type { ByteSource } from '../source.ts';
import { Violation } from '../violation.ts';

/** The bytes of one level. */
export interface Place {
  readonly source: ByteSource;
  readonly space: Space;
  /** Where byte 0 of the source stands in its space. */
  readonly base: number;
  /** Where byte 0 of the file that a Violation counts from stands in the image file: of the level itself, or of the ZFile around it. */
  readonly judged: number;
}

/** Why a level ends there, from what the strict reader says. */
export function stopOf(place: Place, what: string, v: Violation): StopView {
  return { what, at: place.judged + v.at, space: 'file', clause: v.clause, why: v.message };
}

/** What `work` gives, or where a block that it needed cannot be decoded. Never throws for what an image holds. */
export function attempt<T>(place: Place, what: string, work: () => T): { readonly got: T } | { readonly stop: StopView } {
  try {
    return { got: work() };
  } catch (e) {
    if (e instanceof Violation) return { stop: stopOf(place, what, e) };
    throw e;
  }
}
