// SPDX-License-Identifier: MIT
/** One process slot: runs of cases, each in a fresh process, and in another one after a death. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, type Observation } from '../../model/index.ts';
import type { Job, RunOptions, Session } from '../target.ts';
import { Answers } from './answers.ts';
import type { CommandLine } from './child.ts';
import { Conversation, type Heard, type Watch } from './conversation.ts';
import { complaintsIn, diedOf, endingOf, type Ending } from './ending.ts';
import { BadOutput, CaseFolder } from './folder.ts';
import { BadMessage, decode, shown, type AccessFeature, type Description } from './messages.ts';

/** Milliseconds that a target has. */
export interface Deadlines {
  /** From its start until it has described itself. */
  readonly describe: number;
  /** From a case until it is opened or refused. */
  readonly open: number;
  /** From one answer to the next. */
  readonly read: number;
  /** From `bye` until it has ended. */
  readonly bye: number;
}

export const DEFAULT_DEADLINES: Deadlines = { describe: 30_000, open: 10_000, read: 10_000, bye: 10_000 };

/** Starts one after the other, at most so many times, until one describes itself. */
const START_TRIES = 3;
const START_PAUSE_MS = 200;
/** Milliseconds between two starts at least. */
const START_RATE_MS = 20;

/** The target cannot be started, or does not describe itself: there is nothing to test. */
export class NoTarget extends EngineError {}

export interface SessionSettings {
  readonly line: CommandLine;
  readonly deadlines: Deadlines;
  readonly takes: readonly AccessFeature[];
  readonly watch?: Watch | undefined;
}

interface Ran {
  readonly observation: Observation;
  /** True where its process may be given another case. */
  readonly goesOn: boolean;
}

/** Starts a target and has it describe itself; throws `NoTarget`, saying what came instead. */
export async function start(line: CommandLine, deadlines: Deadlines, signal?: AbortSignal, watch?: Watch): Promise<{ conversation: Conversation; description: Description }> {
  const conversation = new Conversation(line, watch);
  try {
    conversation.say({ type: 'describe', protocol: 1, id: 0 });
    const heard = await conversation.next(deadlines.describe, signal);
    signal?.throwIfAborted();
    if (heard.what !== 'line') throw new BadMessage(unheard(heard, deadlines.describe));
    const description = decode(heard.line);
    if (description.type !== 'describe') throw new BadMessage(`a ${description.type} message`);
    return { conversation, description };
  } catch (error) {
    await conversation.kill();
    if (!(error instanceof BadMessage)) throw error;
    const errors = conversation.takeErrors().trim();
    throw new NoTarget(`the target does not describe itself: ${error.message}${errors === '' ? '' : `; on standard error: ${shown(errors.split('\n').at(-1)!)}`}`);
  }
}

/** What came in place of a line, for people. */
function unheard(heard: Exclude<Heard, { what: 'line' }>, milliseconds: number): string {
  if (heard.what === 'silence') return `nothing came in ${milliseconds / 1000} s`;
  if (heard.what === 'too-long') return 'a line that is longer than any message';
  const { code, signal } = heard.end;
  return `it ended (${signal ?? `exit code ${code}`})${heard.rest === '' ? '' : ` after half a message: ${shown(heard.rest)}`}`;
}

export class ProcessSession implements Session {
  readonly #settings: SessionSettings;
  readonly #folder = new CaseFolder();
  #conversation: Conversation | undefined;
  #started = -Infinity;
  /** Cases that the current process has had. */
  #history = 0;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  async run(jobs: readonly Job[], done: (index: number, observation: Observation) => void, { patience = 1, signal }: RunOptions = {}): Promise<void> {
    await this.#drop();
    try {
      for (const [i, job] of jobs.entries()) {
        if (signal?.aborted) break;
        this.#conversation ??= await this.#start(signal);
        if (this.#conversation === undefined || signal?.aborted) break;
        let { observation, goesOn } = await this.#runCase(this.#conversation, job, patience, signal);
        if (signal?.aborted) break;
        if (!goesOn) await this.#drop();
        // What it still holds at its end is told by its end.
        else if (i === jobs.length - 1) observation = await this.#bye(this.#conversation, observation, patience, signal);
        done(i, observation);
      }
    } finally {
      await this.#drop();
    }
  }

  async close(): Promise<void> {
    await this.#drop();
    this.#folder.close();
  }

