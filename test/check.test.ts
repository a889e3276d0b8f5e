// SPDX-License-Identifier: MIT
/** `ovbd check` as a user calls it. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lsmtHeader } from '../generators/lsmt-header.ts';
import { writeTar } from '../generators/tar-writer.ts';
import { edited, entryBytes, layer, sectors, withLsmt, zfile } from './oracle-images.ts';

const PROGRAM = resolve(import.meta.dirname, '../cli/ovbd.mjs');
const SOUND = layer({ entries: [{ offset: 0, length: 8, moffset: 8 }] });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-check-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, name), bytes);
}

function check(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'check', ...args], { cwd: folder, encoding: 'utf8', timeout: 100_000 });
  return { code: status, stdout, stderr };
}

describe('check', () => {
  test('sound layers', () => {
    write('a', SOUND);
    write('b', writeTar(zfile(SOUND), false));
    expect(check('a', 'b')).toEqual({ code: 0, stdout: 'checked 2 layers, 4 blocks, 2 index entries: 0 violations, 0 warnings\n', stderr: '' });
  });

  test('each violation with its file and byte, each clause once, and exit code 1', () => {
    write('a', SOUND);
    write('b', zfile(withLsmt(withLsmt(SOUND, 'header', 'flags', 6), 'header', 'size', 5)));
    write('c', edited(SOUND, (b) => { b[28] = 6; b[SOUND.length - 4096 + 28] = 7; }));
    expect(check('a', 'b', 'c')).toEqual({
      code: 1, stderr: '', stdout: [
        'b: byte 28 of the decoded file: LS-HDR-03 (MUST): flag bit 0 of the header is 0, not 1',
        '    LS-HDR-03: Flag bit 0 of the header is 1.',
        'b: byte 24 of the decoded file: LS-HDR-05 (SHOULD): the size field is 5, not 390',
        '    LS-HDR-05: The size field is 390. (contested: ls.size-field-ignored)',
        'c: byte 28: LS-HDR-03 (MUST): flag bit 0 of the header is 0, not 1',
        `c: byte ${SOUND.length - 4096 + 28}: LS-TRL-02 (MUST): flag bit 0 of the trailer is 1, not 0`,
        '    LS-TRL-02: Flag bit 0 of the trailer is 0.',
        'checked 3 layers, 4 blocks, 3 index entries: 3 violations, 1 warning',
        '',
      ].join('\n'),
    });
  });

  test('warnings alone leave it 0', () => {
    write('a', withLsmt(SOUND, 'trailer', 'version', 2));
    const { code, stdout } = check('a');
    expect(code).toBe(0);
    expect(stdout).toContain('LS-VER-01 (SHOULD): version is 2, not 1');
    expect(stdout).toContain('0 violations, 1 warning');
  });

  test('what is not listed is counted, and what was not read is said', () => {
    write('a', layer({ entries: Array.from({ length: 1005 }, () => ({ offset: 0, length: 1, moffset: 8 })) }));
    write('b', new Uint8Array(9));
    const { code, stdout } = check('a', 'b');
    expect(code).toBe(1);
    expect(stdout).toContain('\na: 4 more violations are not listed\n');
    expect(stdout).toContain('\nb: could not be checked to its end\n');
    expect(stdout).toContain(': 1005 violations, 0 warnings\n');
  });

  test('JSON', () => {
    write('a', withLsmt(SOUND, 'header', 'flags', 6));
    const { code, stdout } = check('--json', 'a');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      layers: [{
        data: 'a', wrapping: [], form: 'sealed', virtualSize: 65536, blocks: 0, entries: 1, cutShort: false, unlisted: { MUST: 0, SHOULD: 0, MAY: 0 },
      }],
      violations: [{
        path: 'a', layer: 0, file: 'file', clause: 'LS-HDR-03', level: 'MUST', phase: 'open', at: 28, why: 'flag bit 0 of the header is 0, not 1',
        text: 'Flag bit 0 of the header is 1.',
      }],
      count: { MUST: 1, SHOULD: 0, MAY: 0 },
    });
  });

  test('pairs, warp layers and ZFiles by themselves', () => {
    const size = { virtualSize: 4096 };
    write('data', Uint8Array.from(Buffer.concat([lsmtHeader(3, size), sectors(2)])));
    write('index', Uint8Array.from(Buffer.concat([lsmtHeader(1, size, 4096), entryBytes([{ offset: 0, length: 3, moffset: 8 }])])));
    write('warp', layer({ entries: [{ offset: 0, length: 4, moffset: 6, tag: 1 }] }));
    write('z', zfile(sectors(3)));
    const pair = check('data:index');
    expect([pair.code, pair.stdout.split('\n')[0]]).toEqual([1, 'index: byte 4096: LS-RW-04 (MUST): entry 0 maps sectors 8 to 11, outside 8 to 10']);
    expect(check('warp', '--remote', 'data').code).toBe(0);
    expect(check('warp', '--remote', 'index').stdout).toContain('warp: byte 8192: LS-WRP-04 (MUST)');
    expect(check('z', '--as', 'zfile').code).toBe(0);
    expect(check('z').code).toBe(1);
  });

  test('wrong usage and files that cannot be read', () => {
    write('a', SOUND);
    for (const args of [[], ['nothing'], ['.'], ['a', 'a', '--as', 'zfile'], ['a', 'a', '--remote', 'a'], ['a', '--remote', 'nothing'], ['a', '--nope']]) {
      expect(check(...args).code, args.join(' ')).toBe(2);
    }
    chmodSync(join(folder, 'a'), 0);
    // Who may read everything has no such file.
    if (process.getuid?.() !== 0) expect(check('a')).toMatchObject({ code: 1, stderr: 'a: cannot be read: EACCES\n' });
  });

  test('a signal stops it in the middle', async () => {
    // A thousand blocks of 64 MiB, which are holes, to be summed up.
    const stored = 64 << 20;
    const index = 512 + 1000 * stored;
    const empty = zfile(new Uint8Array(0), { digest: false });
    const trailer = edited(empty.subarray(512), (_b, v) => {
      v.setBigUint64(40, BigInt(index), true);
      v.setBigUint64(48, 1000n, true);
      v.setBigUint64(56, 1000n * 4096n, true);
    });
    write('z', empty.subarray(0, 512));
    truncateSync(join(folder, 'z'), index);
    appendFileSync(join(folder, 'z'), Buffer.concat([new Uint8Array(new Uint32Array(1000).fill(stored).buffer), trailer]));
    const child = spawn(process.execPath, [PROGRAM, 'check', 'z'], { cwd: folder });
    const ended = new Promise<number | null>((done) => child.on('exit', done));
    // It listens for signals before it opens the file.
    while (!hasOpen(child.pid!, join(folder, 'z'))) await new Promise((done) => setTimeout(done, 20));
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
  });
});

function hasOpen(pid: number, file: string): boolean {
  const fds = `/proc/${pid}/fd`;
  return readdirSync(fds).some((fd) => {
    try {
      return readlinkSync(join(fds, fd)) === file;
    } catch {
      return false; // Closed in the meantime.
    }
  });
}
