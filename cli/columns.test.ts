// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { patch } from '../targets/kernel/lab/patch/samples.ts';
import { checkSubject, columnsOf, type Kernels, type Subject } from './columns.ts';

const folder = mkdtempSync(join(tmpdir(), 'ovbd-cli-columns-'));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const one = put('one.patch', patch('[PATCH v7] a'));
const thread = put('thread.txt', `${patch('[PATCH] a', '1 + dm')}${patch('[PATCH v2] a', '2 + dm')}`);
const names = async (roles: ('stock' | 'patch')[], request: Subject & Kernels): Promise<string[]> =>
  (await columnsOf(roles, request, () => undefined, new AbortController().signal)).map((c) => c.name);

describe('columns', () => {
  it('keep the names of their roles where there is nothing to tell apart', async () => {
    expect(await names(['stock', 'patch'], { patch: [one] })).toEqual(['stock', 'patch']);
    expect(await names(['patch'], { patch: [one], kernel: ['6.12'] })).toEqual(['patch']);
    expect(await names(['patch'], { patch: [`${thread}#v2`] })).toEqual(['patch']);
    expect(await names(['patch'], { source: folder })).toEqual(['patch']);
  });

  it('are each version on each kernel, with and without sanitizers', async () => {
    expect(await names(['patch'], { patch: [thread] })).toEqual(['v1', 'v2']);
    expect(await names(['patch'], { patch: [thread, one], kernel: ['6.1', '6.12', '6.1'], sanitize: 'both' })).toEqual([
      'v1/6.1', 'v1/6.1/sanitize', 'v1/6.12', 'v1/6.12/sanitize', 'v2/6.1', 'v2/6.1/sanitize', 'v2/6.12', 'v2/6.12/sanitize',
      'v7/6.1', 'v7/6.1/sanitize', 'v7/6.12', 'v7/6.12/sanitize',
    ]);
    expect(await names(['stock', 'patch'], { patch: [one], sanitize: 'only' })).toEqual(['stock/sanitize', 'patch/sanitize']);
  });

  it('may have kernels of the user\'s, each with its build folder', async () => {
    const kernels = { kernel: ['a/bzImage', '6.1', 'b/bzImage'], kernelBuild: ['a', 'b'] };
    expect(await names(['stock'], kernels)).toEqual(['stock/bzimage', 'stock/6.1', 'stock/bzimage-3']);
    expect(await names(['stock'], { ...kernels, sanitize: 'both' })).toEqual(['stock/bzimage', 'stock/6.1', 'stock/6.1/sanitize', 'stock/bzimage-3']);
  });

  it('say what replay needs', async () => {
    const columns = await columnsOf(['patch'], { patch: [thread], kernel: ['6.12'], sanitize: 'only' }, () => undefined, new AbortController().signal);
    expect(columns.map((c) => c.remake)).toEqual(['v1', 'v2'].map((v) => ({ role: 'patch', patch: `${thread}#${v}`, kernel: '6.12', sanitize: 'yes' })));
    const [own] = await columnsOf(['stock'], { kernel: ['x/bzImage'], kernelBuild: ['x'] }, () => undefined, new AbortController().signal);
    expect(own!.remake).toEqual({ 'role': 'stock', 'kernel': 'x/bzImage', 'kernel-build': 'x' });
  });

  it('are not named like another target', async () => {
    expect(await names(['patch'], { patch: [put('oracle.patch', patch('x')), put('stock.patch', patch('x', '2 + dm'))] })).toEqual(['patch-oracle', 'patch-stock']);
  });

  it.each<[Subject & Kernels, RegExp]>([
    [{ module: 'a', patch: ['b'] }, /--patch and --module exclude each other/],
    [{ module: 'a', source: 'b' }, /--source and --module exclude each other/],
    [{ kernel: ['5.10'] }, /the lab has 6.1 and 6.12/],
    [{ kernel: ['./bzImage'] }, /needs --kernel-build/],
    [{ kernel: ['6.1'], kernelBuild: ['x'] }, /there is no --kernel with a bzImage for it/],
    [{ kernelBuild: ['x'] }, /give its bzImage by --kernel/],
    [{ kernel: ['./bzImage'], kernelBuild: ['x'], sanitize: 'both' }, /a bzImage of yours has the sanitizers that you built it with/],
  ])('%j contradict each other', (request, message) => {
    expect(() => checkSubject(request)).toThrow(message);
  });
});
