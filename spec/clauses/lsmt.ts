// SPDX-License-Identifier: MIT
/** LSMT: one layer of a block device. */
import { clause, contested } from '../clause.ts';

export const LSMT_CLAUSES = [
  clause('LS-HDR-01', 'MUST', 'doc', 'A layer file holds a 4096-byte header and a 4096-byte trailer; a shorter file is refused.'),
  clause('LS-HDR-02', 'MUST', 'doc', 'The header has both magic values; otherwise the file is no LSMT layer.'),
  clause('LS-HDR-03', 'MUST', ['doc', 'ref'], 'Flag bit 0 of the header is 1.'),
  clause('LS-HDR-04', 'MUST', 'ref', 'Flag bit 1 (data file) of the header is 1.'),
  clause('LS-TRL-01', 'MUST', 'ref', 'The last 4096 bytes are a trailer with both magic values, and all fields come from it.'),
  clause('LS-TRL-02', 'MUST', 'ref', 'Flag bit 0 of the trailer is 0.'),
  clause('LS-TRL-03', 'MUST', 'ref', 'Flag bit 1 (data file) of the trailer is 1.'),
  clause('LS-TRL-04', 'MUST', 'ref', 'Flag bit 2 (sealed) of the trailer is 1.'),
  contested('LS-HDR-05', 'SHOULD', 'doc', 'The size field is 390.', 'ls.size-field-ignored',
    'Writers store it; no reader is known to look at it.'),
  clause('LS-IDX-01', 'MUST', 'ref', 'The index of a read-only layer has at most 1,000,000 entries, INVALID ones included.'),
  clause('LS-IDX-02', 'MUST', 'ref', 'The index lies after the header and before the trailer.'),
  clause('LS-IDX-03', 'MUST', 'ref', 'An entry whose offset is 2^50 − 1 is INVALID and is dropped, wherever it stands.'),
  clause('LS-IDX-04', 'MUST', ['doc', 'ref'],
    'The other entries ascend by offset and do not overlap; one of length 0 may stand between them.'),
  clause('LS-IDX-05', 'MUST', 'ref',
    'A data entry maps sectors of the file between the header and the index: 8 ≤ moffset < E and 8 < moffset + length ≤ E, E = index_offset / 512.'),
  clause('LS-IDX-06', 'MUST', 'ref', 'A zeroed entry’s moffset is between 8 and E.'),
  clause('LS-IDX-07', 'MUST', 'doc', 'A layer may have no entries at all.'),
  clause('LS-MAP-01', 'MUST', ['doc', 'ref'],
    'Sector s of a data entry is sector moffset + (s − offset) of the file, counted from the file’s start.'),
  clause('LS-MAP-02', 'MUST', ['doc', 'ref'], 'A zeroed entry reads as zeros, whatever lies below it.'),
  contested('LS-SIZE-01', 'MUST', 'suite', 'virtual_size is a multiple of 512 and at most 2^59 bytes.', 'ls.odd-virtual-size',
    'No source bounds it; a device has whole sectors and an entry cannot reach further.'),
  clause('LS-RW-01', 'MUST', 'ref', 'A writable layer’s data file has a header with flag bits 0 and 1 and no trailer.'),
  clause('LS-RW-02', 'MUST', 'ref', 'Its index file has a header with flag bit 0 set, bit 1 clear, and entries from byte 4096 on.'),
  clause('LS-RW-03', 'MUST', 'ref', 'Entries of an index file stand in write order: a later one hides what it covers of earlier ones.'),
  clause('LS-RW-04', 'MUST', 'ref', 'A data entry of an index file maps sectors of the data file after its header.'),
] as const;
