// SPDX-License-Identifier: MIT
/** Trials of `ovbd lab cycle` and `ovbd fs`: on every column that is asked for, into a folder as a run's. */
import { join } from 'node:path';
import { openBench, type Bench } from '../engine/procedure.ts';
import { runTrials, type Trial } from '../engine/trials.ts';
import type { Event, Procedure, Reporter } from '../model/index.ts';
import { JsonlReporter, JunitReporter, TerminalReporter, saveFinding } from '../reports/index.ts';
import { openKernelTarget } from '../targets/kernel/kernel-target.ts';
import { Cache, prepareLab, Steps } from '../targets/kernel/lab/index.ts';
import type { Target } from '../targets/target.ts';
import { columnsOf, subjectOf, type Kernels, type Subject } from './columns.ts';
import { makeOutFolder, replayCommand } from './out-folder.ts';
import { EXIT_STOPPED } from './stop.ts';
import { suiteVersion } from './version.ts';

/** What both commands take. */
export interface TrialOptions extends Subject, Kernels {
  readonly out?: string;
}

/** Opens the columns, tries everything on each, and reports as `ovbd run` does. Gives the exit code. */
export async function runOnColumns(kind: Procedure['kind'], seed: number, trials: readonly Trial[], options: TrialOptions, steps: Steps, signal: AbortSignal): Promise<number> {
  const cache = new Cache();
  const role = subjectOf(options).length > 0 ? 'patch' : 'stock';
  const columns = await columnsOf([role], options, (text) => steps.note(text), signal);
  const targets: Target[] = [];
  const reporters: Reporter[] = [];
  try {
    const benches: Bench[] = [];
    for (const column of columns) {
      const lab = await prepareLab({ ...column.lab, kernel: column.kernel, sanitize: column.sanitize, emulator: column.emulator, cache, steps, signal });
      const target = await openKernelTarget(lab, { name: column.name, remake: column.remake, steps, cacheDir: cache.root, lanes: 1, signal });
      targets.push(target);
      benches.push(await openBench(kind, lab, target, cache, steps, signal));
    }
    const out = makeOutFolder(options.out);
    const { stdout } = process;
    const terminal = new TerminalReporter({ write: (text) => void stdout.write(text), isTTY: stdout.isTTY, colour: stdout.isTTY && !process.env['NO_COLOR'], quiet: true });
    reporters.push(new JsonlReporter(join(out, 'run.jsonl')), new JunitReporter(join(out, 'junit.xml')), terminal);
    const footer = await runTrials({
      suite: `overlaybd-conformance ${suiteVersion()}`, seed, trials, benches, signal,
      saveFinding: async (finding, identity) => saveFinding(out, finding, identity, replayCommand),
      step: (what, work) => steps.run(what, work),
      said: (target, trial, { verdict, text }) => terminal.line(`${target} ${trial}: ${[verdict.signature ?? verdict.kind, text].filter((part) => part !== '').join('; ')}`),
    }, (event: Event) => {
      const shown = event.type === 'footer' && signal.aborted ? { ...event, exitCode: EXIT_STOPPED } : event;
      for (const reporter of reporters) reporter.event(shown);
    });
    terminal.line(`report in ${out}: run.jsonl, junit.xml${footer.findings + footer.unreliable > 0 ? ', findings/' : ''}`);
    return signal.aborted ? EXIT_STOPPED : footer.exitCode;
  } finally {
    for (const reporter of reporters) reporter.close();
    await Promise.allSettled(targets.map((t) => t.close()));
  }
}
