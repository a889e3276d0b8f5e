// SPDX-License-Identifier: MIT
/** The templates of examples/ci: the workflows by what the service asks of them, and their steps run as a runner runs them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aptEnv, hasApt, isRoot } from '../targets/kernel/lab/apt.ts';
import { findCommand } from '../targets/kernel/lab/child.ts';

// It has no types of its own.
const { load } = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown };
const ROOT = resolve(import.meta.dirname, '..');
const TEMPLATES = join(ROOT, 'examples/ci');
const WORKFLOWS = ['gate.yml', 'nightly.yml'];
const SCRIPTS = ['common.sh', 'gate.sh', 'nightly.sh'];
const LONG = 600_000;

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly with?: Readonly<Record<string, string | boolean | number>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly 'runs-on': string;
  readonly 'timeout-minutes': number;
  readonly needs?: string;
  readonly if?: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: object;
  readonly concurrency: { readonly group: string; readonly 'cancel-in-progress': boolean };
  readonly jobs: Readonly<Record<string, Job>>;
}

const workflow = (name: string): Workflow => load(readFileSync(join(TEMPLATES, name), 'utf8')) as Workflow;
const jobs = (name: string): [string, Job][] => Object.entries(workflow(name).jobs);

describe.each(WORKFLOWS)('%s', (name) => {
  it('has the rights that it needs, ends, and runs alone', () => {
    const { on, permissions, concurrency } = workflow(name);
    expect(permissions).toEqual({});
    expect(concurrency.group).toContain('${{ github.');
    expect(Object.keys(on)).not.toContain('pull_request_target');
    for (const [id, job] of jobs(name)) {
      expect(job['runs-on'], id).toMatch(/^ubuntu-\d\d\.04$/);
      expect(job['timeout-minutes'], id).toBeLessThanOrEqual(360);
      const writes = Object.values(job.permissions).includes('write');
      expect(writes && job.steps.some((step) => step.run !== undefined), `${id} runs commands and may write`).toBe(false);
      expect(job.permissions['contents'], id).toBe('read');
    }
  });

  it('names actions by major version, and hands no text of others to a shell', () => {
    for (const step of jobs(name).flatMap(([, job]) => job.steps)) {
      expect(step.uses ?? 'run/it@v1').toMatch(/^[\w-]+\/[\w/-]+@v\d+$/);
      expect(step.run ?? '').not.toContain('${{');
      if (step.run !== undefined) expect(step.shell).toBe('bash');
      if (step.uses?.startsWith('actions/checkout@')) expect(step.with).toMatchObject({ 'persist-credentials': false, path: expect.any(String) });
      expect([step.uses, step.run].filter((s) => s !== undefined)).toHaveLength(1);
    }
  });

  it('refers to steps, outputs and folders that are there', () => {
    for (const [, job] of jobs(name)) {
      const before = new Set<string>();
      for (const step of job.steps) {
        const text = JSON.stringify(step);
        for (const [, id, output] of text.matchAll(/steps\.(\w+)\.outputs\.([\w-]+)/g)) {
          expect(before).toContain(id);
          expect(['cache-matched-key', 'cache-key', 'exit-code']).toContain(output);
        }
        if (step.id !== undefined) before.add(step.id);
      }
      if (job.needs === undefined) continue;
      const made = workflow(name).jobs[job.needs]!.steps.find((s) => s.uses?.startsWith('actions/upload-artifact@'))!;
      const taken = job.steps.find((s) => s.uses?.startsWith('actions/download-artifact@'))!;
      expect(taken.with).toEqual({ name: made.with!['name'], path: made.with!['path'] });
    }
  });

  it('takes from a cache what it keeps in one: the paths are part of its name', () => {
    const caches = jobs(name).flatMap(([, job]) => job.steps).filter((step) => step.uses?.startsWith('actions/cache/'));
    const pathsOf = (what: string): Record<string, unknown> => Object.fromEntries(
      caches.filter((step) => step.uses!.startsWith(`actions/cache/${what}@`)).map((step) => [String(step.with!['key']).split('-', 2).join('-'), step.with!['path']]),
    );
    expect(Object.keys(pathsOf('restore'))).toContain('ovbd-lab');
    expect(pathsOf('restore')).toEqual(pathsOf('save'));
  });

  const parser = packageFolder('@actions/workflow-parser');
  it.skipIf(parser === null)('is a workflow by the word of the service\'s own parser', () => {
    const check = (file: string): string => execFileSync(process.execPath, ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', PARSE, parser!, file], { encoding: 'utf8' });
    expect(JSON.parse(check(join(TEMPLATES, name)))).toEqual([]);
    const wrong = join(folder, `wrong-${name}`);
    writeFileSync(wrong, readFileSync(join(TEMPLATES, name), 'utf8').replace('runs-on:', 'run-on:').replace('github.ref }}', 'gitlab.ref }}'));
    expect(JSON.parse(check(wrong)).length).toBeGreaterThan(0);
  });
});

/** Prints the parser's errors of a file as JSON. */
const PARSE = `
  import { readFileSync } from 'node:fs';
  import { pathToFileURL } from 'node:url';
  const [parser, file] = process.argv.slice(1);
  const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await import(pathToFileURL(parser));
  const { context, value } = parseWorkflow({ name: file, content: readFileSync(file, 'utf8') }, new NoOperationTraceWriter());
  const template = value ? await convertWorkflowTemplate(context, value, undefined, {}) : undefined;
  console.log(JSON.stringify([...context.errors.getErrors().map((e) => e.message), ...(template?.errors ?? [])]));
`;

