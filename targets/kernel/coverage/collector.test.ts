// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { encodeCoverage } from '../wire.ts';
import { Collector, type MachineCounters } from './collector.ts';

/** A file with one counter. */
function counted(n: number): Buffer {
  const bytes = Buffer.alloc(32);
  [0x67636461, 0x4232322a, 7, 0, 0x01a10000, 8, n].forEach((word, i) => bytes.writeUInt32LE(word, 4 * i));
  return bytes;
}

function answer(machine: MachineCounters, n: number, name = 'a.gcda'): void {
  machine.take({ type: 'coverage', last: false, errno: 0, name, content: counted(n) });
  machine.take({ type: 'coverage', last: true, errno: 0, name: '', content: Buffer.alloc(0) });
}

const total = (collector: Collector): bigint | undefined => collector.sum.get('a.gcda')?.records[0]!.counts![0];

describe('the counters of several machines', () => {
  it('are those of their last answers, added up', () => {
    const collector = new Collector('/x', ['a.gcda']);
    const [a, b] = [collector.begin(1), collector.begin(1)];
    answer(a, 3);
    answer(a, 5);
    answer(b, 20);
    a.end(false);
    b.end(false);
    expect(total(collector)).toBe(25n);
    expect(collector).toMatchObject({ instances: 2, lost: 0, problems: [] });
  });

  it('have the boot in them once for each number of processors', () => {
    const collector = new Collector('/x', ['a.gcda']);
    const resets = (first: Buffer): boolean => first.equals(encodeCoverage('/x', { reset: true, opens: true }));
    expect([1, 1, 2, 2].map((n) => resets(collector.begin(n).first))).toEqual([false, true, false, true]);
    const first = new Collector('/x', ['a.gcda']);
    first.begin(1).end(true);
    expect(resets(first.begin(1).first)).toBe(false);
    expect(first).toMatchObject({ instances: 0, lost: 1 });
  });

  it('are kept to the last whole answer of a machine that dies', () => {
    const collector = new Collector('/x', ['a.gcda']);
    const machine = collector.begin(1);
    answer(machine, 4);
    machine.take({ type: 'coverage', last: false, errno: 0, name: 'a.gcda', content: counted(9) });
    machine.end(true);
    expect(total(collector)).toBe(4n);
    expect(collector).toMatchObject({ instances: 1, lost: 1 });
  });

  it('are left out, with a word, where the guest could not give them or gives something else', () => {
    const collector = new Collector('/x', ['a.gcda']);
    const failed = collector.begin(1);
    answer(failed, 4);
    failed.take({ type: 'coverage', last: true, errno: 13, name: '', content: Buffer.alloc(0) });
    failed.end(false);
    const strange = collector.begin(1);
    answer(strange, 4, '../../etc/passwd');
    strange.take({ type: 'coverage', last: false, errno: 0, name: 'a.gcda', content: Buffer.from('nothing') });
    strange.take({ type: 'coverage', last: true, errno: 0, name: '', content: Buffer.alloc(0) });
    strange.end(false);
    expect(collector.sum.size).toBe(0);
    expect(collector.problems).toEqual([expect.stringMatching(/errno 13/), expect.stringMatching(/no file of counters/)]);
  });
});
