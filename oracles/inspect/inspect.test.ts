// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeContent } from '../../generators/content.ts';
import { build, drawCase } from '../../generators/draw.ts';
import { writeLsmt, writePair } from '../../generators/lsmt-writer.ts';
import { writeTar } from '../../generators/tar-writer.ts';
import { PLAIN_ZFILE, sealDigest, writeZFile } from '../../generators/zfile-writer.ts';
import type { BlockRow, EntryRow, ImageView, InvalidRow, LevelView, MarkView, StopRow, StopView } from '../../model/index.ts';
import { inspectLines } from '../../reports/inspect-text.ts';
import { jsonPieces } from '../../reports/json-stream.ts';
import {
  fieldOf, getInteger, getSegment, INVALID_OFFSET, LSMT_HEADER, SECTOR, setInteger, setSegment, USTAR_HEADER, ZFILE_HEADER, type Structure,
} from '../../spec/index.ts';
import { shared } from '../../test/shared.ts';
import { checkLayers } from '../check.ts';
import { examine } from '../examine.ts';
import { openLsmt } from '../lsmt.ts';
import { bufferSource, type ByteSource } from '../source.ts';
import { STRICT } from '../violation.ts';
import { openZFile } from '../zfile.ts';
import { inspectImage } from './inspect.ts';
import type { InspectOptions } from './rows.ts';

const CUT: InspectOptions = { limit: 5, blocks: true, entries: true };
const ALL: InspectOptions = { limit: null, blocks: true, entries: true };

function inspect(bytes: Uint8Array, options = CUT, index?: Uint8Array): ImageView {
  return inspectImage(
    { path: 'image', source: bufferSource(bytes) }, index === undefined ? null : { path: 'index', source: bufferSource(index) }, options,
  );
}

function levels(view: ImageView): readonly LevelView[] {
  return view.files.flatMap((f) => f.levels);
}

/** Everything that a level says of what is unusual or unreadable. */
function remarks(level: LevelView): readonly (MarkView | StopView)[] {
  const rows: readonly (BlockRow | EntryRow | InvalidRow | StopRow)[] = [...(level.blocks?.rows ?? []), ...(level.entries?.rows ?? [])];
  return [
    ...level.structures.flatMap((s) => s.fields.flatMap((f) => f.marks)), ...level.marks, ...level.stops,
    ...rows.flatMap((r): readonly (MarkView | StopView)[] => ('marks' in r ? r.marks : 'stop' in r ? [r.stop] : [])),
  ];
}

function clausesOf(view: ImageView): Set<string> {
  return new Set(levels(view).flatMap(remarks).flatMap((m) => (m.clause === undefined ? [] : [m.clause])));
}

/** Both forms of the view, checked for what must hold of any. */
function render(view: ImageView): string {
  const lines = [...inspectLines(view, false)];
  for (const line of lines) {
    if (line.length > 100) throw new Error(`${line.length} columns: ${line}`);
    if (/[\u0000-\u001f\u007f-\u009f]/.test(line)) throw new Error(`control characters: ${JSON.stringify(line)}`);
  }
  const whole = JSON.stringify(view, (_, value: unknown) => (isLazy(value) ? [...value] : value));
  if (JSON.stringify(JSON.parse([...jsonPieces(view)].join(''))) !== whole) throw new Error(`the pieces are no JSON of ${whole}`);
  return lines.join('\n');
}

function isLazy(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && !Array.isArray(value);
}

const TEXT = makeContent({ kind: 'text', seed: 1 }, 20_000);
const ZFILE = writeZFile(TEXT, PLAIN_ZFILE);
const LAYER = writeLsmt(
  [{ offset: 3, length: 5, content: makeContent({ kind: 'random', seed: 1 }, 5 * SECTOR) }, { offset: 20, length: 7, content: null }],
  { virtualSize: 65536, form: 'committed', placement: 'packed', invalidBefore: [1] },
);
const WRAPPED = writeTar(writeZFile(LAYER, PLAIN_ZFILE), true);

