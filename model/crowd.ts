// SPDX-License-Identifier: MIT
/** Many readers at once, and what happens to the device while they read. */

/**
 * What is done to the device again and again while it is read: suspend and
 * resume; the same table loaded again and resumed to; removing it, which must
 * fail while it is open; removing it once nobody has it open, and taking that back.
 */
export const MEANWHILES = ['suspend', 'reload', 'remove', 'deferred-remove'] as const;
export type Meanwhile = (typeof MEANWHILES)[number];

/** Readers that do a case's reads once more, all at the same time, after one reader did them alone. */
export interface Crowd {
  /** 1 to 8; each begins with another read. */
  readonly readers: number;
  /** Times that each of them does all reads, 1 to 1024. */
  readonly rounds: number;
  /** Absent: nothing. */
  readonly meanwhile?: Meanwhile;
}

/** Bounds of what a crowd may be. */
export const MOST_READERS = 8;
export const MOST_ROUNDS = 1024;

/** `4 readers at once, 8 times each, while the device is suspended and resumed`. */
export function crowdText({ readers, rounds, meanwhile }: Crowd): string {
  const doing = {
    suspend: 'is suspended and resumed', reload: 'is given the same table again', remove: 'is to be removed', 'deferred-remove': 'is to be removed when it is closed',
  };
  const who = readers === 1 ? 'one reader' : `${readers} readers at once`;
  return `${who}, ${rounds === 1 ? 'once' : `${rounds} times`}${readers > 1 ? ' each' : ''}${meanwhile ? `, while the device ${doing[meanwhile]}` : ''}`;
}
