// SPDX-License-Identifier: MIT
/** The second reader: an opinion to compare with, never one that the oracle leans on. */
export * from './fields.ts';
export * from './read.ts';
