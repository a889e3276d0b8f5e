// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPatches, type PatchColumns } from './columns.ts';
import { MAX_PATCH_BYTES } from './input.ts';
import { FIX, patch } from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-columns-'));
afterAll(() => rmSync(folder, { recursive: true }));
function put(name: string, data: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, data);
  return path;
}

const V1 = patch('[PATCH] a', '1 + dm');
const V2 = patch('[PATCH v2] a', '2 + dm');
const thread = put('thread.txt', `${V1}\n${V2}`);
const fix = put('fix.diff', FIX);
const load = (...given: string[]): Promise<PatchColumns> => loadPatches(given, undefined);
const named = (read: PatchColumns): string[] => read.columns.map((c) => `${c.name}: ${/return (.*)dm_reg/.exec(c.sources.get('dm-lsmt.c')!)![1]!.trim()}`);

describe('columns', () => {
  it('are the versions of a thread, or the one that is asked for', async () => {
    const all = await load(thread);
    expect(named(all)).toEqual(['v1: 1 +', 'v2: 2 +']);
    expect(all.columns.map((c) => c.title)).toEqual(['thread.txt v1', 'thread.txt v2']);
    expect(named(await load(`${thread}#v2`))).toEqual(['v2: 2 +']);
    expect(all.columns[1]!.remake).toEqual({ patch: `${thread}#v2` });
    await expect(load(`${thread}#v3`)).rejects.toThrow(/^thread.txt holds no v3: it holds v1, v2$/);
    expect(named(await load(put('odd#v2', V1)))).toEqual(['v1: 1 +']);
  });

  it('are named by versions, by files where those repeat, and by numbers at last', async () => {
    const other = put('d/Other Fix.PATCH', V1);
    expect(named(await load(put('x.txt', V2), other))).toEqual(['v2: 2 +', 'v1: 1 +']);
    expect(named(await load(thread, other))).toEqual(['thread-v1: 1 +', 'thread-v2: 2 +', 'other-fix: 1 +']);
    expect(named(await load(other, other))).toEqual(['other-fix: 1 +', 'other-fix-2: 1 +']);
  });

  it('take changes on top of the --patch before, or of --source', async () => {
    const [base, code] = [put('base.txt', patch('[PATCH] a')), patch('[PATCH] a')];
    const two = await load(base, fix);
    expect(named(two)).toEqual(['v1: ', 'fix: 7 +']);
    expect(two.columns[1]!.remake).toEqual({});
    const { columns: [v1] } = await load(put('code', code));
    for (const [name, text] of v1!.sources) put(`source/${name}`, text);
    const source = join(folder, 'source');
    const one = await loadPatches([fix], source);
    expect(named(one)).toEqual(['fix: 7 +']);
    expect(one.columns[0]!.remake).toEqual({ patch: fix, source });
    await expect(loadPatches([base], source)).rejects.toThrow(/holds the sources whole/);
    await expect(load(fix)).rejects.toThrow(/does not hold them whole/);
  });

  it('are one for a series that was saved mail by mail, and for a folder', async () => {
    const one = patch('[PATCH v4 1/2] add', 'dm');
    const two = `Subject: [PATCH v4 2/2] fix\n\n${FIX}`;
    expect(named(await load(put('0001-a.txt', one), put('0002-b.txt', two)))).toEqual(['v4: 7 +']);
    put('series/0001-a.patch', one);
    put('series/0002-b.patch', two);
    put('series/README', 'not a patch');
    expect(named(await load(join(folder, 'series')))).toEqual(['v4: 7 +']);
    mkdirSync(join(folder, 'empty'));
    await expect(load(join(folder, 'empty'))).rejects.toThrow(/no \.patch, \.diff/);
  });

  it('cannot be what is missing, binary, too large or twice standard input', async () => {
    await expect(load(join(folder, 'absent'))).rejects.toThrow(/there is no such file$/);
    await expect(load(put('binary', 'a\0b'))).rejects.toThrow(/: it is binary, not text$/);
    await expect(load(put('bomb.gz', gzipSync(Buffer.alloc(MAX_PATCH_BYTES + 1, ' '))))).rejects.toThrow(/packed by gzip, but/);
    await expect(load('-', '-')).rejects.toThrow(/only once/);
    await expect(load('ftp://example.org/x')).rejects.toThrow(/only http and https/);
    expect(named(await load(put('good.gz', gzipSync(V1))))).toEqual(['v1: 1 +']);
  });
});

describe('standard input', () => {
  it('is read once, and cannot be read again', () => {
    const script = `import { loadPatches } from ${JSON.stringify(resolve(import.meta.dirname, 'columns.ts'))};
      const { columns } = await loadPatches(['-#v2'], undefined);
      console.log(JSON.stringify(columns.map((c) => [c.name, c.title, c.remake])));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { input: `${V1}\n${V2}`, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([['v2', 'standard input v2', {}]]);
  });
});

describe('an address', () => {
  let server: Server;
  let at: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const to = /^\/to\/(.*)$/.exec(request.url!)?.[1];
      if (to !== undefined) response.writeHead(302, { location: decodeURIComponent(to) }).end();
      else if (request.url === '/v2.patch') response.end(V2);
      else if (request.url === '/large') response.end(Buffer.alloc(MAX_PATCH_BYTES + 1, ' '));
      else response.writeHead(404).end('nothing');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((done) => {
    server.closeAllConnections();
    server.close(done);
  }));

  it('gives a patch, also where it points elsewhere', async () => {
    expect(named(await load(`${at}/v2.patch`))).toEqual(['v2: 2 +']);
    const read = await load(`${at}/to//v2.patch#v2`);
    expect(named(read)).toEqual(['v2: 2 +']);
    expect(read.columns[0]!.remake).toEqual({ patch: `${at}/to//v2.patch` });
  });

  it('is bounded, and what is wrong with it is said', async () => {
    await expect(load(`${at}/absent`)).rejects.toThrow(/absent: the server answers 404 Not Found$/);
    await expect(load(`${at}/large`)).rejects.toThrow(/it has more than 67108864 bytes$/);
    await expect(load(`${at}/to/%2Fto%2Fx`)).rejects.toThrow(/404|elsewhere/);
    await expect(load(`${at}/to/file:%2F%2F%2Fetc%2Fpasswd`)).rejects.toThrow(/it points to file:, which is neither http nor https$/);
  });

  it('that nobody answers is the machine\'s fault', async () => {
    const closed = createServer();
    await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    await expect(load(`http://127.0.0.1:${port}/x`)).rejects.toThrow(expect.objectContaining({ name: 'EngineError', message: expect.stringMatching(/ECONNREFUSED; without a network, save it/) }));
  });
});
