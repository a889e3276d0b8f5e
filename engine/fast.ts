// SPDX-License-Identifier: MIT
/** What a run of a target that takes a millisecond a case does otherwise than one of virtual machines. */

/** One of so many cases may have large images (generators/large.ts). */
export const FAST_LARGE_EVERY = 8;
/** So many cases share a process: to start one takes as long as fifty cases. */
export const FAST_CHUNK = 100;
/** From so many cases on threads make them ready: to begin takes them as long as some hundred cases. */
export const FAST_PREPARED = 2000;
