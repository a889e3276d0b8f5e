// SPDX-License-Identifier: MIT
/** The device of a case: layers taken out of their envelopes, opened and laid over each other. */
import { SECTOR } from '../../../spec/index.ts';
import type { Case, Layer } from '../../../model/index.ts';
import type { Has } from './defects.ts';
import { openSealed, type OpenLayer } from './lsmt.ts';
import { overlayAll, pieceAt, type Piece } from './merge.ts';
import { bytesOf, OutOfBounds, Refused, type Bytes } from './source.ts';
import { checkTable, decodedAs, fileOf, type Clock } from './table.ts';
import { untar } from './tar.ts';
import { openPair, openSparse } from './writable.ts';
import { openZFile } from './zfile.ts';

/** A device that can be read; bytes. */
export interface Device {
  readonly size: number;
  /** Fills `into` with the device's bytes from `at` on, which is inside of the device to the end. Throws Refused. */
  read(at: number, into: Uint8Array): void;
}

const MAX_LAYERS = 255;

/** Opens the device of a case; `clock` says when its devices are read. Throws Refused. */
export function openCase(c: Case, has: Has, clock: Clock = { read: -1 }): Device {
  checkTable(c, has);
  return c.device === 'zfile' ? overBytes(unwrapped(c, 0, has, clock), has) : openStack(c, has, clock);
}

function overBytes(bytes: Bytes, has: Has): Device {
  if (bytes.size % SECTOR !== 0 && has('device-odd-size-refused')) throw new Refused('DM-TBL-04', 'the table leaves out the last sector');
  return { size: bytes.size, read: (at, into) => into.set(bytes.read(at, into.length)) };
}

/** What a layer's envelopes hold. */
function unwrapped(c: Case, i: number, has: Has, clock: Clock): Bytes {
  const { wrapping } = c.layers[i]!;
  const bottom = c.layers[0]!.wrapping;
  const envelopes = bottom.join() !== wrapping.join() && has('stack-wrapping-of-bottom') ? bottom : wrapping;
  let inner = fileOf(c, i, has, clock);
  for (const envelope of envelopes) inner = envelope === 'tar' ? openTar(inner, has) : openZFile(inner, has);
  return decodedAs(c, i, inner, has);
}

function openTar(file: Bytes, has: Has): Bytes {
  return has('tar-refused') ? file : untar(file, has);
}

function openStack(c: Case, has: Has, clock: Clock): Device {
  const count = c.layers.length;
  if ((count === 0 || count > MAX_LAYERS) && !(count === MAX_LAYERS + 1 && has('stack-256-layers'))) throw new Refused('ST-CNT-01', 'too many layers, or none');
  if (count === MAX_LAYERS && has('stack-254-layers')) throw new Refused('ST-CNT-01', 'too many layers');
  const chosen = chooseLayers(c, has);
  const layers = chosen.map((i) => openLayer(c, i, has, clock));
  const sizes = layers.map((l) => l.virtualSize);
  const size = sizeOfStack(sizes, has);
  if (size === 0 && has('stack-size-0-refused')) throw new Refused('ST-SIZE-04', 'no layer has a size');

  const files: Bytes[] = [];
  const lists = layers.map((layer, i) => {
    const base = files.length;
    files.push(...layer.files);
    // A tag counts layers from the top.
    return layer.pieces.map((p): Piece => ({ ...p, source: layer.files.length === 1 && p.source !== 0 ? layers.length - 1 - p.source : base + p.source }));
  });
  const top = files.length - 1;
  const pieces = overlayAll(lists, has).map((p) => (p.source !== top && has('stack-tag-not-set') ? { ...p, source: top } : p));
  const end = (pieces.at(-1)?.end ?? 0) * SECTOR;
  if (end > size && has('stack-mapping-beyond-refused')) throw new Refused('ST-SIZE-02', 'a mapping ends behind the device');
  return { size: end > size && has('stack-mapping-beyond-seen') ? end : size, read: (at, into) => readPieces(pieces, files, at, into, has) };
}

