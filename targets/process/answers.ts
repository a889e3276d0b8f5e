// SPDX-License-Identifier: MIT
/** Builds one case's observation from a target's answers, in the order in which they must come. */
import { createHash } from 'node:crypto';
import type { Complaint, Death, Observation, ReadObservation } from '../../model/index.ts';
import { worse } from '../kernel/observe.ts';
import { MOST_EXCESS, outputOf, readOutput } from './folder.ts';
import { BadMessage, plainTitle, type CaseMessage, type ReadAnswer, type TargetMessage } from './messages.ts';

export class Answers {
  readonly #case: CaseMessage;
  readonly #wanted: readonly (string | null)[];
  #open: Observation['open'] = 'none';
  #refusal: string | undefined;
  #size: number | undefined;
  readonly #reads: ReadObservation[] = [];
  #end: Pick<Observation, 'changed' | 'meanwhile'> = {};
  #complaints: readonly Complaint[] = [];
  #log = '';
  #died: { kind: 'crash' | 'hang'; title: string } | undefined;
  #diedIn = 'open';
  #done = false;

  /** `wanted`: what the oracle expects, whether or not it was said. */
  constructor(message: CaseMessage, wanted: readonly (string | null)[]) {
    this.#case = message;
    this.#wanted = wanted;
  }

  /** What the case is doing: `open`, `read 3`, `read together`, `close`. */
  get phase(): string {
    if (this.#open === 'none') return 'open';
    if (this.#open === 'refused' || this.#done) return 'close';
    if (this.#reads.length < this.#case.reads.length) return `read ${this.#reads.length}`;
    return this.#case.crowd ? 'read together' : 'close';
  }

  /** True once nothing may follow. */
  get done(): boolean {
    return this.#done;
  }

  /** How the reader behind the target died, where it said so. */
  get died(): { readonly kind: 'crash' | 'hang'; readonly title: string } | undefined {
    return this.#died;
  }

  /** What the case was doing when the reader died. */
  get diedIn(): string {
    return this.#diedIn;
  }

  /** What it said of the case's log in its last answer. */
  get log(): string {
    return this.#log;
  }

  /** Takes the next answer. Throws `BadMessage` and `BadOutput` for what an adapter must not send. */
  take(message: TargetMessage): void {
    if (message.type === 'describe') throw new BadMessage('a describe message in answer to a case');
    if (message.id !== this.#case.id) throw new BadMessage(`an answer to the request ${message.id}, not to ${this.#case.id}`);
    if (this.#done) throw new BadMessage(`a ${message.type} message after the end of the case`);
    switch (message.type) {
      case 'opened':
      case 'refused':
        if (this.#open !== 'none') throw new BadMessage(`a ${message.type} message in a case that was ${this.#open} already`);
        this.#open = message.type;
        if (message.type === 'opened') this.#size = message.size;
        else this.#refusal = plainTitle(message.reason);
        return;
      case 'read':
        this.#takeRead(message);
        return;
      case 'crashed':
        this.#diedIn = this.phase;
        this.#died = { kind: message.kind, title: plainTitle(message.title) };
        this.#complaints = message.complaints;
        this.#log = message.log;
        this.#done = true;
        return;
      case 'done':
        if (this.#open === 'none') throw new BadMessage('a done message before opened or refused');
        if (this.#open === 'opened' && this.#reads.length < this.#case.reads.length) {
          throw new BadMessage(`a done message after ${this.#reads.length} of ${this.#case.reads.length} reads`);
        }
        if (message.changed && message.changed.layer >= this.#case.layers.length) throw new BadMessage(`a change of layer ${message.changed.layer}, which there is not`);
        this.#end = { ...(message.changed && { changed: message.changed }), ...(message.meanwhile && { meanwhile: message.meanwhile }) };
        this.#complaints = message.complaints;
        this.#log = message.log;
        this.#done = true;
    }
  }

  #takeRead(message: ReadAnswer): void {
    const plan = this.#case.reads[message.read];
    const all = this.#reads.length === this.#case.reads.length;
    const asked = message.reader === undefined ? message.read === this.#reads.length : all && message.reader <= (this.#case.crowd?.readers ?? 0);
    if (this.#open !== 'opened' || plan === undefined || !asked) {
      throw new BadMessage(this.#open !== 'opened' ? 'a read message before opened' : `a read message for read ${message.read}, where read ${this.#reads.length} of ${this.#case.reads.length} was due`);
    }
    if (message.result > plan.length + MOST_EXCESS) throw new BadMessage(`a read message that gives ${message.result} bytes for ${plan.length}`);
    const wanted = this.#wanted[message.read] ?? null;
    const failed = message.result < 0;
    const sent = failed || (message.sha256 === plan.want && wanted === plan.want) ? undefined : readOutput(outputOf(plan.output, message.reader), message.result);
    // What it says of its bytes is not asked where they are here.
    const sha256 = sent === undefined ? message.sha256 : createHash('sha256').update(sent).digest('hex');
    if (sent !== undefined && sha256 !== message.sha256) throw new BadMessage('a read message whose "sha256" is not that of the bytes in "output"');
    const { spill } = message;
    const result: ReadObservation = {
      result: message.result, sha256,
      ...(sent !== undefined && sha256 !== wanted ? { bytes: sent } : {}),
      ...(spill && spill.before + spill.after > 0 ? { spill } : {}),
      ...(message.untouched === undefined ? {} : { untouched: message.untouched }),
      ...(message.reader === undefined ? {} : { reader: message.reader }),
    };
    if (message.reader === undefined) this.#reads.push(result);
    else this.#reads[message.read] = worse(this.#reads[message.read]!, result, wanted);
  }

  /** What is known so far; `log` is what came on standard error. */
  observation(history: number, log: string, end: { death?: Death; complaints?: readonly Complaint[]; engineError?: string } = {}): Observation {
    return {
      open: this.#open,
      ...(this.#refusal === undefined ? {} : { refusal: this.#refusal }),
      ...(this.#size === undefined ? {} : { size: this.#size }),
      reads: this.#reads,
      ...this.#end,
      ...(end.death === undefined ? {} : { death: end.death }),
      complaints: [...this.#complaints, ...(end.complaints ?? [])],
      log: this.#log + log,
      history,
      ...(end.engineError === undefined ? {} : { engineError: end.engineError }),
    };
  }
}
