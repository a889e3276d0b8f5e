// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { extractVersions } from './index.ts';
import { added, C, changed, FIX, FOLDER, H, patch } from './samples.ts';
import type { Version } from './versions.ts';

const PATCH = patch('[RFC] dm overlaybd');
const MAIN = 'dm-lsmt.c';

function only(text: string, base?: Version): Version {
  const { versions } = extractVersions([text], 'p', base);
  expect(versions).toHaveLength(1);
  return versions[0]!;
}

/** Label → the number that stands before dm_register_target. */
function values(...texts: string[]): Record<string, string> {
  return Object.fromEntries(extractVersions(texts, 'p').versions.map((v) => [v.label, /return (.*)dm_reg/.exec(v.sources.get(MAIN)!)![1]!.trim()]));
}

describe('new files', () => {
  it('are the C files of the folder that registers the target, and nothing else', () => {
    const { sources, folder, label } = only(PATCH);
    expect([...sources.keys()]).toEqual([MAIN, 'dm-ovbd.h']);
    expect(sources.get(MAIN)).toBe(`${C.join('\n')}\n`);
    expect(folder).toBe(FOLDER);
    expect(label).toBe('v1');
  });

  it('stop at the count of the hunk, whatever an archive puts after it', () => {
    expect(only(`${PATCH}+not a line of the file\n-- \nlist mailing list\n`).sources.get('dm-ovbd.h')).toBe(`${H[0]}\n`);
  });

  it('may have collapsed white space and carriage returns', () => {
    const collapsed = PATCH.replace(/[\t ]+/g, ' ').replace(/\n/g, '\r\n');
    expect(only(collapsed).sources.get(MAIN)).toBe(`${C.join('\n').replace(/\t/g, ' ')}\n`);
  });

  it('may end without a line end', () => {
    expect(only(`${PATCH.trimEnd()}\n\\ No newline at end of file\n`).sources.get('dm-ovbd.h')).toBe(H[0]);
  });

  it('may be empty', () => {
    const empty = `diff --git a/${FOLDER}/e.h b/${FOLDER}/e.h\nnew file mode 100644\nindex 000000000000..e69de29bb2d1\n`;
    expect(only(PATCH + empty).sources.get('e.h')).toBe('');
  });
});

describe('versions', () => {
  it('are named by their subjects, replies and quotes left out', () => {
    const thread = [
      PATCH.replace('return dm', 'return 1 + dm'), 'Subject: Re: [RFC] dm overlaybd\n\nOn Monday A wrote:\n', PATCH.replace(/^/gm, '> '), 'No.\n\n',
      patch('[RFC PATCH v2] dm overlaybd', '2 + dm'), `Subject: Re: [RFC PATCH v2] dm overlaybd\n\nWhat about this?\n\n${FIX}`,
      patch('[dm-devel] [PATCHv3 RESEND] dm overlaybd', '3 + dm'), patch('[dm-devel] [PATCHv3 RESEND] dm overlaybd', '3 + dm'),
    ].join('\n');
    expect(values(thread)).toEqual({ v1: '1 +', v2: '2 +', v3: '3 +' });
    expect(extractVersions([thread], 'p').notes).toEqual(['p: a diff in an answer is left out']);
  });

  it('are told by files that come again where no subject does it', () => {
    const bare = (n: number): string => PATCH.slice(PATCH.indexOf('diff')).replace('return dm', `return ${n} + dm`);
    expect(values(bare(1) + bare(2) + bare(3))).toEqual({ 'v1': '1 +', 'v1-2': '2 +', 'v1-3': '3 +' });
    expect(only(bare(1)).label).toBeUndefined();
  });

  it('that break off are left out, and said', () => {
    const v2 = patch('[PATCH v2] x', '2 + dm');
    const { versions, notes } = extractVersions([PATCH + v2.slice(0, v2.indexOf('+\treturn'))], 'p');
    expect(versions.map((v) => v.label)).toEqual(['v1']);
    expect(notes).toEqual([expect.stringMatching(/^p: v2 is left out: line \d+: drivers\/md\/overlaybd\/dm-lsmt.c breaks off after 4 of 6 lines$/)]);
  });

  it('that change nothing are versions all the same, and it is said', () => {
    const { versions, notes } = extractVersions([PATCH + patch('[PATCH v2] x').replace(/\t/g, ' ')], 'p');
    expect(versions.map((v) => v.label)).toEqual(['v1', 'v2']);
    expect(notes).toEqual(['p: but for white space the sources of v2 are those of v1']);
  });

  it('may be a title of a page', () => {
    expect(only(PATCH.replace('Subject: [RFC] dm overlaybd\n', '[RFC,v3] dm overlaybd: a page\n')).label).toBe('v3');
  });

  it('are not told by footnotes', () => {
    expect(only(PATCH.replace('Words about it.', 'Words about it.\n[v7] https://example.org/v7\n[v8] was better')).label).toBe('v1');
  });
});

