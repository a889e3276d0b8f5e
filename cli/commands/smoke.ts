// SPDX-License-Identifier: MIT
/** `ovbd smoke`: whether an adapter works, and in plain words why not. */
import { smokeSteps, trySmoke, type SmokeResult } from '../../engine/smoke.ts';
import { EXIT, UsageError, type Observation } from '../../model/index.ts';
import { manyLines, oneLine } from '../../reports/index.ts';
import { NoTarget } from '../../targets/process/index.ts';
import type { Target } from '../../targets/target.ts';
import { isCommandName, openCommand, whyNot } from '../command-targets.ts';
import { isTargetName, openBuiltin, type OpenOptions } from '../targets.ts';

export interface SmokeOptions {
  /** Milliseconds for each answer. */
  readonly time: number;
  readonly verbose?: boolean;
  /** Files with readers that are known by their command line. */
  readonly targetsFile?: readonly string[];
}

/** What is said, of which the last lines are shown where something went wrong. */
interface Said {
  readonly who: string;
  readonly line: string;
}

/** Characters of a message that are shown, and messages. */
const SHOWN = 200;
const LAST = 4;
const LOG_LINES = 5;

/** Where the mistake is most often, by what was seen. The first that matches is told. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/nothing came in|no answer in time during open/, 'Is standard output flushed after every line? Most languages keep output back where it is no terminal.'],
  [/no answer in time during close/, 'A target ends by itself once it has read "bye", or the end of its input.'],
  [/no answer in time/, 'Every read of the case is answered by one "read" message, in order, and then comes "done". Is standard output flushed?'],
  [/no JSON/, 'Standard output carries messages only: let the reader print to standard error.'],
  [/wrote no bytes to "output"/, 'Write the bytes of a read to the path in its "output" before the answer, unless their SHA-256 is the one in "want".'],
  [/but it wrote \d+ to "output"/, '"output" holds exactly the bytes of that read, from its first, and "result" is how many they are.'],
  [/not that of the bytes in "output"/, '"sha256" is the digest of the bytes that were read, and of nothing else.'],
  [/an answer to the request/, 'Each answer carries the "id" of the request that it answers.'],
  [/after the end of the case/, '"done" is the last message of a case; a refused image is answered by "refused" and "done".'],
  [/it ended/, 'A target reads lines from its standard input, answers each, and ends after "bye".'],
  [/exit code \d+( in mid-message)? in (open|read)/, 'A target answers every case and goes on: an image that it cannot open is "refused", a read that fails has a negative "result".'],
  [/it was refused: (?:[\w.+-]+: error: |.*--help)/, 'That is the program\'s own complaint. Does the command line work by itself, with files that you know to be sound? What follows the entry\'s name is given to the program as it is.'],
  [/must be opened; it was refused/, 'The image is sound. Are "wrapping" (envelopes from the outermost in) and the order of "layers" (bottom to top) heeded?'],
  [/it was opened/, 'A reader that checks its trailer refuses this. Does the adapter pass the reader\'s error on as "refused"?'],
  [/must give (\d+) bytes; it gave/, 'A read gives "length" bytes from "offset", fewer only at the end of the device, and 0 past it.'],
  [/the device must have/, '"size" is the virtual size of the top layer in bytes, or the length of what a ZFile holds.'],
  [/byte \d+ must be/, 'Are "offset" and "length" of the read heeded, "layers" taken bottom to top, and the files those of this case?'],
];

/** Tries everything and prints one line for each. Exit code 0 where all is right, 1 where something is not. */
export async function smoke(name: string, options: SmokeOptions, signal: AbortSignal): Promise<number> {
  const said: Said[] = [];
  const watch = (from: 'runner' | 'target', line: string): void => {
    if (options.verbose) detail(`${from === 'runner' ? 'sent' : 'came'} ${line.slice(0, 4000)}`);
    // The request stays: the answers are to it.
    if (from === 'runner') said.length = 0;
    if (said.length === 0 || from === 'target') said.push({ who: from === 'runner' ? 'sent' : 'came', line });
    if (said.length > LAST) said.splice(1, 1);
  };
  let target: Target;
  try {
    target = await open(name, options.targetsFile, { jobs: 1, signal, answerMs: options.time, watch });
  } catch (error) {
    if (!(error instanceof NoTarget)) throw error;
    print('WRONG   describe');
    explain([error.message], said, '');
    return EXIT.findings;
  }
  try {
    print(`ok      describe: ${target.identity.description}: ${capabilities(target)}`);
    return await tryAll(target, said, signal);
  } finally {
    await target.close();
  }
}