describe('what a view tells', () => {
  it('a field as it stands, where it stands, and what it means', () => {
    const [zfile] = levels(inspect(ZFILE));
    const trailer = zfile!.structures[1]!;
    const f = trailer.fields.find((x) => x.name === 'original_file_size')!;
    expect(f).toMatchObject({ offset: ZFILE.length - 512 + 56, size: 8, value: 20_000, shown: '20000', text: '19.5 KiB', marks: [] });
    expect(trailer.fields.find((x) => x.name === 'flags')).toMatchObject({ shown: '0x16', text: 'data file, sealed, digest recorded' });
    expect(trailer.fields.map((x) => x.name)).toEqual(ZFILE_HEADER.fields.map((x) => x.name));
    expect(trailer.authoritative).toBe(true);
    expect(zfile!.differ).toEqual(['digest', 'flags', 'index_offset', 'index_size', 'original_file_size', 'index_crc']);
  });

  it('integers that are no exact numbers as digits', () => {
    const bytes = LAYER.slice();
    setInteger(bytes.subarray(-4096), LSMT_HEADER, 'virtual_size', (1n << 64n) - 1n);
    const [lsmt] = levels(inspect(bytes));
    expect(lsmt!.structures[1]!.fields.find((f) => f.name === 'virtual_size')!.value).toBe('18446744073709551615');
  });

  it('envelope after envelope, positions counted in the file until a ZFile decodes', () => {
    const view = inspect(WRAPPED, ALL);
    expect(levels(view).map((l) => [l.kind, l.space, l.offset])).toEqual([['tar', 'file', 0], ['zfile', 'file', 1536], ['lsmt', 'decoded', 0]]);
    const zfile = levels(view)[1]!;
    const reader = openZFile(bufferSource(WRAPPED.subarray(1536, 1536 + zfile.size)), STRICT);
    expect([...zfile.blocks!.rows]).toEqual(Array.from({ length: reader.blocks }, (_, i) => expect.objectContaining({
      number: i, at: 1536 + reader.blockAt(i).offset, stored: reader.blockAt(i).length + 4, marks: [],
    })));
    expect(clausesOf(view)).toEqual(new Set());
    expect(view.recognised).toBe(true);
  });

  it('regions that cover the file without a gap', () => {
    for (const level of levels(inspect(WRAPPED))) {
      let at = level.offset;
      for (const r of level.layout) {
        expect(r.offset).toBe(at);
        at += r.size;
      }
      expect(at).toBe(level.offset + level.size);
    }
  });

  it('entries with their place in the file, INVALID ones folded', () => {
    const [lsmt] = levels(inspect(LAYER, ALL));
    const rows = [...lsmt!.entries!.rows] as (EntryRow | InvalidRow)[];
    expect(rows.map((r) => ('invalid' in r ? `${r.number} INVALID ${r.invalid}` : `${r.number} ${r.offset}+${r.length} at ${r.moffset} ${r.zeroed}`)))
      .toEqual(['0 3+5 at 8 false', '1 INVALID 1', '2 20+7 at 13 true', expect.stringMatching(/^3 INVALID \d+$/)]);
    const trailer = LAYER.subarray(-4096);
    const offset = Number(getInteger(trailer, LSMT_HEADER, 'index_offset'));
    expect(rows.map((r) => r.at)).toEqual([offset, offset + 16, offset + 32, offset + 48]);
    expect(lsmt!.entries!.total).toBe(Number(getInteger(trailer, LSMT_HEADER, 'index_size')));
    expect(getSegment(LAYER, offset + 16).offset).toBe(INVALID_OFFSET);
  });

  it('of a writable pair both files, and the entries against the data', () => {
    const { data, index } = writePair([{ offset: 8, length: 2, content: new Uint8Array(2 * SECTOR) }], 65536);
    const view = inspect(data, ALL, index);
    expect(view.files.map((f) => [f.role, f.levels[0]!.title.split(':')[0]])).toEqual([
      ['data', 'LSMT data file of a writable layer'], ['index', 'LSMT index file of a writable layer'],
    ]);
    expect(clausesOf(view)).toEqual(new Set());
    expect(clausesOf(inspect(data.subarray(0, data.length - SECTOR), ALL, index))).toEqual(new Set(['LS-RW-04']));
    expect(clausesOf(inspect(data, ALL, index.subarray(0, index.length - 3)))).toEqual(new Set(['LS-RW-06']));
    expect(levels(inspect(index))[0]!.title).toContain('index file');
    expect(levels(inspect(data))[0]!.title).toContain('data file of a writable layer, or a sealed layer');
  });

  it('a sparse layer by its flags', () => {
    const { data } = writePair([], 65536);
    setInteger(data, LSMT_HEADER, 'flags', 0x13);
    expect(levels(inspect(data))[0]!.title).toBe('LSMT sparse writable layer: a device of 65536 bytes');
    expect(clausesOf(inspect(data))).toEqual(new Set());
  });

  it('what is no image as that', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(1), makeContent({ kind: 'random', seed: 4 }, 9000), writeTar(TEXT, false)]) {
      expect(inspect(bytes).recognised).toBe(false);
    }
    expect(levels(inspect(Uint8Array.of(0x1f, 0x8b, 8, 0)))[0]!.facts).toContain('looks like gzip');
  });
});

