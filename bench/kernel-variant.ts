// SPDX-License-Identifier: MIT
/**
 * Builds a sanitizer kernel with other options, to measure what they cost, or to
 * run with them: 8 minutes of processor time, and 70 MB in the folder.
 *
 *   node --import tsx bench/kernel-variant.ts --config targets/kernel/lab/debug.config --out FOLDER [--kernel 6.1]
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Cache, Steps, parseKernelChoice } from '../targets/kernel/lab/index.ts';
import { buildVariant } from '../targets/kernel/lab/sanitizer.ts';

const { values } = parseArgs({ options: { config: { type: 'string' }, out: { type: 'string' }, kernel: { type: 'string', default: '6.1' } } });
const choice = parseKernelChoice(values.kernel);
if (values.config === undefined || values.out === undefined || choice.kind !== 'debian') throw new Error('give --config FILE and --out FOLDER, and --kernel a series');
const folder = resolve(values.out);
mkdirSync(folder, { recursive: true });
await buildVariant(new Cache(), new Steps(), choice.series, readFileSync(values.config, 'utf8'), folder);
console.log(`ovbd run --kernel ${join(folder, 'bzImage')} --kernel-build ${join(folder, 'build')} …`);
