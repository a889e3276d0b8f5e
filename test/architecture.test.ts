// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** Who may import whom: data flows one way, nothing imports from its right (DESIGN table). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  spec: [],
  model: ['spec'],
  generators: ['spec', 'model'],
  oracles: ['spec', 'model'],
  judge: ['spec', 'model'],
  targets: ['spec', 'model'],
  engine: ['spec', 'model', 'generators', 'oracles', 'judge', 'targets'],
  reports: ['spec', 'model'],
  cli: ['spec', 'model', 'generators', 'oracles', 'judge', 'targets', 'engine', 'reports'],
  bench: ['spec', 'model', 'generators', 'oracles', 'judge', 'targets', 'engine', 'reports'],
};

/** Packages that decode: the oracle's own decoder must not lean on the writer's library. */
const FORBIDDEN_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  oracles: ['lz4-napi', '@node-rs/crc32'],
  judge: ['lz4-napi', '@hpcc-js/wasm-zstd', 'fast-check'],
};

/** The second reader decodes by libraries, which is its point, and shares nothing with the first. */
const CROSS = path.join('oracles', 'cross') + path.sep;

const root = path.resolve(import.meta.dirname, '..');

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith('.ts') && !e.name.endsWith('.test.ts'))
    .map((e) => path.relative(root, path.join(e.parentPath, e.name)));
}

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => m[1]!);
}

describe('folders import only what stands left of them', () => {
  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    it(folder, () => {
      for (const file of sources(folder)) {
        for (const target of importsOf(file)) {
          if (!file.startsWith(CROSS) && FORBIDDEN_PACKAGES[folder]?.includes(target)) throw new Error(`${file} imports ${target}`);
          if (!target.startsWith('.')) continue;
          const top = path.relative(root, path.resolve(root, path.dirname(file), target)).split(path.sep)[0]!;
          expect([folder, ...allowed], `${file} imports ${target}`).toContain(top);
        }
      }
    });
  }

  it('the two readers of oracles/ know nothing of each other', () => {
    for (const file of sources('oracles')) {
      for (const target of importsOf(file).filter((t) => t.startsWith('.'))) {
        const imported = path.relative(root, path.resolve(root, path.dirname(file), target));
        if (!imported.startsWith(`oracles${path.sep}`)) continue;
        expect(imported.startsWith(CROSS), `${file} imports ${target}`).toBe(file.startsWith(CROSS));
      }
    }
  });

  it('every source file says its licence', () => {
    for (const folder of Object.keys(MAY_IMPORT)) {
      for (const file of sources(folder)) {
        expect(readFileSync(path.join(root, file), 'utf8').startsWith('// SPDX-License-Identifier: MIT'), file).toBe(true);
      }
    }
  });
});
