// SPDX-License-Identifier: MIT
/** The disk file through which images reach a VM. Every byte that a slice shows is written for it; none is left over. */
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { MAILBOX_BYTES } from './qemu-args.ts';

const PAGE = 4096;
/** Below this the same part of the file is used over and over, so that it stays in the host's memory. */
const SOFT_BYTES = 64 << 20;

/** What one backing device of a case shows. */
export interface Slice {
  readonly image: Uint8Array;
  /** Bytes of the device: a multiple of 512, at least the image's length. */
  readonly deviceBytes: number;
  /** Bytes from the device's start at which garbage takes the place of zeros; `deviceBytes` for none. */
  readonly garbageFrom: number;
}

export interface Region {
  readonly start: number;
  readonly end: number;
}

/** The same on every machine and in every run. */
const GARBAGE = ((): Buffer => {
  const bytes = Buffer.alloc(4 * PAGE);
  let x = 0x2545f491;
  for (let i = 0; i < bytes.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x >>> 24;
  }
  return bytes;
})();
const ZEROS = Buffer.alloc(PAGE);

const pageUp = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

export class Mailbox {
  readonly path: string;
  readonly #fd: number;
  #live: Region[] = [];
  #head = 0;

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'wx+', 0o600);
    ftruncateSync(this.#fd, MAILBOX_BYTES);
  }

  /** True where the slices can never be placed, however empty the file is. */
  static tooLarge(slices: readonly Slice[]): boolean {
    return bytesOf(slices) > MAILBOX_BYTES;
  }

  /**
   * Places slices and gives the region they take, which is theirs until
   * `release`, and each one's start in bytes; undefined while there is no room.
   */
  place(slices: readonly Slice[]): { region: Region; starts: number[] } | undefined {
    const bytes = bytesOf(slices);
    if (this.#live.length === 0) this.#head = 0;
    let start = this.#head;
    if (start + bytes > (bytes <= SOFT_BYTES ? SOFT_BYTES : MAILBOX_BYTES)) start = 0;
    const region = { start, end: start + bytes };
    if (region.end > MAILBOX_BYTES || this.#live.some((other) => other.start < region.end && region.start < other.end)) return undefined;
    this.#live.push(region);
    this.#head = region.end;
    let at = start;
    const starts = slices.map((slice) => {
      const mine = at;
      this.#write(slice, mine);
      at += pageUp(slice.deviceBytes);
      return mine;
    });
    return { region, starts };
  }

  release(region: Region): void {
    this.#live = this.#live.filter((other) => other !== region);
  }

  releaseAll(): void {
    this.#live = [];
  }

  /** The first byte of a placed slice that is not what was written for it; undefined where there is none. */
  firstChange(slice: Slice, start: number): number | undefined {
    for (const { bytes, at } of pieces(slice)) {
      const found = Buffer.alloc(bytes.length);
      for (let done = 0; done < bytes.length; ) {
        const read = readSync(this.#fd, found, done, bytes.length - done, start + at + done);
        if (read === 0) return at + done;
        done += read;
      }
      if (found.equals(bytes)) continue;
      return at + bytes.findIndex((b, i) => b !== found[i]);
    }
    return undefined;
  }

  #write(slice: Slice, start: number): void {
    for (const { bytes, at } of pieces(slice)) this.#put(bytes, start + at);
  }

  #put(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
  }

  close(): void {
    closeSync(this.#fd);
    rmSync(this.path, { force: true });
  }
}

/** What a slice shows, from its start on: the image, zeros, garbage. */
function* pieces(slice: Slice): Iterable<{ readonly bytes: Uint8Array; readonly at: number }> {
  yield { bytes: slice.image, at: 0 };
  let at = slice.image.length;
  while (at < slice.deviceBytes) {
    const garbage = at >= slice.garbageFrom;
    const from = garbage ? GARBAGE : ZEROS;
    const length = Math.min(from.length, (garbage ? slice.deviceBytes : Math.min(slice.garbageFrom, slice.deviceBytes)) - at);
    yield { bytes: from.subarray(0, length), at };
    at += length;
  }
}

function bytesOf(slices: readonly Slice[]): number {
  return slices.reduce((sum, slice) => sum + pageUp(slice.deviceBytes), 0);
}
