// SPDX-License-Identifier: MIT
/** Where a patch comes from: a file, a folder of them, an address, or standard input. */
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { EngineError, UsageError } from '../../../../model/errors.ts';
import { readInput } from '../sources.ts';

/** Bytes of one input. A thread of many versions has some hundred kB, a list's mbox of a month some MB. */
export const MAX_PATCH_BYTES = 64 << 20;
/** Files of a folder. */
const MAX_FILES = 1000;
/** Seconds for one address, and how often it may point elsewhere. */
const FETCH_SECONDS = 60;
const MAX_REDIRECTS = 5;

/** What was given, read. */
export interface PatchInput {
  /** For people: a file's name without its folder, an address, `standard input`. */
  readonly name: string;
  /** As given, without what chooses a version; undefined for standard input, which cannot be read again. */
  readonly given?: string;
  /** The version that is wanted of it: what follows `#`. */
  readonly version?: string;
  /** One or more files, in order. */
  readonly files: readonly Buffer[];
}

/**
 * Reads what `--patch` names. Throws `UsageError` for what is missing, too
 * large, binary or refused by its server, and `EngineError` where there is no
 * network to get it.
 */
export async function readPatchInput(given: string, signal?: AbortSignal): Promise<PatchInput> {
  const { place, version } = splitVersion(given);
  const chosen = version === undefined ? {} : { version };
  if (place === '-') return { name: 'standard input', ...chosen, files: [text(await readStdin(signal), 'standard input')] };
  if (/^https?:\/\//i.test(place)) return { name: place, given: place, ...chosen, files: [text(await fetchBytes(place, signal), place)] };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) throw new UsageError(`cannot read ${place}: only http and https addresses can be fetched`);
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const files = isFolder ? await readFolder(place) : [text(await readInput(place, MAX_PATCH_BYTES), place)];
  return { name: basename(resolve(place)), given: place, ...chosen, files };
}

/** `thread.txt#v2` is version v2 of thread.txt, unless there is a file of that very name. */
function splitVersion(given: string): { place: string; version?: string } {
  const at = given.lastIndexOf('#');
  if (at <= 0 || !/^[\w.+-]{1,40}$/.test(given.slice(at + 1)) || (!/^https?:/i.test(given) && existsSync(given))) return { place: given };
  return { place: given.slice(0, at), version: given.slice(at + 1) };
}

async function readFolder(folder: string): Promise<Buffer[]> {
  const names = (await readdir(folder)).filter((name) => /\.(?:patch|diff|eml|mbox|mail)$/i.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (names.length === 0) throw new UsageError(`cannot read ${folder}: no .patch, .diff, .eml, .mbox or .mail file in it`);
  if (names.length > MAX_FILES) throw new UsageError(`cannot read ${folder}: it has ${names.length} patches, more than ${MAX_FILES}`);
  const files: Buffer[] = [];
  let left = MAX_PATCH_BYTES;
  for (const name of names) {
    const bytes = await readInput(join(folder, name), left);
    left -= bytes.length;
    files.push(text(bytes, join(folder, name)));
  }
  return files;
}

/** Unpacked where an archive hands it over packed. Throws for what is no text. */
function text(bytes: Buffer, name: string): Buffer {
  let plain = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      plain = gunzipSync(bytes, { maxOutputLength: MAX_PATCH_BYTES });
    } catch (error) {
      throw new UsageError(`cannot read ${name}: it looks packed by gzip, but ${(error as Error).message}`);
    }
  }
  if (plain.includes(0)) throw new UsageError(`cannot read ${name}: it is binary, not text`);
  return plain;
}

async function readStdin(signal: AbortSignal | undefined): Promise<Buffer> {
  if (process.stdin.isTTY) process.stderr.write('reading the patch from standard input; end it with Ctrl-D\n');
  const stop = (): void => void process.stdin.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await collect(process.stdin, 'standard input');
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function fetchBytes(address: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const timeout = AbortSignal.timeout(FETCH_SECONDS * 1000);
  const either = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  try {
    let at = new URL(address);
    for (let n = 0; n <= MAX_REDIRECTS; n++) {
      const response = await fetch(at, { redirect: 'manual', signal: either });
      const location = response.headers.get('location');
      if (response.status >= 300 && response.status < 400 && location !== null) {
        await response.body?.cancel();
        at = new URL(location, at);
        if (!/^https?:$/.test(at.protocol)) throw new UsageError(`cannot fetch ${address}: it points to ${at.protocol}, which is neither http nor https`);
        continue;
      }
      if (!response.ok) throw new UsageError(`cannot fetch ${address}: the server answers ${response.status} ${response.statusText}`.trimEnd());
      return response.body === null ? Buffer.alloc(0) : await collect(response.body, address);
    }
    throw new UsageError(`cannot fetch ${address}: it points elsewhere more than ${MAX_REDIRECTS} times`);
  } catch (error) {
    if (error instanceof UsageError || signal?.aborted) throw error;
    if (timeout.aborted) throw new EngineError(`cannot fetch ${address}: no answer within ${FETCH_SECONDS} s; save it to a file and give that`);
    const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
    const reason = cause?.code ?? cause?.message ?? (error as Error).message;
    throw new EngineError(`cannot fetch ${address}: ${reason}; without a network, save it to a file elsewhere and give that`);
  }
}

async function collect(stream: AsyncIterable<Uint8Array>, name: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > MAX_PATCH_BYTES) throw new UsageError(`cannot read ${name}: it has more than ${MAX_PATCH_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
