// SPDX-License-Identifier: MIT
/** Opening layers with their envelopes and reading the merged device. */
import { SECTOR } from '../spec/index.ts';
import type { Extent, GovernedRange, Wrapper } from '../model/index.ts';
import { openHeader, openIndexFile, openLsmt, toMapping, type LsmtLayer, type Mapping } from './lsmt.ts';
import { firstPieceAfter, mergeLayers, type Piece } from './merge.ts';
import type { ByteSource } from './source.ts';
import { unwrapTar } from './tar.ts';
import { violate, Violation, type Leniency } from './violation.ts';
import { openZFile, type ZFileReader } from './zfile.ts';

/** One layer as it arrives: its file, its envelopes, and what else its form has. */
export interface LayerSource {
  readonly wrapping: readonly Wrapper[];
  readonly file: ByteSource;
  /** The index file of a writable pair. */
  readonly index?: ByteSource;
  /** Where the file of a sparse layer has data. */
  readonly extents?: readonly Extent[];
  /** The remote file of a warp layer. */
  readonly remote?: ByteSource;
}

export interface OpenLayer {
  readonly lsmt: LsmtLayer;
  /** The ZFile around it, where there is one. */
  readonly zfile: ZFileReader | null;
}

/** A device that can be read: LSMT stack or ZFile. */
export interface Device {
  /** Virtual size, bytes. */
  readonly size: number;
  /**
   * Bytes of [offset, offset + length) and who governs them; the range lies inside `size`.
   * Throws Violation where they cannot be produced.
   */
  read(offset: number, length: number): { bytes: Uint8Array; ranges: GovernedRange[] };
}

export interface OpenStack extends Device {
  readonly layers: readonly OpenLayer[];
  /** Merged pieces, ascending, sectors. */
  readonly pieces: readonly Piece[];
}

const MAX_LAYERS = 255;

/** Takes the envelopes off, outermost first. Throws Violation. */
export function unwrap(layer: LayerSource, lenient: Leniency): { inner: ByteSource; zfile: ZFileReader | null } {
  let inner = layer.file;
  let zfile: ZFileReader | null = null;
  for (const wrapper of layer.wrapping) {
    if (wrapper === 'tar') inner = unwrapTar(inner);
    else inner = zfile = openZFile(inner, lenient);
  }
  return { inner, zfile };
}

function openLayer(layer: LayerSource, lenient: Leniency): OpenLayer {
  const { inner, zfile } = unwrap(layer, lenient);
  return { lsmt: layer.index ? openPair(inner, layer.index, lenient) : openLsmt(inner, lenient), zfile };
}

/** A writable layer: data in one file, entries in write order in another. */
function openPair(data: ByteSource, index: ByteSource, lenient: Leniency): LsmtLayer {
  openHeader(data, lenient);
  const { virtualSize, entries } = openIndexFile(index, lenient);
  const limit = BigInt(Math.floor(data.size / SECTOR));
  for (const e of entries) {
    if (!e.zeroed && (e.moffset < 8n || e.moffset + BigInt(e.length) > limit)) {
      throw new Violation('LS-RW-04', e.at, `an entry maps sectors ${e.moffset} to ${e.moffset + BigInt(e.length)}, outside 8 to ${limit}`);
    }
  }
  const writes = entries.filter((e) => e.length > 0).map((e) => [{ ...toMapping(e), layer: 0 }]);
  return { virtualSize, mappings: mergeLayers(writes), data, entries: entries.length, invalidInside: 0 };
}

/** Opens a stack, bottom to top. Throws Violation with the layer it was found in. */
export function openStack(layers: readonly LayerSource[], lenient: Leniency): OpenStack {
  if (layers.length === 0 || layers.length > 256) throw new Violation('ST-CNT-01', 0, `the stack has ${layers.length} layers`);
  if (layers.length > MAX_LAYERS) violate(lenient, 'ST-CNT-01', 0, `the stack has ${layers.length} layers, more than ${MAX_LAYERS}`);
  const open = layers.map((layer, i) => inLayer(i, () => openLayer(layer, lenient)));
  const size = open.findLast((l) => l.lsmt.virtualSize !== 0)?.lsmt.virtualSize ?? 0;
  const pieces = mergeLayers(open.map((l, layer) => l.lsmt.mappings.map((m: Mapping): Piece => ({ ...m, layer }))));
  const last = pieces.at(-1);
  if (last && last.end * SECTOR > size && lenient.has('st.mapping-beyond-size-refused')) {
    throw new Violation('ST-SIZE-02', 0, `a mapping ends at sector ${last.end}, the device has ${size} bytes`);
  }
  return { size, layers: open, pieces, read: (offset, length) => readPieces(open, pieces, offset, length) };
}

/** Runs `work`, marking a Violation in it with the layer. */
export function inLayer<T>(layer: number, work: () => T): T {
  try {
    return work();
  } catch (e) {
    if (e instanceof Violation) e.layer = layer;
    throw e;
  }
}

function readPieces(
  layers: readonly OpenLayer[], pieces: readonly Piece[], offset: number, length: number,
): { bytes: Uint8Array; ranges: GovernedRange[] } {
  const bytes = new Uint8Array(length);
  const ranges: GovernedRange[] = [];
  const push = (from: number, to: number, clause: string): void => {
    if (to > from) ranges.push({ from, to, clause });
  };
  let done = 0;
  for (let i = firstPieceAfter(pieces, Math.floor(offset / SECTOR)); i < pieces.length && done < length; i++) {
    const piece = pieces[i]!;
    const from = Math.max(piece.start * SECTOR - offset, done);
    if (from >= length) break;
    const to = Math.min(piece.end * SECTOR - offset, length);
    push(done, from, 'ST-MRG-04');
    if (!piece.zeroed) {
      const inPiece = offset + from - piece.start * SECTOR;
      bytes.set(inLayer(piece.layer, () => layers[piece.layer]!.lsmt.data.read(piece.moffset * SECTOR + inPiece, to - from)), from);
    }
    push(from, to, governingClause(layers, piece));
    done = to;
  }
  push(done, length, 'ST-MRG-04');
  return { bytes, ranges };
}

function governingClause(layers: readonly OpenLayer[], piece: Piece): string {
  if (piece.zeroed) return piece.layer === 0 ? 'LS-MAP-02' : 'ST-MRG-03';
  if (layers.length === 1) return layers[0]!.zfile ? 'ST-WRAP-01' : 'LS-MAP-01';
  return piece.layer === layers.length - 1 ? 'ST-MRG-01' : 'ST-MRG-02';
}

/** A ZFile as a device of its own. */
export function zfileDevice(zfile: ZFileReader): Device {
  return {
    size: zfile.size,
    read(offset, length) {
      const bytes = zfile.read(offset, length);
      const tail = zfile.size - (zfile.size % zfile.blockSize);
      const ranges: GovernedRange[] = [];
      const body = zfile.dictBytes > 0 ? 'ZF-OPT-04' : zfile.blockSize !== 4096 ? 'ZF-BLK-06' : 'ZF-BLK-01';
      const bodyEnd = Math.min(Math.max(tail - offset, 0), length);
      if (bodyEnd > 0) ranges.push({ from: 0, to: bodyEnd, clause: body });
      if (bodyEnd < length) ranges.push({ from: bodyEnd, to: length, clause: body === 'ZF-BLK-01' ? 'ZF-BLK-02' : body });
      return { bytes, ranges };
    },
  };
}
