// SPDX-License-Identifier: MIT
/** What is made over and over in a life cycle, and whether the kernel holds more of something each time. */
import { makeContent } from '../generators/content.ts';
import { writeLsmt } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import type { Case, Layer } from '../model/index.ts';
import { examine } from '../oracles/examine.ts';

const DEVICE_BYTES = 64 << 10;

/** The devices whose life cycle is watched: a stack of a raw layer and one in a ZFile, a ZFile, and both with an image that must be refused. */
export function cycleCases(): Case[] {
  const content = makeContent({ kind: 'mixed', seed: 5 }, 24 << 10);
  const plain = writeLsmt([{ offset: 0, length: 48, content }], { virtualSize: DEVICE_BYTES, form: 'committed', placement: 'packed', invalidBefore: [] });
  const upper = writeLsmt([{ offset: 40, length: 16, content: content.subarray(0, 8192) }], { virtualSize: DEVICE_BYTES, form: 'committed', placement: 'packed', invalidBefore: [] });
  const raw: Layer = { wrapping: [], bytes: plain };
  const wrapped: Layer = { wrapping: ['zfile'], bytes: writeZFile(upper, PLAIN_ZFILE), exposedBytes: upper.length };
  const zfile: Layer = { wrapping: ['zfile'], bytes: writeZFile(content, PLAIN_ZFILE), exposedBytes: content.length };
  const cut = (layer: Layer): Layer => ({ ...layer, bytes: layer.bytes.slice().fill(0, layer.bytes.length - 512) });
  return [
    caseOf('stack', 'lsmt', [raw, wrapped]),
    caseOf('zfile', 'zfile', [zfile]),
    caseOf('refused-stack', 'lsmt', [raw, { ...raw, bytes: plain.slice().fill(0, plain.length - 4096) }]),
    caseOf('refused-zfile', 'zfile', [cut(zfile)]),
  ];
}

function caseOf(id: string, device: Case['device'], layers: readonly Layer[]): Case {
  const reads = [{ offset: 0, length: 4096, bufferOffset: 0, mode: 'direct' as const }];
  const deviceBytes = device === 'zfile' ? layers[0]!.exposedBytes! : DEVICE_BYTES;
  return examine({ id, device, layers, access: { slack: 'page', deviceBytes, reads }, clauses: { exercises: [], violates: [] } }).case;
}

/** What a guest's kernel holds at one time; memory in bytes. */
export interface Holding {
  readonly done: number;
  readonly errno: number;
  readonly tasks: number;
  readonly available: number;
  readonly slab: number;
  readonly vmalloc: number;
  readonly bufio: number;
}

/**
 * Bytes a cycle, and bytes in all, that are a leak of each kind of memory and
 * no noise: the stock kernel stays below both (measured: see the test). The
 * smallest thing that a device can lose is an object of 64 bytes.
 */
const LIMITS = {
  slab: { each: 48, all: 96 << 10, what: 'kernel memory (slab)' },
  vmalloc: { each: 48, all: 256 << 10, what: 'kernel memory (vmalloc)' },
  available: { each: 1024, all: 6 << 20, what: 'free memory' },
} as const;

/** Tasks that may be there more at the end than before: workers of the kernel's own. */
const TASKS = 6;

/**
 * What more and more is held of, in words: `kernel memory (slab) that is not
 * given back: about 640 bytes a cycle`. The first census is the measure, for
 * what is made once and kept is made by then.
 */
export function leaksIn(censuses: readonly Holding[]): string[] {
  const last = censuses.at(-1);
  const first = censuses.find((c) => c.done > 0);
  if (!last || !first) return [];
  const leaks: string[] = [];
  if (last.errno !== 0) leaks.push(`a device that cannot be removed (errno ${last.errno})`);
  if (last.bufio > 0) leaks.push(`buffers of dm-bufio without a device: ${last.bufio} bytes`);
  const cycles = last.done - first.done;
  if (cycles <= 0) return leaks;
  if (last.tasks - first.tasks > TASKS) leaks.push(`tasks that do not end: ${last.tasks - first.tasks} more after ${cycles} cycles`);
  const grown = { slab: last.slab - first.slab, vmalloc: last.vmalloc - first.vmalloc, available: first.available - last.available };
  for (const [key, { each, all, what }] of Object.entries(LIMITS)) {
    const bytes = grown[key as keyof typeof grown];
    if (bytes > all && bytes > each * cycles) leaks.push(`${what} that is not given back: about ${Math.round(bytes / cycles)} bytes a cycle`);
  }
  // What slab or vmalloc lost is missing in the free memory, too.
  return leaks.length > 1 ? leaks.filter((l) => !l.startsWith(LIMITS.available.what)) : leaks;
}
