// SPDX-License-Identifier: MIT
/**
 * A case: the images, how the devices over them are made and read, and the
 * clauses the generator says it exercises or violates. Plain data: nothing
 * here knows how a case came to be or what it must show.
 */
import type { Crowd } from './crowd.ts';
import type { ReadPlan } from './read.ts';

/** One envelope around a layer's LSMT (or, for a ZFile device, content) bytes. */
export type Wrapper = 'zfile' | 'tar';

/** One layer as a deploying tool would hand it to a reader. */
export interface Layer {
  /** Envelopes from the outermost to the innermost; empty for a raw image. */
  readonly wrapping: readonly Wrapper[];
  /** The file's bytes, envelopes included. For a writable pair: its data file. */
  readonly bytes: Uint8Array;
  /** The index file of a writable pair; absent for every other layer. */
  readonly index?: Uint8Array;
  /**
   * Where the file of a sparse writable layer has data, in bytes, ascending and
   * apart, multiples of 4096 (a file system keeps no smaller holes); the rest
   * of `bytes` is holes and zeros. Absent for every other layer.
   */
  readonly extents?: readonly Extent[];
  /** The remote file of a warp layer, to which entries of tag 1 map; absent for every other layer. */
  readonly remote?: Uint8Array;
  /**
   * Bytes of the image inside the outermost ZFile, as whoever deploys it
   * knows them (from the manifest, not from the damaged file): the length of
   * the device made for the ZFile. Absent where there is no ZFile.
   */
  readonly exposedBytes?: number;
}

/** Bytes [from, to) of a file. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

/** What makes a layer other than a sealed LSMT file; null for that. */
export function formOf(layer: Layer): 'pair' | 'sparse' | 'warp' | null {
  return layer.index ? 'pair' : layer.extents ? 'sparse' : layer.remote ? 'warp' : null;
}

/** What comes after the image's last byte on the device that backs it. */
export type Slack =
  /** The device ends with the image's last sector. */
  | 'exact'
  /** Zeros up to the next 4096-byte border. */
  | 'page'
  /** Zeros up to the next 4096-byte border, then pages of garbage. */
  | 'garbage';

/** One thing that is wrong with the device's table, which otherwise names each image and its bytes. */
export type TableFault =
  /** The bytes argument of a layer is off by `delta` bytes. */
  | { readonly kind: 'bytes'; readonly layer: number; readonly delta: number }
  /** The bytes argument of a layer is this text. */
  | { readonly kind: 'text'; readonly layer: number; readonly text: string }
  /** So many arguments are missing at the end (negative) or too many (positive); never a whole layer's, which is another stack. */
  | { readonly kind: 'count'; readonly delta: number }
  /** The device argument of a layer names nothing. */
  | { readonly kind: 'device'; readonly layer: number }
  /** Somebody holds the device of a layer for himself alone. */
  | { readonly kind: 'busy'; readonly layer: number }
  /** The device of a layer ends so many sectors, at least one, before the image’s last one. */
  | { readonly kind: 'short'; readonly layer: number; readonly sectors: number }
  /** The table is so many sectors longer than the device’s content has (negative: shorter). */
  | { readonly kind: 'length'; readonly sectors: number };

/** What goes wrong with the device under a layer though image and table are right. */
export interface BackingFault {
  readonly layer: number;
  /** Bytes [from, to) of the device under the layer’s file, multiples of 512; what of it lies behind the device’s end is none. */
  readonly from: number;
  readonly to: number;
  /**
   * Reads fail (`flakey`, `dust`: of another target, which lets them come as far; dust has bad sectors, and where the
   * kernel has none it is `error`), or are answered late.
   */
  readonly kind: 'error' | 'flakey' | 'dust' | 'delay';
  /** The read before which it begins; -1: before the devices are made. */
  readonly since: number;
  /** The read before which it ends; absent: it stays. */
  readonly until?: number;
}

/** What is tried to change what is on the device; each before read 0, and each must fail or change nothing. */
export interface Attempt {
  readonly kind: 'write' | 'discard' | 'secure-discard' | 'zero-out' | 'flush' | 'ioctls';
  /** Bytes, multiples of 512; at most 64 KiB. */
  readonly offset: number;
  readonly length: number;
}

/** How the devices of a case are made and read. */
export interface AccessPlan {
  readonly slack: Slack;
  /**
   * Length in bytes that the device's table is given: floor(virtual size / 512)
   * sectors for a sound image. For a damaged one, what it was before the damage.
   */
  readonly deviceBytes: number;
  readonly reads: readonly ReadPlan[];
  /** Absent: the table is right. For a layer in a ZFile it is the table of the device over it that is wrong. */
  readonly table?: TableFault;
  /** Absent: the devices under the layers do what they are asked. */
  readonly fault?: BackingFault;
  /** Absent: none. `writable`: the tables are loaded for reading and writing. */
  readonly attempts?: { readonly writable: boolean; readonly list: readonly Attempt[] };
  /**
   * Absent: each layer and the device over them stands on devices of its own.
   * `device`: layers that are the same file stand on one device. `twin`: the
   * device is made twice over the same devices, and every other read is the other one’s.
   */
  readonly shared?: 'device' | 'twin';
  /** Who reads again, and under what circumstances; every read must give what it gives alone. Absent: nobody. Never with a fault, attempts or twins. */
  readonly crowd?: Crowd;
  /**
   * The device is no new one: before it is given its table it shows the merged
   * lowest so many layers, at least one and not all, or with 0 the stored
   * bytes of the lowest one, and is read through the page cache and closed.
   * Nothing of that may be seen later. Absent: it never showed anything else.
   */
  readonly replaces?: number;
  /**
   * So many allocations of the reader's succeed, and none after them. What can be had only with memory may then be
   * refused or fail, as with a device that fails; what is given must be right. Absent: there is memory.
   */
  readonly failsAfter?: number;
}

/** Images bottom to top, how they are read, and what that is meant to show. */
export interface Case {
  /** Unique in its run and the same in every run of its seed. */
  readonly id: string;
  /** A ZFile read as a device of its own, or a stack of LSMT layers. */
  readonly device: 'zfile' | 'lsmt';
  /** Bottom to top; exactly one for a ZFile device. */
  readonly layers: readonly Layer[];
  readonly access: AccessPlan;
  /**
   * The generator's own account, in clause ids: what the case touches, in the
   * specification's order, and what it violates, first what a reader meets
   * first. The oracle, not this, decides the class.
   */
  readonly clauses: { readonly exercises: readonly string[]; readonly violates: readonly string[] };
}
