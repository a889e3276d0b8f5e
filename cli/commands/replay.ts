// SPDX-License-Identifier: MIT
/** `ovbd replay`: a stored finding, run again and shown beside what was expected. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { declaredFlags } from '../../engine/prepare.ts';
import { attempt, openBench, type Tried } from '../../engine/procedure.ts';
import { explainFinding, replayFinding } from '../../engine/replay.ts';
import { EngineError, EXIT, UsageError, isFindingKind, isUserspace, procedureText, type Observation, type Procedure, type TargetIdentity } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import {
  count, loadFinding, loadRepro, manyLines, observationSummary, oneLine, sha256,
  type ObservationSummary, type OutcomeSummary, type ReadSummary, type StoredFinding,
} from '../../reports/index.ts';
import { openKernelTarget } from '../../targets/kernel/kernel-target.ts';
import { Cache, prepareLab, Steps } from '../../targets/kernel/lab/index.ts';
import { hashSources, readSourceFolder } from '../../targets/kernel/lab/sources.ts';
import { runScript } from '../../targets/kernel/script-vm.ts';
import { isCommandName, openCommand } from '../command-targets.ts';
import { columnsOf, subjectOf, userspaceColumnsOf, type KernelColumn, type Subject, type UserspaceColumn } from '../columns.ts';
import { isTargetName, openBuiltin, openKernel, openUserspace, type LabTools, type TargetName } from '../targets.ts';

export interface ReplayOptions extends Omit<Subject, 'patch'> {
  readonly patch?: string;
  readonly times: number;
  /** Run its repro.sh instead. */
  readonly script?: boolean;
}

/** Lines of the kernel log that are printed, and reads that are. */
const LOG_LINES = 30;
const READS = 8;

/** Runs the finding again. Exit code 1 where its signature, or another one, shows; 0 where none does. */
export async function replay(folder: string, options: ReplayOptions, signal: AbortSignal): Promise<number> {
  const finding = loadFinding(folder);
  const name = finding.target.remake['kind'] ?? finding.target.name;
  const role = roleOf(finding);
  const targetsFile = finding.target.remake['targetsFile'];
  const files = targetsFile === undefined ? [] : [targetsFile];
  const isCommand = role === undefined && !isTargetName(name) && isCommandName(name, files);
  const inUserspace = isUserspace(finding.target);
  if (role === undefined && !inUserspace && !isCommand && !isTargetName(name)) throw new UsageError(`${folder}: found on a target "${name}", which this version does not have`);
  const { times: _, script, patch, ...rest } = options;
  const given: Subject = { ...rest, ...(patch !== undefined && { patch: [patch] }) };
  const [first] = subjectOf(given);
  if (first !== undefined && role !== 'patch' && !inUserspace) throw new UsageError(`--${first}: the finding is of the target ${name}, which takes none`);
  const tools = { cache: new Cache(), steps: new Steps(), signal };
  if (finding.procedure !== undefined) {
    if (script) throw new UsageError('--script: a script makes devices and reads them once, which does not show this finding');
    if (role === undefined) throw new UsageError(`${folder}: found on the target ${name}, which runs in no virtual machine`);
    return replayProcedure(finding, finding.procedure, await columnOf(finding, role, given, tools), options.times, tools);
  }
  if (script) {
    if (role === undefined) throw new UsageError(`--script: the finding is of the target ${name}, which runs in no virtual machine`);
    return replayScript(finding, await columnOf(finding, role, given, tools), tools);
  }
  const target = inUserspace ? await openUserspace(await userspaceColumnOf(finding, given, tools), 1, tools) : isCommand ? await openCommand(name, files) : role === undefined ? await openBuiltin(name as TargetName, { jobs: 1, signal, ...(finding.target.remake['cwd'] !== undefined && { cwd: finding.target.remake['cwd'] }) }) : await openKernel(await columnOf(finding, role, given, tools), 1, tools);
  try {
    print(`${finding.kind}  ${finding.signature}`);
    print(`target    ${target.identity.description}`);
    differences(finding.target, target.identity).forEach(print);
    print(`case      ${finding.smallest.id}${finding.before.length > 0 ? `, after ${count(finding.before.length, 'other case')}` : ''}`);
    const result = await replayFinding(finding, target, { times: options.times, signal });
    print(`expected  ${outcomeLine(finding.expectation.strict)}`);
    if (result.observation) printObservation(finding.expectation.strict, result.observation);
    print(`verdict   ${[result.verdict.signature ?? result.verdict.kind, result.verdict.why].filter(Boolean).join(': ')}`);
    if (result.verdict.kind === 'engine-error') return EXIT.engine;
    const explained = result.observation && result.verdict.signature ? await explainFinding(target, result.verdict.signature, result.observation) : undefined;
    if (explained && explained.where.length > 0) print(`where     ${explained.where.join(' ← ')}`);
    printLog(explained?.report ?? result.observation?.log ?? '');
    if (result.shown > 0) {
      print(`shown again: ${result.shown} of ${result.tried}`);
      return EXIT.findings;
    }
    const then = finding.confirmation;
    print(`not shown: 0 of ${result.tried}; when it was found: ${then.shown} of ${then.tried}`);
    if (!isFindingKind(result.verdict.kind)) return EXIT.ok;
    print(`but another one: ${result.verdict.signature}`);
    return EXIT.findings;
  } finally {
    await target.close();
  }
}