/** The main file of a package that may not be installed. */
function packageFolder(name: string): string | null {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const main = join(folder, name, 'dist/index.js');
    if (existsSync(main)) return main;
  }
  console.warn(`SKIPPED: ${name} is not installed: the workflows are checked by their structure alone`);
  return null;
}

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'ovbd-ci-')); });
afterAll(() => rmSync(folder, { recursive: true }));

describe('the scripts', () => {
  it('are sound bash', () => {
    for (const script of SCRIPTS) expect(spawnSync('bash', ['-n', join(TEMPLATES, script)], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it('leave shellcheck nothing to say', ({ skip }) => {
    if (findCommand('shellcheck') === undefined && isRoot() && hasApt()) spawnSync('apt-get', ['-qq', 'install', '-y', 'shellcheck'], { env: aptEnv(), timeout: 120_000 });
    const shellcheck = findCommand('shellcheck');
    if (shellcheck === undefined) skip('shellcheck is not there: apt-get install shellcheck');
    const { status, stdout } = spawnSync(shellcheck!, ['--external-sources', ...SCRIPTS], { cwd: TEMPLATES, encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  }, LONG);
});

interface Ended {
  readonly code: number | null;
  readonly log: string;
  /** Of the job's page. */
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly workspace: string;
}

/** Runs the commands of the job that runs any, in a workspace as its actions leave it, with these of its settings changed. */
function runJob(name: string, settings: Readonly<Record<string, string>>): Ended {
  const workspace = mkdtempSync(join(folder, 'work-'));
  const temporary = join(workspace, '_temp');
  for (const made of ['head', 'base', '_temp', '.ovbd-cache/kernel/one']) mkdirSync(join(workspace, made), { recursive: true });
  symlinkSync(ROOT, join(workspace, 'suite'));
  const [, job] = jobs(name).find(([, { steps }]) => steps.some((s) => s.run !== undefined))!;
  const file = (what: string): string => join(temporary, what);
  const env = {
    PATH: process.env['PATH']!, HOME: temporary, CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: workspace, GITHUB_STEP_SUMMARY: file('summary'),
    GITHUB_OUTPUT: file('output'), GITHUB_ENV: file('env'), GITHUB_SHA: '0'.repeat(40), GITHUB_REPOSITORY: 'o/r', RUNNER_TEMP: temporary, RUNNER_OS: 'Linux',
    ...job.env, ...settings,
  };
  for (const what of ['summary', 'output', 'env']) writeFileSync(file(what), '');
  let log = '';
  let code: number | null = 0;
  for (const step of job.steps.filter((s) => s.run !== undefined)) {
    writeFileSync(file('step.sh'), step.run!);
    const ran = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file('step.sh')], { cwd: workspace, env: { ...env, ...step.env }, encoding: 'utf8', timeout: LONG });
    log += ran.stdout + ran.stderr;
    code = ran.status;
    if (code !== 0) break;
  }
  const outputs = Object.fromEntries(readFileSync(file('output'), 'utf8').trimEnd().split('\n').map((line) => line.split('=', 2) as [string, string]));
  return { code, log, summary: readFileSync(file('summary'), 'utf8'), outputs, workspace };
}

/** What the job that follows would upload: SARIF with a result for each finding. */
function sarifOf({ workspace }: Ended, run: string): { readonly version: string; readonly runs: readonly { readonly results: readonly { readonly message: { readonly text: string } }[] }[] } {
  return JSON.parse(readFileSync(join(workspace, 'ovbd-out', `${run}.sarif`), 'utf8'));
}

const FEW = '--no-vm\n--seed 1\n--cases 8';
const WRONG = '--target fake-reader:stack-reversed';
const SOUND = '--target fake-reader';
const SIGNATURE = 'corruption: ST-SIZE-01';

describe('a gate', () => {
  it('passes where head fails on nothing that base does not', () => {
    const ended = runJob('gate.yml', { OVBD_ARGS: FEW, OVBD_BASE: WRONG, OVBD_HEAD: WRONG });
    expect(ended.code, ended.log).toBe(0);
    expect(ended.outputs).toEqual({ 'exit-code': '0', 'cache-key': expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(ended.summary).toContain(`    still there  ${SIGNATURE}`);
    expect(readdirSync(join(ended.workspace, 'ovbd-out')).sort()).toEqual(expect.arrayContaining(['base', 'canary', 'diff.json', 'head', 'summary.md']));
  }, LONG);

  it('fails on what only head shows, and leaves all that is needed to see it', () => {
    const ended = runJob('gate.yml', { OVBD_ARGS: FEW, OVBD_BASE: SOUND, OVBD_HEAD: WRONG });
    expect(ended.code, ended.log).toBe(1);
    expect(ended.outputs['exit-code']).toBe('1');
    expect(ended.summary).toMatch(/^## OverlayBD conformance: gate\n\n\*\*The change fails on what its base does not\.\*\*/);
    expect(ended.summary).toContain(`    new          ${SIGNATURE}`);
    const [finding] = readdirSync(join(ended.workspace, 'ovbd-out/head/findings'));
    expect(readdirSync(join(ended.workspace, 'ovbd-out/head/findings', finding!))).toContain('finding.json');
    expect(sarifOf(ended, 'head')).toMatchObject({ version: '2.1.0', runs: [{ results: [{ message: { text: expect.stringContaining(SIGNATURE) } }] }] });
    expect(ended.summary).toContain('1 new, 0 fixed, 0 still there');
    expect(ended.summary).toContain('<b>corruption: ST-SIZE-01</b>');
    // Nothing that the tested code prints is an order to the runner.
    const [, token] = /^::stop-commands::([0-9a-f]{32})$/m.exec(ended.log)!;
    expect(ended.log.trimEnd().split('\n').at(-1)).toBe(`::${token}::`);
  }, LONG);

  it('says that nothing is known where the machinery is broken', () => {
    const ended = runJob('gate.yml', { OVBD_ARGS: FEW, OVBD_BASE: SOUND, OVBD_HEAD: '--target process:/bin/false' });
    expect(ended.code, ended.log).toBe(3);
    expect(ended.summary).toContain('**Not tested**: the run of the head ended with exit code 3');
    expect(ended.outputs['exit-code']).toBe('3');
  }, LONG);

  it('compares with the base, or has not passed', () => {
    const ended = runJob('gate.yml', { OVBD_ARGS: FEW, OVBD_BASE: SOUND, OVBD_HEAD: `${SOUND}\n--target oracle` });
    expect(ended.code, ended.log).toBe(3);
    expect(ended.summary).toContain('only the head has oracle');
  }, LONG);
});

describe('a night', () => {
  it('passes where nothing is found', () => {
    const ended = runJob('nightly.yml', { OVBD_ARGS: `${FEW}\n--target process:${process.execPath} suite/targets/fakes/process/fake.mjs` });
    expect(ended.code, ended.log).toBe(0);
    expect(ended.summary).toContain('The campaign found nothing that is not known.');
    expect(ended.summary).not.toContain('The lab:');
    expect(sarifOf(ended, 'campaign').runs[0]!.results).toEqual([]);
  }, LONG);

  it('fails on what is new, and says what it is', () => {
    const ended = runJob('nightly.yml', { OVBD_ARGS: `${FEW}\n${WRONG}` });
    expect(ended.code, ended.log).toBe(1);
    expect(ended.summary).toContain('**The campaign found something new.**');
    expect(ended.summary).toContain(`<b>${SIGNATURE}</b>`);
    expect(sarifOf(ended, 'campaign').runs[0]!.results.map((r) => r.message.text)).toEqual([expect.stringContaining(SIGNATURE)]);
  }, LONG);

  it('is wrong usage where nobody says what is tested', () => {
    const ended = runJob('nightly.yml', { OVBD_ARGS: ' ' });
    expect([ended.code, ended.log]).toEqual([2, expect.stringContaining('say what is tested')]);
    const odd = runJob('nightly.yml', { OVBD_ARGS: `${FEW}\n--no-such-option` });
    expect(odd.code, odd.log).toBe(2);
    expect(odd.summary).toContain('**Not tested**: wrong options');
  }, LONG);
});