describe('changes', () => {
  const series = (order: readonly number[]): string => order.map((n) => [
    'Subject: [PATCH v4 0/2] cover\n\nWords.\n',
    `Subject: [PATCH v4 1/2] add it\n---\n${PATCH.slice(PATCH.indexOf('diff'))}`,
    `Subject: [PATCH v4 2/2] fix it\n---\n${FIX}`,
  ][n]!).join('\n');

  it.each([[[0, 1, 2]], [[2, 1, 0]]])('of a series apply in its order, however the mails come: %j', (order) => {
    expect(values(series(order))).toEqual({ v4: '7 +' });
  });

  it('without a version of their own go on top of what stands before them', () => {
    expect(values(`${PATCH}Subject: [PATCH] fix it\n\n${FIX}`)).toEqual({ v1: '7 +' });
    expect(values(PATCH + FIX)).toEqual({ v1: '7 +' });
  });

  it('with a version make one of the sources before them', () => {
    expect(values(`${PATCH}Subject: [PATCH v2] fix it\n\n${FIX}`)).toEqual({ v1: '', v2: '7 +' });
  });

  it('go on top of a base, whose files may be known by their names only', () => {
    const base: Version = { ...only(PATCH), folder: '' };
    const version = only(`Subject: [PATCH] fix\n\n${FIX}`, base);
    expect(version.sources.get(MAIN)).toContain('return 7 + dm');
    expect(version).toMatchObject({ label: undefined, folder: FOLDER, onTop: true });
    expect(only(PATCH, base).onTop).toBe(false);
  });

  it('find their place when lines were added above it', () => {
    const moved: Version = { ...only(PATCH), sources: new Map([[MAIN, `/* one */\n/* two */\n${C.join('\n')}\n`]]) };
    expect(only(FIX, moved).sources.get(MAIN)).toBe(`/* one */\n/* two */\n${C.join('\n').replace('return', 'return 7 +')}\n`);
  });

  it('apply where an archive has collapsed white space, and leave what they do not touch as it was', () => {
    const collapsed = FIX.replace(/[\t ]+/g, ' ').replace(/^ /gm, '');
    expect(only(PATCH + collapsed).sources.get(MAIN)).toBe(`${C.join('\n').replace('\treturn', ' return 7 +')}\n`);
    const base = only(PATCH);
    const indented: Version = { ...base, sources: new Map([[MAIN, C.join('\n').replace('static int', 'static   int')]]) };
    expect(only(collapsed, indented).sources.get(MAIN)).toContain('static   int');
  });

  it('rename, remove and add files', () => {
    const renamed = `diff --git a/${FOLDER}/dm-ovbd.h b/${FOLDER}/ovbd.h\nsimilarity index 100%\nrename from ${FOLDER}/dm-ovbd.h\nrename to ${FOLDER}/ovbd.h\n`;
    expect([...only(PATCH + renamed).sources.keys()]).toEqual([MAIN, 'ovbd.h']);
    const removed = `--- a/${FOLDER}/dm-ovbd.h\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-${H[0]}\n`;
    expect([...only(PATCH + removed).sources.keys()]).toEqual([MAIN]);
    expect([...only(`${PATCH}Subject: [PATCH] more\n\n${added(`${FOLDER}/more.c`, ['int x;'])}${FIX}`).sources.keys()]).toEqual([MAIN, 'dm-ovbd.h', 'more.c']);
  });

  it('elsewhere in the kernel are not built', () => {
    const makefile = changed('drivers/md/Makefile', 1, [' a', '+obj-y += overlaybd/', ' b']);
    expect([...only(makefile + changed('drivers/md/dm.c', 1, ['-a', '+b']) + PATCH).sources.keys()]).toEqual([MAIN, 'dm-ovbd.h']);
  });

  it.each<[string, string, RegExp]>([
    ['that do not fit', PATCH + FIX.replace(' {', ' [ '), /^p is damaged: hunk 1 \(line \d+\) of drivers\/md\/overlaybd\/dm-lsmt.c does not apply: line 4 must be "\[ ", is "\{"$/],
    ['without the sources', FIX, /changes them but does not hold them whole; give the folder that it applies to with --source/],
    ['of a file that is not there', PATCH + changed(`${FOLDER}/absent.c`, 1, ['-a', '+b']), /absent.c is changed, but the text does not hold it/],
    ['that break off', PATCH + FIX.slice(0, FIX.indexOf('+\t')), /breaks off after 2 of 4 lines/],
  ])('%s are refused with file and hunk', (_, text, message) => {
    expect(() => extractVersions([text], 'p')).toThrow(message);
  });
});

