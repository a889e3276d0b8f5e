// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findCommand } from '../lab/child.ts';
import { CounterError, addCounters, encodeCounters, parseCounters } from './gcda.ts';
import { addGcov, sourceCounts, type Counts } from './gcov.ts';

function words(...list: number[]): Buffer {
  const bytes = Buffer.alloc(4 * list.length);
  list.forEach((n, i) => bytes.writeInt32LE(n | 0, 4 * i));
  return bytes;
}

const HEADER = words(0x67636461, 0x4232322a, 77, 78);
const FUNCTION = words(0x01000000, 12, 1, 2, 3);
const file = (...parts: Buffer[]): Buffer => Buffer.concat([HEADER, ...parts]);
/** Arc counters, each below 2³². */
const arcs = (...counts: number[]): Buffer => Buffer.concat([words(0x01a10000, 8 * counts.length), ...counts.map((n) => words(n, 0))]);

describe('files of counters', () => {
  it('are added counter by counter', () => {
    const sum = addCounters(parseCounters(file(FUNCTION, arcs(1, 2, 0))), parseCounters(file(FUNCTION, arcs(10, 0, 5))));
    expect(encodeCounters(sum)).toEqual(file(FUNCTION, arcs(11, 2, 5)));
  });

  it('may leave out counters that are all 0', () => {
    const zeros = parseCounters(file(words(0xa1000000, 8, 1, 1), FUNCTION, words(0x01a10000, -24), words(0)));
    expect(encodeCounters(zeros)).toEqual(file(FUNCTION, arcs(0, 0, 0)));
    expect(encodeCounters(addCounters(zeros, parseCounters(file(FUNCTION, arcs(4, 5, 6)))))).toEqual(file(FUNCTION, arcs(4, 5, 6)));
  });

  it('stay a number that gcov can read where they would overflow', () => {
    const most = parseCounters(file(FUNCTION, words(0x01a10000, 8, -1, 0x7fffffff)));
    expect(addCounters(most, most).records[1]!.counts).toEqual([2n ** 63n - 1n]);
  });

  it('of another build are not added', () => {
    const one = parseCounters(file(FUNCTION, arcs(1, 2)));
    for (const other of [file(FUNCTION, arcs(1)), file(arcs(1, 2), FUNCTION), file(FUNCTION), file(words(0x01000000, 12, 1, 2, 4), arcs(1, 2))]) {
      expect(() => addCounters(one, parseCounters(other))).toThrow(CounterError);
    }
    const stamp = file(FUNCTION, arcs(1, 2));
    stamp.writeUInt32LE(1, 8);
    expect(() => addCounters(one, parseCounters(stamp))).toThrow(CounterError);
  });

  it('that are broken are refused', () => {
    for (const bytes of [
      Buffer.alloc(0), Buffer.alloc(40), file(words(0x01a10000)), file(words(0x01a10000, 64, 0)), file(words(0x01a10000, 4, 0)), file(words(0x01000000, -12)),
      file(words(0x01a30000, 8, 0, 0)), file(words(0x01a10000, -0x7ffffff8)), file(...Array<Buffer>(3).fill(words(0x01a10000, -(1 << 19)))),
    ]) expect(() => parseCounters(bytes), bytes.toString('hex')).toThrow(CounterError);
  });
});

describe('JSON of gcov', () => {
  const PATH = '/home/x/cache/tmp/1.x/work/src';
  const line = (n: number, count: number, ...branches: number[]): object => ({ line_number: n, count, branches: branches.map((b) => ({ count: b, fallthrough: false, throw: false })), unexecuted_block: false });
  const json = (...files: [string, object[]][]): string => JSON.stringify({ format_version: '1', files: files.map(([name, lines]) => ({ file: name, functions: [{ name: 'go', start_line: 1, end_line: 9, execution_count: 2 }], lines })) });

  it('gives the lines of our sources only, and adds up what two objects have of a header', () => {
    const files = new Map<string, Counts>();
    const own = new Set(['a.c', 'both.h']);
    addGcov(files, json(['src/a.c', [line(3, 2, 1, 1)]], ['src/both.h', [line(1, 1, 1, 0)]], ['/kernel/include/a.c', [line(9, 9)]], ['src/other.c', [line(1, 1)]]), own, PATH);
    addGcov(files, json(['/kernel/tmp/1.x/work/src/both.h', [line(1, 4, 0, 4), line(2, 0)]], ['/kernel/tmp/2.x/work/src/a.c', [line(3, 9)]]), own, PATH);
    expect([...files].map(([name, counts]) => [name, [...counts.lines]])).toEqual([
      ['a.c', [[3, { count: 2, branches: [1, 1] }]]],
      ['both.h', [[1, { count: 5, branches: [1, 4] }], [2, { count: 0, branches: [] }]]],
    ]);
    expect([...files.get('both.h')!.functions.values()]).toEqual([{ name: 'go', from: 1, to: 9, count: 4 }]);
  });

  it('of another shape is refused', () => {
    for (const text of ['', '[]', '{}', 'null', json(['src/a.c', [{ line_number: 1, count: -1, branches: [] }]]), '{"files":[{"file":"src/a.c"}]}']) {
      expect(() => addGcov(new Map(), text, new Set(), PATH)).toThrow(/gcov-12 gives/);
    }
  });
});

describe.skipIf(findCommand('gcc-12') === undefined || findCommand('gcov-12') === undefined)('gcov itself', () => {
  const root = mkdtempSync(join(tmpdir(), 'ovbd-gcda-'));
  afterAll(() => rmSync(root, { recursive: true }));

  it('counts what two runs of a program have reached together', async () => {
    const text = 'int main(int c, char **v)\n{\n\tif (c > 1)\n\t\tv[0] = 0;\n\telse\n\t\tv = 0;\n\treturn 0;\n}\n';
    mkdirSync(join(root, 'src'));
    writeFileSync(join(root, 'src/main.c'), text);
    const options = { cwd: root };
    execFileSync('gcc-12', ['-O0', '-fprofile-arcs', '-ftest-coverage', '-c', '-o', 'main.o', 'src/main.c'], options);
    execFileSync('gcc-12', ['--coverage', '-o', 'main', 'main.o'], options);
    const ran = (args: string[]): Buffer => {
      execFileSync(join(root, 'main'), args, options);
      const bytes = readFileSync(join(root, 'main.gcda'));
      rmSync(join(root, 'main.gcda'));
      return bytes;
    };
    const sum = [[], ['x'], ['y']].map((args) => parseCounters(ran(args))).reduce(addCounters);
    const [file, ...others] = await sourceCounts(new Map([['main.gcda', sum]]), root, join(root, 'src'), join(root, 'src'));
    expect(others).toEqual([]);
    expect(file).toMatchObject({ file: 'main.c', text });
    expect(file!.lines.map((l) => [l.line, l.count])).toEqual([[1, 3], [3, 3], [4, 2], [6, 1], [7, 3]]);
    expect(file!.functions).toEqual([{ name: 'main', from: 1, to: 8, count: 3 }]);
    expect([...file!.lines[1]!.branches].sort()).toEqual([1, 2]);
    const never = await sourceCounts(new Map(), root, join(root, 'src'), join(root, 'src'));
    expect(never[0]!.lines.map((l) => l.count)).toEqual([0, 0, 0, 0, 0]);
  });
});
