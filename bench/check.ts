// SPDX-License-Identifier: MIT
/**
 * What it costs to check a layer: processor time of `ovbd check` beside that
 * of Debian's `lz4` decompressing the same bytes to /dev/null.
 *
 *   node --import tsx bench/check.ts [--mib N] [--from DIR]
 *
 * The layer holds the files of a folder of this machine, again from the first
 * when they do not suffice; it is written piece by piece into a temporary
 * folder, once as ZFile (LZ4, 4 KiB blocks, verify) and once by `lz4`.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, opendirSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { lsmtHeader } from '../generators/lsmt-header.ts';
import { encodeLz4Block } from '../generators/lz4-block.ts';
import { PLAIN_ZFILE, sealDigest, writeZFile } from '../generators/zfile-writer.ts';
import { rawCrc32c } from '../oracles/crc32c.ts';
import {
  BLOCK_CRC_SEED, LSMT_FLAG, LSMT_SPACE, SECTOR, SEGMENT_ENTRY, setInteger, setSegment, ZFILE_HEADER, ZFILE_SPACE,
} from '../spec/index.ts';

const { values } = parseArgs({ options: { mib: { type: 'string', default: '1024' }, from: { type: 'string', default: '/usr' } } });
const bytes = Number(values.mib) << 20;
const BLOCK = PLAIN_ZFILE.blockSize;
const PIECE = 1 << 20;

/** What a process says of itself at its end: user and system microseconds, and KiB of its highest resident memory (since exec, unlike maxRSS). */
const REPORT = `import { readFileSync } from 'node:fs';
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  console.error([user, system, /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]].join(' '));
});`;

