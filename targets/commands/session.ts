// SPDX-License-Identifier: MIT
/** Cases through the command lines of an entry: every command is a fresh process, every case a folder of its own. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Complaint, Observation, ReadObservation } from '../../model/index.ts';
import { runDir } from '../kernel/run-dir.ts';
import { splitWords } from '../process/index.ts';
import type { Job, RunOptions, Session } from '../target.ts';
import type { ReaderEntry } from './entry.ts';
import type { Judged } from './ends.ts';
import { readMade } from './files.ts';
import { fill, type LayerValues, type Values } from './expand.ts';
import { commonValues, makeFiles, runSteps, startServer, type Place, type Server, type StepsDone } from './runner.ts';

const EIO = 5;
const SECTOR = 512;
/** Bytes that a read may give beyond what was asked for and still be looked at. */
const MOST_EXCESS = 65536;

/** What an entry is run with on this machine. */
export interface Installed {
  readonly entry: ReaderEntry;
  readonly program: string;
  readonly here: string;
  /** {parameter}; '' where the entry has none. */
  readonly parameter: string;
}

export class CommandSession implements Session {
  readonly #installed: Installed;

  constructor(installed: Installed) {
    this.#installed = installed;
  }

  async run(jobs: readonly Job[], done: (index: number, observation: Observation) => void, { patience = 1, signal }: RunOptions = {}): Promise<void> {
    for (const [i, job] of jobs.entries()) {
      if (signal?.aborted) return;
      const observation = await runCase(this.#installed, job, patience, signal);
      // What was stopped in mid-command says nothing.
      if (signal?.aborted) return;
      done(i, observation);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function runCase({ entry, program, here, parameter }: Installed, job: Job, patience: number, signal: AbortSignal | undefined): Promise<Observation> {
  const dir = mkdtempSync(join(runDir(), 'command-'));
  const place: Place = { dir, program, here, limits: entry.limits ?? {}, rules: entry.rules ?? [], patience, ...(signal && { signal }) };
  let server: Server | undefined;
  try {
    const values = valuesOf(entry, place, job.case, parameter);
    makeFiles(place, entry.files ?? [], values);
    let before: StepsDone | undefined;
    if (entry.serve) {
      const started = await startServer(entry.serve, place, values);
      if (!('stop' in started)) return notOpened(started);
      server = started;
    }
    if (entry.open) {
      before = await runSteps(entry.open.steps, place, values, 'open');
      if (before.meaning !== 'ok') return notOpened(serverFirst(server, before));
    }
    const seen = entry.device ? await readWhole(entry, job, place, values, before) : await readRanges(entry, job, place, values, before);
    const stopped = await server?.stop();
    server = undefined;
    if (!stopped?.judged || seen.death) return seen;
    const { death, complaints } = stopped.judged;
    return { ...seen, log: seen.log + stopped.log, complaints: [...seen.complaints, ...complaints], ...(death && { death: { ...death, phase: 'close' } }) };
  } finally {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A reader that fails because its server died tells of that death. */
function serverFirst(server: Server | undefined, done: StepsDone): StepsDone {
  const ended = server?.ended();
  return ended?.meaning === 'crash' ? { ...done, ...ended } : done;
}

function notOpened({ meaning, death, complaints, why, log }: Judged & { readonly log: string }): Observation {
  const common = { reads: [], complaints, log, history: 0 };
  if (meaning === 'crash') return { ...common, open: 'none', ...(death && { death }) };
  return { ...common, open: 'refused', refusal: why };
}

/** Every byte is in {out}: reads are cut from it. */
async function readWhole(entry: ReaderEntry, job: Job, place: Place, values: Values, before: StepsDone | undefined): Promise<Observation> {
  const out = join(place.dir, 'out');
  const done = await runSteps(entry.device!, place, values, 'open', out);
  const complaints = [...before?.complaints ?? [], ...done.complaints];
  const log = (before?.log ?? '') + done.log;
  if (done.meaning === 'crash' || done.meaning === 'refused') return { ...notOpened({ ...done, complaints, log }) };
  const failed = done.meaning === 'error';
  const size = readMade(out, 0, 0)?.size;
  if (!failed && size === undefined) return { open: 'none', reads: [], complaints, log, history: 0, engineError: `${entry.name}: the command ended well and left no file {out}` };
  const reads = job.case.access.reads.map(({ offset, length }, i): ReadObservation => (failed
    ? { result: -EIO, sha256: '' }
    : answer(readMade(out, Math.min(offset, size!), length)?.bytes ?? new Uint8Array(0), job.wanted[i] ?? null)));
  return { open: 'opened', ...(failed ? {} : { size: size! }), reads, complaints, log, history: 0 };
}

/** A command a read. */
async function readRanges(entry: ReaderEntry, job: Job, place: Place, values: Values, before: StepsDone | undefined): Promise<Observation> {
  const said = entry.open?.size === undefined ? undefined : new RegExp(entry.open.size, 'm').exec(before!.output)?.[1];
  const size = said === undefined ? undefined : Number(said);
  if (entry.open?.size !== undefined && (size === undefined || !Number.isFinite(size))) {
    const engineError = `${entry.name}: its open command does not say the size as ${entry.open.size} would find it`;
    return { open: 'none', reads: [], complaints: before!.complaints, log: before!.log, history: 0, engineError };
  }
  const complaints: Complaint[] = [...before?.complaints ?? []];
  let log = before?.log ?? '';
  const reads: ReadObservation[] = [];
  const opened = { open: 'opened' as const, ...(size === undefined ? {} : { size }), history: 0 };
  for (const [i, read] of job.case.access.reads.entries()) {
    const from = BigInt(read.offset);
    const length = entry.reads === 'inside' && size !== undefined ? Math.max(0, Math.min(read.length, size - read.offset)) : read.length;
    if (length === 0) {
      reads.push(answer(new Uint8Array(0), job.wanted[i] ?? null));
      continue;
    }
    const out = join(place.dir, `out${i}`);
    const range = {
      offset: from.toString(), length: String(length), end: (from + BigInt(length)).toString(),
      sector: (from / BigInt(SECTOR)).toString(), sectors: String(Math.ceil(length / SECTOR)),
    };
    const done = await runSteps(entry.read!, place, { ...values, one: { ...values.one, ...range } }, i === 0 && !entry.open ? 'open' : `read ${i}`, out);
    log += done.log;
    complaints.push(...done.complaints);
    if (done.meaning === 'crash') return { ...opened, reads, complaints, log, ...(done.death && { death: { ...done.death, phase: `read ${i}` } }) };
    if (done.meaning === 'refused' && !entry.open && i === 0) return notOpened({ ...done, complaints, log });
    const made = done.meaning === 'ok' ? readMade(out, 0, length + MOST_EXCESS) : null;
    rmSync(out, { recursive: true, force: true });
    if (done.meaning === 'ok' && !made) return { ...opened, reads, complaints, log, engineError: `${entry.name}: the command of a read ended well and left no file {out}` };
    reads.push(made ? answer(made.bytes, job.wanted[i] ?? null) : { result: -EIO, sha256: '' });
  }
  return { ...opened, reads, complaints, log };
}

function answer(bytes: Uint8Array, wanted: string | null): ReadObservation {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { result: bytes.length, sha256, ...(sha256 === wanted ? {} : { bytes }) };
}

/** Writes the layers and gives what the placeholders stand for. */
function valuesOf(entry: ReaderEntry, place: Place, c: Case, parameter: string): Values {
  const file = (name: string, bytes: Uint8Array): string => {
    const path = join(place.dir, name);
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
    return path;
  };
  const layers = c.layers.map((layer, i): LayerValues => {
    const data = file(`layer${i}.img`, layer.bytes);
    const index = layer.index ? file(`layer${i}.index`, layer.index) : '';
    return { layer: layer.index ? fill(entry.pair ?? '{data}:{index}', { data, index }) : data, index, number: String(i) };
  });
  const common = commonValues(place, entry.files);
  const bottom = c.layers[0]?.index ? { bottomData: join(place.dir, 'layer0.img'), bottomIndex: layers[0]!.index, sealed: '' } : { bottomData: layers[0]?.layer ?? '', bottomIndex: '', sealed: 'yes' };
  return {
    ...common,
    one: {
      ...common.one, ...bottom, parameter, device: c.device, count: String(layers.length), deviceBytes: String(c.access.deviceBytes), deviceSectors: String(Math.floor(c.access.deviceBytes / SECTOR)),
      bottom: layers[0]?.layer ?? '', top: layers.at(-1)?.layer ?? '', tar: c.layers.some((l) => l.wrapping[0] === 'tar') ? 'yes' : '',
    },
    many: { ...common.many, layers: layers.map((l) => l.layer), words: parameter === '' ? [] : splitWords(parameter) },
    layers,
  };
}
