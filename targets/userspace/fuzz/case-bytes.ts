// SPDX-License-Identifier: MIT
/** A case as the bytes that a fuzzer changes, and back; `case-bytes.h` has the layout, `case-bytes.c` reads the same. */
import { SECTOR } from '../../../spec/fields.ts';
import { MAX_PIECES, formOf, type AccessPlan, type Case, type Layer, type ReadPlan, type TableFault } from '../../../model/index.ts';

const HEAD = 32;
const LAYER = 16;
const READ = 24;
const MOST_LAYERS = 16;
const MOST_READS = 16;
const MOST_READ = 1 << 20;
/** Bytes of a whole case. */
export const MOST_CASE_BYTES = 1 << 20;
const MOST_SIZE = 2n ** 52n;
const MOST_DELTA = 4096n;
const PAGE = 4096;

const SLACKS = ['exact', 'page', 'garbage'] as const;
const MODES = ['direct', 'buffered', 'mmap'] as const;
const FAULTS = ['right', 'bytes', 'count', 'device', 'busy', 'short', 'length'] as const;

/** The case's bytes; null where it has what these bytes cannot say (other envelopes and forms, faults, crowds, more or larger things). */
export function encodeCase(c: Case): Uint8Array | null {
  const { access, layers } = c;
  if (access.fault || access.attempts || access.crowd || access.replaces === 0 || layers.length > MOST_LAYERS || access.reads.length > MOST_READS) return null;
  if (!layers.every((l) => formOf(l) === null && l.wrapping.every((w) => w === 'zfile') && l.wrapping.length === (c.device === 'zfile' ? 1 : l.wrapping.length) && l.wrapping.length < 2)) return null;
  const table = access.table === undefined ? 'right' : access.table.kind === 'text' ? null : access.table.kind;
  const bytes = layers.reduce((n, l) => n + l.bytes.length, HEAD + LAYER * layers.length + READ * access.reads.length);
  if (table === null || bytes > MOST_CASE_BYTES || access.deviceBytes >= 2 ** 52) return null;
  // No device has less than a sector.
  if (access.deviceBytes < SECTOR || layers.some((l) => l.wrapping.length > 0 && (l.exposedBytes ?? 0) < SECTOR)) return null;
  const out = Buffer.alloc(bytes);
  out[0] = (c.device === 'zfile' ? 1 : 0) | (SLACKS.indexOf(access.slack) << 1) | (access.shared === 'twin' ? 8 : 0) | (access.shared === 'device' ? 16 : 0);
  out[1] = layers.length - 1;
  out[2] = access.reads.length;
  out[3] = FAULTS.indexOf(table);
  out[4] = access.table && 'layer' in access.table ? access.table.layer : 0;
  out[5] = access.replaces ?? 0;
  out.writeBigUInt64LE(BigInt(access.deviceBytes), 8);
  out.writeBigInt64LE(BigInt(deltaOf(access.table)), 16);
  let at = HEAD;
  for (const l of layers) {
    out.writeUInt32LE(l.bytes.length, at);
    out[at + 4] = l.wrapping.length;
    out.writeBigUInt64LE(BigInt(l.exposedBytes ?? 0), at + 8);
    at += LAYER;
  }
  for (const r of access.reads) {
    const piece = pieceOf(r);
    if (piece === null || r.length > MOST_READ || r.huge) return null;
    out.writeBigUInt64LE(BigInt(r.offset), at);
    out.writeUInt32LE(r.length, at + 8);
    out.writeUInt16LE(r.bufferOffset, at + 12);
    out[at + 14] = MODES.indexOf(r.mode);
    out[at + 15] = piece / SECTOR;
    at += READ;
  }
  for (const l of layers) {
    out.set(l.bytes, at);
    at += l.bytes.length;
  }
  return out;
}

function deltaOf(table: TableFault | undefined): number {
  return table === undefined ? 0 : 'delta' in table ? table.delta : 'sectors' in table ? table.sectors : 0;
}

/** Bytes of each piece but the last; 0 for one buffer; null where they differ. */
function pieceOf({ pieces, mode }: ReadPlan): number | null {
  if (!pieces || pieces.length < 2) return 0;
  const first = pieces[0]!;
  const even = mode !== 'mmap' && first % SECTOR === 0 && first / SECTOR < 256 && pieces.slice(0, -1).every((p) => p === first) && pieces.at(-1)! <= first;
  return even ? first : null;
}

