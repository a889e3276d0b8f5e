// SPDX-License-Identifier: MIT
/** Where a byte of a device, or what an image is refused for, stands: layer, index entry, block, field. */
import type { Case, FileView, Layer, PlaceView, Refusal } from '../../model/index.ts';
import { layerSources } from '../../oracles/examine.ts';
import { firstPieceAfter } from '../../oracles/merge.ts';
import { bufferSource } from '../../oracles/source.ts';
import { openStack, unwrap, type OpenStack } from '../../oracles/stack.ts';
import { STRICT, Violation } from '../../oracles/violation.ts';
import type { ZFileReader } from '../../oracles/zfile.ts';
import { SECTOR } from '../../spec/index.ts';
import { entryCovering, entryOf, entryText, locate, viewOf } from './locate.ts';

/** The files of one layer as `ovbd inspect` sees them. */
export function layerViews(layer: Layer): readonly FileView[] {
  const named = (path: string, bytes: Uint8Array) => ({ path, source: bufferSource(bytes) });
  return viewOf(named('layer', layer.bytes), layer.index ? named('index', layer.index) : null);
}

/** The byte that an image is refused for. */
export function placeOfRefusal(c: Case, { layer, at, clause }: Pick<Refusal, 'layer' | 'at' | 'clause'>): PlaceView[] {
  const own = c.layers[layer];
  if (!own || clause.startsWith('ST-') || clause.startsWith('DM-')) return [];
  const files = layerViews(own);
  // Positions of a pair's rules are of its index file, but for those of its data file's header.
  const file = (clause.startsWith('LS-RW') && clause !== 'LS-RW-01' ? files.find((f) => f.role === 'index') : undefined) ?? files[0]!;
  const wanted = clause.startsWith('ZF-') ? 'zfile' : clause.startsWith('LS-') ? 'lsmt' : undefined;
  const level = wanted === undefined ? file.levels[0] : file.levels.findLast((l) => l.kind === wanted) ?? file.levels.at(-1);
  return level ? [locate(file, level.space, level.offset + at, layer)] : [];
}

/** The fields that say how large the device is: of a ZFile its own, of a stack those of its layers from the top down to the first that is not 0. */
export function placeOfSize(c: Case): PlaceView[] {
  const places: PlaceView[] = [];
  const [kind, name] = c.device === 'zfile' ? ['zfile', 'original_file_size'] : ['lsmt', 'virtual_size'];
  for (let layer = c.layers.length - 1; layer >= 0; layer--) {
    const files = layerViews(c.layers[layer]!);
    const level = (files.find((f) => f.role === 'index') ?? files[0]!).levels.findLast((l) => l.kind === kind);
    const field = level?.structures.findLast((x) => x.authoritative)?.fields.find((f) => f.name === name);
    if (!level || !field) continue;
    const file = files.find((f) => f.levels.includes(level))!;
    const place = locate(file, level.space, field.offset, layer);
    places.push({ ...place, text: c.layers.length === 1 ? place.text : `layer ${layer}: ${place.text}` });
    if (field.value !== 0) break;
  }
  return places;
}

/** What stands behind byte `position` of the device, from the device inwards; empty where the images cannot be opened. */
export function placeOfDevice(c: Case, position: number): PlaceView[] {
  const found = tried(() => (c.device === 'zfile' ? inZFile(c, position) : inStack(c, position)));
  return found ?? [];
}

function inZFile(c: Case, position: number): PlaceView[] {
  const { zfile } = unwrap(layerSources(c)[0]!, STRICT);
  return zfile ? [blockPlace(zfile, position, 0)] : [];
}

/** The stack of a case that has one and can be opened. */
function openedStack(c: Case): OpenStack | null {
  return c.device === 'lsmt' ? tried(() => openStack(layerSources(c), STRICT)) : null;
}

