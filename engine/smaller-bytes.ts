// SPDX-License-Identifier: MIT
/**
 * The second stage of shrinking, when no simpler recipe shows the failure: edits of the bytes themselves. Each file is
 * made shorter at its end and in its middle, then stretches of it become zeros, then each field of its header and its
 * trailer does (0 is what a field has that nobody has set).
 */
import type { Case, Layer } from '../model/index.ts';
import { LSMT_HEADER, LSMT_MAGIC0, SECTOR, ZFILE_HEADER, ZFILE_MAGIC0, type Structure } from '../spec/index.ts';

/** A change of a case; null where it would change nothing. */
export interface Edit {
  readonly apply: (c: Case) => Case | null;
  /** True where it may be made again and again: it takes a share of what is left. */
  readonly again: boolean;
}

type Part = 'bytes' | 'index' | 'remote';

/** Stretches are halved until they are so short, in bytes. */
const SHORTEST = 64;
/** Parts of what is left that are tried, the boldest first. */
const SHARES = [1 / 2, 1 / 4, 1 / 8, 1 / 16] as const;

/** The edits of a case, in the order in which they are tried. */
export function* byteEdits(c: Case): Generator<Edit> {
  const files = c.layers.flatMap((layer, i) => PARTS.filter((part) => layer[part] !== undefined).map((part) => ({ i, part, size: layer[part]!.length })));
  // A sparse layer's extents name places of its file: it keeps its length.
  const cut = files.filter(({ i, part }) => c.layers[i]!.extents === undefined || part !== 'bytes');
  for (const { i, part } of cut) {
    for (const share of SHARES) yield edit(i, part, true, (bytes) => withoutEnd(bytes, share));
    yield edit(i, part, true, (bytes) => (bytes.length > SECTOR ? bytes.slice(0, (Math.ceil(bytes.length / SECTOR) - 1) * SECTOR) : null));
    for (const share of SHARES) yield edit(i, part, true, (bytes) => withoutMiddle(bytes, share));
  }
  for (const { i, part, size } of files) {
    for (let length = 2 ** Math.floor(Math.log2(Math.max(SHORTEST, size - 1))); length >= SHORTEST; length /= 2) {
      for (let at = 0; at < size; at += length) yield edit(i, part, false, (bytes) => withZeros(bytes, at, at + length));
    }
  }
  for (const { i, part } of files) {
    for (const end of [false, true]) {
      const known = structureAt(c.layers[i]![part]!, end);
      for (const { offset, size } of known?.fields ?? []) {
        yield edit(i, part, false, (bytes) => {
          const from = (end ? bytes.length - known!.size : 0) + offset;
          return from < 0 ? null : withZeros(bytes, from, from + size);
        });
      }
    }
  }
}

/** The header or trailer that a file has. */
function structureAt(bytes: Uint8Array, end: boolean): Structure | undefined {
  const is = ({ size }: Structure, magic: Uint8Array): boolean => {
    const from = end ? bytes.length - size : 0;
    return from >= 0 && bytes.length >= size && magic.every((byte, k) => bytes[from + k] === byte);
  };
  return is(ZFILE_HEADER, ZFILE_MAGIC0) ? ZFILE_HEADER : is(LSMT_HEADER, LSMT_MAGIC0) ? LSMT_HEADER : undefined;
}

const PARTS: readonly Part[] = ['bytes', 'index', 'remote'];

function edit(i: number, part: Part, again: boolean, change: (bytes: Uint8Array) => Uint8Array | null): Edit {
  return {
    again,
    apply: (c) => {
      const changed = change(c.layers[i]![part]!);
      return changed === null ? null : { ...c, layers: c.layers.with(i, { ...c.layers[i]!, [part]: changed } satisfies Layer) };
    },
  };
}

/** Without so much of its end, in whole sectors where it has some. */
function withoutEnd(bytes: Uint8Array, share: number): Uint8Array | null {
  const less = Math.floor((bytes.length * share) / SECTOR) * SECTOR;
  return less === 0 ? null : bytes.slice(0, bytes.length - less);
}

/** Without so much of its middle: the first and the last sector stay. */
function withoutMiddle(bytes: Uint8Array, share: number): Uint8Array | null {
  const room = bytes.length - 2 * SECTOR;
  const less = Math.floor((room * share) / SECTOR) * SECTOR;
  if (less <= 0) return null;
  const from = SECTOR + Math.floor((room - less) / (2 * SECTOR)) * SECTOR;
  const shorter = new Uint8Array(bytes.length - less);
  shorter.set(bytes.subarray(0, from));
  shorter.set(bytes.subarray(from + less), from);
  return shorter;
}

function withZeros(bytes: Uint8Array, from: number, to: number): Uint8Array | null {
  return bytes.subarray(from, to).some((byte) => byte !== 0) ? bytes.slice().fill(0, from, to) : null;
}
