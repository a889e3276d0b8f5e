// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Case, Observation } from '../../model/index.ts';
import { runDir } from '../kernel/run-dir.ts';
import type { ReaderEntry, Step } from './entry.ts';
import { lintTargets } from './lint.ts';
import { CommandSession } from './session.ts';

const BYTES = Buffer.from('0123456789abcdef'.repeat(64));
const CASE: Case = {
  id: 'c', device: 'lsmt', clauses: { exercises: [], violates: [] },
  layers: [{ wrapping: [], bytes: BYTES }, { wrapping: [], bytes: Buffer.from('top'), index: Buffer.from('index') }],
  access: {
    slack: 'page', deviceBytes: 1024,
    reads: [{ offset: 0, length: 512, bufferOffset: 0, mode: 'direct' }, { offset: 512, length: 1024, bufferOffset: 0, mode: 'direct' }],
  },
};

const sh = (command: string): Step => ({ shell: true, command });

async function observe(part: Partial<ReaderEntry>, parameter = '', c = CASE, wanted: (string | null)[] = [null, null]): Promise<Observation> {
  const entry: ReaderEntry = {
    name: 'test', description: 'd', install: 'i', tried: { with: 'untested', note: 'n' }, programs: ['sh'], supports: { devices: ['lsmt'] },
    limits: { seconds: 30 }, ...part,
  };
  expect(lintTargets({ schema: 'ovbd-targets/1', readers: [entry] })).toEqual([]);
  const seen: Observation[] = [];
  await new CommandSession({ entry, program: '/bin/sh', here: '/', parameter }).run([{ case: c, wanted }], (_, observation) => seen.push(observation));
  expect(readdirSync(runDir()).filter((name) => name.startsWith('command-'))).toEqual([]);
  return seen[0]!;
}

const text = (seen: Observation, read: number): string => Buffer.from(seen.reads[read]!.bytes!).toString();

describe('a reader that writes whole devices', () => {
  it('is opened, and its reads are cut from what it wrote', async () => {
    const seen = await observe({ device: [{ command: ['cp', '{bottom}', '{out}'] }] });
    expect(seen).toMatchObject({ open: 'opened', size: 1024, complaints: [] });
    expect(seen.reads.map((r) => r.result)).toEqual([512, 512]);
    expect(text(seen, 1)).toBe(BYTES.subarray(512).toString());
  });

  it('leaves out bytes that are as wanted', async () => {
    const sha256 = createHash('sha256').update(BYTES.subarray(0, 512)).digest('hex');
    const seen = await observe({ device: [{ command: ['cat', '{bottom}'], stdout: 'out' }] }, '', CASE, [sha256, null]);
    expect(seen.reads[0]).toEqual({ result: 512, sha256 });
  });

  it.each([
    ['refused', 'echo no such >&2; exit 3', { open: 'refused', refusal: 'no such' }],
    ['an error of a read, by its rule', 'echo cannot read >&2; exit 4', { open: 'opened', reads: [{ result: -5, sha256: '' }, { result: -5, sha256: '' }] }],
    ['a crash, by its rule', 'exit 5', { open: 'none', death: { kind: 'crash', title: 'exit code 5 in open', phase: 'open' } }],
    ['a crash by a signal', 'kill -SEGV $$', { open: 'none', death: { kind: 'crash', title: 'SIGSEGV in open' } }],
    ['a sanitizer that ends it with the code of a refusal', 'echo "==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1" >&2; exit 3', { open: 'none', complaints: [{ kind: 'memory' }] }],
    ['no file though it ended well', 'true', { engineError: expect.stringContaining('{out}') }],
    ['a link in place of the file', 'ln -s /etc/passwd {out}', { engineError: expect.stringContaining('{out}') }],
  ])('%s', async (_, command, expected) => {
    expect(await observe({ device: [sh(`${command} # {out}`)], rules: [{ exit: [4], stderr: '^cannot', is: 'error' }, { exit: [5], is: 'crash' }] })).toMatchObject(expected);
  });

  it('that does not end is a hang, and what it started is gone', async () => {
    const seen = await observe({ device: [sh('sleep 1000 & sleep 1000 # {out}')], limits: { seconds: 1 } });
    expect(seen).toMatchObject({ open: 'none', death: { kind: 'hang', phase: 'open' } });
  });

  it('that writes more than a device may have is cut short, and has taken the image', async () => {
    const seen = await observe({ device: [sh('head -c 3000000 /dev/zero > {out}')], limits: { fileMiB: 1, seconds: 30 } });
    expect(seen.death).toBeUndefined();
    expect(seen).toMatchObject({ open: 'opened', reads: [{ result: -5 }, { result: -5 }] });
  });
});

