// SPDX-License-Identifier: MIT
/** Adds up what the virtual machines of a run have counted. */
import { encodeCoverage, MAX_COUNTED, type Message } from '../wire.ts';
import { addCounters, CounterError, parseCounters, type Counters } from './gcda.ts';

type CoverageMessage = Extract<Message, { type: 'coverage' }>;

/** Of all virtual machines of a target. */
export class Collector {
  /** The path by which the kernel names the folder of the counters. */
  readonly path: string;
  readonly #known: ReadonlySet<string>;
  readonly #sum = new Map<string, Counters>();
  /** Numbers of processors whose boot is counted: all machines of a number are restored from one boot. */
  readonly #booted = new Set<number>();
  readonly #problems = new Set<string>();
  #instances = 0;
  #lost = 0;

  /** `known`: the files that may come, `dm-x.gcda`. */
  constructor(path: string, known: Iterable<string>) {
    this.path = path;
    this.#known = new Set(known);
  }

  get sum(): ReadonlyMap<string, Counters> {
    return this.#sum;
  }

  get instances(): number {
    return this.#instances;
  }

  get lost(): number {
    return this.#lost;
  }

  get problems(): readonly string[] {
    return [...this.#problems];
  }

  /** One more machine, with so many processors. The first of a number counts what its boot has reached, the others begin at 0. */
  begin(processors: number): MachineCounters {
    const boot = !this.#booted.has(processors);
    if (boot) this.#booted.add(processors);
    return new MachineCounters(this, boot, (files, died) => {
      if (died) this.#lost++;
      if (files === undefined) {
        if (boot) this.#booted.delete(processors);
        return;
      }
      this.#instances++;
      for (const [name, bytes] of files) this.#add(name, bytes);
    });
  }

  /** Says what is missing, once. */
  complain(text: string): void {
    if (this.#problems.size < 10) this.#problems.add(text);
  }

  #add(name: string, bytes: Buffer): void {
    if (!this.#known.has(name)) return this.complain('the kernel counts a file that was not built with the module');
    try {
      const counters = parseCounters(bytes);
      const before = this.#sum.get(name);
      this.#sum.set(name, before === undefined ? counters : addCounters(before, counters));
    } catch (error) {
      if (!(error instanceof CounterError)) throw error;
      this.complain(`${name}: ${error.message}`);
    }
  }
}

/** Of one virtual machine. Its counters only grow, so what came last is all. */
export class MachineCounters {
  readonly #collector: Collector;
  readonly #done: (files: ReadonlyMap<string, Buffer> | undefined, died: boolean) => void;
  #coming = new Map<string, Buffer>();
  #whole: ReadonlyMap<string, Buffer> | undefined;
  #failed = false;
  /** Answers that have come whole. */
  #answers = 0;
  /** What to send the machine before anything else. */
  readonly first: Buffer;

  constructor(collector: Collector, boot: boolean, done: (files: ReadonlyMap<string, Buffer> | undefined, died: boolean) => void) {
    this.#collector = collector;
    this.#done = done;
    // What opening a device has reached is to be known where reading it kills the machine.
    this.first = encodeCoverage(collector.path, { reset: !boot, opens: true });
  }

  /** What to send after each case. */
  request(): Buffer {
    return encodeCoverage(this.#collector.path, { send: true });
  }

  get answers(): number {
    return this.#answers;
  }

  take({ last, errno, name, content }: CoverageMessage): void {
    if (errno !== 0) {
      this.#collector.complain(last ? `the guest cannot read or reset the counters (errno ${errno})` : `the guest cannot read the counters of a file (errno ${errno})`);
      // A machine whose counters could not be set to 0 would count its boot once more.
      this.#failed = true;
    }
    if (!last) {
      if (this.#coming.size < MAX_COUNTED) this.#coming.set(name, Buffer.from(content));
      return;
    }
    this.#answers++;
    if (this.#coming.size > 0) this.#whole = this.#coming;
    this.#coming = new Map();
  }

  /** The machine is given up; `died`: by itself. */
  end(died: boolean): void {
    this.#done(this.#failed ? undefined : this.#whole, died);
  }
}
