// SPDX-License-Identifier: MIT
/** The few cases that show whether an adapter works at all: plain images, and each thing that adapters get wrong. */
import { makeContent } from '../generators/content.ts';
import { writeLsmt, type WrittenSegment } from '../generators/lsmt-writer.ts';
import { PLAIN_ZFILE, writeZFile } from '../generators/zfile-writer.ts';
import { readText, type Case, type Layer, type ReadPlan, type Stance } from '../model/index.ts';
import { examine } from '../oracles/examine.ts';
import { SECTOR } from '../spec/index.ts';
import type { Session, Target } from '../targets/target.ts';
import { execute, type Executed, type Judged } from './execute.ts';

/** One thing that is proved. */
export interface SmokeStep {
  readonly title: string;
  /** What a target must do, in plain words. */
  readonly must: string;
  /** In one process, one after the other. Empty: the target does not claim to do this. */
  readonly cases: readonly Judged[];
}

export interface SmokeResult {
  readonly step: SmokeStep;
  /** The first case that went wrong; undefined where none did. */
  readonly wrong?: { readonly judged: Judged; readonly ran: Executed };
}

const KIB = 1024;
const DEVICE = 64 * KIB;
const BIG = 8 * KIB * KIB;

/** The steps for a target that supports this, plainest first. */
export function smokeSteps({ supports }: Stance): SmokeStep[] {
  const lsmt = supports.devices.includes('lsmt');
  const zfile = supports.devices.includes('zfile') && supports.wrappings.includes('zfile');
  const first = lsmt ? oneLayer('first', 1) : content('first', 1);
  const second = lsmt ? oneLayer('second', 2) : content('second', 2);
  const stack = Math.min(3, supports.maxLayers);
  return [
    { title: 'a raw LSMT layer', must: 'open it and give its bytes, zeros where nothing was written', cases: lsmt ? [oneLayer('raw', 3)] : [] },
    { title: 'a ZFile', must: 'open it and give what was compressed, also from the middle of a block', cases: zfile ? [content('zfile', 4)] : [] },
    { title: `a stack of ${stack} layers`, must: 'give of each sector what the highest layer has that wrote it', cases: lsmt && stack > 1 ? [stacked(stack, supports.wrappings.includes('zfile'))] : [] },
    { title: 'an image that must be refused', must: 'answer refused, and stay alive: its trailer is nothing but zeros', cases: [lsmt ? damaged(oneLayer('refused', 5)) : damaged(content('refused', 5))] },
    { title: 'reads past the end', must: 'give the bytes that are there, and 0 where none are', cases: [pastTheEnd(lsmt)] },
    { title: 'two images after each other', must: 'keep nothing of an image once its case is done: the files of the next one are others', cases: [first, second, first] },
    { title: 'a big image', must: `give ${BIG / KIB / KIB} MiB, in reads of 4 MiB`, cases: [lsmt ? oneLayer('big', 6, BIG) : content('big', 6, BIG)] },
  ];
}

/** Tries a step in a session. */
export async function trySmoke(step: SmokeStep, target: Target, session: Session, signal: AbortSignal): Promise<SmokeResult> {
  const results = await execute(target, session, step.cases, { signal });
  signal.throwIfAborted();
  const i = results.findIndex(({ verdict }) => verdict.kind !== 'pass');
  return i < 0 ? { step } : { step, wrong: { judged: step.cases[i]!, ran: results[i]! } };
}

function read(offset: number, length: number): ReadPlan {
  return { offset, length, bufferOffset: 0, mode: 'buffered' };
}

/** All of it, in pieces of 4 MiB, and something from its middle. */
function readsOf(bytes: number): ReadPlan[] {
  const piece = 4 * KIB * KIB;
  const whole = Array.from({ length: Math.ceil(bytes / piece) }, (_, i) => read(i * piece, Math.min(piece, bytes - i * piece)));
  return [...whole, read(bytes / 2 + 1, 1000)];
}

function judgedOf(id: string, device: Case['device'], layers: readonly Layer[], bytes: number, reads = readsOf(bytes)): Judged {
  return examine({ id: `smoke-${id}`, device, layers, access: { slack: 'page', deviceBytes: bytes, reads }, clauses: { exercises: [], violates: [] } });
}

function lsmtOf(segments: readonly WrittenSegment[], virtualSize: number): Uint8Array {
  return writeLsmt(segments, { virtualSize, form: 'committed', placement: 'packed', invalidBefore: [] });
}

/** One layer that wrote half of its device, with a hole at the start. */
function oneLayer(id: string, seed: number, bytes = DEVICE): Judged {
  const half = bytes / 2;
  const layer = lsmtOf([{ offset: 8, length: half / SECTOR, content: makeContent({ kind: 'mixed', seed }, half) }], bytes);
  return judgedOf(id, 'lsmt', [{ wrapping: [], bytes: layer }], bytes);
}

function content(id: string, seed: number, bytes = DEVICE): Judged {
  const zfile = writeZFile(makeContent({ kind: 'mixed', seed }, bytes), PLAIN_ZFILE);
  return judgedOf(id, 'zfile', [{ wrapping: ['zfile'], bytes: zfile, exposedBytes: bytes }], bytes);
}

/** Each layer hides a part of the one below; one is in a ZFile where the target takes that. */
function stacked(count: number, zfile: boolean): Judged {
  const layers = Array.from({ length: count }, (_, i): Layer => {
    const bytes = lsmtOf([{ offset: 16 * i, length: 32, content: makeContent({ kind: 'counter', seed: 7 + i }, 32 * SECTOR) }], DEVICE);
    return zfile && i === 1 ? { wrapping: ['zfile'], bytes: writeZFile(bytes, PLAIN_ZFILE), exposedBytes: bytes.length } : { wrapping: [], bytes };
  });
  return judgedOf('stack', 'lsmt', layers, DEVICE);
}

/** The same with zeros in place of the trailer. */
function damaged({ case: c }: Judged): Judged {
  const [layer] = c.layers;
  const space = c.device === 'zfile' ? SECTOR : 4 * KIB;
  return judgedOf('refused', c.device, [{ ...layer!, bytes: layer!.bytes.slice().fill(0, layer!.bytes.length - space) }], c.access.deviceBytes);
}

function pastTheEnd(lsmt: boolean): Judged {
  const { case: c } = lsmt ? oneLayer('end', 8) : content('end', 8);
  return judgedOf('end', c.device, c.layers, DEVICE, [read(DEVICE - 512, 4096), read(DEVICE, 512), read(DEVICE + 65536, 512), read(0, 512)]);
}

/** The reads of a case, for people. */
export function readLines({ case: c }: Judged): string[] {
  return c.access.reads.map((plan, i) => `read ${i}: ${readText(plan)}`);
}
