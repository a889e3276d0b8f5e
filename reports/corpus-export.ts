// SPDX-License-Identifier: MIT
/** The corpus as one tar, the same bytes for the same corpus, for people who have nothing of this suite. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../model/index.ts';
import { corpusFiles } from './corpus-folder.ts';
import type { CorpusRelease } from './corpus-release.ts';
import { sha256 } from './finding-manifest.ts';

const BLOCK = 512;
const SUMS = 'SHA256SUMS';

/**
 * The tar (POSIX ustar) with everything in one folder of the release's name: page, schemas, checker, cases, release.json, and
 * SHA256SUMS of them all. No time, owner or order of the machine's is in it.
 */
export function exportCorpus(corpus: string, release: CorpusRelease): Buffer {
  const above = readdirSync(corpus, { withFileTypes: true }).filter((e) => e.isFile() && !e.name.startsWith('.') && e.name !== SUMS).map((e) => e.name);
  const files = new Map([...above, ...corpusFiles(corpus)].map((file) => [file, readFileSync(join(corpus, file))]));
  files.set('release.json', Buffer.from(`${JSON.stringify(release, null, 1)}\n`));
  const sorted = (): [string, Buffer][] => [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  files.set(SUMS, Buffer.from(sorted().map(([file, bytes]) => `${sha256(bytes)}  ${file}\n`).join('')));
  const blocks = sorted().flatMap(([file, bytes]) => [
    tarHeader(`${release.name}/${file}`, bytes.length, file.endsWith('.py') ? 0o755 : 0o644), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** The header of a plain file. A path of more than 100 bytes is split at a slash, as the format has it. */
export function tarHeader(path: string, size: number, mode = 0o644): Buffer {
  const split = path.length <= 100 ? -1 : path.indexOf('/', path.length - 101);
  if (split > 155 || (path.length > 100 && split < 0)) throw new UsageError(`${path}: too long a path for a tar`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number): void => void block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
  block.write(path.slice(split + 1), 0);
  if (split > 0) block.write(path.slice(0, split), 345);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\x0000', 257);
  block.write(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
