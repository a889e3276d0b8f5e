// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { Cache } from './cache.ts';
import { useCache, usersOf, whileUnused } from './in-use.ts';

const user = `
  const { Cache } = await import(process.argv[1] + '/cache.ts');
  const { useCache } = await import(process.argv[1] + '/in-use.ts');
  await useCache(new Cache(process.argv[2]));
  await useCache(new Cache(process.argv[2]));
  console.log('held');
  setInterval(() => {}, 1000);
`;

it('keeps a cache from being emptied while another process uses it, until that is killed', async () => {
  const cache = new Cache(join(tmpdir(), `ovbd-in-use-${process.pid}`));
  // Our own use is no obstacle.
  await useCache(cache);
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', user, import.meta.dirname, cache.root], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout!, 'data');
    let did = false;
    const work = async (): Promise<void> => void (did = true);
    expect(await whileUnused(cache, work)).toEqual([child.pid]);
    expect(did).toBe(false);
    expect(usersOf(new Cache(`${cache.root}-other`))).toEqual([]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await whileUnused(cache, work)).toEqual([]);
    expect(did).toBe(true);
  } finally {
    child.kill('SIGKILL');
  }
});
