// SPDX-License-Identifier: MIT
/** Damage to a tar around a layer. */
import { sealTar, TAR_BLOCK, type WrittenTar } from '../tar-writer.ts';
import type { Damage, Mutator } from './damage.ts';
import { changeByte, cutAt } from './edits.ts';
import { pick } from './mutator.ts';

const MAGIC = 257;
const VERSION = 263;
const SIZE = 124;
/** Where pax records stand. */
const RECORDS = TAR_BLOCK;

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** A header with other bytes at one place, its checksum right again. */
function sealedEdit({ bytes }: WrittenTar, base: number, at: number, text: string): Damage {
  const header = bytes.slice(base, base + TAR_BLOCK);
  header.set(latin1(text), at);
  sealTar(header);
  return { edits: [{ at: base + at, bytes: latin1(text) }, { at: base + 148, bytes: header.slice(148, 156) }] };
}

function mutator(name: string, violates: string | null, damage: Mutator<WrittenTar>['damage']): Mutator<WrittenTar> {
  return { name: `tar.${name}`, violates, damage };
}

/** The bases of all headers in front of the layer. */
const headersOf = (i: WrittenTar): number[] => (i.header === 0 ? [0] : [0, i.header]);

export const TAR_MUTATORS: readonly Mutator<WrittenTar>[] = [
  mutator('magic', 'TR-TAR-01', (i, a, b) => sealedEdit(i, pick(headersOf(i), a), MAGIC + (b % 5), 'X')),
  mutator('short', 'TR-TAR-01', (i, a) => ({ edits: [], length: pick([0, 1, 257, TAR_BLOCK - 1, ...(i.header > 0 ? [TAR_BLOCK, TAR_BLOCK + 1, i.header + TAR_BLOCK - 1] : [])], a) })),
  mutator('version', 'TR-TAR-03', (i, a, b) => sealedEdit(i, pick(headersOf(i), a), VERSION, pick(['01', '10', ' \0', '\0\0'], b))),
  mutator('checksum', 'TR-TAR-03', (i, a, b) => {
    const base = pick(headersOf(i), a);
    // A byte of the name or of the time: nothing else depends on them.
    return { edits: [{ at: base + pick([0, 5, 30, 137], b), bytes: Uint8Array.of(0x37 ^ (i.bytes[base + pick([0, 5, 30, 137], b)]! === 0x37 ? 1 : 0)) }] };
  }),
  mutator('size', 'TR-TAR-02', (i, a) => {
    if (i.header > 0) return null;
    const room = i.bytes.length - TAR_BLOCK;
    const sizes = [room + 1, room + TAR_BLOCK, 8 ** 11 - 1].map((n) => n.toString(8).padStart(11, '0'));
    return sealedEdit(i, 0, SIZE, `${pick([...sizes, '0000000009z', '-0000000001', '0x000000200'], a)}\0`);
  }),
  mutator('pax-size', 'TR-TAR-02', (i, a) => {
    if (i.header === 0) return null;
    const records = ['99 size=1\n', '15 size=999999999\n'.replace('15', '18'), '11 size=-1\n', '11 size=zz\n', '12 size=1e9\n'];
    const text = pick(records, a);
    // As many blocks of records as before: what follows stays where it is.
    const grown = text.length > i.records ? sealedEdit(i, 0, SIZE, `${text.length.toString(8).padStart(11, '0')}\0`).edits : [];
    const record = { at: RECORDS, bytes: latin1(text.padEnd(i.records, '\0')) };
    // A size that is a number is found wrong where the layer's own header is looked at.
    const where = i.header + SIZE;
    return { edits: text.includes('999999999') ? [{ at: where, bytes: i.bytes.slice(where, where + 1) }, record, ...grown] : [record, ...grown] };
  }),
  mutator('cut', 'TR-TAR-02', (i, a) => {
    const start = i.header + TAR_BLOCK;
    const lengths = [start + i.size - 1, start + i.size - TAR_BLOCK, start, start + (i.size >>> 1)].filter((n) => n >= start && n < start + i.size);
    return lengths.length === 0 ? null : { edits: [], length: pick(lengths, a) };
  }),
  mutator('smaller', null, (i, a) => (i.header > 0 ? null : sealedEdit(i, 0, SIZE, `${Math.max(0, i.size - pick([1, 512, 4096], a)).toString(8).padStart(11, '0')}\0`))),
  mutator('header-byte', null, (i, a, b) => changeByte(i.bytes, 0, i.header + TAR_BLOCK, a, b)),
  mutator('truncate', null, (i, a, b) => cutAt(i.bytes, [TAR_BLOCK, i.header + TAR_BLOCK, i.header + TAR_BLOCK + i.size, i.bytes.length], a, b)),
];
