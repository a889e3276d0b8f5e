// SPDX-License-Identifier: MIT
/** Which clauses speak of a field, for the way from a byte to the specification. Fields that no clause names are absent. */
import type { LsmtField, ZFileField } from '../../spec/index.ts';

const ZFILE_BOTH: Readonly<Partial<Record<ZFileField, readonly string[]>>> = {
  size: ['ZF-HDR-05'], index_offset: ['ZF-IDX-02', 'ZF-IDX-08', 'ZF-IDX-06'], index_size: ['ZF-IDX-01', 'ZF-IDX-02', 'ZF-IDX-05'],
  original_file_size: ['ZF-SIZE-02', 'ZF-SIZE-01', 'ZF-IDX-05'], index_crc: ['ZF-IDX-03', 'ZF-CRC-01'], block_size: ['ZF-OPT-01', 'ZF-OPT-05', 'ZF-BLK-06'],
  algo: ['ZF-OPT-02'], level: ['ZF-RSV-01'], use_dict: ['ZF-OPT-03'], dict_size: ['ZF-OPT-04'], verify: ['ZF-BLK-03', 'ZF-CRC-02'],
  reserved0: ['ZF-RSV-01'], reserved1: ['ZF-RSV-01'], reserved2: ['ZF-RSV-01'],
};
const ZFILE_HEADER: typeof ZFILE_BOTH = {
  ...ZFILE_BOTH, magic0: ['ZF-HDR-02'], magic1: ['ZF-HDR-02'], digest: ['ZF-HDR-04', 'ZF-CRC-01'], flags: ['ZF-HDR-03', 'ZF-TRL-06', 'ZF-FLG-01'],
};
const ZFILE_TRAILER: typeof ZFILE_BOTH = {
  ...ZFILE_BOTH, magic0: ['ZF-TRL-01'], magic1: ['ZF-TRL-01'], digest: ['ZF-TRL-05', 'ZF-CRC-01'], flags: ['ZF-TRL-02', 'ZF-TRL-03', 'ZF-TRL-04', 'ZF-FLG-01'],
};
const LSMT_BOTH: Readonly<Partial<Record<LsmtField, readonly string[]>>> = {
  size: ['LS-HDR-05'], index_offset: ['LS-IDX-02', 'LS-IDX-08'], index_size: ['LS-IDX-09', 'LS-IDX-01', 'LS-IDX-02'], virtual_size: ['LS-SIZE-01'],
  uuid: ['LS-RSV-01'], parent_uuid: ['LS-RSV-01'], user_tag: ['LS-RSV-01'], reserved0: ['LS-RSV-01'], reserved1: ['LS-RSV-01'],
  version: ['LS-VER-01'], sub_version: ['LS-VER-01'],
};
const LSMT_HEADER: typeof LSMT_BOTH = {
  ...LSMT_BOTH, magic0: ['LS-HDR-02'], magic1: ['LS-HDR-02'], flags: ['LS-HDR-03', 'LS-HDR-04', 'LS-HDR-06', 'LS-FLG-01'], index_size: ['LS-HDR-07', 'LS-IDX-09'],
};
const LSMT_TRAILER: typeof LSMT_BOTH = {
  ...LSMT_BOTH, magic0: ['LS-TRL-01'], magic1: ['LS-TRL-01'], flags: ['LS-TRL-02', 'LS-TRL-03', 'LS-TRL-04', 'LS-FLG-01'],
};

/** The tables by name of structure, as inspecting has it. */
const TABLES: readonly (readonly [start: string, table: Readonly<Partial<Record<string, readonly string[]>>>])[] = [
  ['ZFile header', ZFILE_HEADER], ['ZFile trailer', ZFILE_TRAILER], ['LSMT trailer', LSMT_TRAILER], ['LSMT', LSMT_HEADER],
];

/** Clauses about an index entry of a layer, about one of its parts, and about a ZFile's blocks and jump table. */
export const ENTRY_CLAUSES: readonly string[] = ['LS-IDX-03', 'LS-IDX-04', 'LS-IDX-05', 'LS-MAP-01'];
export const ZEROED_CLAUSES: readonly string[] = ['LS-IDX-06', 'LS-MAP-02'];
export const BLOCK_CLAUSES: readonly string[] = ['ZF-BLK-01', 'ZF-BLK-03', 'ZF-BLK-04'];
export const JUMP_CLAUSES: readonly string[] = ['ZF-IDX-04', 'ZF-IDX-03'];

/** Ids of the clauses about a field of a structure; empty where none is. */
export function clausesOfField(structure: string, field: string): readonly string[] {
  const table = TABLES.find(([start]) => structure.startsWith(start))?.[1];
  return table !== undefined && Object.hasOwn(table, field) ? table[field]! : [];
}
