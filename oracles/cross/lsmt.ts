// SPDX-License-Identifier: MIT
/** One LSMT layer by its Kaitai description. Sectors are 512 bytes. */
import type { Extent } from '../../model/index.ts';
import { bytesOf, type Bytes } from './bytes.ts';
import { LSMT_KIND, parseLsmt, type KaitaiEntry, type KaitaiLsmt, type KaitaiLsmtHeader } from './kaitai.ts';
import { need } from './unreadable.ts';

/** One thing to paint: a run of the device's sectors, from a file or zeros. */
export interface Stroke {
  /** First sector of the device. */
  readonly sector: number;
  readonly sectors: number;
  /** First sector in `from`. */
  readonly source: number;
  /** Null: zeros. */
  readonly from: Bytes | null;
}

export interface Painting {
  /** Bytes; 0 leaves it to the layer below. */
  readonly virtualSize: number;
  /** What to paint, in this order. */
  readonly strokes: readonly Stroke[];
}

/** Sectors of a header. */
const HEADER_SECTORS = 8;
const HEADER_BYTES = 4096;
const ENTRY_BYTES = 16;
/** Bytes of the largest decoded layer that is laid out for its description: room that is only touched where it is filled. */
const MAX_LAYOUT = 1 << 30;

/** A sealed layer, or with `remote` a warp file. Throws Unreadable. */
export function sealedLayer(file: Bytes, remote?: Uint8Array): Painting {
  const parsed = layOut(file);
  checkHeader(parsed.header);
  need(parsed.kind === LSMT_KIND.sealed, 'the last bytes are no trailer');
  const trailer = parsed.trailer!;
  need(!trailer.flagHeader && trailer.flagDataFile && trailer.flagSealed, 'the trailer has other flags');
  need(parsed.entries !== undefined && parsed.lenEntries === trailer.indexSize.value, 'the index does not end before the trailer');
  const end = Math.floor(parsed.indexOffset! / 512);
  const far = remote && bytesOf(remote);
  const strokes: Stroke[] = [];
  let last = 0;
  for (const e of parsed.entries) {
    if (e.isInvalid) continue;
    need(e.offset >= last, 'the entries are not in order');
    last = e.offset + e.length;
    const inRemote = far !== undefined && e.tag === 1;
    need(far === undefined || e.tag < 2, `a warp file's entry has tag ${e.tag}`);
    if (mapsData(e) && !far) need(e.moffset >= HEADER_SECTORS && e.moffset + e.length <= end, 'an entry maps no data');
    strokes.push(strokeOf(e, inRemote ? far : file));
  }
  return { virtualSize: trailer.virtualSize.value, strokes };
}

/** A writable pair: what was written last is painted last. Throws Unreadable. */
export function pairLayer(data: Bytes, index: Uint8Array): Painting {
  const { header } = parseLsmt(data.read(0, Math.min(data.size, HEADER_BYTES)));
  need(header !== undefined && header.isMagic && header.flagHeader, 'the data file has another header');
  const parsed = parseLsmt(index);
  need(parsed.kind === LSMT_KIND.indexFile && parsed.header!.isMagic && parsed.header!.flagHeader, 'the index file has another header');
  const live = liveEntries(parsed);
  for (const e of live) if (mapsData(e)) need(e.moffset >= HEADER_SECTORS, 'an entry maps the header');
  return { virtualSize: parsed.header!.virtualSize.value, strokes: live.map((e) => strokeOf(e, data)) };
}

/** A sparse layer: sector s stands at sector s + 8 of the file, where that has data; only whole sectors are. Throws Unreadable. */
export function sparseLayer(file: Bytes, extents: readonly Extent[]): Painting {
  const { header } = parseLsmt(file.read(0, Math.min(file.size, HEADER_BYTES)));
  checkHeader(header);
  need(header.flagSparse, 'the header is none of a sparse layer');
  const strokes = extents.flatMap(({ from, to }): Stroke[] => {
    const first = Math.max(from / 512, HEADER_SECTORS);
    const sectors = Math.floor(Math.min(to, file.size) / 512) - first;
    return sectors > 0 ? [{ sector: first - HEADER_SECTORS, sectors, source: first, from: file }] : [];
  });
  return { virtualSize: header.virtualSize.value, strokes };
}

/** The file as its description; of a compressed one only header, index and trailer are decoded, and the rest is zeros there. */
function layOut(file: Bytes): KaitaiLsmt {
  if (file.whole) return parseLsmt(file.whole);
  need(file.size <= MAX_LAYOUT, `a layer of ${file.size} bytes in a ZFile`);
  const image = new Uint8Array(file.size);
  const fill = (from: number, to: number): void => image.set(file.read(from, to - from), from);
  fill(0, Math.min(HEADER_BYTES, file.size));
  fill(Math.max(file.size - HEADER_BYTES, 0), file.size);
  const parsed = parseLsmt(image);
  if (parsed.isIndexInside) fill(parsed.indexOffset!, parsed.indexOffset! + parsed.lenEntries! * ENTRY_BYTES);
  return parsed;
}

function checkHeader(header: KaitaiLsmtHeader | undefined): asserts header is KaitaiLsmtHeader {
  need(header !== undefined, 'the file is too short for a header');
  need(header.isMagic && header.flagHeader && header.flagDataFile, 'the header is none of a layer');
}

function liveEntries(parsed: KaitaiLsmt): readonly KaitaiEntry[] {
  return parsed.entries!.filter((e) => !e.isInvalid);
}

function mapsData(e: KaitaiEntry): boolean {
  return !e.zeroed && e.length > 0;
}

function strokeOf(e: KaitaiEntry, from: Bytes): Stroke {
  need(!mapsData(e) || (e.moffset + e.length) * 512 <= from.size, 'an entry maps what is behind the end of a file');
  return { sector: e.offset, sectors: e.length, source: e.moffset, from: e.zeroed ? null : from };
}
