// SPDX-License-Identifier: MIT
/** The strict reader of a warp layer: a sealed container whose entries map sectors of itself or of a second, remote file. */
import { SECTOR } from '../spec/index.ts';
import { lazyLayer, type LsmtLayer } from './layer.ts';
import { openContainer } from './lsmt.ts';
import { exactMoffset, liveEntries, mapBase, sortedMappings, type EntryTable } from './lsmt-index.ts';
import type { ByteSource } from './source.ts';
import { violate, type Leniency } from './violation.ts';

/** Opens a warp layer over its remote file. Throws Violation; allocates as `openLsmt` does. */
export function openWarp(source: ByteSource, remote: ByteSource, lenient: Leniency): LsmtLayer {
  const { virtualSize, table, seen } = openContainer(source, lenient);
  const base = mapBase(seen, lenient);
  const lowest = lowestTag(table);
  // With a lowest tag of 0 the two ways of counting are one.
  const from = lowest > 0 && lenient.has('ls.warp-tag-relative') ? lowest : 0;
  checkTags(table, from, lenient);
  checkInside(table, [source, remote], from, base, lenient);
  return lazyLayer({ form: 'warp', virtualSize, data: source, remote, entries: table.count, invalidInside: seen.invalidInside }, () => (
    sortedMappings(table, base, (e) => e.tag - from)
  ));
}

/** The smallest tag in the table; 0 where it has no entries. */
function lowestTag(table: EntryTable): number {
  let lowest = 255;
  let any = false;
  for (const e of liveEntries(table)) {
    any = true;
    if (e.tag < lowest) lowest = e.tag;
  }
  return any ? lowest : 0;
}

/** LS-WRP-03. */
function checkTags(table: EntryTable, from: number, lenient: Leniency): void {
  for (const e of liveEntries(table)) {
    if (e.tag - from > 1) violate(lenient, 'LS-WRP-03', e.at, `the tag of entry ${e.i} is ${e.tag}, neither ${from} nor ${from + 1}`);
  }
}

/** LS-WRP-04. */
function checkInside(table: EntryTable, files: readonly ByteSource[], from: number, base: number, lenient: Leniency): void {
  for (const e of liveEntries(table)) {
    const which = e.tag - from;
    const file = files[which];
    if (e.zeroed || !file) continue;
    const limit = Math.floor(file.size / SECTOR);
    if (e.moffset + base + e.length > limit) {
      const exact = exactMoffset(table, e) + BigInt(base);
      const name = which === 0 ? 'the layer’s own file' : 'the remote file';
      violate(lenient, 'LS-WRP-04', e.at, `entry ${e.i} maps sectors ${exact} to ${exact + BigInt(e.length)} of ${name}, which has ${limit}`);
    }
  }
}
