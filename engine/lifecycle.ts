// SPDX-License-Identifier: MIT
/** What is made over and over in a life cycle, and whether the kernel holds more of something each time. */
import { makeContent } from '../generators/content.ts';
import { writeLsmt } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import { judge } from '../judge/judge.ts';
import type { Case, Expectation, Layer, Observation, Verdict } from '../model/index.ts';
import { examine } from '../oracles/examine.ts';
import type { Cycled } from '../targets/kernel/lifecycle.ts';
import type { Census } from '../targets/kernel/wire.ts';
import type { Target } from '../targets/target.ts';

const DEVICE_BYTES = 64 << 10;
/** Of the content of the devices. */
export const CYCLE_SEED = 5;

/** The devices whose life cycle is watched: a stack of a raw layer and one in a ZFile, a ZFile, and both with an image that must be refused. */
export function cycleCases(): Case[] {
  const content = makeContent({ kind: 'mixed', seed: CYCLE_SEED }, 24 << 10);
  const plain = writeLsmt([{ offset: 0, length: 48, content }], { virtualSize: DEVICE_BYTES, form: 'committed', placement: 'packed', invalidBefore: [] });
  const upper = writeLsmt([{ offset: 40, length: 16, content: content.subarray(0, 8192) }], { virtualSize: DEVICE_BYTES, form: 'committed', placement: 'packed', invalidBefore: [] });
  const raw: Layer = { wrapping: [], bytes: plain };
  const wrapped: Layer = { wrapping: ['zfile'], bytes: writeZFile(upper, PLAIN_ZFILE), exposedBytes: upper.length };
  const zfile: Layer = { wrapping: ['zfile'], bytes: writeZFile(content, PLAIN_ZFILE), exposedBytes: content.length };
  const cut = (layer: Layer): Layer => ({ ...layer, bytes: layer.bytes.slice().fill(0, layer.bytes.length - 512) });
  return [
    caseOf('stack', 'lsmt', [raw, wrapped]),
    caseOf('zfile', 'zfile', [zfile]),
    caseOf('refused-stack', 'lsmt', [raw, { ...raw, bytes: plain.slice().fill(0, plain.length - 4096) }]),
    caseOf('refused-zfile', 'zfile', [cut(zfile)]),
  ];
}

function caseOf(id: string, device: Case['device'], layers: readonly Layer[]): Case {
  const reads = [{ offset: 0, length: 4096, bufferOffset: 0, mode: 'direct' as const }];
  const deviceBytes = device === 'zfile' ? layers[0]!.exposedBytes! : DEVICE_BYTES;
  return examine({ id, device, layers, access: { slack: 'page', deviceBytes, reads }, clauses: { exercises: [], violates: [] } }).case;
}

/** What a guest's kernel holds at one time. */
export type Holding = Omit<Census, 'opened'>;

/**
 * Bytes a cycle, and bytes in all, that are a leak of each kind of memory and
 * no noise: the stock kernel stays below both (measured: see the test). The
 * smallest thing that a device can lose is an object of 64 bytes.
 */
const LIMITS = {
  slab: { each: 48, all: 96 << 10, what: 'kernel memory (slab)' },
  vmalloc: { each: 48, all: 256 << 10, what: 'kernel memory (vmalloc)' },
  available: { each: 1024, all: 6 << 20, what: 'free memory' },
} as const;

/** Tasks that may be there more at the end than before: workers of the kernel's own. */
const TASKS = 6;

/** Something of which more and more is held. */
export interface Leak {
  /** The same for every amount. */
  readonly title: string;
  /** With the amount. */
  readonly text: string;
}

/**
 * What more and more is held of, in words: `kernel memory (slab) is not
 * given back: about 640 bytes a cycle`. The first census is the measure, for
 * what is made once and kept is made by then.
 */
export function leaksIn(censuses: readonly Holding[]): Leak[] {
  const last = censuses.at(-1);
  const first = censuses.find((c) => c.done > 0);
  if (!last || !first) return [];
  const leaks: Leak[] = [];
  const add = (title: string, more: string): void => void leaks.push({ title, text: `${title}: ${more}` });
  if (last.errno !== 0) add('a device cannot be removed', `errno ${last.errno}`);
  if (last.bufio > 0) add('buffers of dm-bufio without a device', `${last.bufio} bytes`);
  const cycles = last.done - first.done;
  if (cycles <= 0) return leaks;
  if (last.tasks - first.tasks > TASKS) add('tasks do not end', `${last.tasks - first.tasks} more after ${cycles} cycles`);
  const grown = { slab: last.slab - first.slab, vmalloc: last.vmalloc - first.vmalloc, available: first.available - last.available };
  for (const [key, { each, all, what }] of Object.entries(LIMITS)) {
    const bytes = grown[key as keyof typeof grown];
    // What slab or vmalloc lost is missing in the free memory, too.
    if (key === 'available' && leaks.length > 0) continue;
    if (bytes > all && bytes > each * cycles) add(`${what} is not given back`, `about ${Math.round(bytes / cycles)} bytes a cycle`);
  }
  return leaks;
}

/** What cycles of a case say of a target: the devices' own verdict, with everything that was not given back as a complaint. */
export function verdictOfCycles(c: Case, expectation: Expectation, { censuses, reloaded, observation }: Cycled, target: Target): { readonly verdict: Verdict; readonly observation: Observation } {
  const leaks = leaksIn(censuses);
  if (reloaded && reloaded.unload !== 0) leaks.push({ title: 'the module cannot be unloaded', text: `the module cannot be unloaded: errno ${reloaded.unload}` });
  else if (reloaded && reloaded.load !== 0) leaks.push({ title: 'the module cannot be loaded again', text: `the module cannot be loaded again: errno ${reloaded.load}` });
  const complaints = leaks.map(({ title }) => ({ kind: 'leak' as const, title: `${title}, ${c.id}` }));
  const seen: Observation = { ...observation, complaints: [...observation.complaints, ...complaints] };
  const why = `after ${censuses.at(-1)?.done ?? 0} cycles: ${leaks.map((l) => l.text).join('; ')}`;
  const leak: Verdict = { kind: 'leak', clause: 'DM-FREE-01', signature: `leak: ${complaints[0]?.title ?? ''}`, why };
  // What can no longer be removed was not looked at once more, and that says enough.
  if (leaks.length > 0 && observation.open === 'none' && observation.death === undefined) return { observation: seen, verdict: leak };
  const verdict = judge(c, expectation, observation, target.stance, target);
  // Whether such an image is accepted is for a run to say; what is watched here is what it leaves.
  if (leaks.length === 0 || ['engine-error', 'crash', 'hang', 'memory', 'corruption'].includes(verdict.kind)) return { observation: seen, verdict };
  return { observation: seen, verdict: leak };
}

/** What the kernel held, in one line. */
export function censusText(censuses: readonly Census[]): string {
  const last = censuses.at(-1);
  const first = censuses.find((s) => s.done > 0);
  if (!first || !last) return 'no census';
  const kib = (bytes: number): string => `${bytes < 0 ? '' : '+'}${Math.round(bytes / 1024)} KiB`;
  return `${last.done} cycles, ${last.opened} opened; from cycle ${first.done} on: slab ${kib(last.slab - first.slab)}, vmalloc ${kib(last.vmalloc - first.vmalloc)}, `
    + `available ${kib(last.available - first.available)}, tasks ${first.tasks} to ${last.tasks}, dm-bufio ${last.bufio} bytes`;
}