/** Runs the finding's repro.sh. Exit code 1 where it shows something or the kernel dies of it; 0 where not. */
async function replayScript(finding: StoredFinding, column: KernelColumn, tools: LabTools): Promise<number> {
  const text = loadRepro(finding.path);
  if (text === undefined) throw new UsageError(`${finding.path}: there is no repro.sh: the finding has no tables of the patch, or was stored by an older version`);
  const lab = await prepareLab({ ...column.lab, kernel: column.kernel, sanitize: column.sanitize, emulator: column.emulator, ...tools });
  const { output, exitCode, death } = await runScript(text, lab, tools.cache, tools.steps, tools.signal);
  process.stdout.write(`${manyLines(output.trimEnd())}\n`);
  if (death !== undefined) print(`the kernel died: ${death}`);
  if (exitCode === 2) throw new EngineError('the script could not be tried: its last line says why');
  return exitCode === 0 ? EXIT.ok : EXIT.findings;
}

/** Does again what was done with the case's device. Exit code 1 where the signature, or another one, shows; 0 where none does. */
async function replayProcedure(finding: StoredFinding, procedure: Procedure, column: KernelColumn, times: number, { cache, steps, signal }: LabTools): Promise<number> {
  const lab = await prepareLab({ ...column.lab, kernel: column.kernel, sanitize: column.sanitize, emulator: column.emulator, cache, steps, signal });
  const target = await openKernelTarget(lab, { name: column.name, remake: column.remake, steps, cacheDir: cache.root, lanes: 1, signal });
  try {
    const bench = await openBench(procedure.kind, lab, target, cache, steps, signal);
    print(`${finding.kind}  ${finding.signature}`);
    print(`target    ${target.identity.description}`);
    differences(finding.target, target.identity).forEach(print);
    print(`case      ${finding.smallest.id}: ${procedureText(procedure)}`);
    const { case: c, expectation } = examine(finding.smallest, declaredFlags([target]));
    let tried: Tried | undefined;
    let n = 0;
    while (n < times && tried?.verdict.signature !== finding.signature && !signal.aborted) {
      n++;
      tried = await steps.run(`${c.id}, ${n} of ${times}`, () => attempt(bench, c, expectation, procedure, signal));
    }
    if (tried === undefined) return EXIT.ok;
    const { verdict, observation, text } = tried;
    if (text !== '') print(`observed  ${text}`);
    print(`verdict   ${[verdict.signature ?? verdict.kind, verdict.why].filter(Boolean).join(': ')}`);
    const explained = observation && verdict.signature ? await explainFinding(target, verdict.signature, observation) : undefined;
    if (explained && explained.where.length > 0) print(`where     ${explained.where.join(' ← ')}`);
    // A sound kernel's log tells nothing of a file that is not as it was.
    if (explained !== undefined) printLog(explained.report);
    const shown = verdict.signature === finding.signature;
    print(shown ? `shown again: 1 of ${n}` : `not shown: 0 of ${n}; when it was found: ${finding.confirmation.shown} of ${finding.confirmation.tried}`);
    if (!shown && isFindingKind(verdict.kind)) print(`but another one: ${verdict.signature}`);
    return verdict.kind === 'engine-error' ? EXIT.engine : isFindingKind(verdict.kind) ? EXIT.findings : EXIT.ok;
  } finally {
    await target.close();
  }
}

