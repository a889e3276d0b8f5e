// SPDX-License-Identifier: MIT
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashSources } from '../sources.ts';
import { loadPatches } from './columns.ts';
import { extractVersions } from './index.ts';
import { FOLDER } from './samples.ts';

const seeds = join(process.env['OVBD_SHARED'] ?? '../shared', 'seeds');
if (!existsSync(seeds)) console.warn(`skipped: extraction of the real patches, there is no folder ${seeds} (set OVBD_SHARED)`);
describe.skipIf(!existsSync(seeds))('the real patches', () => {
  const path = (prefix: string): string => join(seeds, readdirSync(seeds).find((name) => name.startsWith(prefix))!);
  const versions = (prefix: string): ReturnType<typeof extractVersions> => extractVersions([readFileSync(path(prefix))], prefix);
  const lines = (sources: ReadonlyMap<string, string>): Record<string, number> =>
    Object.fromEntries([...sources].map(([name, text]) => [name, text.split('\n').length - 1]));
  const counts = {
    'dm-lsmt.c': 162, 'dm-lsmtformat.c': 574, 'dm-ovbd-blkfile.c': 134, 'dm-ovbd.c': 45, 'dm-ovbd.h': 45, 'dm-zfile.c': 154, 'dm-zfileformat.c': 441,
  };

  it.each([['000', 'v2'], ['002', 'v3']])('%s is %s and has the line counts of its own summary', (prefix, label) => {
    const found = versions(prefix);
    expect(found.versions.map((v) => [v.label, v.folder, lines(v.sources)])).toEqual([[label, FOLDER, counts]]);
    expect(found.notes).toEqual([]);
  });

  it('001 is a thread of three versions, each with the line counts of its own summary', () => {
    const found = versions('001');
    const first = { ...counts, 'dm-lsmtformat.c': 575, 'dm-ovbd.c': 46, 'dm-zfileformat.c': 455 };
    expect(found.versions.map((v) => [v.label, lines(v.sources)])).toEqual([['v1', first], ['v2', counts], ['v3', counts]]);
    const squeezed = (text: string): string => text.replace(/\s+/g, '');
    const v3 = versions('002').versions[0]!.sources;
    const changed = [...found.versions[2]!.sources].filter(([name, text]) => squeezed(text) !== squeezed(v3.get(name)!)).map(([name]) => name);
    // The archive of the thread hides mail addresses, which stand in MODULE_AUTHOR.
    expect(changed).toEqual(['dm-ovbd.c']);
  });

  it('001 gives three columns, or the one that is asked for', async () => {
    const all = await loadPatches([path('001')], undefined);
    expect(all.columns.map((c) => c.name)).toEqual(['v1', 'v2', 'v3']);
    const { columns: [one] } = await loadPatches([all.columns[1]!.remake['patch']!], undefined);
    expect(hashSources(one!.sources)).toBe(hashSources(all.columns[1]!.sources));
  });

  it.each([['003', /without the sources of dm-overlaybd/], ['004', /is not a patch/]])('%s is not one', (prefix, message) => {
    expect(() => versions(prefix)).toThrow(message);
  });
});