const folder = mkdtempSync(path.join(tmpdir(), 'ovbd-bench-'));
try {
  const layer = path.join(folder, 'layer.lsmt');
  const zfile = path.join(folder, 'layer.zfile');
  const plain = path.join(folder, 'layer.lz4');
  writeLayer(layer);
  writeCompressed(layer, zfile);
  run('lz4', ['-q', '-f', layer, plain]);
  rmSync(layer);
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, node ${process.version}`);
  console.log(`${values.mib} MiB from ${values.from}; ZFile ${mebibytes(zfile)} MiB, lz4 ${mebibytes(plain)} MiB`);
  const base = [1, 2, 3].map(() => lz4Seconds(plain)).sort((a, b) => a - b)[1]!;
  console.log(`lz4 -d: ${base.toFixed(2)} s (user + system, median of 3)`);
  for (const round of [1, 2, 3]) {
    const { seconds, mib } = checkSeconds(zfile);
    console.log(`ovbd check, round ${round}: ${seconds.toFixed(2)} s, ${(seconds / base).toFixed(1)} times lz4, ${mib.toFixed(0)} MiB resident at the most`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** A committed layer of `bytes` bytes of real files, mapped from the device's first sector on. */
function writeLayer(to: string): void {
  const file = openSync(to, 'w');
  const options = { virtualSize: bytes };
  const flag = (...bits: number[]): number => bits.reduce((n, b) => n | 1 << b, 0);
  writeSync(file, lsmtHeader(flag(LSMT_FLAG.header, LSMT_FLAG.dataFile, LSMT_FLAG.sealed), options));
  let done = 0;
  while (done < bytes) {
    for (const piece of filePieces(values.from)) {
      const wanted = piece.subarray(0, Math.min(piece.length, bytes - done));
      writeSync(file, wanted);
      done += wanted.length;
      if (done === bytes) break;
    }
  }
  const sectors = bytes / SECTOR;
  const longest = 16320;
  const count = Math.ceil(sectors / longest);
  const index = new Uint8Array(Math.ceil(count * SEGMENT_ENTRY / SECTOR) * SECTOR);
  for (let i = 0; i < count; i++) {
    const offset = i * longest;
    setSegment(index, i * SEGMENT_ENTRY, {
      offset: BigInt(offset), length: Math.min(longest, sectors - offset), moffset: BigInt(offset + LSMT_SPACE / SECTOR), zeroed: false, tag: 0,
    });
  }
  writeSync(file, index);
  writeSync(file, lsmtHeader(flag(LSMT_FLAG.dataFile, LSMT_FLAG.sealed), options, LSMT_SPACE + bytes, count));
  closeSync(file);
}

/** The bytes of all plain files under a folder. */
function* filePieces(from: string): Iterable<Uint8Array> {
  const piece = new Uint8Array(PIECE);
  for (const name of namesIn(from)) {
    const full = path.join(from, name.name);
    if (name.isDirectory()) yield* filePieces(full);
    if (!name.isFile()) continue;
    let file: number;
    try {
      file = openSync(full, 'r');
    } catch {
      continue; // Not ours to read.
    }
    for (let n = readSync(file, piece); n > 0; n = readSync(file, piece)) yield piece.subarray(0, n);
    closeSync(file);
  }
}

function namesIn(from: string) {
  const names = [];
  const dir = opendirSync(from);
  for (let name = dir.readSync(); name; name = dir.readSync()) names.push(name);
  dir.closeSync();
  return names.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** As the generators' writer does, but without holding the file. */
function writeCompressed(from: string, to: string): void {
  const size = statSync(from).size;
  const source = openSync(from, 'r');
  const file = openSync(to, 'w');
  const empty = writeZFile(new Uint8Array(0), PLAIN_ZFILE);
  const header = empty.subarray(0, ZFILE_SPACE);
  const trailer = empty.subarray(ZFILE_SPACE);
  writeSync(file, header);
  const index = new DataView(new ArrayBuffer(Math.ceil(size / BLOCK) * 4));
  const piece = new Uint8Array(PIECE);
  let at = ZFILE_SPACE;
  let block = 0;
  for (let n = readSync(source, piece); n > 0; n = readSync(source, piece)) {
    const parts: Uint8Array[] = [];
    for (let k = 0; k < n; k += BLOCK) {
      const stored = encodeLz4Block(piece.subarray(k, Math.min(k + BLOCK, n)), 'library');
      const crc = new DataView(new ArrayBuffer(4));
      crc.setUint32(0, rawCrc32c(stored, BLOCK_CRC_SEED), true);
      parts.push(stored, new Uint8Array(crc.buffer));
      index.setUint32(block++ * 4, stored.length + 4, true);
      at += stored.length + 4;
    }
    writeSync(file, Buffer.concat(parts));
  }
  writeSync(file, new Uint8Array(index.buffer));
  setInteger(trailer, ZFILE_HEADER, 'index_offset', at);
  setInteger(trailer, ZFILE_HEADER, 'index_size', block);
  setInteger(trailer, ZFILE_HEADER, 'original_file_size', size);
  setInteger(trailer, ZFILE_HEADER, 'index_crc', rawCrc32c(new Uint8Array(index.buffer)));
  sealDigest(trailer);
  writeSync(file, trailer);
  closeSync(source);
  closeSync(file);
}

/** Processor seconds of one decompression to /dev/null. */
function lz4Seconds(file: string): number {
  const out = run('bash', ['-c', 'TIMEFORMAT="%3U %3S"; time lz4 -q -d -c "$1" > /dev/null', 'bash', file]);
  return out.trim().split(' ').reduce((sum, s) => sum + Number(s), 0);
}

/** Processor seconds and highest resident memory of one check, starting the program included. */
function checkSeconds(file: string): { seconds: number; mib: number } {
  const out = run(process.execPath, [
    '--import', `data:text/javascript,${encodeURIComponent(REPORT)}`, path.resolve(import.meta.dirname, '../cli/ovbd.mjs'), 'check', file,
  ]);
  const [user, system, kib] = out.trim().split('\n').at(-1)!.split(' ').map(Number);
  return { seconds: (user! + system!) / 1e6, mib: kib! / 1024 };
}

/** Runs a program to its end; gives what it said on stderr. */
function run(program: string, args: readonly string[]): string {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'ignore', 'pipe'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stderr;
}

function mebibytes(file: string): string {
  return (statSync(file).size / 2 ** 20).toFixed(0);
}