/** Which layers are opened, bottom to top. */
function chooseLayers(c: Case, has: Has): number[] {
  const all = c.layers.map((_, i) => i);
  const isAgain = (i: number): boolean => c.layers.slice(0, i).some((l) => sameFile(l, c.layers[i]!));
  if (all.length === 1) return all;
  if (all.some(isAgain)) {
    if (has('stack-file-busy')) throw new Refused('ST-DUP-01', 'a file that is open');
    if (has('stack-file-once')) return all.filter((i) => !isAgain(i));
  }
  if (has('stack-bottom-only')) return [0];
  if (has('stack-top-only')) return all.slice(-1);
  if (all.length > 2 && has('stack-two-layers')) return all.slice(-2);
  return has('stack-reversed') ? all.reverse() : all;
}

function sameFile(a: Layer, b: Layer): boolean {
  return a.bytes.length === b.bytes.length && Buffer.compare(a.bytes, b.bytes) === 0;
}

function openLayer(c: Case, i: number, has: Has, clock: Clock): OpenLayer {
  const layer = c.layers[i]!;
  const inner = unwrapped(c, i, has, clock);
  if (layer.index) return openPair(inner, bytesOf(layer.index), has);
  if (layer.extents) return openSparse(inner, layer.extents, has);
  const open = openSealed(inner, layer.remote ? bytesOf(layer.remote) : null, has);
  return layer.wrapping.includes('zfile') && has('stack-maps-stored-bytes') ? { ...open, files: [bytesOf(layer.bytes)] } : open;
}

/** Bytes of a stack whose layers have these virtual sizes, bottom to top. */
function sizeOfStack(sizes: readonly number[], has: Has): number {
  const size = sizes.findLast((s) => s !== 0) ?? 0;
  if (sizes[0] !== size && has('stack-size-of-bottom')) return sizes[0]!;
  if (sizes.at(-1) !== size && has('stack-size-of-top')) return sizes.at(-1)!;
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  return largest !== size && has('stack-size-largest') ? largest : size;
}

function readPieces(pieces: readonly Piece[], files: readonly Bytes[], from: number, into: Uint8Array, has: Has): void {
  const at = from >= 2 ** 32 && has('read-position-32-bits') ? from % 2 ** 32 : from;
  const end = at + into.length;
  let done = 0;
  const zeros = (to: number, fill: boolean): void => {
    if (fill) into.fill(0, done, to);
    done = to;
  };
  const unmapped = (to: number, fill: boolean): void => {
    if (has('read-unmapped-ones')) into.fill(0xff, done, to);
    zeros(to, fill && !has('read-unmapped-ones'));
  };
  for (let i = pieceAt(pieces, Math.floor(at / SECTOR), has); i < pieces.length && pieces[i]!.start * SECTOR < end; i++) {
    const piece = pieces[i]!;
    const start = Math.max(piece.start * SECTOR - at, done);
    if (start > done) unmapped(start, !has('read-gap-untouched'));
    const to = Math.min(piece.end * SECTOR, end) - at;
    if (to <= done) continue;
    if (done > 0 && has('read-first-piece-only')) return zeros(into.length, true);
    const inside = at + done - piece.start * SECTOR;
    if (piece.zeroed) zeros(to, !has('read-zeroed-untouched'));
    else {
      const skipped = inside > 0 && has('read-from-start-of-entry') ? 0 : inside;
      const length = to - done > 64 * SECTOR && has('read-entry-cut') ? 64 * SECTOR : to - done;
      into.set(file(files, piece.source).read(piece.from * SECTOR + skipped, length), done);
      if (length < to - done) into.fill(0, done + length, to);
      done = to;
    }
  }
  if (done < into.length) unmapped(into.length, !has('read-tail-untouched'));
}

function file(files: readonly Bytes[], source: number): Bytes {
  const found = files[source];
  if (!found) throw new OutOfBounds(`no layer ${source}`);
  return found;
}
