// SPDX-License-Identifier: MIT
/** Small patches of our own making for the tests. */

export const FOLDER = 'drivers/md/overlaybd';
export const C = ['#include "dm-ovbd.h"', '', 'static int __init init(void)', '{', '\treturn dm_register_target(&lsmt_target);', '}'];
export const H = ['extern struct target_type lsmt_target;'];

/** A diff that adds a file. */
export function added(path: string, lines: readonly string[], count = lines.length): string {
  return [
    `diff --git a/${path} b/${path}`, 'new file mode 100644', 'index 000000000000..ad48cc7b57c7', '--- /dev/null', `+++ b/${path}`,
    `@@ -0,0 +1,${count} @@`, ...lines.map((line) => `+${line}`), '',
  ].join('\n');
}

/** A diff of one hunk that changes a file; `lines` have their marks. */
export function changed(path: string, start: number, lines: readonly string[]): string {
  const count = (mark: string): number => lines.filter((line) => line[0] === ' ' || line[0] === mark).length;
  return [
    `diff --git a/${path} b/${path}`, 'index ad48cc7b57c7..bd48cc7b57c7 100644', `--- a/${path}`, `+++ b/${path}`,
    `@@ -${start},${count('-')} +${start},${count('+')} @@ static int __init init(void)`, ...lines, '',
  ].join('\n');
}

/** The module with this value in it, as a mail's text. */
export function patch(subject: string, value = 'dm', more = ''): string {
  const c = C.map((line) => line.replace('return dm', `return ${value}`));
  return `Subject: ${subject}\n\nWords about it.\n\nSigned-off-by: A <a@example.org>\n---\n${added('Documentation/dm-overlaybd.rst', ['words'])}${added(`${FOLDER}/dm-lsmt.c`, c)}${added(`${FOLDER}/dm-ovbd.h`, H)}${more}`;
}

/** The one hunk that makes `return dm…` of it `return 7 + dm…`. */
export const FIX = changed(`${FOLDER}/dm-lsmt.c`, 3, [
  ' static int __init init(void)', ' {', '-\treturn dm_register_target(&lsmt_target);', '+\treturn 7 + dm_register_target(&lsmt_target);', ' }',
]);