describe('what stands for the layers', () => {
  it('each of them, from either end, pairs as the entry names them, words kept apart', async () => {
    const seen = await observe({
      pair: '{data}+{index}',
      device: [{ command: ['printf', '%s\\n', { each: ['{number}', '{layer}'], order: 'top' }, '{count}', { when: 'device', is: 'lsmt', args: ['is lsmt'] }, { when: 'tar', args: ['tar'] }], stdout: 'out' }],
    });
    const lines = text(seen, 0).trim().split('\n').map((line) => line.split('/').at(-1));
    expect(lines).toEqual(['1', 'layer1.index', '0', 'layer0.img', '2', 'is lsmt']);
  });

  it('in a file for the program, escaped where that is JSON', async () => {
    const seen = await observe({
      parameter: { what: 'p', example: 'x' },
      files: [{ name: 'config.json', text: '{"p": "{parameter}", "lowers": [{layers}]}', layer: '{"file": "{layer}"}', between: ', ' }],
      device: [{ command: ['cat', '{file:config.json}'], stdout: 'out' }],
    }, 'a "quoted" {layers} one');
    const config = JSON.parse(text(seen, 0)) as { p: string; lowers: { file: string }[] };
    expect(config.p).toBe('a "quoted" {layers} one');
    expect(config.lowers.map((l) => l.file.split('/').at(-1))).toEqual(['layer0.img', 'layer1.index']);
  });

  it('in a shell they are words, whatever they hold', async () => {
    const marker = join(runDir(), 'marker');
    const seen = await observe({ parameter: { what: 'p', example: 'x' }, device: [sh('printf %s {parameter} > {out}')] }, `'; touch ${marker}; echo '$(id)`);
    expect(text(seen, 0)).toBe(`'; touch ${marker}; echo '$(id)`);
    expect(existsSync(marker)).toBe(false);
  });
});

describe('a reader that is asked for ranges', () => {
  const open = { steps: [sh('echo it has $(wc -c < {bottom}) bytes')], size: 'has (\\d+) bytes' };

  it('is opened by a command that says the size, and cut at its end where it takes no more', async () => {
    const seen = await observe({ open, reads: 'inside', read: [sh('echo {length} >> {dir}/asked; dd if={bottom} of={out} bs=1 skip={offset} count={length} 2> /dev/null')] });
    expect(seen).toMatchObject({ open: 'opened', size: 1024 });
    expect([text(seen, 0), text(seen, 1)]).toEqual([BYTES.subarray(0, 512).toString(), BYTES.subarray(512).toString()]);
  });

  it('may fail one read and not the other, or die in it', async () => {
    expect((await observe({ open, read: [sh('test {offset} = 0 && echo good > {out}')] })).reads).toMatchObject([{ result: 5 }, { result: -5 }]);
    expect(await observe({ open, read: [sh('test {offset} = 0 && echo good > {out} || kill -ABRT $$')] })).toMatchObject({ reads: [{ result: 5 }], death: { title: 'SIGABRT in read', phase: 'read 1' } });
  });

  it('refuses with its first read where it has no command to open', async () => {
    expect(await observe({ read: [sh('exit 1 # {out}')] })).toMatchObject({ open: 'refused' });
  });

  it('that does not say the size is an adapter that is wrong', async () => {
    expect((await observe({ open: { steps: [sh('echo hello')], size: '^(\\d+)$' }, read: [sh('exit 1 # {out}')] })).engineError).toMatch(/does not say the size/);
  });
});

describe('a server', () => {
  const copy: Step = sh('cp {dir}/served {out}');

  it('runs while the commands do, and is told to end', async () => {
    const seen = await observe({
      serve: { shell: true, command: 'cp {bottom} {dir}/served; trap "exit 0" TERM; touch {socket}; while :; do sleep 0.05; done', ready: { exists: '{socket}' } }, device: [copy],
    });
    expect(seen).toMatchObject({ open: 'opened', size: 1024, complaints: [] });
    expect(seen.death).toBeUndefined();
  });

  it('that ends before it is ready has refused, or died', async () => {
    expect(await observe({ serve: { shell: true, command: 'echo bad image >&2; exit 1', ready: { exists: '{socket}' } }, device: [copy] })).toMatchObject({ open: 'refused', refusal: 'bad image' });
    expect(await observe({ serve: { shell: true, command: 'kill -SEGV $$', ready: { exists: '{socket}' } }, device: [copy] })).toMatchObject({ open: 'none', death: { title: 'SIGSEGV in open' } });
  });

  it('that never is ready is a hang', async () => {
    const seen = await observe({ serve: { shell: true, command: 'sleep 1000', ready: { exists: '{socket}' } }, device: [copy], limits: { seconds: 1 } });
    expect(seen).toMatchObject({ open: 'none', death: { kind: 'hang' } });
  });
});
