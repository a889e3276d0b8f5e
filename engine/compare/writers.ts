// SPDX-License-Identifier: MIT
/** Writers beside each other: the same input and options must give the same image, byte for byte. */
import { createHash } from 'node:crypto';
import { commitLayer } from '../../generators/commit.ts';
import { deviceOf, drawWriterInput, inputText, type WriterInput } from '../../generators/writer-inputs.ts';
import { PLAIN_ZFILE, writeZFile } from '../../generators/zfile-writer.ts';
import { COMPARE_SCHEMA, type PlaceView, type WriterComparison, type WrittenDifference, type WrittenImage, type WrittenRow } from '../../model/index.ts';
import { bufferSource } from '../../oracles/source.ts';
import { openStack } from '../../oracles/stack.ts';
import { STRICT, Violation } from '../../oracles/violation.ts';
import { openZFile } from '../../oracles/zfile.ts';
import { inParallel } from '../lanes.ts';
import { fieldsThatDiffer, locate, viewOf } from './locate.ts';

export interface Writer {
  readonly name: string;
  readonly description: string;
  readonly algorithms: readonly ('lz4' | 'zstd')[];
  /** The image, or why there is none. Never throws for what a program does. */
  write(input: WriterInput, signal: AbortSignal): Promise<Uint8Array | { readonly why: string }>;
}

/** Our own writers. */
export function ownWriter(makes: 'lsmt' | 'zfile'): Writer {
  return {
    name: 'ours', description: makes === 'lsmt' ? 'the commit of this suite, in the layout of the reference implementation' : 'the ZFile writer of this suite, with the libraries\' compressors',
    algorithms: ['lz4', 'zstd'],
    write: (input) => Promise.resolve(input.makes === 'lsmt'
      ? commitLayer(input.layer, input.options)
      : writeZFile(input.content, { ...PLAIN_ZFILE, algo: input.algorithm, blockSize: input.blockSize })),
  };
}

export interface WriterSettings {
  readonly suite: string;
  readonly makes: 'lsmt' | 'zfile';
  readonly seed: number;
  readonly inputs: number;
  /** At least two; the others are compared with the first. */
  readonly writers: readonly Writer[];
  readonly skipped: WriterComparison['skipped'];
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly progress?: (done: number) => void;
}

/** Images of one input, in the writers' order; undefined where a writer was not asked. */
type Images = readonly (Uint8Array | { readonly why: string } | undefined)[];

interface Row {
  readonly what: string;
  readonly cells: Record<string, number>;
  input: WriterInput;
  images: Images;
  other: number;
  size: number;
}

/** Has every writer make every input, and compares their images with the first one's. */
export async function compareWriters(s: WriterSettings): Promise<WriterComparison> {
  const counts = Object.fromEntries(s.writers.map((w) => [w.name, { made: 0, identical: 0, readsRight: 0, failed: 0 }]));
  const rows = new Map<string, Row>();
  let done = 0;
  const waiting = new Map<number, { input: WriterInput; images: Images }>();
  await inParallel(Array.from({ length: s.inputs }, (_, i) => i), s.jobs, s.signal, async (i) => {
    const input = drawWriterInput(s.makes, s.seed, i);
    const images: (Images[number])[] = [];
    for (const w of s.writers) images.push(input.makes === 'zfile' && !w.algorithms.includes(input.algorithm) ? undefined : await w.write(input, s.signal));
    if (s.signal.aborted) return;
    waiting.set(i, { input, images });
    // In their order, so that the smallest of equals is the same in every run.
    for (let ready = waiting.get(done); ready; ready = waiting.get(++done)) {
      waiting.delete(done);
      take(s.writers, ready.input, ready.images, counts, rows);
      s.progress?.(done + 1);
    }
  });
  const total = ({ cells }: Row): number => Object.values(cells).reduce((a, b) => a + b, 0);
  return {
    schema: COMPARE_SCHEMA, mode: 'writers', suite: s.suite, seed: s.seed, makes: s.makes, inputs: done, complete: done === s.inputs,
    writers: s.writers.map(({ name, description }) => ({ name, description })), skipped: s.skipped, counts,
    rows: [...rows.values()].sort((a, b) => total(b) - total(a) || (a.what < b.what ? -1 : 1)).map((row): WrittenRow => ({
      what: row.what, cells: row.cells, smallest: explain(s.writers, row),
    })),
  };
}

type Counts = Record<string, { made: number; identical: number; readsRight: number; failed: number }>;