/** The case of these bytes, named `id`; null where they are none. Clauses are left to the oracle. */
export function decodeCase(bytes: Uint8Array, id: string): Case | null {
  const b = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (b.length < HEAD || b.length > MOST_CASE_BYTES) return null;
  const device = b[0]! & 1 ? 'zfile' : 'lsmt';
  const inFile = (b[1]! % MOST_LAYERS) + 1;
  const reads = b[2]! % (MOST_READS + 1);
  const readAt = HEAD + inFile * LAYER;
  let fileAt = readAt + reads * READ;
  if (fileAt > b.length) return null;
  const layers: Layer[] = [];
  for (let i = 0; i < (device === 'zfile' ? 1 : inFile); i++) {
    const at = HEAD + i * LAYER;
    const length = Math.min(b.readUInt32LE(at), b.length - fileAt);
    const wrapped = device === 'zfile' || b[at + 4]! % 2 === 1;
    layers.push({
      bytes: Uint8Array.from(b.subarray(fileAt, fileAt + length)),
      wrapping: wrapped ? ['zfile'] : [],
      ...(wrapped && { exposedBytes: Math.max(SECTOR, Number(b.readBigUInt64LE(at + 8) % MOST_SIZE)) }),
    });
    fileAt += length;
  }
  const size = Number(b.readBigUInt64LE(8) % MOST_SIZE);
  const deviceBytes = Math.max(SECTOR, size - (size % SECTOR));
  const table = tableOf(b, device, layers, deviceBytes);
  const replaces = device === 'lsmt' && layers.length > 1 ? b[5]! % layers.length : 0;
  const access: AccessPlan = {
    slack: SLACKS[((b[0]! >> 1) & 3) % 3]!,
    deviceBytes,
    reads: Array.from({ length: reads }, (_, i) => readOf(b, readAt + i * READ)),
    ...(table && { table }),
    ...(b[0]! & 8 ? { shared: 'twin' as const } : b[0]! & 16 ? { shared: 'device' as const } : {}),
    ...(replaces > 0 && { replaces }),
  };
  return { id, device, layers, access, clauses: { exercises: [], violates: [] } };
}

function tableOf(b: Buffer, device: Case['device'], layers: readonly Layer[], deviceBytes: number): TableFault | undefined {
  const kind = FAULTS[b[3]! % FAULTS.length]!;
  const layer = b[4]! % layers.length;
  const raw = b.readBigInt64LE(16);
  let delta = Number(raw > MOST_DELTA || raw < -MOST_DELTA ? raw % (MOST_DELTA + 1n) : raw);
  if (delta === 0 || (kind === 'short' && delta < 0)) delta = 1;
  switch (kind) {
    case 'right':
      return undefined;
    case 'bytes':
      return { kind, layer, delta };
    case 'count':
      return { kind, delta: delta < 0 || (b[16]! & 1) === 1 ? -1 : 1 };
    case 'device':
    case 'busy':
      return { kind, layer };
    case 'short': {
      const l = layers[layer]!;
      const sectors = Math.ceil((device === 'lsmt' && l.exposedBytes !== undefined ? l.exposedBytes : l.bytes.length) / SECTOR);
      // A device has a sector at least.
      return sectors < 2 ? undefined : { kind, layer, sectors: Math.min(delta, sectors - 1) };
    }
    case 'length':
      return { kind, sectors: delta * SECTOR + deviceBytes < SECTOR ? 1 : delta };
  }
}

function readOf(b: Buffer, at: number): ReadPlan {
  const mode = MODES[b[at + 14]! % 3]!;
  let offset = b.readBigUInt64LE(at) & 0x7fffffffffffffffn;
  let length = b.readUInt32LE(at + 8) % (MOST_READ + 1);
  let bufferOffset = b.readUInt16LE(at + 12) % PAGE;
  if (mode === 'direct') {
    offset -= offset % BigInt(SECTOR);
    length -= length % SECTOR;
    bufferOffset -= bufferOffset % SECTOR;
  }
  if (offset >= MOST_SIZE) offset &= ~BigInt(SECTOR * 8 - 1);
  if (offset >= MOST_SIZE && mode !== 'direct') offset %= MOST_SIZE;
  if (length < SECTOR) length = SECTOR;
  const piece = b[at + 15]! * SECTOR;
  const several = piece > 0 && mode !== 'mmap' && length > piece && Math.ceil(length / piece) <= MAX_PIECES;
  const pieces = several ? Array.from({ length: Math.ceil(length / piece) }, (_, i) => Math.min(piece, length - i * piece)) : undefined;
  return { offset: Number(offset), length, bufferOffset, mode, ...(pieces && { pieces }) };
}
