// SPDX-License-Identifier: MIT
/** The processes of one child: itself, what it started, and what left its session, as /proc shows them. */
import { readFileSync, readdirSync } from 'node:fs';

/** One living process. */
export interface Member {
  readonly pid: number;
  /** Ticks since boot at which it began: tells a process from a later one of the same id. */
  readonly began: number;
  /** Pages that are in memory. */
  readonly pages: number;
  /** Processor time that it has had, in ticks of which a second has 100. */
  readonly ticks: number;
  /** Whether it runs, or waits for a processor or a disk and nobody else. */
  readonly eager: boolean;
}

interface Process extends Member {
  readonly parent: number;
  readonly session: number;
  readonly zombie: boolean;
}

/** Bytes of a page; /proc counts memory in pages. x86-64 and most arm64 kernels have this. */
export const PAGE_BYTES = 4096;

/** proc(5): fields of /proc/PID/stat behind the name, which may hold anything; null where the process is gone. */
function processOf(pid: number): Process | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid, zombie: fields[0] === 'Z' || fields[0] === 'X', parent: Number(fields[1]), session: Number(fields[3]), began: Number(fields[19]), pages: Math.max(0, Number(fields[21])),
    ticks: Number(fields[11]) + Number(fields[12]), eager: fields[0] === 'R' || fields[0] === 'D',
  };
}

function allProcesses(): Process[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => processOf(Number(name)) ?? []);
}

/** Whether a process was given this word in its environment, as every child is by those that do not clear theirs. */
function carries(pid: number, token: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(token);
  } catch {
    return false;
  }
}

/**
 * Finds the members again and again. A process belongs to the family by its
 * session, by a parent that does, by having belonged before, or by the token
 * in its environment, which outlives every parent.
 */
export class Family {
  readonly #root: number;
  readonly #token: string;
  readonly #known = new Map<number, number>();
  #began = 0;

  /** `root`: leader of a session of its own, not yet waited for; 0 where none could be started. `token`: in its environment and in no other's. */
  constructor(root: number, token: string) {
    this.#root = root;
    this.#token = token;
    const leader = processOf(root);
    if (leader) {
      this.#began = leader.began;
      this.#known.set(root, leader.began);
    }
  }

  /** The living members. `thorough` also looks at environments, for those that left between two looks. */
  members(thorough: boolean): Member[] {
    // What was never there has no family: session 0 is the kernel's.
    if (this.#began === 0) return [];
    const processes = allProcesses();
    const before = new Map(this.#known);
    this.#known.clear();
    const members: Member[] = [];
    const add = (p: Process): void => {
      this.#known.set(p.pid, p.began);
      if (!p.zombie) members.push(p);
    };
    let rest = processes.filter((p) => {
      const belongs = before.get(p.pid) === p.began || (p.session === this.#root && p.began >= this.#began)
        || (thorough && p.began >= this.#began && p.pid !== process.pid && carries(p.pid, this.#token));
      if (belongs) add(p);
      return !belongs;
    });
    for (;;) {
      const children = rest.filter((p) => this.#known.has(p.parent));
      if (children.length === 0) return members;
      children.forEach(add);
      rest = rest.filter((p) => !this.#known.has(p.pid));
    }
  }

  /** Kills all members, and those that they start meanwhile; gives how many there were. */
  kill(): number {
    const killed = new Set<string>();
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const fresh = this.members(true).filter((m) => !killed.has(`${m.pid} ${m.began}`));
      if (fresh.length === 0) break;
      for (const { pid, began } of fresh) {
        killed.add(`${pid} ${began}`);
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself.
        }
      }
    }
    return killed.size;
  }
}

/** A family that still has new members after so many killings starts them faster than anyone can see. */
const KILL_ROUNDS = 50;
