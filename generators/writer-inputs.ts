// SPDX-License-Identifier: MIT
/** Inputs on which writers are compared: scripts of a writable layer, and files for ZFiles. Everything follows from a seed and a number. */
import { runScript, type LayerOptions, type ScriptStep, type WritableLayer } from './commit.ts';
import { CONTENT_KINDS, makeContent, type ContentKind } from './content.ts';

/** What a commit is made of. */
export interface LsmtInput {
  readonly makes: 'lsmt';
  readonly id: string;
  readonly steps: readonly ScriptStep[];
  readonly layer: WritableLayer;
  readonly options: LayerOptions & { readonly uuid: string };
}

/** What a ZFile is made of. */
export interface ZFileInput {
  readonly makes: 'zfile';
  readonly id: string;
  readonly content: Uint8Array;
  readonly kind: ContentKind;
  readonly algorithm: 'lz4' | 'zstd';
  /** Bytes. */
  readonly blockSize: number;
}

export type WriterInput = LsmtInput | ZFileInput;

const SECTOR = 512;
/** Sectors of the device: small enough that all of it is looked at. */
const DEVICE_SECTORS = [8, 256, 4096, 65536];
/** Lengths in sectors at which the layout changes: one, a copy's piece and its neighbours, an entry's longest and its neighbours. */
const LENGTHS = [1, 2, 8, 63, 64, 65, 127, 200];
const LONG = [16382, 16383, 16384, 20000];
const MOST_STEPS = 24;
/** Bytes of a file, and how far around them. */
const SIZES = [0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 70001, 200123];
const BLOCKS = [4096, 8192, 16384, 32768, 65536];

/** Whole numbers from a seed: splitmix32's steps. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % below;
  };
}

/** Input number `index` of a seed. */
export function drawWriterInput(makes: 'lsmt' | 'zfile', seed: number, index: number): WriterInput {
  const next = numbers(Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const id = `s${seed}-w${index}`;
  return makes === 'lsmt' ? lsmtInput(id, next) : zfileInput(id, next);
}

function lsmtInput(id: string, next: (below: number) => number): LsmtInput {
  const pick = <T>(from: readonly T[]): T => from[next(from.length)]!;
  const sectors = pick(DEVICE_SECTORS);
  const steps: ScriptStep[] = [];
  for (let left = next(MOST_STEPS); left > 0; left--) {
    const discard = next(4) === 0;
    const wanted = discard && next(3) === 0 ? pick(LONG) : pick(LENGTHS);
    // Next to the step before, so that entries are joined, or anywhere.
    const last = steps.at(-1);
    const after = last ? (last.offset + (last.kind === 'write' ? last.content.length : last.length)) / SECTOR : 0;
    const offset = last && next(2) === 0 && after < sectors ? after : next(sectors);
    const length = Math.min(wanted, sectors - offset) * SECTOR;
    steps.push(discard
      ? { kind: 'discard', offset: offset * SECTOR, length }
      : { kind: 'write', offset: offset * SECTOR, content: makeContent({ kind: pick(CONTENT_KINDS), seed: next(2 ** 31) }, length) });
  }
  const options = {
    virtualSize: sectors * SECTOR, uuid: uuid(next), ...(next(2) === 0 ? { parentUuid: uuid(next) } : {}), ...(next(2) === 0 ? { userTag: `message ${next(1000)}` } : {}),
  };
  return { makes: 'lsmt', id, steps, layer: runScript(steps, options), options };
}

function zfileInput(id: string, next: (below: number) => number): ZFileInput {
  const kind = CONTENT_KINDS[next(CONTENT_KINDS.length)]!;
  const size = next(3) === 0 ? next(150_000) : SIZES[next(SIZES.length)]!;
  return {
    makes: 'zfile', id, kind, content: makeContent({ kind, seed: next(2 ** 31) }, size),
    algorithm: next(4) === 0 ? 'zstd' : 'lz4', blockSize: BLOCKS[next(BLOCKS.length)]!,
  };
}

function uuid(next: (below: number) => number): string {
  const hex = (digits: number): string => Array.from({ length: digits }, () => next(16).toString(16)).join('').toUpperCase();
  return [8, 4, 4, 4, 12].map(hex).join('-');
}

/** The bytes of the device after a script: what the committed layer must read as. */
export function deviceOf({ steps, options }: LsmtInput): Uint8Array {
  const device = new Uint8Array(options.virtualSize);
  for (const step of steps) {
    if (step.kind === 'write') device.set(step.content, step.offset);
    else device.fill(0, step.offset, step.offset + step.length);
  }
  return device;
}

/** The options of an input, for people. */
export function inputText(input: WriterInput): string {
  if (input.makes === 'zfile') return `${input.content.length} bytes of ${input.kind}, ${input.algorithm}, blocks of ${input.blockSize} bytes`;
  const discards = input.steps.filter((s) => s.kind === 'discard').length;
  const { virtualSize, userTag, parentUuid } = input.options;
  const names = `${userTag === undefined ? '' : ', with a message'}${parentUuid === undefined ? '' : ', with a parent'}`;
  return `${input.steps.length - discards} writes and ${discards} discards on ${virtualSize} bytes${names}`;
}
