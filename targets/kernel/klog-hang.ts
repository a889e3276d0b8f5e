// SPDX-License-Identifier: MIT
/** Where a guest hangs, from the stacks of all tasks. */
import { bareName, frameOf, isGeneric, linesOf, plainLine, sameModule, type Frame } from './klog-lines.ts';

/**
 * The title of a hang: the code under test in the agent's own stack, else what a
 * workqueue runs or waits to run of it, else in any stack; else the function
 * that the agent waits in. `hang` where the log tells none of these.
 */
export function hangTitle(log: string, module?: string): string {
  const lines = linesOf(log).map(plainLine);
  const own = (frames: readonly Frame[]): string | undefined => frames.find((frame) => sameModule(frame.module, module))?.name;
  const start = lines.indexOf('agent stack');
  const end = lines.findIndex((line, i) => i > start + 1 && frameOf(line) === undefined);
  const agent = start < 0 ? [] : framesIn(lines.slice(start, end < 0 ? undefined : end));
  const where = own(agent) ?? queuedIn(lines, module) ?? own(framesIn(lines)) ?? agent.find((frame) => !isGeneric(frame))?.name ?? interrupted(lines);
  return where === undefined ? 'hang' : `hang in ${where}`;
}

function framesIn(lines: readonly string[]): Frame[] {
  return lines.map(frameOf).filter((frame) => frame !== undefined);
}

/** What a workqueue runs or waits to run of the module. */
function queuedIn(lines: readonly string[], module: string | undefined): string | undefined {
  for (const line of lines) {
    if (!/^\s*(?:in-flight|pending|inactive): /.test(line)) continue;
    for (const match of line.matchAll(/([A-Za-z_][\w.]*) \[([\w-]+)\]/g)) if (sameModule(match[2], module)) return bareName(match[1]!);
  }
  return undefined;
}

/** What the NMI of the last resort interrupted; a processor that idles hangs nobody. */
function interrupted(lines: readonly string[]): string | undefined {
  const at = lines.findIndex((line) => line.trim() === '</NMI>');
  const name = at < 0 ? undefined : framesIn(lines.slice(at, at + 160)).find((frame) => !isGeneric(frame))?.name;
  return name !== undefined && /idle/.test(name) ? undefined : name;
}