function take(writers: readonly Writer[], input: WriterInput, images: Images, counts: Counts, rows: Map<string, Row>): void {
  const [first] = images;
  for (const [k, image] of images.entries()) {
    if (image === undefined) continue;
    const tally = counts[writers[k]!.name]!;
    if (!(image instanceof Uint8Array)) tally.failed++;
    else {
      tally.made++;
      if (readsRight(input, image)) tally.readsRight++;
      if (first instanceof Uint8Array && Buffer.compare(first, image) === 0) tally.identical++;
    }
    if (k === 0 || first === undefined) continue;
    const what = whatDiffers(first, image);
    if (what === null) continue;
    const size = input.makes === 'lsmt' ? input.layer.data.length : input.content.length;
    const row = rows.get(what) ?? { what, cells: {}, input, images, other: k, size };
    rows.set(what, row);
    row.cells[writers[k]!.name] = (row.cells[writers[k]!.name] ?? 0) + 1;
    if (size < row.size) Object.assign(row, { input, images, other: k, size });
  }
}

/** Whether an image reads as what it was made of. */
export function readsRight(input: WriterInput, image: Uint8Array): boolean {
  try {
    if (input.makes === 'zfile') {
      const zfile = openZFile(bufferSource(image), STRICT);
      return zfile.size === input.content.length && Buffer.compare(zfile.read(0, zfile.size), input.content) === 0;
    }
    const device = openStack([{ wrapping: [], file: bufferSource(image) }], STRICT);
    return device.size === input.options.virtualSize && Buffer.compare(device.read(0, device.size).bytes, deviceOf(input)) === 0;
  } catch (e) {
    if (e instanceof Violation) return false;
    throw e;
  }
}

/** The first byte at which two images differ, their common length where one goes on; null where they are the same. */
function firstByte(a: Uint8Array, b: Uint8Array): number | null {
  const common = Math.min(a.length, b.length);
  if (Buffer.compare(a.subarray(0, common), b.subarray(0, common)) === 0) return a.length === b.length ? null : common;
  let at = 0;
  // Runs that are the same are passed over at once: images have megabytes.
  const STRIDE = 4096;
  while (at + STRIDE <= common && Buffer.compare(a.subarray(at, at + STRIDE), b.subarray(at, at + STRIDE)) === 0) at += STRIDE;
  while (a[at] === b[at]) at++;
  return at;
}

/** A name for what is the first thing that differs: the same for all inputs on which it is the same thing. */
function whatDiffers(a: Exclude<Images[number], undefined>, b: Exclude<Images[number], undefined>): string | null {
  if (!(a instanceof Uint8Array)) return b instanceof Uint8Array ? 'the first one makes no image' : null;
  if (!(b instanceof Uint8Array)) return 'no image';
  const at = firstByte(a, b);
  return at === null ? null : nameOf(placeIn(a, at), placeIn(b, at));
}

function placeIn(image: Uint8Array, at: number): PlaceView {
  const [file] = viewOf({ path: 'image', source: bufferSource(image) }, null);
  return locate(file!, 'file', at);
}

function nameOf(a: PlaceView, b: PlaceView): string {
  if (a.field !== undefined && a.structure === b.structure) return `${a.structure}: ${a.field}`;
  const kind = (p: PlaceView): string => p.structure ?? (p.block ? 'a stored block' : p.entry ? 'an index entry' : p.text.replace(/^byte \d+, /, '').replaceAll(/\b\d+\b/g, 'N'));
  return kind(a) === kind(b) ? kind(a) : `${kind(a)} / ${kind(b)}`;
}

/** Bytes of each image that are shown. */
const SHOWN = 16;

function explain(writers: readonly Writer[], { input, images, other }: Row): WrittenDifference {
  const a = images[0]!;
  const b = images[other]!;
  const at = a instanceof Uint8Array && b instanceof Uint8Array ? firstByte(a, b) : null;
  const side = (k: number, image: Uint8Array): WrittenDifference['places'][number] => ({
    writer: writers[k]!.name, place: placeIn(image, at!), bytes: Buffer.from(image.subarray(at!, at! + SHOWN)).toString('hex'),
  });
  const file = (image: Uint8Array) => viewOf({ path: 'image', source: bufferSource(image) }, null)[0]!;
  return {
    input: input.id, options: inputText(input),
    images: images.flatMap((image, k): WrittenImage[] => {
      const writer = writers[k]!.name;
      if (image === undefined) return [];
      if (!(image instanceof Uint8Array)) return [{ writer, why: image.why }];
      return [{ writer, bytes: image.length, sha256: createHash('sha256').update(image).digest('hex'), readsRight: readsRight(input, image) }];
    }),
    ...(at === null ? {} : { at }),
    places: at === null ? [] : [side(0, a as Uint8Array), side(other, b as Uint8Array)],
    fields: at === null ? [] : fieldsThatDiffer(file(a as Uint8Array), file(b as Uint8Array)),
  };
}
