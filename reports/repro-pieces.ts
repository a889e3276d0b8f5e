// SPDX-License-Identifier: MIT
/** Images as text that a shell turns into files again: the parts that are not zero, gzip in base64. */
import { gzipSync } from 'node:zlib';

const SECTOR = 512;
const PAGE = 4096;
/** Zeros that are worth a new piece, in bytes; fewer cost less inside one. */
const GAP = 16 * PAGE;
/** Columns of a line of base64. */
const COLUMNS = 76;
/** Bytes that are pressed at a time, so that one line of zeros does not hold all else up. */
const MAX_PIECE = 8 << 20;

/** One backing device: its bytes up to `size`, zeros where no piece is. */
export interface BackingFile {
  readonly name: string;
  /** Bytes; a multiple of 512. */
  readonly size: number;
  readonly pieces: readonly Piece[];
}

export interface Piece {
  /** Sectors of 512 bytes from the file's start. */
  readonly sector: number;
  readonly base64: string;
}

/**
 * The device that an image is put on, with zeros up to its end: of the image's last
 * sector (`exact`) or page; `tail` follows after that.
 */
export function backingFile(name: string, image: Uint8Array, exact: boolean, tail: Uint8Array = new Uint8Array()): BackingFile {
  const unit = exact ? SECTOR : PAGE;
  const padded = Math.ceil(Math.max(1, image.length) / unit) * unit;
  return { name, size: padded + tail.length, pieces: [...piecesOf(image, 0), ...piecesOf(tail, padded / SECTOR)] };
}

function piecesOf(bytes: Uint8Array, firstSector: number): Piece[] {
  const pieces: Piece[] = [];
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const zeros = Buffer.alloc(SECTOR);
  const isZero = (at: number): boolean => buffer.compare(zeros, 0, Math.min(SECTOR, bytes.length - at), at, Math.min(at + SECTOR, bytes.length)) === 0;
  let from = -1;
  let to = 0;
  const flush = (): void => {
    if (from >= 0) pieces.push({ sector: firstSector + from / SECTOR, base64: gzipSync(buffer.subarray(from, to), { level: 9 }).toString('base64') });
    from = -1;
  };
  for (let at = 0; at < bytes.length; at += SECTOR) {
    if (isZero(at)) continue;
    if (from >= 0 && (at - to >= GAP || at - from >= MAX_PIECE)) flush();
    if (from < 0) from = at;
    to = Math.min(at + SECTOR, bytes.length);
  }
  flush();
  return pieces;
}

/** Characters of the script that a file takes, about. */
export function textBytes(file: BackingFile): number {
  return file.pieces.reduce((sum, piece) => sum + piece.base64.length * (1 + 1 / COLUMNS) + 40, 60);
}

/** The commands that make the file in the folder `$DIR`: `new` and `put` are the script's own. */
export function fileCommands(file: BackingFile): string[] {
  return [
    `new ${file.name} ${file.size}`,
    ...file.pieces.flatMap(({ sector, base64 }) => [`put ${file.name} ${sector} <<'END'`, ...(base64.match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? []), 'END']),
  ];
}
