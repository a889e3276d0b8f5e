// SPDX-License-Identifier: MIT
/**
 * Excerpts of kernel logs from our own runs, in logs/: comment lines say what ran
 * and the titles that must come out, in the log's order; registers and code
 * bytes are left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hangTitle } from './klog-hang.ts';
import { parseKernelLog } from './klog.ts';

const folder = new URL('./logs/', import.meta.url);

describe('the corpus of logs', () => {
  for (const file of readdirSync(folder).sort()) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const [comment, ...rest] = text.split('\n\n');
    const [, ...wanted] = comment!.split('\n').map((line) => line.replace(/^# /, ''));
    const log = rest.join('\n\n');

    it(`${file} says ${wanted.join(', ')}`, () => {
      expect(wanted.length).toBeGreaterThan(0);
      const found = wanted[0]!.startsWith('hang: hang')
        ? [`hang: ${hangTitle(log, 'dm_overlaybd')}`]
        : parseKernelLog(log, 'dm_overlaybd').map(({ kind, title, blamed }) => `${blamed ? '' : 'not blamed: '}${kind}: ${title}`);
      expect(found).toEqual(wanted);
    });

    it(`${file} says the same at other times`, () => {
      const later = log.replaceAll(/^\[ +(\d+)\./gm, '[  7$1.');
      expect(parseKernelLog(later, 'dm_overlaybd')).toEqual(parseKernelLog(log, 'dm_overlaybd'));
    });
  }
});
