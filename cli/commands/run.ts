// SPDX-License-Identifier: MIT
/** `ovbd run`: from a seed to a report. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { knowing } from '../../engine/known.ts';
import { FAST_CHUNK, FAST_LARGE_EVERY, FAST_PREPARED } from '../../engine/fast.ts';
import { runSuite, type RunSettings } from '../../engine/run.ts';
import { EXIT, UsageError, type Event, type Finding, type FooterEvent, type Reached, type Reporter, type TargetIdentity } from '../../model/index.ts';
import { JsonlReporter, JunitReporter, KtapReporter, MatrixReporter, TerminalReporter, embargo, embargoed, folderStore, loadAllKnown, openQuarantine, reachedOf, saveCoverage, saveFinding, type TargetCoverage } from '../../reports/index.ts';
import type { Target } from '../../targets/target.ts';
import { Cache, Steps } from '../../targets/kernel/lab/index.ts';
import { makeOutFolder, replayCommand } from '../out-folder.ts';
import { EXIT_STOPPED } from '../stop.ts';
import type { Kernels, Subject } from '../columns.ts';
import { beginTargets, targetNames, type BegunTargets } from '../targets.ts';
import { suiteVersion } from '../version.ts';

/** As commander hands them over. */
export interface RunOptions extends ExecuteOptions {
  readonly seed: number;
  readonly cases: number;
  /** Milliseconds. */
  readonly time?: number;
  readonly largeEvery?: number;
}

/** How cases are run and reported, wherever they come from. */
export interface ExecuteOptions extends Subject, Kernels {
  readonly target?: readonly string[];
  readonly targetsFile?: readonly string[];
  /** Files with failures that are known. */
  readonly known?: readonly string[];
  readonly out?: string;
  /** The folder of a failure store in which findings are kept too. */
  readonly store?: string;
  /** A file with what did not show each time it was tried. */
  readonly quarantine?: string;
  /** A folder for everything from which an image could be made again; the report has nothing of it. */
  readonly embargo?: string;
  readonly vm: boolean;
  readonly jobs?: number;
  /** The patch's code in userspace in place of virtual machines. */
  readonly fast?: boolean;
  /** Each case a second time with an allocation failing, in userspace. */
  readonly failAllocations?: boolean;
  /** Count which lines of the patch the run reaches. */
  readonly coverage?: boolean;
  readonly quiet?: boolean;
  /** The same as the format `json`. */
  readonly json?: boolean;
  readonly format?: 'text' | 'json' | 'ktap';
}

/** Runs cases of a seed and returns the exit code that the run's footer carries. */
export function run(options: RunOptions, signal: AbortSignal): Promise<number> {
  const { seed, cases, time } = options;
  const largeEvery = options.largeEvery ?? (options.fast === true ? FAST_LARGE_EVERY : 1);
  return runCases(options, {
    seed, cases: options.failAllocations ? 2 * cases : cases, ...(options.failAllocations && { failAllocations: true }), largeEvery, ...(time !== undefined && { timeMs: time }),
    ...(options.fast === true && { chunk: FAST_CHUNK, ...(cases >= FAST_PREPARED && { preparers: options.jobs ?? availableParallelism() }) }),
  }, signal);
}

