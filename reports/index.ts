// SPDX-License-Identifier: MIT
export * from './terminal.ts';
export * from './jsonl.ts';
export * from './junit.ts';
export * from './matrix.ts';
export * from './matrix-text.ts';
export * from './run-file.ts';
export * from './run-diff.ts';
export * from './run-diff-text.ts';
export * from './ktap.ts';
export * from './finding-folder.ts';
export * from './finding-manifest.ts';
export * from './atomic.ts';
export * from './text.ts';
export * from './inspect-text.ts';
export * from './json-stream.ts';
export * from './spec-text.ts';
export * from './coverage.ts';
export { reachedOf } from './coverage-text.ts';
