// SPDX-License-Identifier: MIT
/** `ovbd compare`: implementations beside each other. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { caseOfImages, TooLarge, type ImageBytes } from '../../engine/compare/images.ts';
import { compareReaders } from '../../engine/compare/readers.ts';
import { compareWriters } from '../../engine/compare/writers.ts';
import type { Judged } from '../../engine/execute.ts';
import { declaredFlags, prepare } from '../../engine/prepare.ts';
import { drawCase } from '../../generators/draw.ts';
import { EXIT, UsageError, type Comparison } from '../../model/index.ts';
import { compareLines, oneLine, writeAtomically } from '../../reports/index.ts';
import { Cache, Steps } from '../../targets/kernel/lab/index.ts';
import type { Kernels, Subject } from '../columns.ts';
import { entriesOf } from '../command-targets.ts';
import { splitPair } from '../image-files.ts';
import { print, printLines } from '../print.ts';
import { EXIT_STOPPED } from '../stop.ts';
import { openTargets } from '../targets.ts';
import { openWriters } from '../writers.ts';
import { suiteVersion } from '../version.ts';

/** As commander hands them over. */
export interface CompareOptions extends Subject, Kernels {
  /** Lists of names, separated by commas. */
  readonly targets?: readonly string[];
  readonly targetsFile?: readonly string[];
  readonly seed: number;
  readonly cases: number;
  readonly as: 'device' | 'zfile';
  /** Compare writers of these rather than readers. */
  readonly writers?: 'lsmt' | 'zfile';
  readonly vm: boolean;
  readonly jobs?: number;
  readonly out?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** Image files of more bytes in all are not compared: they are held in memory. */
const MAX_FILES = 1 << 30;

/** Exit code 0 where all of them do the same or what the format leaves open, 1 where two differ. */
export async function compare(images: readonly string[], options: CompareOptions, signal: AbortSignal): Promise<number> {
  return options.writers === undefined ? compareTargets(images, options, signal) : compareWriting(images, options.writers, options, signal);
}

async function compareWriting(images: readonly string[], makes: 'lsmt' | 'zfile', options: CompareOptions, signal: AbortSignal): Promise<number> {
  if (images.length > 0) throw new UsageError('--writers compares what is written of generated inputs: it takes no images');
  const every = ['ours', ...[...entriesOf(options.targetsFile).writers.values()].filter(({ entry }) => entry.makes === makes).map(({ entry }) => entry.name)];
  const { writers, skipped } = await openWriters(options.targets === undefined ? every : namesOf(options.targets), makes, options.targetsFile);
  if (writers.length < 2) {
    throw new UsageError([
      'one writer alone cannot be compared', ...skipped.map((s) => `  skipped: ${s.target}: ${s.reason}`),
      '  any command will do: --targets ours --targets "command:PROGRAM … {out}"',
    ].join('\n'));
  }
  const progress = progressLine(options.quiet === true || !process.stderr.isTTY);
  const document = await compareWriters({
    suite: `overlaybd-conformance ${suiteVersion()}`, makes, seed: options.seed, inputs: options.cases, writers, skipped, jobs: options.jobs ?? availableParallelism(), signal,
    progress: (done) => progress(`compared ${done} of ${options.cases} images`),
  });
  progress(null);
  await show(document, options, [], signal);
  if (signal.aborted) return EXIT_STOPPED;
  if (document.rows.length > 0 || Object.values(document.counts).some((c) => c.readsRight < c.made)) return EXIT.findings;
  return skipped.length > 0 && options.targets !== undefined ? EXIT.engine : EXIT.ok;
}

async function compareTargets(images: readonly string[], options: CompareOptions, signal: AbortSignal): Promise<number> {
  const names = namesOf(options.targets);
  const fixed = images.length === 0 ? null : fromImages(images, options.as);
  const opened = await openTargets({ ...options, names, images: fixed !== null }, { cache: new Cache(), steps: new Steps(), signal });
  try {
    if (opened.targets.length < 2) {
      throw new UsageError(['one target alone cannot be compared: give at least two to --targets', ...opened.skipped.map((s) => `  skipped: ${s.target}: ${s.reason}`)].join('\n'));
    }
    const declared = declaredFlags(opened.targets);
    const progress = progressLine(options.quiet === true || !process.stderr.isTTY);
    const { document, cases } = await compareReaders({
      suite: `overlaybd-conformance ${suiteVersion()}`,
      from: fixed ? { images } : { seed: options.seed },
      cases: fixed ? 1 : options.cases,
      prepared: fixed ? () => fixed : (index) => prepare(drawCase(options.seed, index), declared),
      targets: opened.targets, skipped: opened.skipped, jobs: options.jobs ?? availableParallelism(), signal,
      progress: (done, differing) => progress(`compared ${done} of ${fixed ? 1 : options.cases} cases, ${differing} differ`),
    });
    progress(null);
    await show(document, options, fixed ? [] : cases, signal);
    if (signal.aborted) return EXIT_STOPPED;
    const differ = Object.values(document.pairs).some((others) => Object.values(others).some((p) => p.differ > 0));
    if (differ) return EXIT.findings;
    const failed = opened.missed || Object.values(document.answers).some((a) => a.failed > 0);
    return failed ? EXIT.engine : EXIT.ok;
  } finally {
    await Promise.allSettled(opened.targets.map((t) => t.close()));
  }
}

/** The names in `--targets a,b --targets c`; the first is the one that the others are compared with. */
function namesOf(lists: readonly string[] | undefined): string[] {
  const names = (lists ?? ['oracle,fake-reader']).flatMap((list) => (list.startsWith('command:') ? [list] : list.split(','))).map((n) => n.trim()).filter((n) => n !== '');
  if (names.length === 0) throw new UsageError('--targets names none: give at least two, as in --targets oracle,fake-reader');
  return names;
}

function fromImages(images: readonly string[], as: 'device' | 'zfile'): Judged {
  const names = images.map(splitPair);
  if (as === 'zfile' && (names.length > 1 || names[0]!.index !== undefined)) throw new UsageError('--as zfile compares one ZFile, not a stack or a writable pair');
  const total = names.flatMap(({ data, index }) => [data, ...(index === undefined ? [] : [index])]).reduce((n, path) => {
    const stat = statSync(path);
    if (!stat.isFile()) throw new UsageError(`${path}: not a plain file`);
    return n + stat.size;
  }, 0);
  if (total > MAX_FILES) throw new UsageError(`the images have ${total} bytes; at most ${MAX_FILES} can be compared`);
  const bytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
  try {
    return caseOfImages('images', names.map(({ data, index }): ImageBytes => ({ data: bytes(data), ...(index !== undefined && { index: bytes(index) }) })), as);
  } catch (error) {
    if (error instanceof TooLarge) throw new UsageError(error.message);
    throw error;
  }
}

/** Prints the document, and keeps it with the images of its differences where a folder is given. */
async function show(document: Comparison, options: CompareOptions, cases: readonly Judged[], signal: AbortSignal): Promise<void> {
  const lines = compareLines(document);
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true });
    writeAtomically(join(options.out, 'compare.json'), `${JSON.stringify(document, null, 2)}\n`);
    writeAtomically(join(options.out, 'compare.txt'), `${lines.join('\n')}\n`);
    cases.forEach(({ case: c }, i) => {
      const folder = join(options.out!, `difference-${i + 1}`);
      mkdirSync(folder, { recursive: true });
      c.layers.forEach((layer, n) => {
        writeFileSync(join(folder, `layer${n}.img`), layer.bytes);
        if (layer.index) writeFileSync(join(folder, `layer${n}.index`), layer.index);
        if (layer.remote) writeFileSync(join(folder, `layer${n}.remote`), layer.remote);
      });
      writeFileSync(join(folder, 'case.json'), `${JSON.stringify({ id: c.id, device: c.device, wrapping: c.layers.map((l) => l.wrapping), access: c.access }, null, 2)}\n`);
    });
  }
  if (options.json) await print([`${JSON.stringify(document, null, 2)}\n`], signal);
  else {
    const images = cases.length > 0 ? ', and the images of each difference' : '';
    const kept = options.out === undefined ? [] : ['', oneLine(`kept in ${options.out}: compare.json, compare.txt${images}`)];
    await printLines([...lines, ...kept], signal);
  }
}

/** One line on a terminal that is gone in the end. */
function progressLine(quiet: boolean): (text: string | null) => void {
  let last = 0;
  return (text) => {
    if (quiet) return;
    const now = performance.now();
    if (text !== null && now - last < 200) return;
    last = now;
    process.stderr.write(text === null ? '\r\u001b[K' : `\r\u001b[K${text}`);
  };
}