function print(text: string): void {
  process.stdout.write(`${oneLine(text)}\n`);
}

function printObservation(expected: OutcomeSummary, observation: Observation): void {
  const observed = observationSummary(observation);
  print(`observed  ${observationLine(observed)}`);
  readLines(expected, observed).forEach(print);
}

function printLog(log: string): void {
  if (log.trim()) process.stdout.write(`\nkernel log (excerpt):\n${manyLines(excerpt(log))}\n\n`);
}

/** Whether a kernel target showed it, and which kind; findings of older versions are told by their target's name. */
function roleOf({ target: { name, remake } }: StoredFinding): KernelColumn['role'] | undefined {
  const role = remake['role'] ?? name;
  return role === 'stock' || role === 'patch' ? role : undefined;
}

/** The column that showed it: on its kernel, with its module unless another one is given. */
async function columnOf(finding: StoredFinding, role: KernelColumn['role'], given: Subject, { cache, steps, signal }: LabTools): Promise<KernelColumn> {
  const { remake } = finding.target;
  const subject = role === 'stock' ? {} : subjectOf(given).length > 0 ? given : await remadeSubject(finding, cache);
  const columns = await columnsOf([role], {
    ...subject,
    ...(remake['kernel'] !== undefined && { kernel: [remake['kernel']] }),
    ...(remake['kernel-build'] !== undefined && { kernelBuild: [remake['kernel-build']] }),
    ...(remake['sanitize'] !== undefined && { sanitize: 'only' as const }),
  }, (text) => steps.note(text), signal);
  if (columns.length > 1) throw new UsageError(`--patch ${given.patch![0]} holds ${columns.map((c) => c.name).join(', ')}: choose one, as in --patch '${given.patch![0]}#${columns.at(-1)!.name}'`);
  return { ...columns[0]!, name: finding.target.name };
}

/** The version that showed it in userspace, unless another one is given. */
async function userspaceColumnOf(finding: StoredFinding, given: Subject, { steps, signal }: LabTools): Promise<UserspaceColumn> {
  const { patch, source } = finding.target.remake;
  const subject: Subject = subjectOf(given).length > 0 ? given : { ...(patch !== undefined && { patch: [patch] }), ...(source !== undefined && { source }) };
  if (subject.module !== undefined || subjectOf(subject).length === 0) throw new UsageError(`${finding.path}: found in userspace, for which the sources are needed: give --patch or --source`);
  const columns = await userspaceColumnsOf(subject, (text) => steps.note(text), signal);
  if (columns.length > 1) throw new UsageError(`--patch ${subject.patch![0]} holds ${columns.length} versions: choose one, as in --patch '${subject.patch![0]}#${columns.at(-1)!.name.split('/')[0]}'`);
  return { ...columns[0]!, name: finding.target.name };
}

/** The module under test as the cache has kept it, which is what was run; else what the run was given, whatever that is now. */
async function remadeSubject(finding: StoredFinding, cache: Cache): Promise<Subject> {
  const { remake, parts } = finding.target;
  for (const key of await cache.list('module')) {
    const folder = cache.find('module', key);
    if (folder === undefined) continue;
    const subject = await cachedSubject(folder, parts).catch(() => undefined);
    if (subject) return subject;
  }
  const { patch, source, module } = remake;
  const subject: Subject = { ...(patch !== undefined && { patch: [patch] }), ...(source !== undefined && { source }), ...(module !== undefined && { module }) };
  if (subjectOf(subject).length > 0) return subject;
  throw new UsageError(`${finding.path}: the module it was found with is no longer in the cache: give --patch, --source or --module`);
}

