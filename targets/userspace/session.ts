// SPDX-License-Identifier: MIT
/**
 * One process of the module's code. Unlike other programs it outlives its cases'
 * deaths, so that cases are sent ahead and nothing is started again for them;
 * only a batch begins with a new process.
 */
import type { Observation } from '../../model/index.ts';
import { severityOf } from '../kernel/klog-patterns.ts';
import { Answers } from '../process/answers.ts';
import type { CommandLine } from '../process/child.ts';
import type { Conversation } from '../process/conversation.ts';
import { endingOf } from '../process/ending.ts';
import { BadOutput, CaseFolder, type Deployed } from '../process/folder.ts';
import { BadMessage, decode, type AccessFeature } from '../process/messages.ts';
import { DEFAULT_DEADLINES, start } from '../process/session.ts';
import type { Job, RunOptions, Session } from '../target.ts';

/** Cases that are on their way at the same time. */
const WINDOW = 6;
/** Milliseconds for one case: it ends itself after a second of processor time, and the machine may be busy. */
const CASE_MS = 20_000;

interface InFlight {
  readonly index: number;
  readonly answers: Answers;
  readonly deployed: Deployed;
}

export class UserspaceSession implements Session {
  readonly #line: CommandLine;
  readonly #takes: readonly AccessFeature[];
  readonly #folder: CaseFolder;
  #conversation: Conversation | undefined;

  constructor(line: CommandLine, takes: readonly AccessFeature[], folder: string) {
    this.#line = line;
    this.#takes = takes;
    this.#folder = new CaseFolder(folder);
  }

  async run(jobs: readonly Job[], done: (index: number, observation: Observation) => void, { patience = 1, signal }: RunOptions = {}): Promise<void> {
    for (let next = 0; next < jobs.length && !signal?.aborted;) next = await this.#process(jobs, next, done, patience, signal);
  }

  async close(): Promise<void> {
    await this.#conversation?.kill();
    this.#folder.close();
  }

  /** Runs cases in a new process until it dies or all are done; gives the next one to run. */
  async #process(jobs: readonly Job[], first: number, done: (index: number, observation: Observation) => void, patience: number, signal: AbortSignal | undefined): Promise<number> {
    const { conversation } = await start(this.#line, DEFAULT_DEADLINES, signal);
    this.#conversation = conversation;
    const queue: InFlight[] = [];
    let sent = first;
    const finish = (observation: Observation): void => {
      const { index, deployed } = queue.shift()!;
      deployed.remove();
      done(index, observation);
    };
    try {
      while (!signal?.aborted) {
        while (queue.length < WINDOW && sent < jobs.length) {
          const job = jobs[sent]!;
          const deployed = this.#folder.deploy(job, sent - first + 1, this.#takes);
          queue.push({ index: sent++, deployed, answers: new Answers(deployed.message, job.wanted) });
          conversation.say(deployed.message);
        }
        const current = queue[0];
        if (current === undefined) return sent;
        const { answers, index } = current;
        const history = index - first;
        const heard = await conversation.next(CASE_MS * patience, signal);
        if (signal?.aborted) break;
        if (heard.what !== 'line') {
          const { phase } = answers;
          if (heard.what === 'silence') await conversation.kill();
          const log = conversation.takeErrors();
          // Its own handlers take what the module does; what ends it anyway is ours, or killed it from outside.
          const ending = heard.what === 'end' && heard.end.signal === null && heard.end.code === 70 ? { engineError: `the layer cannot run the case: ${log.trim().slice(0, 300)}` }
            : heard.what === 'end' ? endingOf(heard.end, phase, log, heard.rest)
              : heard.what === 'silence' ? { death: { kind: 'hang' as const, title: 'hang', phase }, complaints: [] }
                : { engineError: 'the layer breaks the protocol: a line that is longer than any message' };
          finish(answers.observation(history, log, ending));
          return index + 1;
        }
        try {
          answers.take(decode(heard.line));
        } catch (error) {
          if (!(error instanceof BadMessage || error instanceof BadOutput)) throw error;
          finish(answers.observation(history, conversation.takeErrors(), { engineError: `the layer breaks the protocol: ${error.message}` }));
          return index + 1;
        }
        if (answers.done) finish(observationOf(answers, history));
      }
      return jobs.length;
    } finally {
      for (const { deployed } of queue) deployed.remove();
      this.#conversation = undefined;
      await conversation.kill();
    }
  }
}

/** A death is named after the worst that the case's reports say, as the kernel's log is read: the first cause, not what came of it. */
function observationOf(answers: Answers, history: number): Observation {
  const { died } = answers;
  const seen = answers.observation(history, '');
  if (died === undefined) return seen;
  const names = [...seen.complaints.filter((c) => c.kind !== 'leak').map((c) => c.title), died.title];
  const title = died.kind === 'hang' ? died.title : names.toSorted((a, b) => severityOf(a) - severityOf(b))[0]!;
  return { ...seen, death: { kind: died.kind, title, phase: answers.diedIn }, complaints: seen.complaints.filter((c) => c.kind !== 'crash') };
}