  async #drop(): Promise<void> {
    const conversation = this.#conversation;
    this.#conversation = undefined;
    this.#history = 0;
    await conversation?.kill();
  }

  /** A new process, described; undefined where the signal aborted meanwhile. Throws `NoTarget`. */
  async #start(signal: AbortSignal | undefined): Promise<Conversation | undefined> {
    for (let tried = 1; ; tried++) {
      const wait = Math.max(START_RATE_MS - (performance.now() - this.#started), tried === 1 ? 0 : START_PAUSE_MS * tried);
      if (wait > 0) await sleep(wait);
      this.#started = performance.now();
      try {
        return (await start(this.#settings.line, this.#settings.deadlines, signal, this.#settings.watch)).conversation;
      } catch (error) {
        if (signal?.aborted) return undefined;
        if (!(error instanceof NoTarget) || tried === START_TRIES) throw error;
      }
    }
  }

  async #runCase(conversation: Conversation, job: Job, patience: number, signal: AbortSignal | undefined): Promise<Ran> {
    const history = this.#history++;
    const { message, remove } = this.#folder.deploy(job, history + 1, this.#settings.takes);
    const answers = new Answers(message, job.wanted);
    try {
      conversation.say(message);
      const problem = await this.#hear(conversation, answers, patience, signal);
      await conversation.settle();
      const log = conversation.takeErrors();
      if (problem !== null && 'engineError' in problem) return { observation: answers.observation(history, log, problem), goesOn: false };
      const all = `${answers.log}\n${log}`;
      const ending = problem === null ? { complaints: complaintsIn(all) } : problem.ending(all);
      const observation = answers.observation(history, log, ending);
      return { observation, goesOn: problem === null && observation.complaints.length === 0 };
    } finally {
      remove();
    }
  }

  /** Listens until the case is over; gives what ended it otherwise, null where nothing did. */
  async #hear(
    conversation: Conversation, answers: Answers, patience: number, signal: AbortSignal | undefined,
  ): Promise<{ engineError: string } | { ending: (log: string) => Ending } | null> {
    const { open, read } = this.#settings.deadlines;
    while (!answers.done) {
      const { phase } = answers;
      const heard = await conversation.next((phase === 'open' ? open : read) * patience, signal);
      if (heard.what === 'silence') {
        await conversation.kill();
        return { ending: (log) => diedOf(log, 'hang', 'no answer', phase) };
      }
      if (heard.what === 'end') return { ending: (log) => endingOf(heard.end, phase, log, heard.rest) };
      if (heard.what === 'too-long') return broken('a line that is longer than any message');
      try {
        answers.take(decode(heard.line));
      } catch (error) {
        if (error instanceof BadMessage || error instanceof BadOutput) return broken(error.message);
        throw error;
      }
    }
    if (answers.died) {
      const { kind, title } = answers.died;
      return { ending: (log) => diedOf(log, kind, title, answers.phase) };
    }
    await conversation.settle();
    return conversation.waiting === undefined ? null : broken('more after the end of the case');
  }

  /** Ends the process in good order, and adds what that shows to the observation of its last case. */
  async #bye(conversation: Conversation, last: Observation, patience: number, signal: AbortSignal | undefined): Promise<Observation> {
    conversation.say({ type: 'bye' });
    const heard = await conversation.next(this.#settings.deadlines.bye * patience, signal);
    if (heard.what === 'silence') {
      if (signal?.aborted) return last;
      await conversation.kill();
      return withEnding(last, diedOf('', 'hang', 'no end after bye', 'close'), conversation.takeErrors());
    }
    const log = conversation.takeErrors();
    if (heard.what !== 'end') return { ...last, engineError: broken('a message after bye').engineError };
    const { end, rest } = heard;
    const clean = end.code === 0 && end.overrun === undefined;
    return withEnding(last, clean ? { complaints: complaintsIn(log) } : endingAtBye(endingOf(end, 'close', log, rest)), log);
  }
}

/** A leak is what a leak checker ends a program for: then its exit code says nothing more. */
function endingAtBye(ending: Ending): Ending {
  return ending.death && ending.complaints.some((c) => c.kind === 'leak') ? { complaints: ending.complaints } : ending;
}

function withEnding(last: Observation, { death, complaints }: Ending, log: string): Observation {
  return { ...last, ...(death === undefined ? {} : { death }), complaints: [...last.complaints, ...complaints], log: last.log + log };
}

function broken(what: string): { engineError: string } {
  return { engineError: `the adapter breaks the protocol: ${what}` };
}
