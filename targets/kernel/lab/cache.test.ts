// SPDX-License-Identifier: MIT
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cache, defaultCacheRoot } from './cache.ts';
import { withLock } from './lock.ts';

let root: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ovbd-cache-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** Another process, which runs `body` with `Cache` and `withLock` in scope. */
function other(body: string): { child: ChildProcess; lines: AsyncIterator<string>; ended: Promise<void> } {
  const here = (file: string): string => JSON.stringify(fileURLToPath(new URL(file, import.meta.url)));
  const code = `(async () => {
    const { Cache } = await import(${here('./cache.ts')});
    const { withLock } = await import(${here('./lock.ts')});
    const { appendFileSync, writeFileSync } = await import('node:fs');
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    const root = ${JSON.stringify(root)};
    ${body}
  })()`;
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const ended = new Promise<void>((done) => void child.once('close', () => done()));
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator](), ended };
}

describe('Cache', () => {
  it('makes an entry once and finds it again', async () => {
    const cache = new Cache(root);
    let made = 0;
    const maker = async (folder: string): Promise<void> => {
      made++;
      writeFileSync(join(folder, 'x'), 'data');
    };
    expect(cache.find('kind', 'key')).toBeUndefined();
    const path = await cache.make('kind', 'key', 'a thing', maker);
    expect(await cache.make('kind', 'key', 'a thing', maker)).toBe(path);
    expect(new Cache(root).find('kind', 'key')).toBe(path);
    expect(readFileSync(join(path, 'x'), 'utf8')).toBe('data');
    expect(await cache.list('kind')).toEqual(['key']);
    expect(made).toBe(1);
  });

  it('leaves nothing of an entry whose maker failed', async () => {
    const cache = new Cache(root);
    await expect(cache.make('kind', 'key', 'a thing', () => Promise.reject(new Error('bad day')))).rejects.toThrow('bad day');
    expect(cache.find('kind', 'key')).toBeUndefined();
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  });

  it('is made once by two that ask at the same time, in one process', async () => {
    let made = 0;
    const ask = (): Promise<string> => new Cache(root).make('kind', 'key', 'a thing', async () => {
      made++;
      await new Promise((done) => setTimeout(done, 50));
    });
    const [a, b] = await Promise.all([ask(), ask()]);
    expect(a).toBe(b);
    expect(made).toBe(1);
  });

  it('is made once by two processes', async () => {
    const body = `await new Cache(root).make('kind', 'key', 'a thing', async (folder) => {
      appendFileSync(root + '/made', 'x');
      await wait(300);
      writeFileSync(folder + '/x', 'data');
    });`;
    await Promise.all([other(body).ended, other(body).ended]);
    expect(readFileSync(join(root, 'made'), 'utf8')).toBe('x');
    expect(readFileSync(join(root, 'kind/key/x'), 'utf8')).toBe('data');
  });

  it('goes on where a killed process stopped, without what it left', async () => {
    const { child, lines, ended } = other(`await new Cache(root).make('kind', 'key', 'a thing', async (folder) => {
      writeFileSync(folder + '/half', '');
      console.log('half');
      await wait(60000);
    });`);
    expect((await lines.next()).value).toBe('half');
    const waiting = new Cache(root).make('kind', 'key', 'a thing', async (folder) => writeFileSync(join(folder, 'whole'), ''));
    child.kill('SIGKILL');
    await ended;
    expect(readdirSync(await waiting)).toEqual(['whole']);
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  });

  it('leaves alone what a live process makes', async () => {
    const { lines } = other(`await new Cache(root).make('kind', 'one', 'a thing', async (folder) => {
      console.log(folder);
      await wait(60000);
    });`);
    const folder = (await lines.next()).value as string;
    await new Cache(root).make('kind', 'two', 'a thing', async () => undefined);
    expect(existsSync(folder)).toBe(true);
  });

  it('says in one line that it cannot be written, and still gives what it holds', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    await expect(new Cache(file).make('kind', 'key', 'the kernel', async () => undefined)).rejects.toThrow(
      `cannot make the kernel: the cache folder ${file} cannot be written (ENOTDIR); set OVBD_CACHE to a folder that can`,
    );
    // A place where root cannot write either.
    await expect(new Cache('/proc/self/ovbd').make('kind', 'key', 'the kernel', async () => undefined)).rejects.toMatchObject({ name: 'UsageError' });
    mkdirSync(join(root, 'kind/key'), { recursive: true });
    writeFileSync(join(root, 'tmp'), 'nothing can be made here');
    expect(await new Cache(root).make('kind', 'key', 'the kernel', () => Promise.reject(new Error('must not be called')))).toBe(join(root, 'kind/key'));
  });

  it('says in one line that it is full, whoever found out', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const tool = new Error('cannot unpack linux-image: tar: write error: No space left on device');
    for (const error of [full, tool]) {
      await expect(new Cache(root).make('kind', 'key', 'the kernel', () => Promise.reject(error))).rejects.toMatchObject({
        name: 'EngineError', message: `cannot make the kernel: no space left in the cache folder ${root}; free some, or set OVBD_CACHE to another folder`,
      });
    }
  });
});

describe('defaultCacheRoot', () => {
  it('takes the first place that is given', () => {
    expect(defaultCacheRoot({ OVBD_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(defaultCacheRoot({ XDG_CACHE_HOME: '/b' })).toBe('/b/overlaybd-conformance');
    expect(defaultCacheRoot({ XDG_CACHE_HOME: 'relative' })).toMatch(/\/\.cache\/overlaybd-conformance$/);
  });
});

describe('withLock', () => {
  it('passes on when its holder is killed', async () => {
    const { child, lines } = other(`await withLock('test ' + root, async () => {
      console.log('held');
      await wait(60000);
    });`);
    expect((await lines.next()).value).toBe('held');
    let waited = 0;
    let got = false;
    const lock = withLock(`test ${root}`, async () => void (got = true), { onWait: () => waited++ });
    await new Promise((done) => setTimeout(done, 50));
    expect([got, waited]).toEqual([false, 1]);
    child.kill('SIGKILL');
    await lock;
    expect([got, waited]).toEqual([true, 1]);
  });

  it('stops waiting when aborted', async () => {
    const abort = new AbortController();
    await withLock(`test ${root}`, async () => {
      const second = withLock(`test ${root}`, async () => undefined, { signal: abort.signal, onWait: () => setTimeout(() => abort.abort(), 10) });
      await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    });
  });
});
