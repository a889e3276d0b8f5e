// SPDX-License-Identifier: MIT
/** `ovbd check`: every clause that layers and their stack violate, with file, byte, and what was expected. */
import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { EXIT, UsageError } from '../../model/index.ts';
import { checkSteps, type CheckProgress, type CheckResult, type FoundViolation } from '../../oracles/check.ts';
import { oneLine } from '../../reports/index.ts';
import { clauseOf } from '../../spec/index.ts';
import { isOneFile, layersNamed, openLayers, UnreadableFile, type LayerPaths } from '../image-files.ts';
import { print } from '../print.ts';

export interface CheckOptions {
  readonly as: 'device' | 'zfile';
  readonly remote?: string;
  readonly json?: boolean;
}

/** Exit code 0 where no MUST clause is violated, 1 where one is or a file cannot be read. */
export async function check(layers: readonly string[], options: CheckOptions, signal: AbortSignal): Promise<number> {
  const names = layersNamed(layers, options.as);
  if (options.remote !== undefined && !isOneFile(names)) throw new UsageError('--remote goes with one warp layer, not with a stack or a writable pair');
  if (options.remote !== undefined && !existsSync(options.remote)) throw new UsageError(`${options.remote}: no such file`);
  let opened: ReturnType<typeof openLayers> | undefined;
  try {
    opened = openLayers(names, options.remote);
    const result = await stepByStep(checkSteps(opened.inputs, options.as), signal);
    await print([options.json ? asJson(result, names) : asText(result, names)], signal);
    return result.count.MUST > 0 ? EXIT.findings : EXIT.ok;
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    process.stderr.write(`${oneLine(error.message)}\n`);
    return EXIT.findings;
  } finally {
    opened?.close();
  }
}

/** Lets signals in between the steps. */
async function stepByStep(steps: Generator<CheckProgress, CheckResult>, signal: AbortSignal): Promise<CheckResult> {
  const progress = makeProgress();
  try {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      progress.show(step.value);
      await setImmediate();
      signal.throwIfAborted();
    }
  } finally {
    progress.clear();
  }
}

/** Milliseconds before progress is worth a line, and between two. */
const PATIENCE = 2000;
const INTERVAL = 200;

/** One line on a terminal, gone when the check is over. */
function makeProgress(): { show(progress: CheckProgress): void; clear(): void } {
  let next = process.stderr.isTTY ? performance.now() + PATIENCE : Infinity;
  let shown = false;
  return {
    show({ done, total }) {
      if (performance.now() < next) return;
      next = performance.now() + INTERVAL;
      shown = true;
      process.stderr.write(`\rchecking: ${Math.floor((done / total) * 100)} % of ${(total / 2 ** 20).toFixed(0)} MiB`);
    },
    clear() {
      if (shown) process.stderr.write('\r\u001b[K');
    },
  };
}

function fileOf(v: FoundViolation, names: readonly LayerPaths[]): string {
  if (v.layer === null) return 'stack';
  const { data, index } = names[v.layer]!;
  return v.file === 'index' ? index! : data;
}

function asText({ layers, violations, count }: CheckResult, names: readonly LayerPaths[]): string {
  const lines: string[] = [];
  const told = new Set<string>();
  for (const v of violations) {
    const place = v.layer === null ? '' : `: byte ${v.at}${v.file === 'decoded' ? ' of the decoded file' : ''}`;
    lines.push(oneLine(`${fileOf(v, names)}${place}: ${v.clause} (${v.level}): ${v.why}`));
    if (told.has(v.clause)) continue;
    told.add(v.clause);
    lines.push(`    ${v.clause}: ${clauseOf(v.clause).text}${v.flag === undefined ? '' : ` (contested: ${v.flag})`}`);
  }
  layers.forEach((layer, i) => {
    const more = layer.unlisted.MUST + layer.unlisted.SHOULD + layer.unlisted.MAY;
    if (more > 0) lines.push(oneLine(`${names[i]!.data}: ${more} more violations are not listed`));
    if (layer.cutShort) lines.push(oneLine(`${names[i]!.data}: could not be checked to its end`));
  });
  const blocks = layers.reduce((sum, l) => sum + l.blocks, 0);
  const entries = layers.reduce((sum, l) => sum + l.entries, 0);
  lines.push(`checked ${some(layers.length, 'layer')}, ${some(blocks, 'block')}, ${some(entries, 'index entry', 'index entries')}: `
    + `${some(count.MUST, 'violation')}, ${some(count.SHOULD + count.MAY, 'warning')}`);
  return `${lines.join('\n')}\n`;
}

function some(n: number, one: string, many = `${one}s`): string {
  return n === 1 ? `1 ${one}` : `${n} ${many}`;
}

function asJson(result: CheckResult, names: readonly LayerPaths[]): string {
  const layers = result.layers.map((layer, i) => ({ ...names[i]!, ...layer }));
  const violations = result.violations.map((v) => ({ path: v.layer === null ? null : fileOf(v, names), ...v, text: clauseOf(v.clause).text }));
  return `${JSON.stringify({ layers, violations, count: result.count }, null, 2)}\n`;
}
