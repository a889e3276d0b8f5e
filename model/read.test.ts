// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { isPlainRead, readProblem, readText, type ReadPlan } from './read.ts';

const read = (change: Partial<ReadPlan>): ReadPlan => ({ offset: 0, length: 4096, bufferOffset: 0, mode: 'direct', ...change });

describe('a read can be asked for', () => {
  it.each<[string, Partial<ReadPlan>]>([
    ['in whole sectors, directly', { offset: 512, length: 1536, bufferOffset: 3584 }],
    ['to the byte, through the page cache', { offset: 1, length: 1, bufferOffset: 4095, mode: 'buffered' }],
    ['to the byte, through a mapping', { offset: 513, length: 5, bufferOffset: 7, mode: 'mmap' }],
    ['in sectors past 2^53', { offset: 2 ** 58 + 1024, length: 4096 }],
    ['in pieces of sectors', { pieces: [512, 3584] }],
    ['in pieces of bytes', { length: 10, pieces: [1, 9], mode: 'buffered' }],
    ['in 1024 pieces', { length: 512 * 1024, pieces: Array<number>(1024).fill(512) }],
  ])('%s', (_, change) => expect(readProblem(read(change))).toBeNull());
});

describe('a read cannot be asked for', () => {
  it.each<[string, Partial<ReadPlan>]>([
    ['an offset of 1 bytes', { offset: 1 }],
    ['an offset of -512 bytes', { offset: -512 }],
    ['an offset of', { offset: 2 ** 63 }],
    ['a length of 0 bytes', { length: 0, mode: 'buffered' }],
    ['a length of 513 bytes', { length: 513 }],
    ['a buffer 4096 bytes', { bufferOffset: 4096, mode: 'buffered' }],
    ['a buffer 1 bytes', { bufferOffset: 1 }],
    ['a mapping that', { mode: 'mmap', huge: true }],
    ['a mapping that', { mode: 'mmap', pieces: [4096] }],
    ['0 buffers', { pieces: [] }],
    ['1025 buffers', { length: 512 * 1025, pieces: Array<number>(1025).fill(512) }],
    ['no whole number', { pieces: [1, 4095] }],
    ['no whole number', { mode: 'buffered', pieces: [0, 4096] }],
    ['buffers of 1024 bytes for 4096', { pieces: [512, 512] }],
  ])('%s', (why, change) => expect(readProblem(read(change))).toContain(why));
});

describe('a read', () => {
  it('is plain only in every respect', () => {
    expect(isPlainRead(read({ offset: 8192 }))).toBe(true);
    const others: Partial<ReadPlan>[] = [{ offset: 512 }, { length: 512 }, { bufferOffset: 512 }, { mode: 'buffered' }, { mode: 'mmap' }, { pieces: [4096] }, { huge: true }];
    for (const change of others) expect(isPlainRead(read(change)), JSON.stringify(change)).toBe(false);
  });

  it('is told with what is unusual in it', () => {
    expect(readText(read({ offset: 512 }))).toBe('direct, 4096 bytes at 512, buffer at 0 in its page');
    expect(readText(read({ pieces: [512, 3584], huge: true }))).toBe('direct, 4096 bytes at 0, buffer at 0 in its page, in pieces of 512, 3584, in huge pages');
    expect(readText(read({ length: 4608, pieces: Array<number>(9).fill(512) }))).toContain('in 9 pieces');
  });
});
