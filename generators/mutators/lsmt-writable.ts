// SPDX-License-Identifier: MIT
/** Damage to writable layers: the two files of a pair, and a sparse layer's. */
import { getInteger, LSMT_FLAG, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY } from '../../spec/index.ts';
import type { Mutator } from './damage.ts';
import { changeByte } from './edits.ts';
import { fileAnywhere } from './lsmt.ts';
import { fieldValues, headerFlag, headerMagic, SIZES, tooShort, VERSIONS, VIRTUAL_SIZES } from './lsmt-clauses.ts';
import { entryBorders, setEntry, setField, type IndexImage, type LsmtFile } from './lsmt-image.ts';
import { pick } from './mutator.ts';

const atStart = (): readonly number[] => [0];

/** Of a writable layer's header: what is missing breaks `form`, the rest what it breaks in every layer. */
function header<F extends LsmtFile>(prefix: string, form: string, flags: readonly number[]): readonly Mutator<F>[] {
  return [
    tooShort(form, `${prefix}.short`, LSMT_SPACE),
    headerMagic(form, `${prefix}.magic`),
    ...flags.map((bit) => headerFlag<F>(form, `${prefix}.flag${bit}`, bit)),
    fieldValues('LS-HDR-05', `${prefix}.size-field`, ['size'], SIZES, atStart),
    fieldValues('LS-VER-01', `${prefix}.version`, ['version', 'sub_version'], VERSIONS, atStart),
  ];
}

/** To the data file of a pair. */
export const PAIR_DATA_MUTATORS: readonly Mutator<LsmtFile>[] = [
  ...header<LsmtFile>('pair.data', 'LS-RW-01', [LSMT_FLAG.header]),
  { name: 'pair.data.flags', violates: null, damage: (i, a) => setField(i.bytes, 'flags', getInteger(i.bytes, LSMT_HEADER, 'flags') ^ (1n << BigInt(a % 32)), 0) },
  ...fileAnywhere<LsmtFile>('pair.data'),
];

const place: Mutator<IndexImage> = {
  name: 'pair.entry.moffset',
  violates: 'LS-RW-04',
  damage(i, a, b) {
    const data = i.live.filter((e) => !e.segment.zeroed && e.segment.length > 0);
    if (data.length === 0) return null;
    const entry = pick(data, a);
    const end = BigInt(Math.floor(i.dataBytes / SECTOR));
    const values = [0n, 1n, 7n, end, end + 1n, end - BigInt(entry.segment.length) + 1n, 1n << 32n, (1n << 55n) - 1n];
    return setEntry(entry, { moffset: pick(values.filter((m) => m >= 0n && (m < 8n || m + BigInt(entry.segment.length) > end)), b) });
  },
};

const zeroedPlace: Mutator<IndexImage> = {
  name: 'pair.entry.zeroed-moffset',
  violates: 'LS-IDX-06',
  damage(i, a, b) {
    const zeroed = i.live.filter((e) => e.segment.zeroed);
    if (zeroed.length === 0) return null;
    return setEntry(pick(zeroed, a), { moffset: pick([0n, 7n, BigInt(Math.floor(i.dataBytes / SECTOR)) + 1n, (1n << 55n) - 1n], b) });
  },
};

function anyEntry(field: 'offset' | 'length' | 'moffset' | 'zeroed'): Mutator<IndexImage> {
  return {
    name: `pair.entry.any-${field}`,
    violates: null,
    damage(i, a, b) {
      if (i.live.length === 0) return null;
      const entry = pick(i.live, a);
      if (field === 'zeroed') return setEntry(entry, { zeroed: !entry.segment.zeroed });
      const value = pick(entryBorders(field, BigInt(entry.segment[field]), [8, i.dataBytes / SECTOR]), b);
      return setEntry(entry, field === 'length' ? { length: Number(value) } : { [field]: value });
    },
  };
}

/** To the index file of a pair. */
export const PAIR_INDEX_MUTATORS: readonly Mutator<IndexImage>[] = [
  ...header<IndexImage>('pair.index', 'LS-RW-02', [LSMT_FLAG.header, LSMT_FLAG.dataFile, LSMT_FLAG.sealed]),
  fieldValues('LS-RW-02', 'pair.index.index_offset', ['index_offset'], [0n, 16n, 4095n, 4112n, 8192n, 1n << 63n], atStart),
  fieldValues('LS-SIZE-01', 'pair.index.virtual_size', ['virtual_size'], VIRTUAL_SIZES, atStart),
  zeroedPlace,
  place,
  anyEntry('offset'), anyEntry('length'), anyEntry('moffset'), anyEntry('zeroed'),
  // An entry of which the last bytes never reached the file.
  {
    name: 'pair.torn', violates: null,
    damage: (i, a) => (i.bytes.length - LSMT_SPACE < SEGMENT_ENTRY ? null : { edits: [], length: i.bytes.length - 1 - (a % (SEGMENT_ENTRY - 1)) }),
  },
  { name: 'pair.index-size', violates: null, damage: (i, a) => setField(i.bytes, 'index_size', pick([1, 2, 256, 2 ** 32], a), 0) },
  ...fileAnywhere<IndexImage>('pair.index'),
];

/** To the file of a sparse layer. */
export const SPARSE_MUTATORS: readonly Mutator<LsmtFile>[] = [
  ...header<LsmtFile>('sparse', 'LS-SPR-01', [LSMT_FLAG.header, LSMT_FLAG.dataFile, LSMT_FLAG.sparse]),
  fieldValues('LS-SIZE-01', 'sparse.virtual_size', ['virtual_size'], VIRTUAL_SIZES, atStart),
  { name: 'sparse.any-size', violates: null, damage: (i, a) => setField(i.bytes, 'virtual_size', pick([0n, 512n, 4096n, 1n << 40n, 1n << 59n], a), 0) },
  { name: 'sparse.data-byte', violates: null, damage: (i, a, b) => changeByte(i.bytes, LSMT_SPACE, i.bytes.length, a, b) },
  ...fileAnywhere<LsmtFile>('sparse'),
];
