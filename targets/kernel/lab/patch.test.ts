// SPDX-License-Identifier: MIT
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extractSources } from './patch.ts';
import { hashSources } from './sources.ts';

const FOLDER = 'drivers/md/overlaybd';
const C = ['#include "dm-ovbd.h"', '', 'static int __init init(void)', '{', '\treturn dm_register_target(&lsmt_target);', '}'];
const H = ['extern struct target_type lsmt_target;'];

/** A diff that adds a file. */
function added(path: string, lines: readonly string[], count = lines.length): string {
  return [
    `diff --git a/${path} b/${path}`, 'new file mode 100644', 'index 000000000000..ad48cc7b57c7', '--- /dev/null', `+++ b/${path}`,
    `@@ -0,0 +1,${count} @@`, ...lines.map((line) => `+${line}`), '',
  ].join('\n');
}

const PATCH = `Subject: [RFC] dm overlaybd\n\n---\n${added('Documentation/dm-overlaybd.rst', ['words'])}${added(`${FOLDER}/dm-lsmt.c`, C)}${added(`${FOLDER}/dm-ovbd.h`, H)}`;

describe('extractSources', () => {
  it('takes the C files of the folder that registers the target, and nothing else', () => {
    const { sources, folder, notes } = extractSources(PATCH, 'p');
    expect([...sources.keys()]).toEqual(['dm-lsmt.c', 'dm-ovbd.h']);
    expect(sources.get('dm-lsmt.c')).toBe(`${C.join('\n')}\n`);
    expect(folder).toBe(FOLDER);
    expect(notes).toEqual([]);
  });

  it('stops at the count of the hunk, whatever an archive puts after it', () => {
    const { sources } = extractSources(`${PATCH}+not a line of the file\n-- \nlist mailing list\n`, 'p');
    expect(sources.get('dm-ovbd.h')).toBe(`${H[0]}\n`);
  });

  it('does not mind collapsed white space and carriage returns', () => {
    const collapsed = PATCH.replace(/[\t ]+/g, ' ').replace(/\n/g, '\r\n');
    expect(extractSources(collapsed, 'p').sources.get('dm-lsmt.c')).toBe(`${C.join('\n').replace(/\t/g, ' ')}\n`);
  });

  it('takes a last line without its newline', () => {
    const text = PATCH.trimEnd() + '\n\\ No newline at end of file\n';
    expect(extractSources(text, 'p').sources.get('dm-ovbd.h')).toBe(H[0]);
  });

  it('takes the last version that is whole, and says so', () => {
    const v2 = PATCH.replace('return dm', 'return 2 + dm');
    const v3 = PATCH.replace('return dm', 'return 3 + dm');
    expect(extractSources(PATCH + v2, 'p').sources.get('dm-lsmt.c')).toContain('2 + dm');
    const cut = extractSources(PATCH + v2 + v3.slice(0, v3.indexOf('3 + dm')), 'p');
    expect(cut.sources.get('dm-lsmt.c')).toContain('2 + dm');
    expect(cut.notes).toEqual(['p holds 3 versions of the sources; number 2 was taken, the last that is whole']);
  });

  it('does not take a quoted patch', () => {
    expect(() => extractSources(PATCH.replace(/^/gm, '> '), 'p')).toThrow('p is not a patch: no diff in it');
  });

  const refused: [string, string, RegExp][] = [
    ['text that is not a patch', 'Hello,\n\nplease see below.\n', /^p is not a patch/],
    ['an empty file', '', /^p is not a patch/],
    ['a mail that is still encoded', 'Content-Transfer-Encoding: base64\n\nAAAA', /base64: save its decoded text/],
    ['a patch of something else', added('drivers/net/x.c', ['int x;']), /without the sources of dm-overlaybd: no file that it adds registers/],
    ['a patch that registers some other target', added('drivers/md/x.c', ['x = dm_register_target(&mirror_target);']), /no file that it adds registers/],
    ['a patch of documents', added('Documentation/dm-overlaybd.rst', ['words']), /without the sources of dm-overlaybd: it adds no C files/],
    ['changes to the sources', `--- a/${FOLDER}/dm-lsmt.c\n+++ b/${FOLDER}/dm-lsmt.c\n@@ -1,1 +1,1 @@\n-a\n+b\n`, /changes them but does not hold them whole/],
    ['a truncated hunk', PATCH.slice(0, PATCH.indexOf('+\treturn')), /^p is damaged: line \d+: drivers\/md\/overlaybd\/dm-lsmt.c breaks off after 4 of 6 lines$/],
    ['a hunk with a line lost', PATCH.replace('+{\n', '{\n'), /breaks off after 3 of 6 lines/],
    ['a path that climbs out', PATCH.replaceAll(`${FOLDER}/dm-ovbd.h`, '../../etc/x.h'), /^p is refused: it names a file outside/],
    ['an absolute path', PATCH.replaceAll(`+++ b/${FOLDER}/dm-ovbd.h`, '+++ /etc/x.h'), /^p is refused: it names a file outside/],
    ['a name that means something to make', PATCH.replaceAll(`${FOLDER}/dm-ovbd.h`, `${FOLDER}/$(shell id).h`), /^p is refused: .* is not a name for a source file/],
  ];
  it.each(refused)('refuses %s', (_, text, message) => {
    expect(() => extractSources(text, 'p')).toThrow(message);
    expect(() => extractSources(text, 'p')).toThrow(expect.objectContaining({ name: 'UsageError' }));
  });
});

