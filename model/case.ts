// SPDX-License-Identifier: MIT
/**
 * A case: the images, how the devices over them are made and read, and the
 * clauses the generator says it exercises or violates. Plain data: nothing
 * here knows how a case came to be or what it must show.
 */

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
   * Bytes of the image inside the outermost ZFile, as whoever deploys it
   * knows them (from the manifest, not from the damaged file): the length of
   * the device made for the ZFile. Absent where there is no ZFile.
   */
  readonly exposedBytes?: number;
}

/** What comes after the image's last byte on the device that backs it. */
export type Slack =
  /** The device ends with the image's last sector. */
  | 'exact'
  /** Zeros up to the next 4096-byte border. */
  | 'page'
  /** Zeros up to the next 4096-byte border, then pages of garbage. */
  | 'garbage';

/** One read of the device. */
export interface ReadPlan {
  /** Bytes from the start of the device; a multiple of 512. */
  readonly offset: number;
  /** Bytes; a multiple of 512, at least 512. */
  readonly length: number;
  /** Bytes between a page border and the start of the buffer; 0 ≤ x < 4096, a multiple of 512. */
  readonly bufferOffset: number;
  /** O_DIRECT, or through the page cache. Userspace readers may ignore it. */
  readonly mode: 'direct' | 'buffered';
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
  /** The generator's own account, in clause ids. The oracle, not this, decides the class. */
  readonly clauses: { readonly exercises: readonly string[]; readonly violates: readonly string[] };
}
