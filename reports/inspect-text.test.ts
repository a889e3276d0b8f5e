// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import type { FieldView, ImageView, LevelView, MarkView } from '../model/index.ts';
import { inspectLines } from './inspect-text.ts';

const MARK: MarkView = { clause: 'ZF-OPT-01', at: 584, note: 'is no power of two up to 65536' };

function field(name: string, offset: number, shown: string, marks: readonly MarkView[] = []): FieldView {
  return { name, offset, size: 4, value: shown, shown, text: '', marks };
}

function image(level: Partial<LevelView>): ImageView {
  const whole: LevelView = {
    kind: 'zfile', title: 'ZFile', space: 'file', offset: 0, size: 1024, structures: [], differ: [], layout: [], facts: [], marks: [], stops: [], ...level,
  };
  return { recognised: true, files: [{ role: 'layer', path: 'a.zf', size: 1024, levels: [whole] }] };
}

const BOTH = image({
  structures: [
    { structure: 'ZFile header', offset: 0, size: 512, authoritative: false, fields: [field('flags', 32, '0x13'), field('block_size', 72, '4096')] },
    { structure: 'ZFile trailer', offset: 512, size: 512, authoritative: true, fields: [field('flags', 544, '0x16'), field('block_size', 584, '4096', [MARK])] },
  ],
  differ: ['flags'],
});

it('header and trailer beside each other, with what differs and what is unusual', () => {
  const lines = [...inspectLines(BOTH, false)];
  expect(lines).toEqual([
    'a.zf: 1024 bytes (1 KiB)', '', 'ZFile', '',
    '  ZFile header at byte 0',
    '  ZFile trailer at byte 512, which the fields are taken from, 512 bytes each',
    '     at  size  field               header                trailer               meaning',
    ' ≠  +32     4  flags               0x13                  0x16',
    '!   +72     4  block_size          4096                  =',
    '', '  unusual',
    '  ! ZF-OPT-01   byte 584: ZFile trailer, block_size: is no power of two up to 65536',
  ]);
});

it('colour changes nothing but colour', () => {
  const strip = (line: string): string => line.replace(/\x1b\[\d*m/g, '');
  const coloured = [...inspectLines(BOTH, true)];
  expect(coloured.map(strip)).toEqual([...inspectLines(BOTH, false)]);
  expect(coloured.join('')).toContain('\x1b[33m!\x1b[0m');
});

it('rows that are left out are counted, between others and at the end', () => {
  const row = (number: number) => ({ number, at: 512 + number, stored: 1, decoded: 4096, crc: null, marks: [] });
  const lines = [...inspectLines(image({ blocks: { total: 9, cut: true, marked: 0, rows: [row(0), row(1), row(6)] } }), false)];
  expect(lines.slice(-6)).toEqual([
    '   number  at byte  stored  decoded  ratio  CRC',
    '        0      512       1     4096  0.0 %',
    '        1      513       1     4096  0.0 %',
    '        …  4 more',
    '        6      518       1     4096  0.0 %',
    '        …  2 more',
  ]);
});

it('a list that cannot be read further says where and why', () => {
  const stop = { what: 'index', at: 77, space: 'file', clause: 'ZF-BLK-03', why: 'the CRC of block 3 is wrong' } as const;
  const invalid = { number: 0, at: 4096, invalid: 3 };
  const lines = [...inspectLines(image({ kind: 'lsmt', space: 'decoded', entries: { total: 9, cut: false, marked: 0, rows: [invalid, { number: 3, stop }] } }), false)];
  expect(lines.slice(-2)).toEqual([
    '        0  INVALID, 3 of them to number 2', '        3  cannot be read: byte 77 of the file (ZF-BLK-03): the CRC of block 3 is wrong',
  ]);
});