describe('what is refused', () => {
  const refused: [string, string, RegExp][] = [
    ['text that is not a patch', 'Hello,\n\nplease see below.\n', /^p is not a patch: no diff in it$/],
    ['an empty file', '', /^p is not a patch/],
    ['a quoted patch', PATCH.replace(/^/gm, '> '), /^p is not a patch: no diff in it$/],
    ['a patch of something else', added('drivers/net/x.c', ['int x;']), /without the sources of dm-overlaybd: no file that it adds registers/],
    ['a patch that registers some other target', added('drivers/md/x.c', ['x = dm_register_target(&mirror_target);']), /no file that it adds registers/],
    ['a patch of documents', added('Documentation/dm-overlaybd.rst', ['words']), /without the sources of dm-overlaybd: it adds no C files/],
    ['a truncated hunk', PATCH.slice(0, PATCH.indexOf('+\treturn')), /^p is damaged: line \d+: drivers\/md\/overlaybd\/dm-lsmt.c breaks off after 4 of 6 lines$/],
    ['a hunk with a line lost', PATCH.replace('+{\n', '{\n'), /breaks off after 3 of 6 lines/],
    ['a path that climbs out', PATCH.replaceAll(`${FOLDER}/dm-ovbd.h`, '../../etc/x.h'), /^p is refused: it names a file outside/],
    ['an absolute path', PATCH.replaceAll(`+++ b/${FOLDER}/dm-ovbd.h`, '+++ /etc/x.h'), /^p is refused: it names a file outside/],
    ['a name that means something to make', PATCH.replaceAll(`${FOLDER}/dm-ovbd.h`, `${FOLDER}/$(shell id).h`), /^p is refused: .* is not a name for a source file/],
    ['a rename out of the tree', `${PATCH}diff --git a/x b/x\nrename from a\nrename to ../../x.c\n`, /^p is refused: it names a file outside/],
  ];
  it.each(refused)('%s', (_, text, message) => {
    expect(() => extractVersions([text], 'p')).toThrow(message);
    expect(() => extractVersions([text], 'p')).toThrow(expect.objectContaining({ name: 'UsageError' }));
  });

  it('a hunk whose place would be looked for for ever', () => {
    const many = 100_000;
    const same = added(`${FOLDER}/big.c`, Array<string>(many).fill('x'));
    const deep = changed(`${FOLDER}/big.c`, 1, [...Array<string>(many / 2).fill(' x'), ' y', '+z']);
    expect(() => extractVersions([PATCH + same + deep], 'p')).toThrow(/looking for its place takes too long/);
  });
});

describe('hostile text', () => {
  // Each would take hours where reading it took more than linear time; the test's time limit notices.
  const n = 2 << 20;
  it.each([
    ['a line of spaces', `+++ b/${' '.repeat(n)}x`], ['brackets', `Subject: ${'['.repeat(n)}`], ['replies', `Subject: ${'Re: '.repeat(n / 4)}`],
    ['headers', '--- a/x\n'.repeat(n / 8)], ['hunks', `--- a/x\n+++ b/x\n${'@@ -1,999999999 +1,999999999 @@\n'.repeat(n / 32)}`],
    ['separators', 'From a\nb: c\n'.repeat(n / 12)], ['tags', `<pre>${'<script>'.repeat(n / 8)}`], ['less-than signs', `<html>${'<'.repeat(n)}`],
    ['comments', `<html>${'<!--'.repeat(n / 4)}`], ['entities', `<html>${'&lt'.repeat(n / 3)}`], ['diffs', 'diff --git a/x b/x\n'.repeat(n / 19)],
    ['soft breaks', `Message-Id: x\nContent-Transfer-Encoding: quoted-printable\n\n${'= '.repeat(n / 2)}`],
    ['encoded words', `Message-Id: x\nSubject: ${'=?a?q?'.repeat(1000)}\n\n${'x'.repeat(n)}`],
    ['folded headers', `Message-Id: x\n${' x\n'.repeat(n / 3)}`],
  ])('%s', (_, text) => {
    expect(() => extractVersions([text], 'p')).toThrow(/^p is (?:not a patch|a patch without|damaged)/);
  });
});
