// SPDX-License-Identifier: MIT
/** Builds one case's observation from the messages that come, in the order in which they must come. */
import { createHash } from 'node:crypto';
import { constants } from 'node:os';
import type { Complaint, Death, Observation, ReadObservation } from '../../model/index.ts';
import type { Deployment } from './deploy.ts';
import { blamedReports } from './klog.ts';
import type { ActionCommand, ReadCommand, Message } from './wire.ts';

const STAGES = ['', 'create', 'table load', 'resume', 'open', 'suspend', 'remove'] as const;
/** Stages of making a device. */
const LAST_OF_OPEN = 4;

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));
/** `EINVAL`, or `errno 999` for a number without a name. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
}

/** The guest sent what it must not send at this point. */
export class OutOfOrder extends Error {
  override readonly name = 'OutOfOrder';
}

/** Letters of the kernel's taint bits, admin-guide/tainted-kernels. */
const TAINT_LETTERS = 'PFSRMBUDAWCIOELKXT';

export class Observer {
  readonly #deployment: Deployment;
  readonly #reads: readonly ReadCommand[];
  readonly #wanted: readonly (string | null)[];
  /** Readers of the crowd that is still to come or reads now; 0: none. */
  #crowd: number;
  readonly #module: string | undefined;
  readonly #actions: readonly ActionCommand[];
  #stage: 'waiting' | 'open' | 'reading' | 'done' = 'waiting';
  #open: Observation['open'] = 'none';
  #refusal: string | undefined;
  #size: number | undefined;
  #results: ReadObservation[] = [];
  #meanwhile: Observation['meanwhile'];
  #complaints: Complaint[] = [];
  #log = '';
  #engineError: string | undefined;

  constructor(
    deployment: Deployment, reads: readonly ReadCommand[], wanted: readonly (string | null)[], module: string | undefined,
    actions: readonly ActionCommand[] = [], crowd = 0,
  ) {
    this.#crowd = crowd;
    this.#deployment = deployment;
    this.#reads = reads;
    this.#wanted = wanted;
    this.#module = module;
    this.#actions = actions;
  }

