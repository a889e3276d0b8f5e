// SPDX-License-Identifier: MIT
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError, type Finding } from '../model/index.ts';
import { tarHeader } from './corpus-export.ts';
import { archiveOf } from './failure-archive.ts';
import { failureKey } from './failure-folder.ts';
import { fetchFailures } from './failure-layers.ts';
import { folderStore } from './failure-store.ts';
import { saveFinding } from './finding-folder.ts';
import { IDENTITY, sampleFinding } from './samples.ts';

let folder: string;
let notes: string[];
const note = (text: string): void => void notes.push(text);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ovbd-store-'));
  notes = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const store = (name = 'store') => folderStore(join(folder, name), note);
const named = (signature: string, bytes = 3): Finding => {
  const finding = sampleFinding();
  return { ...finding, signature, smallest: { ...finding.smallest, layers: [{ ...finding.smallest.layers[0]!, bytes: new Uint8Array(bytes).fill(1) }] } };
};
const entries = (name = 'store'): string[] => readdirSync(join(folder, name, 'entries')).sort();

describe('one store', () => {
  test('what is saved is listed and loaded', () => {
    const { key, state } = store().save(sampleFinding(), IDENTITY);
    expect({ key, state }).toEqual({ key: failureKey('patch', 'corruption: LS-MAP-01'), state: 'new' });
    expect(store().list()).toMatchObject([{ key, family: 'patch', signature: 'corruption: LS-MAP-01', kind: 'corruption', layers: 2, bytes: 6 }]);
    const loaded = store().load(key)!;
    expect(loaded.smallest).toEqual(sampleFinding().smallest);
    expect(loaded.before).toEqual(sampleFinding().before);
    expect(store().load('0'.repeat(32))).toBeUndefined();
    expect(() => store().load('../../etc')).toThrow(UsageError);
  });

  test('the patch in userspace and in a machine is one family', () => {
    const first = store().save(sampleFinding(), { ...IDENTITY, remake: { role: 'patch' } });
    expect(store().save(sampleFinding(), { ...IDENTITY, name: 'userspace', remake: { role: 'userspace' } })).toEqual({ ...first, state: 'kept' });
    expect(store().save(sampleFinding(), { ...IDENTITY, name: 'stock', remake: { role: 'stock' } }).key).not.toBe(first.key);
  });

  test('the smallest stays, and what is seen again says so', () => {
    const { key } = store().save(named('x', 100), IDENTITY);
    utimesSync(join(folder, 'store/entries', `${key}.1`), 1000, 1000);
    expect(store().save(named('x', 200), IDENTITY).state).toBe('kept');
    expect(store().list()[0]!.seen).toBeGreaterThan(1e12);
    expect(store().save(named('x', 50), IDENTITY).state).toBe('smaller');
    expect(store().list()).toMatchObject([{ bytes: 50 }]);
    expect(entries()).toEqual([`${key}.2`]);
    expect(readdirSync(join(folder, 'store'))).toEqual(['entries']);
  });

  test('what is damaged is set aside and told, and may be saved again', () => {
    const { key } = store().save(named('x', 100), IDENTITY);
    const other = store().save(named('y', 100), IDENTITY).key;
    writeFileSync(join(folder, 'store/entries', `${key}.1`, 'layer0.img'), 'short');
    writeFileSync(join(folder, 'store/entries', `${other}.1`, 'finding.json'), '{"schema":');
    expect(store().list().map((f) => f.key)).toEqual([key]);
    expect(store().load(key)).toBeUndefined();
    expect(notes).toHaveLength(2);
    expect(notes.join('\n')).toMatch(/set aside as .*damaged.*layer0\.img: 5 bytes/);
    expect(readdirSync(join(folder, 'store/damaged'))).toHaveLength(2);
    expect(store().save(named('x', 300), IDENTITY).state).toBe('new');
    expect(store().load(key)!.bytes).toBe(300);
  });

  test('an entry under the name of another is damaged', () => {
    const { key } = store().save(named('x'), IDENTITY);
    renameSync(join(folder, 'store/entries', `${key}.1`), join(folder, 'store/entries', `${'0'.repeat(32)}.1`));
    expect(store().list()).toEqual([]);
    expect(notes[0]).toContain('another failure');
  });

  test('a finding that leads out of its folder is not taken', () => {
    const { folder: found } = saveFinding(folder, sampleFinding(), IDENTITY, () => 'x');
    writeFileSync(join(folder, 'secret'), 'secret');
    symlinkSync(join(folder, 'secret'), join(folder, found, 'report.txt'));
    expect(() => store().take(join(folder, found))).toThrow(/link out of its folder/);
    expect(entries()).toEqual([]);
    expect(readdirSync(join(folder, 'store'))).toEqual(['entries']);
  });

  test('expires by age, by size, and what others left half-written', () => {
    const now = Date.now();
    const keys = ['a', 'b', 'c'].map((name, i) => {
      const { key } = store().save(named(name, 1000), IDENTITY);
      utimesSync(join(folder, 'store/entries', `${key}.1`), (now - i * 1e6) / 1000, (now - i * 1e6) / 1000);
      return key;
    });
    const half = join(folder, 'store/.entry.1-aa.tmp');
    mkdirSync(half);
    utimesSync(half, 1, 1);
    mkdirSync(join(folder, 'store/.entry.2-bb.tmp'));
    expect(store().expire({ olderMs: 1.5e6, now }).removed).toEqual([join(folder, 'store/entries', `${keys[2]}.1`)]);
    expect(readdirSync(join(folder, 'store')).sort()).toEqual(['.entry.2-bb.tmp', 'entries']);
    const { bytes } = store().expire({ maxBytes: 1e9, now });
    expect(store().expire({ maxBytes: bytes - 1, now }).kept).toBe(1);
    expect(store().list().map((f) => f.key)).toEqual([keys[0]]);
    expect(store().expire({ maxBytes: 0, now })).toMatchObject({ kept: 0, bytes: 0 });
  });

  test('nothing is there, and that is fine', () => {
    expect(store('none').list()).toEqual([]);
    expect(store('none').expire({ maxBytes: 0, now: 0 })).toEqual({ removed: [], kept: 0, bytes: 0 });
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

/** A process that saves findings of eight signatures in every size, for ever. */
const SAVER = `
  const { folderStore } = await import(${JSON.stringify(resolve(import.meta.dirname, 'failure-store.ts'))});
  const { sampleFinding, IDENTITY } = await import(${JSON.stringify(resolve(import.meta.dirname, 'samples.ts'))});
  const [path, from, step, rounds] = process.argv.slice(1);
  const store = folderStore(path, (text) => console.log(text));
  console.log('ready');
  for (let n = 0; n < Number(rounds); n++) {
    const finding = sampleFinding();
    const bytes = new Uint8Array(Math.max(1, 4000 - (n * Number(step) + Number(from)))).fill(1);
    store.save({ ...finding, signature: 's' + (n % 8), smallest: { ...finding.smallest, layers: [{ ...finding.smallest.layers[0], bytes }] } }, IDENTITY);
  }
  console.log('done');
`;
const ARGS = ['--import', 'tsx', '--input-type=module', '-e', SAVER];

test('two processes that save at once lose nothing, and the smallest is there', async () => {
  const ends = [1, 0].map((from) => new Promise<string>((done) => {
    const child = spawn(process.execPath, [...ARGS, join(folder, 'store'), String(from), '2', '160'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data) => { text += String(data); });
    child.on('close', () => done(text));
  }));
  for (const text of await Promise.all(ends)) expect(text).toBe('ready\ndone\n');
  const list = store().list();
  expect(list).toHaveLength(8);
  // Rounds 152 to 159 of the process that began with 1 have the smallest ones.
  expect(list.map((f) => f.bytes).sort()).toEqual([152, 153, 154, 155, 156, 157, 158, 159].map((n) => 4000 - 2 * n - 1).sort());
  expect(notes).toEqual([]);
  expect(readdirSync(join(folder, 'store'))).toEqual(['entries']);
});

test('kill -9 leaves whole entries only', async () => {
  for (let n = 0; n < 3; n++) {
    const child = spawn(process.execPath, [...ARGS, join(folder, 'store'), '0', '1', '1000000'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((ready) => child.stdout.once('data', ready));
    await new Promise((wait) => setTimeout(wait, 150 + 130 * n));
    await new Promise((gone) => child.on('close', gone).kill('SIGKILL'));
    const list = store().list();
    for (const { key } of list) expect(store().load(key)).toBeDefined();
    expect(notes).toEqual([]);
  }
});

describe('layers', () => {
  const archive = (files: readonly (readonly [string, Uint8Array | string, string?])[], end = 1024): string => {
    const blocks = files.flatMap(([name, content, type]) => {
      const bytes = Buffer.from(content as string);
      const header = tarHeader(name, bytes.length);
      if (type !== undefined) {
        header.write(type, 156);
        header.write('        ', 148);
        header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
      }
      return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
    });
    writeFileSync(join(folder, 'a.tar.gz'), gzipSync(Buffer.concat([...blocks, Buffer.alloc(end)])));
    return join(folder, 'a.tar.gz');
  };

  test('come from the first that has them, into the local one', async () => {
    store('shared').save(named('x', 10), IDENTITY);
    store('shared').save(named('y', 10), IDENTITY);
    store('other').save(named('x', 5), IDENTITY);
    store('other').save(named('z', 5), IDENTITY);
    store().save(named('y', 3), IDENTITY);
    writeFileSync(join(folder, 'o.tar.gz'), archiveOf(join(folder, 'other'), note).bytes);
    const fetched = await fetchFailures(store(), [join(folder, 'shared'), join(folder, 'o.tar.gz')], [], note);
    expect(fetched.map((f) => [f.summary.signature, f.state]).sort()).toEqual([['x', 'new'], ['y', 'kept'], ['z', 'new']]);
    expect(store().list().map((f) => [f.signature, f.bytes]).sort()).toEqual([['x', 10], ['y', 3], ['z', 5]]);
    expect(await fetchFailures(store(), [join(folder, 'o.tar.gz')], [failureKey('patch', 'z').slice(0, 8)], note)).toHaveLength(1);
    expect(readdirSync(join(folder, 'store'))).toEqual(['entries']);
  });

  test('an archive that tar made of a store', async () => {
    const { key } = store('shared').save(named('x', 10), IDENTITY);
    for (const args of [['-C', folder, 'shared'], ['-C', join(folder, 'shared'), '.'], ['--format=pax', '-C', folder, 'shared'], ['--format=ustar', '-C', folder, 'shared']]) {
      spawnSync('tar', ['czf', join(folder, 't.tgz'), ...args]);
      const into = store(`into-${args.join('').replace(/\W/g, '').slice(-9)}-${args.length}`);
      expect(await fetchFailures(into, [join(folder, 't.tgz')], [], note)).toHaveLength(1);
      expect(into.load(key)!.bytes).toBe(10);
    }
  });

  test('an archive of a store is the same for the same failures', () => {
    for (const name of ['a', 'b']) for (const s of ['x', 'y']) store(name).save(named(s), IDENTITY);
    expect(archiveOf(join(folder, 'a'), note)).toEqual(archiveOf(join(folder, 'b'), note));
  });

  const inside = `entries/${'a'.repeat(32)}.1/finding.json`;
  test.each<[string, () => string, RegExp]>([
    ['a path out of it', () => archive([['entries/../../evil', 'x']]), /no path in a folder/],
    ['an absolute path', () => archive([['/etc/evil', 'x']]), /no path in a folder/],
    ['a symbolic link', () => archive([[inside, '', '2']]), /a link/],
    ['a hard link', () => archive([[inside, '', '1']]), /a link/],
    ['a device', () => archive([[inside, '', '3']]), /type "3"/],
    ['a name longer than a header has', () => archive([['././@LongLink', 'x'.repeat(200), 'L']]), /type "L"/],
    ['a pax header that renames', () => archive([['x', '17 path=/etc/pw\n\n', 'x'], [inside, 'x']]), /pax header that changes path/],
    ['a file twice', () => archive([[inside, 'x'], [inside, 'y']]), /there twice/],
    ['no end', () => archive([[inside, 'x']], 0), /ends in the middle/],
    ['a gzip cut short', () => {
      const path = archive([[inside, 'x'.repeat(4000)]]);
      writeFileSync(path, readFileSync(path).subarray(0, 40));
      return path;
    }, /not a whole gzip/],
    ['no tar', () => {
      writeFileSync(join(folder, 'a.tar.gz'), 'x'.repeat(2000));
      return join(folder, 'a.tar.gz');
    }, /no octal|checksum/],
    ['nothing', () => join(folder, 'none.tar.gz'), /no such folder or archive/],
  ])('%s is refused, and leaves nothing', async (_, make, message) => {
    const path = make();
    const found = await fetchFailures(store(), [path], [], note).catch((error: unknown) => error);
    expect(found).toBeInstanceOf(UsageError);
    expect((found as Error).message).toMatch(message);
    expect(existsSync(join(folder, '../evil'))).toBe(false);
    expect(existsSync(join(folder, 'store')) ? readdirSync(join(folder, 'store')) : []).toEqual([]);
  });

  test('a hostile entry is left out, the others come', async () => {
    const { key } = store('shared').save(named('x', 10), IDENTITY);
    const bad = store('shared').save(named('y', 10), IDENTITY).key;
    const image = join(folder, 'shared/entries', `${bad}.1`, 'layer0.img');
    rmSync(image);
    symlinkSync('/etc/hostname', image);
    expect((await fetchFailures(store(), [join(folder, 'shared')], [], note)).map((f) => f.summary.key)).toEqual([key]);
    expect(notes).toHaveLength(1);
    expect(existsSync(join(folder, 'shared/entries', `${bad}.1`))).toBe(true);
  });
});