/** What `--target` takes, a reader of a file, or else a command line. Throws `UsageError` where it cannot be had. */
async function open(name: string, targetsFile: readonly string[] | undefined, how: OpenOptions): Promise<Target> {
  if (isTargetName(name)) return openBuiltin(name, how);
  if (!isCommandName(name, targetsFile)) return openBuiltin(`process:${name}`, how);
  const why = await whyNot(name, targetsFile, false);
  if (why !== null) throw new UsageError(`${name}: ${why}`);
  return openCommand(name, targetsFile);
}

async function tryAll(target: Target, said: Said[], signal: AbortSignal): Promise<number> {
  let wrong = 0;
  let tried = 0;
  const session = await target.open();
  try {
    for (const step of smokeSteps(target.stance)) {
      if (step.cases.length === 0) {
        print(`-       ${step.title}: not claimed`);
        continue;
      }
      said.length = 0;
      tried++;
      const result = await trySmoke(step, target, session, signal);
      if (result.wrong) {
        wrong++;
        print(`WRONG   ${step.title}`);
        explain([`it must ${step.must}`, reasonOf(result.wrong)], said, result.wrong.ran.observation?.log ?? '');
      } else print(`ok      ${step.title}`);
    }
  } finally {
    await session.close();
  }
  if (tried === 0) throw new UsageError('the target claims to open neither LSMT layers nor ZFiles: there is nothing to try');
  print(wrong === 0 ? 'all right: ovbd run can use it' : `${wrong} of ${tried} are wrong`);
  return wrong === 0 ? EXIT.ok : EXIT.findings;
}

function capabilities({ stance: { supports }, sizeUnit }: Target): string {
  const list = (words: readonly unknown[], none: string): string => (words.length === 0 ? none : words.join(', '));
  return [
    `devices ${list(supports.devices, 'none')}`, `envelopes ${list(supports.wrappings, 'none')}`, `compression ${list(supports.algorithms, 'none')}`,
    `up to ${supports.maxLayers} layers`, sizeUnit === 1 ? 'says its size itself' : 'block devices in sectors',
  ].join('; ');
}

function reasonOf({ judged, ran }: NonNullable<SmokeResult['wrong']>): string {
  const { verdict, observation } = ran;
  const which = `case ${judged.case.id}`;
  if (verdict.kind === 'unsupported') return `${which}: ${verdict.why}, though it is plain`;
  return `${which}: ${verdict.why}${sawAfter(observation)}`;
}

/** What is told besides the worst, where the target also died. */
function sawAfter(seen: Observation | undefined): string {
  return seen?.death?.phase === 'close' ? ' (after the case, at its end)' : '';
}

function explain(reasons: readonly string[], said: readonly Said[], log: string): void {
  for (const reason of reasons) detail(reason);
  const advice = ADVICE.find(([seen]) => reasons.some((reason) => seen.test(reason)))?.[1];
  if (advice !== undefined) detail(advice);
  for (const { who, line } of said) detail(`${who} ${line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line}`);
  const errors = log.trim().split('\n').slice(-LOG_LINES).join('\n');
  if (errors !== '') process.stdout.write(`        on standard error:\n${manyLines(errors).replaceAll(/^/gm, '          ')}\n`);
}

/** A line below the one that it belongs to. */
function detail(text: string): void {
  process.stdout.write(`        ${oneLine(text)}\n`);
}

function print(text: string): void {
  process.stdout.write(`${oneLine(text)}\n`);
}
