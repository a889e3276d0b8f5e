// SPDX-License-Identifier: MIT
/**
 * Reads a tar (POSIX ustar, gzipped or not) that may come from a stranger: plain files and folders only, every
 * length checked before it is used. The layout of a header is POSIX.1-2017's, pax, "ustar Interchange Format".
 */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { open } from 'node:fs/promises';
import { UsageError } from '../model/index.ts';

const BLOCK = 512;
/** Bytes of one pax header, which is kept whole. */
const MAX_PAX = 1 << 20;

export interface TarLimits {
  readonly files: number;
  /** Bytes of one file, and of the whole archive unpacked: a small one may hold a great many zeros. */
  readonly file: number;
  readonly all: number;
}

/** Takes the bytes of one file as they come. */
export interface TarSink {
  write(bytes: Uint8Array): void;
  end(): void;
}

/**
 * Gives each plain file to `file`, which says where its bytes go, or undefined for nowhere. Throws `UsageError` for links,
 * devices, absolute paths, `..`, and whatever else an archive of plain files does not have; what was given until then was given.
 */
export async function readTar(archive: string, limits: TarLimits, file: (path: string, size: number) => TarSink | undefined): Promise<void> {
  const wrong = (what: string): never => { throw new UsageError(`${archive}: ${what}`); };
  const parser = new Parser(limits, file, wrong);
  const source = createReadStream(archive);
  const stream = await isGzip(archive) ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => stream.destroy(error));
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      parser.take(chunk);
      if (parser.ended) break;
    }
    parser.end();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') === true) wrong(`not a whole gzip: ${message}`);
    throw error;
  } finally {
    parser.close();
    source.destroy();
    stream.destroy();
  }
}

async function isGzip(archive: string): Promise<boolean> {
  try {
    const file = await open(archive, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new UsageError(`${archive}: cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

class Parser {
  readonly #limits: TarLimits;
  readonly #file: (path: string, size: number) => TarSink | undefined;
  readonly #wrong: (what: string) => never;
  readonly #header = Buffer.alloc(BLOCK);
  #filled = 0;
  /** Bytes of the present file still to come, and of the padding behind it. */
  #left = 0;
  #padding = 0;
  #sink: TarSink | undefined;
  #pax: Buffer[] | undefined;
  #files = 0;
  #total = 0;
  ended = false;

  constructor(limits: TarLimits, file: (path: string, size: number) => TarSink | undefined, wrong: (what: string) => never) {
    this.#limits = limits;
    this.#file = file;
    this.#wrong = wrong;
  }

  take(chunk: Uint8Array): void {
    this.#total += chunk.length;
    if (this.#total > this.#limits.all) this.#wrong(`more than ${this.#limits.all} bytes unpacked`);
    for (let at = 0; at < chunk.length && !this.ended;) {
      const rest = chunk.length - at;
      if (this.#left > 0) {
        const n = Math.min(this.#left, rest);
        const part = chunk.subarray(at, at + n);
        this.#sink?.write(part);
        this.#pax?.push(Buffer.from(part));
        this.#left -= n;
        at += n;
        if (this.#left === 0) this.#finish();
      } else if (this.#padding > 0) {
        const n = Math.min(this.#padding, rest);
        this.#padding -= n;
        at += n;
      } else {
        const n = Math.min(BLOCK - this.#filled, rest);
        this.#header.set(chunk.subarray(at, at + n), this.#filled);
        this.#filled += n;
        at += n;
        if (this.#filled === BLOCK) {
          this.#filled = 0;
          this.#begin();
        }
      }
    }
  }

  end(): void {
    if (!this.ended) this.#wrong('it ends in the middle: a tar ends with two blocks of zeros');
  }

  close(): void {
    this.#sink?.end();
    this.#sink = undefined;
  }

  #begin(): void {
    const h = this.#header;
    // Two blocks of zeros end it; what follows the first is of no interest.
    if (h.every((byte) => byte === 0)) {
      this.ended = true;
      return;
    }
    const sum = h.reduce((n, byte, i) => n + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    if (sum !== this.#octal(148, 8, 'checksum')) this.#wrong('a header whose checksum is wrong: no tar, or a damaged one');
    if (++this.#files > this.#limits.files) this.#wrong(`more than ${this.#limits.files} files`);
    const type = String.fromCharCode(h[156]!);
    const size = this.#octal(124, 12, 'size');
    const prefix = h.toString('latin1', 257, 262) === 'ustar' && h[262] === 0 ? `${text(h, 345, 155)}/` : '';
    const path = `${prefix === '/' ? '' : prefix}${text(h, 0, 100)}`;
    if (type === 'x' || type === 'g') {
      if (size > MAX_PAX) this.#wrong('a pax header of more than 1 MiB');
      this.#pax = [];
    } else {
      const parts = path.replace(/\/$/, '').split('/');
      if (path.startsWith('/') || parts.includes('..') || parts.includes('') || /[\u0000-\u001f\u007f\\]/.test(path)) this.#wrong(`${JSON.stringify(path)} is no path in a folder`);
      if (type === '1' || type === '2') this.#wrong(`${path}: a link; only plain files and folders are taken`);
      if (type !== '0' && type !== '\0' && type !== '5') this.#wrong(`${path}: an entry of type ${JSON.stringify(type)}; only plain files and folders with names of at most 100 bytes are taken`);
      if (type === '5' && size > 0) this.#wrong(`${path}: a folder with ${size} bytes`);
      if (size > this.#limits.file) this.#wrong(`${path}: ${size} bytes where at most ${this.#limits.file} are expected`);
      if (type !== '5') this.#sink = this.#file(path, size);
    }
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (size === 0) this.#finish();
  }

  #finish(): void {
    this.close();
    if (this.#pax === undefined) return;
    // Records that rename or resize what follows could say what the header does not.
    const bad = /(?:^|\n)\d+ (path|linkpath|size|GNU\.sparse[^=]*)=/.exec(Buffer.concat(this.#pax).toString('latin1'));
    this.#pax = undefined;
    if (bad) this.#wrong(`a pax header that changes ${bad[1]!}; make it with tar --format=ustar, from inside the folder`);
  }

  #octal(at: number, width: number, what: string): number {
    const digits = text(this.#header, at, width).trim();
    if (!/^[0-7]{1,11}$/.test(digits)) this.#wrong(`a ${what} that is no octal number`);
    return parseInt(digits, 8);
  }
}

function text(block: Buffer, at: number, width: number): string {
  const end = block.indexOf(0, at);
  return block.toString('latin1', at, end < 0 || end > at + width ? at + width : end);
}