/** The very sources, or the very module, by content. */
async function cachedSubject(folder: string, parts: TargetIdentity['parts']): Promise<Subject | undefined> {
  const source = join(folder, 'sources');
  const sources = await readSourceFolder(source).catch(() => undefined);
  if (sources !== undefined) return hashSources(sources) === parts['sources'] ? { source } : undefined;
  const module = join(folder, 'dm-overlaybd.debug.ko');
  return sha256(readFileSync(module)) === parts['sources'] ? { module } : undefined;
}

/** What is not as it was when the finding was made. */
function differences(then: TargetIdentity, now: TargetIdentity): string[] {
  return [...new Set([...Object.keys(then.parts), ...Object.keys(now.parts)])]
    .filter((key) => then.parts[key] !== now.parts[key])
    .map((key) => `note      ${key} is ${now.parts[key] ?? 'absent'}, was ${then.parts[key] ?? 'absent'} when it was found`);
}

function outcomeLine(outcome: OutcomeSummary): string {
  if (outcome.outcome === 'open') return `opens, ${outcome.size} bytes`;
  return `refused: ${outcome.clause} in layer ${outcome.layer} at byte ${outcome.at}: ${outcome.why}`;
}

function observationLine(observation: ObservationSummary): string {
  const { open, size, refusal, death, complaints, engineError } = observation;
  if (engineError !== undefined) return `nothing: the suite itself failed: ${engineError}`;
  return [
    open === 'opened' ? `opened, ${size ?? '?'} bytes` : open === 'refused' ? `refused: ${refusal ?? 'no reason given'}` : 'neither opened nor refused',
    ...(death ? [`${death.kind} in ${death.phase}: ${death.title}`] : []),
    ...complaints.map((c) => `${c.kind}: ${c.title}`),
  ].join('; ');
}

/** The reads that did not give what they should. */
function readLines(expected: OutcomeSummary, observed: ObservationSummary): string[] {
  if (expected.outcome !== 'open') return [];
  const lines = expected.reads.flatMap((want, n) => {
    const got = observed.reads[n];
    if (got === undefined || (got.sha256 === (want.outcome === 'bytes' ? want.sha256 : '') && !got.spill)) return [];
    const spill = got.spill ? `, ${got.spill.before + got.spill.after} bytes changed outside the buffer` : '';
    return [`read ${n}`.padEnd(10) + `expected ${expectedRead(want)}; observed ${observedRead(got)}${spill}`];
  });
  return lines.length > READS ? [...lines.slice(0, READS), `          and ${lines.length - READS} more reads`] : lines;
}

function expectedRead(read: ReadSummary): string {
  if (read.outcome === 'error') return `an error (${read.clause})`;
  if (read.outcome === 'any') return `anything (${read.clause})`;
  return `${count(read.length, 'byte')}, SHA-256 ${read.sha256.slice(0, 12)}…`;
}

function observedRead(read: ObservationSummary['reads'][number]): string {
  if (read.result < 0) return errnoName(read.result);
  return `${count(read.result, 'byte')}, SHA-256 ${read.sha256.slice(0, 12)}…`;
}

function errnoName(negative: number): string {
  try {
    return getSystemErrorName(negative);
  } catch {
    return `error ${negative}`;
  }
}

/** From the first complaint on; the last lines where there is none. */
function excerpt(log: string): string {
  const lines = log.trimEnd().split('\n');
  const first = lines.findIndex((line) => /BUG|Oops|WARNING|KASAN|UBSAN|protection fault|\[#\d+\]|panic|hung|stall/i.test(line));
  return (first >= 0 ? lines.slice(first, first + LOG_LINES) : lines.slice(-LOG_LINES)).join('\n');
}