const seeds = join(process.env['OVBD_SHARED'] ?? '../shared', 'seeds');
if (!existsSync(seeds)) console.warn(`skipped: extraction of the real patches, there is no folder ${seeds} (set OVBD_SHARED)`);
describe.skipIf(!existsSync(seeds))('the real patches', () => {
  const read = (prefix: string): string => readFileSync(join(seeds, readdirSync(seeds).find((name) => name.startsWith(prefix))!), 'utf8');
  const lines = (sources: ReadonlyMap<string, string>): Record<string, number> =>
    Object.fromEntries([...sources].map(([name, text]) => [name, text.split('\n').length - 1]));
  const counts = {
    'dm-lsmt.c': 162, 'dm-lsmtformat.c': 574, 'dm-ovbd-blkfile.c': 134, 'dm-ovbd.c': 45, 'dm-ovbd.h': 45, 'dm-zfile.c': 154, 'dm-zfileformat.c': 441,
  };

  it.each(['000', '002'])('%s gives all files with the line counts of its own summary', (prefix) => {
    const { sources, folder, notes } = extractSources(read(prefix), prefix);
    expect(lines(sources)).toEqual(counts);
    expect(folder).toBe(FOLDER);
    expect(notes).toEqual([]);
  });

  it('001 gives the last of its three versions', () => {
    const { sources, notes } = extractSources(read('001'), '001');
    expect(lines(sources)).toEqual(counts);
    expect(notes).toEqual(['001 holds 3 versions of the sources; number 3 was taken, the last']);
    const squeezed = (text: string): string => text.replace(/\s+/g, '');
    const v3 = extractSources(read('002'), '002').sources;
    const changed = [...sources].filter(([name, text]) => squeezed(text) !== squeezed(v3.get(name)!)).map(([name]) => name);
    // The archive of the thread hides mail addresses, which stand in MODULE_AUTHOR.
    expect(changed).toEqual(['dm-ovbd.c']);
  });

  it.each(['003', '004'])('%s is not a patch', (prefix) => {
    expect(() => extractSources(read(prefix), prefix)).toThrow(/is not a patch/);
  });
});

describe('hashSources', () => {
  it('does not depend on the order and tells where a file ends', () => {
    const one = hashSources(new Map([['a.c', '1'], ['b.c', '2']]));
    expect(hashSources(new Map([['b.c', '2'], ['a.c', '1']]))).toBe(one);
    expect(hashSources(new Map([['a.c', '12'], ['b.c', '']]))).not.toBe(one);
  });
});