describe('where it stops', () => {
  const stops = (bytes: Uint8Array): string[] => levels(inspect(bytes)).flatMap((l) => l.stops.map((s) => `${s.what} ${s.clause ?? ''} ${s.at}: ${s.why}`));

  it('an index that does not fit', () => {
    const bytes = LAYER.slice();
    setInteger(bytes.subarray(-4096), LSMT_HEADER, 'index_size', 4294967295n);
    expect(stops(bytes)).toEqual([
      `index LS-IDX-02 6656: an index of 4294967295 entries (63.9 GiB) at byte 6656 does not fit in the file of ${bytes.length} bytes`,
    ]);
    const zfile = ZFILE.slice();
    setInteger(zfile.subarray(-512), ZFILE_HEADER, 'index_size', (1n << 64n) - 1n);
    sealDigest(zfile.subarray(-512));
    expect(stops(zfile)).toEqual([expect.stringMatching(/^index ZF-IDX-02 \d+: an index of 18446744073709551615 entries \(63\.9 EiB\) at byte/)]);
  });

  it('a ZFile that the strict reader refuses: its own blocks all the same, and no inner view', () => {
    const bytes = WRAPPED.slice();
    bytes[1536 + 100] = 1;
    const view = inspect(bytes);
    expect(levels(view).map((l) => l.kind)).toEqual(['tar', 'zfile']);
    expect(levels(view)[1]!.blocks!.total).toBeGreaterThan(0);
    expect(levels(view)[1]!.stops).toEqual([expect.objectContaining({ what: 'inside the ZFile', clause: 'ZF-HDR-04', at: 1536 + 28, space: 'file' })]);
    expect([...clausesOf(view)]).toEqual(['ZF-HDR-04', 'ZF-RSV-01']);
  });

  it('a block that cannot be decoded, named by its byte in the file', () => {
    const zfile = writeZFile(LAYER, PLAIN_ZFILE);
    const reader = openZFile(bufferSource(zfile), STRICT);
    // The block that holds the trailer alone: the header above it is still there.
    const { offset } = reader.blockAt(reader.blocks - 1);
    const bytes = writeTar(zfile, false);
    bytes[512 + offset] = bytes[512 + offset]! ^ 0x55;
    const inner = levels(inspect(bytes))[2]!;
    expect(inner.kind).toBe('lsmt');
    expect(inner.stops).toEqual([expect.objectContaining({ what: 'trailer', clause: 'ZF-BLK-03', at: 512 + offset, space: 'file' })]);
  });

  it('in the middle of a list', () => {
    const segments = Array.from({ length: 600 }, (_, i) => ({ offset: 2 * i, length: 1, content: makeContent({ kind: 'counter', seed: i }, SECTOR) }));
    const layer = writeLsmt(segments, { virtualSize: 1 << 20, form: 'committed', placement: 'packed', invalidBefore: [] });
    const zfile = writeZFile(layer, PLAIN_ZFILE);
    const reader = openZFile(bufferSource(zfile), STRICT);
    const index = Number(getInteger(layer.subarray(-4096), LSMT_HEADER, 'index_offset'));
    const { offset } = reader.blockAt(Math.ceil(index / 4096) + 1);
    zfile[offset] = zfile[offset]! ^ 0x55;
    for (const options of [CUT, ALL]) {
      const inner = levels(inspect(zfile, options))[1]!;
      expect([...inner.entries!.rows].at(-1)).toEqual({ number: expect.any(Number), stop: expect.objectContaining({ clause: 'ZF-BLK-03', at: offset }) });
    }
  });
});

