// SPDX-License-Identifier: MIT
/**
 * Writes the archive that the kernel unpacks as its first file system: cpio in
 * the "newc" form, see Documentation/driver-api/early-userspace/buffer-format.rst
 * of the kernel. Equal entries give equal bytes: no times, no owners.
 */

export interface CpioEntry {
  /** Path without a leading slash; its folders must come before it. */
  readonly name: string;
  /** Type and permission bits, as in stat(2). */
  readonly mode: number;
  readonly data?: Uint8Array;
  /** Major and minor number of a device node. */
  readonly device?: readonly [number, number];
}

/** Makes an archive of the entries, in their order. */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  let size = 0;
  const push = (bytes: Uint8Array): void => {
    parts.push(bytes);
    size += bytes.length;
  };
  const pad = (): void => push(Buffer.alloc(-size & 3));
  const add = (entry: CpioEntry, inode: number): void => {
    const name = Buffer.from(`${entry.name}\0`);
    const data = entry.data ?? new Uint8Array();
    // inode, mode, uid, gid, links, mtime, size, device (2), node's device (2), name's length, checksum
    const fields = [inode, entry.mode, 0, 0, 1, 0, data.length, 0, 0, ...(entry.device ?? [0, 0]), name.length, 0];
    push(Buffer.from(`070701${fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('')}`));
    push(name);
    pad();
    push(data);
    pad();
  };
  entries.forEach((entry, index) => add(entry, index + 1));
  add({ name: 'TRAILER!!!', mode: 0 }, 0);
  return Buffer.concat(parts, size);
}
