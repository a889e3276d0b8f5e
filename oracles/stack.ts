// SPDX-License-Identifier: MIT
/** Opening layers with their envelopes and reading the merged device. */
import { SECTOR } from '../spec/index.ts';
import type { Extent, GovernedRange, Wrapper } from '../model/index.ts';
import type { LsmtLayer, Mapping } from './layer.ts';
import { openLsmt } from './lsmt.ts';
import { firstPieceAfter, mergeLayers, type Piece } from './merge.ts';
import { openPair } from './pair.ts';
import type { ByteSource } from './source.ts';
import { openSparse } from './sparse.ts';
import { unwrapTar } from './tar.ts';
import { inLayer, mayRefuse, violate, Violation, type Leniency } from './violation.ts';
import { openWarp } from './warp.ts';
import { openZFile, type ZFileReader } from './zfile.ts';

export { inLayer };

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

/** Layers of the tallest stack, and of the tallest that a reader with the other limit takes. */
const MAX_LAYERS = 255;
const MAX_LAYERS_OF_ANY = 256;

/** Takes the envelopes off, outermost first, and tells where a tar's member starts, bytes; `zfile` is the innermost one. Throws Violation. */
export function unwrap(
  layer: LayerSource, lenient: Leniency, memberAt: (start: number) => void = () => undefined,
): { inner: ByteSource; zfile: ZFileReader | null; outer: ZFileReader | null } {
  let inner = layer.file;
  let zfile: ZFileReader | null = null;
  let outer: ZFileReader | null = null;
  for (const wrapper of layer.wrapping) {
    if (wrapper === 'tar') {
      const member = unwrapTar(inner, lenient);
      memberAt(member.start);
      inner = member;
    } else {
      inner = zfile = openZFile(inner, lenient);
      outer ??= zfile;
    }
  }
  return { inner, zfile, outer };
}

function openLayer(layer: LayerSource, lenient: Leniency): OpenLayer {
  const { inner, zfile } = unwrap(layer, lenient);
  return { lsmt: openForm(layer, inner, lenient), zfile };
}

/** Opens the innermost file of a layer by the layer's form. Throws Violation. */
export function openForm(layer: Omit<LayerSource, 'wrapping' | 'file'>, inner: ByteSource, lenient: Leniency): LsmtLayer {
  if (layer.index) return openPair(inner, layer.index, lenient);
  if (layer.extents) return openSparse(inner, layer.extents, lenient);
  if (layer.remote) return openWarp(inner, layer.remote, lenient);
  return openLsmt(inner, lenient);
}

/** Opens a stack, bottom to top. Throws Violation with the layer it was found in. */
export function openStack(layers: readonly LayerSource[], lenient: Leniency): OpenStack {
  checkCount(layers.length, lenient);
  return stackOf(layers.map((layer, i) => inLayer(i, () => openLayer(layer, lenient))), lenient);
}

/** ST-CNT-01. */
export function checkCount(layers: number, lenient: Leniency): void {
  if (layers === 0 || layers > MAX_LAYERS_OF_ANY) {
    lenient.found(new Violation('ST-CNT-01', 0, `the stack has ${layers} layers, not 1 to ${MAX_LAYERS}`));
  } else if (layers > MAX_LAYERS) {
    violate(lenient, 'ST-CNT-01', 0, `the stack has ${layers} layers, not 1 to ${MAX_LAYERS}`);
  }
}

/** The device of open layers, bottom to top. Throws Violation for the rules of stacks. */
export function stackOf(layers: readonly OpenLayer[], lenient: Leniency): OpenStack {
  const size = layers.findLast((l) => l.lsmt.virtualSize !== 0)?.lsmt.virtualSize ?? 0;
  if (size === 0) mayRefuse(lenient, 'ST-SIZE-04', 0, 'no layer of the stack has a virtual_size other than 0');
  const pieces = mergeLayers(layers.map((l, layer) => l.lsmt.mappings.map((m) => asPiece(m, layer))));
  const last = pieces.at(-1);
  if (last && last.end * SECTOR > size) {
    mayRefuse(lenient, 'ST-SIZE-02', 0, `a mapping ends at byte ${last.end * SECTOR}, the device has ${size} bytes`);
  }
  return { size, layers, pieces, read: (offset, length) => readPieces(layers, pieces, offset, length) };
}

function asPiece({ start, end, moffset, zeroed, file }: Mapping, layer: number): Piece {
  return { start, end, moffset, zeroed, file, layer, cut: false };
}

function readPieces(
  layers: readonly OpenLayer[], pieces: readonly Piece[], offset: number, length: number,
): { bytes: Uint8Array; ranges: GovernedRange[] } {
  const bytes = new Uint8Array(length);
  const ranges: GovernedRange[] = [];
  const push = (from: number, to: number, clause: string): void => {
    if (to > from) ranges.push({ from, to, clause });
  };
  const gap = gapClause(layers);
  let done = 0;
  for (let i = firstPieceAfter(pieces, Math.floor(offset / SECTOR)); i < pieces.length; i++) {
    const piece = pieces[i]!;
    const from = Math.max(piece.start * SECTOR - offset, done);
    if (from >= length) break;
    const to = Math.min(piece.end * SECTOR - offset, length);
    push(done, from, gap);
    if (!piece.zeroed) {
      const position = piece.moffset * SECTOR + (offset + from - piece.start * SECTOR);
      bytes.set(inLayer(piece.layer, () => mapped(layers[piece.layer]!.lsmt, piece.file, position, to - from)), from);
    }
    push(from, to, governingClause(layers, piece));
    done = to;
  }
  push(done, length, gap);
  return { bytes, ranges };
}

/** Mapped bytes. Opening has seen to it that they are there, unless the reader is one that does not look. */
function mapped({ form, data, remote }: LsmtLayer, file: number, position: number, length: number): Uint8Array {
  const source = file === 0 ? data : file === 1 ? remote : null;
  if (!source) throw new Violation('LS-WRP-03', position, `a data entry of tag ${file} maps a file that there is not`);
  if (position + length > source.size) {
    const clause = { sealed: 'LS-IDX-05', warp: 'LS-WRP-04', pair: 'LS-RW-04', sparse: 'LS-SPR-02' }[form];
    throw new Violation(clause, position, `bytes ${position} to ${position + length} are mapped, the file has ${source.size}`);
  }
  return source.read(position, length);
}

/** What says that a place which no layer maps reads as zeros. */
function gapClause(layers: readonly OpenLayer[]): string {
  return layers.length === 1 && layers[0]!.lsmt.form === 'sparse' ? 'LS-SPR-03' : 'ST-MRG-04';
}

function governingClause(layers: readonly OpenLayer[], piece: Piece): string {
  if (piece.zeroed) return piece.layer === 0 ? 'LS-MAP-02' : 'ST-MRG-03';
  if (piece.cut) return 'ST-MRG-05';
  const { lsmt, zfile } = layers[piece.layer]!;
  if (lsmt.form === 'warp') return 'LS-WRP-01';
  if (lsmt.form === 'sparse') return 'LS-SPR-02';
  if (layers.length > 1) return piece.layer === layers.length - 1 ? 'ST-MRG-01' : 'ST-MRG-02';
  if (lsmt.form === 'pair') return 'LS-RW-03';
  return zfile ? 'ST-WRAP-01' : 'LS-MAP-01';
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