  /** What the case is doing: `open`, `read 3`, `read together`, `close`. */
  get phase(): string {
    if (this.#stage !== 'reading') return this.#stage === 'done' ? 'close' : 'open';
    if (this.#open === 'opened' && this.#results.length < this.#reads.length) return `read ${this.#results.length}`;
    return this.#readsTogether ? 'read together' : 'close';
  }

  get #readsTogether(): boolean {
    return this.#open === 'opened' && this.#crowd > 0;
  }

  /** True once nothing may follow. */
  get done(): boolean {
    return this.#stage === 'done';
  }

  /** True where the instance must not be used for another case. */
  get dirty(): boolean {
    return this.#complaints.length > 0 || this.#engineError !== undefined;
  }

  /** Takes the next message of this case; `taint` is that of an untouched guest. Throws `OutOfOrder`. */
  take(message: Message, taint: number): void {
    switch (message.type) {
      case 'begin':
        this.#expect('waiting', message.type);
        this.#stage = 'open';
        return;
      case 'open':
        this.#expect('open', message.type);
        this.#stage = 'reading';
        this.#takeOpen(message.device, message.stage, message.errno, message.size);
        return;
      case 'read':
        this.#expect('reading', message.type);
        this.#takeRead(message);
        return;
      case 'crowd':
        this.#expect('reading', message.type);
        this.#takeCrowd(message.times, message.stage, message.errno);
        return;
      case 'action':
        this.#expect('reading', message.type);
        this.#takeAction(message.index, message.errno);
        return;
      case 'end':
        this.#expect('reading', message.type);
        if (this.#open === 'opened' && this.#results.length !== this.#reads.length) throw new OutOfOrder('the case ended before its reads');
        if (this.#readsTogether) throw new OutOfOrder('the case ended before its crowd');
        this.#stage = 'done';
        this.#takeEnd(message.taint & ~taint, message.errno, message.log);
        return;
      case 'error':
        this.#stage = 'done';
        this.#engineError = `the agent refuses the case: ${message.text}`;
        return;
      default:
        throw new OutOfOrder(`unexpected ${message.type}`);
    }
  }

  #expect(stage: string, what: string): void {
    if (this.#stage !== stage) throw new OutOfOrder(`unexpected ${what}`);
  }

  #takeOpen(index: number, stage: number, errno: number, size: number): void {
    if (stage === 0) {
      this.#open = 'opened';
      this.#size = size;
      return;
    }
    const device = this.#deployment.devices[index];
    const words = STAGES[stage];
    if (device === undefined || words === undefined || stage > LAST_OF_OPEN) throw new OutOfOrder('a device that there is not');
    const what = 'slice' in device ? 'a slice of the mailbox' : `${device.table[0]?.type ?? 'empty'} (device ${index})`;
    const why = `${what}: ${words}: ${errnoName(errno)}`;
    // Creating a device asks nothing of any target yet.
    if ('slice' in device || STAGES[stage] === 'create') this.#engineError = why;
    this.#open = 'refused';
    this.#refusal = why;
  }

  #takeRead(message: Extract<Message, { type: 'read' }>): void {
    const read = this.#reads[message.index];
    const all = this.#results.length === this.#reads.length;
    const asked = message.reader === 0 ? message.index === this.#results.length : all && message.reader <= this.#crowd;
    if (this.#open !== 'opened' || read === undefined || !asked) throw new OutOfOrder('a read that was not asked for');
    if (message.result > read.length) throw new OutOfOrder(`a read of ${read.length} bytes gave ${message.result}`);
    const sha256 = message.result < 0 ? '' : createHash('sha256').update(message.bytes).digest('hex');
    const result: ReadObservation = {
      result: message.result,
      sha256,
      ...(message.result >= 0 && sha256 !== this.#wanted[message.index] ? { bytes: Uint8Array.from(message.bytes) } : {}),
      ...(message.before > 0 || message.after > 0 ? { spill: { before: message.before, after: message.after, first: message.first } } : {}),
      ...(message.untouched >= 0 ? { untouched: message.untouched } : {}),
      ...(message.reader > 0 ? { reader: message.reader } : {}),
    };
    if (message.reader === 0) this.#results.push(result);
    else this.#results[message.index] = worse(this.#results[message.index]!, result, this.#wanted[message.index] ?? null);
  }

  #takeCrowd(times: number, stage: number, errno: number): void {
    const words = STAGES[stage];
    if (!this.#readsTogether || words === undefined || this.#results.length !== this.#reads.length) throw new OutOfOrder('a crowd that was not asked for');
    this.#crowd = 0;
    if (words === 'open') this.#engineError = `no crowd of readers could be made: ${errnoName(errno)}`;
    const failed = words === 'remove' && errno === constants.errno.EEXIST ? 'an open device was removed' : `${words}: ${errnoName(errno)}`;
    this.#meanwhile = { times, ...(stage === 0 ? {} : { failed }) };
  }

  /** Attempts may end as they like; a device under the images must take its new table. */
  #takeAction(index: number, errno: number): void {
    const action = this.#actions[index];
    if (this.#open !== 'opened' || action === undefined || action.before !== this.#results.length) throw new OutOfOrder('an action that was not asked for');
    if (action.kind === 'reload' && errno !== 0) this.#engineError = `a device under the images takes no other table: ${errnoName(errno)}`;
    if (action.kind === 'message' && errno !== 0) this.#engineError = `a device under the images takes no message: ${errnoName(errno)}`;
  }

  #takeEnd(taint: number, errno: number, log: string): void {
    this.#log = log;
    for (const { kind, title } of blamedReports(log, this.#module)) this.#complaints.push({ kind: kind === 'hang' ? 'crash' : kind, title });
    // What cannot be removed is held by a reference that nobody gave back.
    if (errno !== 0) this.#complaints.push({ kind: 'leak', title: `device cannot be removed: ${errnoName(errno)}` });
    if (taint !== 0 && this.#complaints.length === 0) {
      const letters = [...TAINT_LETTERS].filter((_, bit) => (taint & (2 ** bit)) !== 0).join('');
      this.#complaints.push({ kind: 'crash', title: `kernel tainted ${letters === '' ? taint : letters}` });
    }
  }

  /** Adds to the log, before `observation`. */
  addLog(text: string): void {
    this.#log += text;
  }

  /** What is known so far, with how the instance died or what we did wrong. */
  observation(history: number, end: { death?: Death; complaints?: readonly Complaint[]; engineError?: string } = {}): Observation {
    const engineError = end.engineError ?? this.#engineError;
    return {
      open: this.#open,
      ...(this.#refusal === undefined ? {} : { refusal: this.#refusal }),
      ...(this.#size === undefined ? {} : { size: this.#size }),
      reads: this.#results,
      ...(this.#meanwhile === undefined ? {} : { meanwhile: this.#meanwhile }),
      ...(end.death === undefined ? {} : { death: end.death }),
      complaints: [...this.#complaints, ...(end.complaints ?? [])],
      log: this.#log,
      history,
      ...(engineError === undefined ? {} : { engineError }),
    };
  }
}

/**
 * Which of two results of one read tells more: the one alone, unless it is
 * right, or an error where nothing says which bytes are.
 */
export function worse(alone: ReadObservation, together: ReadObservation, wanted: string | null): ReadObservation {
  const bad = (r: ReadObservation): number => (r.spill ? 3 : wanted === null ? (r.result >= 0 ? 1 : 0) : r.sha256 === wanted ? 0 : r.result >= 0 ? 2 : 1);
  return bad(together) > bad(alone) ? together : alone;
}

/** An observation of a case that never reached a guest. */
export function notRun(engineError: string): Observation {
  return { open: 'none', reads: [], complaints: [], log: '', history: 0, engineError };
}