function inStack(c: Case, position: number): PlaceView[] {
  const stack = openStack(layerSources(c), STRICT);
  const sector = Math.floor(position / SECTOR);
  const piece = stack.pieces[firstPieceAfter(stack.pieces, sector)];
  if (!piece || piece.start > sector) return [{ layer: null, text: `sector ${sector}: no layer maps it, so it reads as zeros` }];
  const { lsmt, zfile } = stack.layers[piece.layer]!;
  const entry = entryIn(layerViews(c.layers[piece.layer]!), sector);
  const which = c.layers.length === 1 ? 'the layer' : `layer ${piece.layer} of ${c.layers.length} (0 is the bottom)`;
  const segment: PlaceView = {
    layer: piece.layer, ...(entry === null ? {} : { entry }),
    text: `sector ${sector}: ${which}, ${entry === null ? `a ${lsmt.form} layer's own extent` : entryText(entry)}${piece.cut ? '; an upper layer covers a part of it' : ''}`,
  };
  if (piece.zeroed) return [segment];
  const at = piece.moffset * SECTOR + (position - piece.start * SECTOR);
  if (piece.file !== 0) return [segment, { layer: piece.layer, at, text: `byte ${at} of the remote file` }];
  const data: PlaceView = { layer: piece.layer, at, space: zfile ? 'decoded' : 'file', text: `byte ${at} of ${zfile ? 'what the ZFile decodes to' : 'the layer\'s file'}` };
  return zfile && at < zfile.size ? [segment, data, blockPlace(zfile, at, piece.layer)] : [segment, data];
}

function entryIn(files: readonly FileView[], sector: number): NonNullable<PlaceView['entry']> | null {
  const level = (files.find((f) => f.role === 'index') ?? files[0])?.levels.findLast((l) => l.kind === 'lsmt');
  const row = level && entryCovering(level, sector);
  return row ? entryOf(row) : null;
}

function blockPlace(zfile: ZFileReader, byte: number, layer: number): PlaceView {
  const number = Math.floor(byte / zfile.blockSize);
  const { offset, length } = zfile.blockAt(number);
  const decoded = Math.min(zfile.blockSize, zfile.size - number * zfile.blockSize);
  return {
    layer, at: offset, space: 'file', block: { number, at: offset, stored: length, decoded },
    text: `byte ${byte - number * zfile.blockSize} of block ${number} (${length} bytes of ${zfile.algo} at ${offset} of the file, decoding to ${decoded})`,
  };
}

/** Sectors of the device that are looked through for bytes that stand in the wrong place. */
const MAX_SECTORS = 1 << 14;

/** Where bytes of sector `sector` that are not its own stand otherwise: what a reader took them for. Undefined where they are nowhere. */
export function originOf(c: Case, sector: number, given: Uint8Array): string | undefined {
  if (given.length < 16) return undefined;
  if (given.every((b) => b === 0)) return 'zeros';
  if (given.every((b) => b === given[0])) return `0x${given[0]!.toString(16).padStart(2, '0')} all over`;
  return tried(() => {
    const stack = openedStack(c);
    const alike = (bytes: Uint8Array): boolean => bytes.length >= given.length && Buffer.compare(bytes.subarray(0, given.length), given) === 0;
    for (const layer of stack ? c.layers.keys() : []) {
      const alone = tried(() => openStack([layerSources(c)[layer]!], STRICT));
      if (alone && (sector + 1) * SECTOR <= alone.size && alike(alone.read(sector * SECTOR, SECTOR).bytes)) return `what layer ${layer} has there by itself`;
    }
    const device = stack ?? unwrap(layerSources(c)[0]!, STRICT).zfile;
    for (let s = 0; device && s < MAX_SECTORS && (s + 1) * SECTOR <= device.size; s++) {
      const read = tried(() => device.read(s * SECTOR, SECTOR));
      if (read && s !== sector && alike(read instanceof Uint8Array ? read : read.bytes)) return `the bytes of sector ${s}, ${Math.abs(s - sector)} ${s < sector ? 'before' : 'behind'} it`;
    }
    for (const [layer, { bytes }] of c.layers.entries()) {
      const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(given);
      if (at >= 0) return `bytes from ${at} on of the file of layer ${layer}, as they are stored`;
    }
    return undefined;
  }) ?? undefined;
}

/** What `work` gives; null where an image breaks a clause on the way. */
function tried<T>(work: () => T): T | null {
  try {
    return work();
  } catch (e) {
    if (e instanceof Violation) return null;
    throw e;
  }
}
