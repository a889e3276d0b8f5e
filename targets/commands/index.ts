// SPDX-License-Identifier: MIT
/** Readers and writers that join by configuration alone (docs/readers.md). */
export { commandTarget } from './command-target.ts';
export { installed, loadTargets, READY_FILE, readTargetsFile, type Loaded, type LoadedTargets } from './load.ts';
export { lintTargets, type Problem } from './lint.ts';
export type { ReaderEntry, TargetsFile, Tried, WriterEntry } from './entry.ts';
export { runWriter, type WriterJob } from './writer.ts';
