// SPDX-License-Identifier: MIT
/** What is done with a case's device where it is more than reading it once. */

/** File systems by the names that mount takes; each kernel of the lab has them as modules, or built in. */
export const FILE_SYSTEMS = ['ext4', 'erofs', 'squashfs'] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

/** Kinds of what stands in a tree; a reader of one may find others. */
export const TREE_KINDS = ['file', 'folder', 'link'] as const;

/** Bytes of a file that have a digest of their own. */
export const TREE_BLOCK = 4096;
/** Hexadecimal digits of such a digest. */
export const TREE_BLOCK_DIGITS = 8;

/** One thing in a tree as it was written, and as it must be read. */
export interface TreeEntry {
  /** Relative to the tree's root. */
  readonly path: string;
  readonly kind: (typeof TREE_KINDS)[number];
  /** SHA-256 (hex) of a file's bytes; where a link points; empty for a folder. */
  readonly content: string;
  /** The first digits of the SHA-256 of each 4096 bytes of a file (its end filled up with zeros), one after another; empty for the others. */
  readonly blocks: string;
}

/** The case's devices are made and removed that often, and what the kernel holds is looked at after each `every` times; then the module is unloaded and loaded. */
export interface CycleProcedure {
  readonly kind: 'cycle';
  readonly iterations: number;
  readonly every: number;
}

/** The device is mounted read-only, and all its files are read, with a cold cache and with a warm one. */
export interface MountProcedure {
  readonly kind: 'mount';
  readonly fileSystem: FileSystem;
  readonly tree: readonly TreeEntry[];
}

export type Procedure = CycleProcedure | MountProcedure;

/** A procedure in words: `made and removed 2000 times`. */
export function procedureText(procedure: Procedure): string {
  return procedure.kind === 'cycle'
    ? `made and removed ${procedure.iterations} times, then the module unloaded and loaded`
    : `mounted as ${procedure.fileSystem}, its ${procedure.tree.length} entries read twice`;
}