/** Runs the cases and returns the exit code that the run's footer carries. */
export async function runCases(
  options: ExecuteOptions, source: Pick<RunSettings, 'seed' | 'cases' | 'failAllocations' | 'largeEvery' | 'chunk' | 'preparers' | 'timeMs' | 'stored' | 'shrinkExecutions'>, signal: AbortSignal,
): Promise<number> {
  const request = { ...options, ...(options.target && { names: options.target }) };
  const names = targetNames(request);
  if (options.failAllocations && !names.some((name) => /^userspace(?=:|$)/.test(name))) {
    throw new UsageError('--fail-allocations needs the code in userspace: give --fast or --target userspace');
  }
  const format = options.format ?? (options.json ? 'json' : 'text');
  if (options.json && format !== 'json') throw new UsageError(`--json and --format ${format} exclude each other: give one`);
  const known = loadAllKnown(options.known ?? []);
  const quarantine = options.quarantine === undefined ? undefined : openQuarantine(options.quarantine, Date.now());
  const out = makeOutFolder(options.out);
  const hidden = options.embargo === undefined ? undefined : privateRun(options.embargo, out);
  const people = format === 'text' ? process.stdout : process.stderr;
  let opened: BegunTargets;
  try {
    opened = await beginTargets(request, { cache: new Cache(), steps: new Steps(), signal });
  } catch (error) {
    removeIfEmpty(out);
    throw error;
  }
  const store = options.store === undefined ? undefined : folderStore(options.store, (text) => terminal.line(text));
  const terminal = new TerminalReporter({
    write: (text) => void people.write(text),
    isTTY: people.isTTY,
    colour: people.isTTY && !process.env['NO_COLOR'],
    quiet: options.quiet ?? false,
  });
  const reporters: Reporter[] = [];
  const matrix = new MatrixReporter(out);
  try {
    const open: Reporter[] = [new JsonlReporter(join(out, 'run.jsonl')), new JunitReporter(join(out, 'junit.xml')), matrix, terminal];
    if (format === 'json') open.push(jsonOutput);
    if (format === 'ktap') open.push(new KtapReporter((text) => void process.stdout.write(text)));
    reporters.push(...(hidden ? open.map((one) => embargoed(one, hidden.redact)) : open));
    if (hidden) reporters.push(new JsonlReporter(join(hidden.folder, 'run.jsonl')), new JunitReporter(join(hidden.folder, 'junit.xml')), new MatrixReporter(hidden.folder));
    const exitCode = (footer: FooterEvent): number =>
      signal.aborted ? EXIT_STOPPED : footer.exitCode === EXIT.ok && opened.missed() ? EXIT.engine : footer.exitCode;
    const emit = (event: Event): void => {
      const shown = event.type === 'footer' ? { ...event, exitCode: exitCode(event) } : event;
      for (const reporter of reporters) reporter.event(shown);
    };
    /** What the report's last lines add of it. */
    let coverage: CoverageReport | undefined;
    let failed: unknown;
    const footer = await runSuite({
      suite: `overlaybd-conformance ${suiteVersion()}`,
      ...source,
      targets: opened.columns.map((column) => knowing(column, known)),
      skipped: opened.skipped,
      jobs: options.jobs ?? availableParallelism(),
      signal,
      saveFinding: async (finding, identity, again) => {
        if (!again && finding.confirmation.blame !== 'unreliable') store?.save(finding, identity);
        return saveFinding(hidden?.folder ?? out, finding, identity, replayCommand);
      },
      ...(quarantine && { quarantine: (finding: Finding, identity: TargetIdentity) => quarantine.see(finding, identity) }),
      progress: (p) => terminal.progress(p),
      ...(options.coverage && {
        coverage: async () => {
          // What goes wrong here costs the run its coverage, not its footer.
          coverage = await coverageOf(out, opened.targets()).catch((error: unknown) => void (failed = error)) ?? undefined;
          return coverage?.reached ?? {};
        },
      }),
    }, emit);
    quarantine?.save();
    if (opened.missed()) terminal.line('what was asked for could not all run (see "skipped" above): exit code 3 even without findings');
    for (const line of coverage?.lines ?? []) terminal.line(line);
    terminal.line(`report in ${out}: run.jsonl, junit.xml${matrix.isThere ? ', matrix.txt, matrix.json' : ''}${footer.findings > 0 && !hidden ? ', findings/' : ''}${coverage ? ', coverage/' : ''}`);
    if (hidden) terminal.line('under embargo: the seed, the images and how to replay them are in the private folder only');
    if (failed !== undefined) throw failed;
    return exitCode(footer);
  } finally {
    closeAll(reporters);
    await opened.close();
  }
}

/** Where the whole report of a run under embargo goes, and what the public one may say. */
function privateRun(given: string, out: string): { readonly folder: string; readonly redact: (event: Event) => Event } {
  const from = relative(resolve(out), resolve(given));
  if (!from.startsWith('..') && !isAbsolute(from)) throw new UsageError(`--embargo ${given}: it lies in the folder ${out}, which is public`);
  const redact = embargo(given);
  for (let n = 1; ; n++) {
    const folder = join(given, n === 1 ? basename(resolve(out)) : `${basename(resolve(out))}-${n}`);
    try {
      mkdirSync(folder, { mode: 0o700 });
      return { folder, redact };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new UsageError(`${folder}: cannot be made: ${(error as NodeJS.ErrnoException).code}`);
    }
  }
}

interface CoverageReport {
  readonly reached: Readonly<Record<string, Reached>>;
  /** For people. */
  readonly lines: readonly string[];
}

/** Writes what the targets have counted, and says how much that is. */
async function coverageOf(out: string, targets: readonly Target[]): Promise<CoverageReport> {
  const counted: TargetCoverage[] = [];
  for (const target of targets) {
    if (target.coverage !== undefined) counted.push({ target: target.identity.name, coverage: await target.coverage() });
  }
  const folders = saveCoverage(out, counted);
  const reached = Object.fromEntries(counted.map(({ target, coverage }) => [target, reachedOf(coverage.files)]));
  return {
    reached,
    lines: counted.map(({ target, coverage }, i) => {
      const { lines, allLines, branches, allBranches } = reached[target]!;
      const lost = coverage.lost > 0 ? `; of the last case of ${coverage.lost} virtual machine${coverage.lost === 1 ? '' : 's'} at most the opening is counted` : '';
      return `coverage of ${target}: ${lines} of ${allLines} lines, ${branches} of ${allBranches} branches${lost}: ${join(out, folders[i]!, 'summary.txt')}`;
    }),
  };
}

const jsonOutput: Reporter = {
  event: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
  close: () => undefined,
};

/** Closes every reporter, even where one fails; throws the first failure. */
function closeAll(reporters: readonly Reporter[]): void {
  const failures: unknown[] = [];
  for (const reporter of reporters) {
    try {
      reporter.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It holds something, so it was not made for this run.
  }
}
