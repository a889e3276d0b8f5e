// SPDX-License-Identifier: MIT
/** The reader in Python joins by configuration alone: no false alarm, and what is broken in it is found. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCommand } from '../cli/command-targets.ts';
import { caseOfImages, type ImageBytes } from '../engine/compare/images.ts';
import { execute, type Executed } from '../engine/execute.ts';
import { runSuite } from '../engine/run.ts';
import { commitLayer, runScript } from '../generators/commit.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import type { Event } from '../model/index.ts';
import { findCommand } from '../targets/kernel/lab/child.ts';

const folder = fileURLToPath(new URL('../examples/python-reader', import.meta.url));
const file = path.join(folder, 'targets.json');
const CASES = 8;

const layer = (sector: number, seed: number): Uint8Array => {
  const content = new Uint8Array(8192).map((_, i) => (seed + i * 7 + (i >> 9)) & 0xff);
  return commitLayer(runScript([{ kind: 'write', offset: sector * 512, content }], { virtualSize: 65536 }), { virtualSize: 65536 });
};
const STACK: readonly ImageBytes[] = [{ data: layer(0, 1) }, { data: writeZFile(layer(8, 90), PLAIN_ZFILE) }];

async function read(targets: string): Promise<Executed> {
  const target = await openCommand('python-reader', [targets]);
  const session = await target.open();
  return (await execute(target, session, [caseOfImages('c', STACK, 'device')]))[0]!;
}

describe.skipIf(findCommand('python3') === undefined)('examples/python-reader', () => {
  it(`${CASES} cases of a run: no findings`, async () => {
    const target = await openCommand('python-reader', [file]);
    const events: Event[] = [];
    const footer = await runSuite({
      suite: 'test', seed: 5, cases: CASES, targets: [target], skipped: [], jobs: 2, signal: new AbortController().signal,
      saveFinding: () => Promise.resolve({ folder: '', replay: '' }),
    }, (e) => events.push(e));
    const odd = events.filter((e) => e.type === 'case' && e.kind !== 'pass' && e.kind !== 'unsupported');
    expect(odd).toEqual([]);
    expect(footer).toMatchObject({ findings: 0, exitCode: 0, cases: CASES });
    expect(footer.verdicts['python-reader']!.pass).toBeGreaterThan(0);
  });

  it('a stack is read right; with a mistake in the reader it is not', async () => {
    expect((await read(file)).verdict).toMatchObject({ kind: 'pass' });
    const broken = mkdtempSync(path.join(tmpdir(), 'ovbd-python-'));
    try {
      copyFileSync(file, path.join(broken, 'targets.json'));
      const source = readFileSync(path.join(folder, 'reader.py'), 'utf8');
      const mistakes: [string, string, string][] = [
        ['BLOCK_SEED = 100007', 'BLOCK_SEED = 0', 'refuses-valid'], ['len(self.layers) - 1)', '0)', 'corruption'], ['def lz4_block(stored, size):', 'def lz4_block(stored, size):\n    raise KeyError', 'crash'],
      ];
      for (const [right, wrong, kind] of mistakes) {
        expect(source.split(right)).toHaveLength(2);
        writeFileSync(path.join(broken, 'reader.py'), source.replace(right, wrong));
        expect((await read(path.join(broken, 'targets.json'))).verdict).toMatchObject({ kind });
      }
    } finally {
      rmSync(broken, { recursive: true, force: true });
    }
  });
});