describe('long lists', () => {
  const segments = Array.from({ length: 300 }, (_, i) => ({ offset: 2 * i, length: 1, content: new Uint8Array(SECTOR) }));
  const layer = writeLsmt(segments, { virtualSize: 1 << 20, form: 'sealed', placement: 'packed', invalidBefore: [] });
  const index = Number(getInteger(layer.subarray(-4096), LSMT_HEADER, 'index_offset'));
  setSegment(layer, index + 150 * 16, { ...getSegment(layer, index + 150 * 16), moffset: 1n << 54n });

  it('show the first, those with marks and the last', () => {
    const { rows, total, cut, marked } = levels(inspect(layer))[0]!.entries!;
    expect([...rows].map((r) => r.number)).toEqual([0, 1, 2, 3, 4, 150, 296, 297, 298, 299]);
    expect({ total, cut, marked }).toEqual({ total: 300, cut: true, marked: 1 });
    expect(render(inspect(layer))).toContain('145 more');
  });

  it('or all, or only those of one kind', () => {
    const { rows, cut } = levels(inspect(layer, ALL))[0]!.entries!;
    expect([...rows].map((r) => r.number)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(cut).toBe(false);
    expect(levels(inspect(layer, { limit: 300, blocks: true, entries: true }))[0]!.entries!.cut).toBe(false);
    const wrapped = writeZFile(layer, PLAIN_ZFILE);
    expect(levels(inspect(wrapped, { ...CUT, blocks: false })).map((l) => [l.blocks !== undefined, l.entries !== undefined])).toEqual([[false, false], [false, true]]);
    expect(levels(inspect(wrapped, { ...CUT, entries: false })).map((l) => [l.blocks !== undefined, l.entries !== undefined])).toEqual([[true, false], [false, false]]);
  });

  it('of a huge file cost no more than what is shown', () => {
    const at = 100 * 2 ** 30;
    const header = layer.subarray(0, 4096);
    const trailer = layer.slice(-4096);
    const table = layer.slice(index, index + 300 * 16);
    setInteger(trailer, LSMT_HEADER, 'index_offset', at);
    let bytesRead = 0;
    const source: ByteSource = {
      size: at + table.length + 4096,
      read(offset, length) {
        bytesRead += length;
        const from = offset === 0 ? header : offset >= at + table.length ? trailer : table;
        const start = offset === 0 ? 0 : offset - (from === trailer ? at + table.length : at);
        return from.subarray(start, start + length);
      },
    };
    const view = inspectImage({ path: 'huge', source }, null, CUT);
    expect(view.files[0]!.levels[0]!.entries!.total).toBe(300);
    expect(view.files[0]!.levels[0]!.layout.find((r) => r.region === 'data')!.size).toBe(at - 4096);
    expect(bytesRead).toBeLessThan(64 << 10);
    render(view);
  });
});

/** What the strict reader judges by the whole of a file, and a view cannot know: a layer that lost its trailer looks like a writable one. */
const AMBIGUOUS = 'or a sealed layer that lost its trailer';

const WHOLE = new Set(['LS-HDR-01', 'LS-TRL-01', 'TR-TAR-01', 'ZF-HDR-01', 'ZF-TRL-01']);

describe('drawn cases', () => {
  const CASES = 300;

  it('of sound layers the lists are what the strict reader opens, and nothing is refused in them', () => {
    let checked = 0;
    for (let i = 0; i < CASES; i++) {
      const { case: c } = build(drawCase(11, i));
      if (examine(c).expectation.class !== 'valid') continue;
      for (const layer of c.layers.filter((l) => l.wrapping.length === 0 && !l.index && !l.extents && !l.remote)) {
        const entries = [...levels(inspect(layer.bytes, ALL))[0]!.entries!.rows].filter((r): r is EntryRow => 'marks' in r && r.length > 0);
        expect(entries.map((e) => [e.offset, Number(e.offset) + e.length, e.moffset, e.zeroed]))
          .toEqual(openLsmt(bufferSource(layer.bytes), STRICT).mappings.map((m) => [m.start, m.end, m.moffset, m.zeroed]));
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(30);
  });

  it('of damaged ones everything that the check finds in headers, trailers and tables is among what is unusual, at its byte', () => {
    let checked = 0;
    for (let i = 0; i < CASES; i++) {
      const { case: c } = build(drawCase(12, i));
      if (c.clauses.violates.length === 0) continue;
      // What sparse and warp layers break is in other files, or in the extents that the file system keeps.
      for (const layer of c.layers.filter((l) => !l.extents && !l.remote)) {
        const input = { file: bufferSource(layer.bytes), ...(layer.index && { index: bufferSource(layer.index) }) };
        const found = checkLayers([input], c.device === 'zfile' ? 'zfile' : 'device').violations.filter((v) => v.phase === 'open');
        const view = inspect(layer.bytes, ALL, layer.index);
        // Without their first bytes, files are told apart by what is left; a file that lost its trailer may be another form's.
        const another = (title: string): boolean => title.includes(AMBIGUOUS) || title.startsWith('LSMT index file');
        if (levels(view).some((l) => l.kind === 'raw' || another(l.title)) || found.some((v) => v.clause.endsWith('-HDR-02'))) continue;
        const places = levels(view).flatMap(remarks);
        for (const v of found) {
          // A view stops at a ZFile that cannot be opened, where the check is told to go on.
          if (v.clause.startsWith('LS-') && levels(view).every((l) => l.kind !== 'lsmt')) continue;
          const same = places.filter((p) => p.clause === v.clause).map((p) => p.at);
          // What is wrong with a structure as a whole stands at its start there, at the field or the file's end here.
          if (WHOLE.has(v.clause)) expect(same.length, `${c.id}: ${v.clause} ${v.why}`).toBeGreaterThan(0);
          else expect(same, `${c.id}: ${v.clause} ${v.why}`).toContain(v.at);
          checked++;
        }
      }
    }
    expect(checked).toBeGreaterThan(60);
  });
});

describe('anything at all is shown and nothing thrown', () => {
  const images: Readonly<Record<string, Uint8Array>> = {
    'ZFile': ZFILE, 'LSMT': LAYER, 'tar around ZFile around LSMT': WRAPPED, 'plain tar': writeTar(LAYER, false),
    'index file': writePair([{ offset: 8, length: 2, content: null }], 65536).index,
    'ZFile with an authoritative header': writeZFile(LAYER, { ...PLAIN_ZFILE, headerMode: true } as typeof PLAIN_ZFILE),
  };

  /** Bounded whatever the fields claim: the images are small. */
  function show(bytes: Uint8Array, index?: Uint8Array): void {
    expect(render(inspect(bytes, CUT, index)).split('\n').length).toBeLessThan(400);
  }

  for (const [name, bytes] of Object.entries(images)) {
    it(`${name}, cut at every border and around it`, () => {
      const sizes = [24, 512, 1024, 1536, 2048, 4096, 8192, bytes.length - 4096, bytes.length - 512, bytes.length];
      const fields = [...ZFILE_HEADER.fields, ...LSMT_HEADER.fields, ...USTAR_HEADER.fields].map((f) => f.offset);
      const starts = [0, 512, 1024, 1536, bytes.length - 4096, bytes.length - 512];
      for (const cut of new Set([...sizes, ...starts.flatMap((s) => fields.map((f) => s + f))].flatMap((n) => [n - 1, n, n + 1]))) {
        if (cut >= 0 && cut <= bytes.length) show(bytes.slice(0, cut));
      }
    });
  }

  const VALUES = [0n, 1n, (1n << 31n) - 1n, (1n << 32n) - 1n, 1n << 32n, (1n << 53n) + 1n, (1n << 60n) + 1n, (1n << 63n) - 1n, (1n << 64n) - 16n, (1n << 64n) - 1n];
  const structures: readonly (readonly [string, Structure, number])[] = [
    ['ZFile', ZFILE_HEADER, 0], ['ZFile', ZFILE_HEADER, ZFILE.length - 512], ['ZFile with an authoritative header', ZFILE_HEADER, 0],
    ['LSMT', LSMT_HEADER, 0], ['LSMT', LSMT_HEADER, LAYER.length - 4096], ['index file', LSMT_HEADER, 0],
  ];
  it.each(structures)('%s, hostile values in every field of %o', (name, s, at) => {
    for (const f of s.fields.filter((x) => x.type.startsWith('u'))) {
      for (const value of VALUES) {
        for (const reseal of [false, true]) {
          const bytes = images[name]!.slice();
          setInteger(bytes, s, f.name, value, at);
          if (reseal && s.size === 512) sealDigest(bytes.subarray(at, at + 512));
          const before = process.memoryUsage().arrayBuffers;
          show(bytes);
          expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
        }
      }
    }
  });

  it('hostile tar headers', () => {
    const size = fieldOf(USTAR_HEADER, 'size').offset;
    for (const text of ['77777777777', '99999999999', '\x80\0\0\0\x7f', '           ', '-1', '00000200000', '1']) {
      for (const header of [0, 1024]) {
        const bytes = WRAPPED.slice();
        bytes.set(Buffer.from(text.padEnd(12, '\0'), 'latin1'), header + size);
        show(bytes);
      }
    }
    for (const record of ['14 size=x\n', '99999999 size=1\n', '0 size=1\n', '13 size=99999999999999\n', 'size', '\xff\x1b[2J', '11 \x1b[31m=x\n', `${'9'.repeat(40)} a=b`]) {
      const bytes = WRAPPED.slice();
      bytes.fill(0, 512, 1024).set(Buffer.from(record, 'latin1'), 512);
      show(bytes);
    }
  });

  it('names and tags that would drive a terminal', () => {
    const bytes = LAYER.slice();
    const tag = fieldOf(LSMT_HEADER, 'user_tag').offset;
    bytes.set(Buffer.from(`\x1b]0;x\x07\x1b[2J ${'long '.repeat(50)}`).subarray(0, 256), bytes.length - 4096 + tag);
    bytes.fill(0xff, tag, tag + 256);
    show(bytes);
  });

  it('drawn cases, with bytes changed in their headers, trailers and tables', () => {
    for (let i = 0; i < 250; i++) {
      const { case: c } = build(drawCase(13, i));
      for (const layer of c.layers.slice(0, 3)) {
        show(layer.bytes, layer.index);
        let state = i + 1;
        const next = (n: number): number => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state % n;
        };
        for (let n = 0; n < 3; n++) {
          const bytes = Uint8Array.from(layer.bytes);
          for (let k = 0; k < 1 + next(8) && bytes.length > 0; k++) {
            const near = Math.min(bytes.length, 600);
            bytes[next(2) ? next(near) : bytes.length - 1 - next(near)] = next(256);
          }
          show(bytes, layer.index);
        }
      }
    }
  });

  it('random bytes behind the magic values of everything', () => {
    for (let seed = 0; seed < 200; seed++) {
      const bytes = makeContent({ kind: 'random', seed }, 1 + ((seed * 397) % 20_000));
      const [name, image] = Object.entries(images)[seed % 6]!;
      const kept = [8, 24, 40, 262, 512][seed % 5]!;
      bytes.set(image.subarray(0, Math.min(kept, bytes.length)));
      if (seed % 2 && bytes.length > 4096) bytes.set(image.subarray(image.length - (name === 'ZFile' ? 512 : 4096)).subarray(0, 24), bytes.length - (name === 'ZFile' ? 512 : 4096));
      show(bytes);
    }
  });
});

const golden = shared('golden');
describe.skipIf(!golden)('images written by the reference implementation', () => {
  const file = (name: string): Uint8Array => readFileSync(path.join(golden!, name));
  const cases = golden ? (JSON.parse(readFileSync(path.join(golden, 'manifest.json'), 'utf8')) as {
    cases: { kind: string; file?: string; data?: string; index?: string; algo?: string; block_size?: number; verify?: number; expect_size: number }[];
  }).cases : [];

  it.each(cases.filter((c) => c.file !== undefined))('$kind $file: nothing unusual, its fields as its manifest has them', (c) => {
    const view = inspect(file(c.file!), ALL);
    expect(view.recognised).toBe(true);
    expect([...clausesOf(view)].filter((id) => id !== 'ZF-IDX-07')).toEqual([]);
    const zfile = levels(view).find((l) => l.kind === 'zfile');
    const fields = Object.fromEntries((zfile?.structures.find((s) => s.authoritative)?.fields ?? []).map((f) => [f.name, f.value]));
    if (c.algo !== undefined) expect(fields).toMatchObject({ block_size: c.block_size, verify: c.verify, algo: { lz4: 1, zstd: 2 }[c.algo] });
    if (c.kind === 'zfile') expect(fields['original_file_size']).toBe(c.expect_size);
    render(view);
  });

  it('the writable pair', () => {
    const view = inspect(file('rw0.data'), ALL, file('rw0.index'));
    expect([...clausesOf(view)]).toEqual([]);
    expect([...view.files[1]!.levels[0]!.entries!.rows]).toHaveLength(7);
  });
});

it('every row of a list says its number', () => {
  const rows: Iterable<EntryRow | InvalidRow | StopRow> = levels(inspect(LAYER, ALL))[0]!.entries!.rows;
  let next = 0;
  for (const row of rows) {
    expect(row.number).toBe(next);
    next += 'invalid' in row ? row.invalid : 1;
  }
});
