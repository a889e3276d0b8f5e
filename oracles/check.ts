// SPDX-License-Identifier: MIT
/** Every violation in layers and stacks, where a reader stops at the first: the strict reader, told to go on. */
import { clauseOf, type Level } from '../spec/index.ts';
import type { Wrapper } from '../model/index.ts';
import { guessLayer, type LayerInput } from './guess.ts';
import type { LsmtLayer } from './layer.ts';
import { checkCount, openForm, unwrap } from './stack.ts';
import { collecting, Violation, type Leniency } from './violation.ts';

/** One clause that one place of one file breaks. */
export interface FoundViolation {
  /** 0 = bottom; null for the stack as a whole. */
  readonly layer: number | null;
  /** What `at` counts in: the layer's file, what the ZFile in it decodes to, or the index file of a pair. */
  readonly file: 'file' | 'decoded' | 'index';
  readonly clause: string;
  readonly level: Level;
  /** Where the clause is contested: the flag by which a reader declares the other side. */
  readonly flag?: string;
  /** Whether a reader meets it when it opens the file or when it reads the place. */
  readonly phase: 'open' | 'read';
  /** Byte position. */
  readonly at: number;
  /** What was found and what was expected. */
  readonly why: string;
}

export interface CheckedLayer {
  readonly wrapping: readonly Wrapper[];
  /** Null where it could not be opened. */
  readonly form: LsmtLayer['form'] | null;
  /** Bytes; null where the layer could not be opened. */
  readonly virtualSize: number | null;
  /** Blocks of the ZFile; 0 where there is none. */
  readonly blocks: number;
  /** Entries of the LSMT index, INVALID ones included. */
  readonly entries: number;
  /** Whether something kept the reader from the rest of the layer. */
  readonly cutShort: boolean;
  /** Violations that are counted and not listed, by level. */
  readonly unlisted: Readonly<Record<Level, number>>;
}

export interface CheckResult {
  readonly layers: readonly CheckedLayer[];
  /** Bottom layer first; within a layer in the order in which the reader met them. */
  readonly violations: readonly FoundViolation[];
  /** Violations of each level, listed or not. */
  readonly count: Readonly<Record<Level, number>>;
}

/** How far a check is: bytes of files. */
export interface CheckProgress {
  readonly done: number;
  readonly total: number;
}

/** Violations of one layer that are listed; the rest is counted. */
export const MAX_LISTED = 1000;

/** Runs `checkSteps` to its end. */
export function checkLayers(layers: readonly LayerInput[], as: 'device' | 'zfile' = 'device'): CheckResult {
  const steps = checkSteps(layers, as);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * Checks layers bottom to top: envelopes, every block, the LSMT container and
 * its index. `as` zfile leaves out what the ZFile holds. Never throws for what
 * a file holds. Yields every few MiB, so that the caller can stop it.
 */
export function* checkSteps(layers: readonly LayerInput[], as: 'device' | 'zfile' = 'device'): Generator<CheckProgress, CheckResult> {
  const total = layers.reduce((sum, l) => sum + l.file.size, 0);
  const violations: FoundViolation[] = [];
  const checked: CheckedLayer[] = [];
  const stack = new Findings(null);
  if (as === 'device') checkCount(layers.length, collecting((v) => stack.add(v, 'file', 'open', v.at)));
  violations.push(...stack.listed);
  let before = 0;
  for (const [i, input] of layers.entries()) {
    const findings = new Findings(i);
    for (const layer of checkLayer(input, as, findings)) {
      if (typeof layer === 'number') yield { done: before + layer, total };
      else checked.push({ ...layer, unlisted: findings.unlisted });
    }
    violations.push(...findings.listed);
    before += input.file.size;
  }
  const count = { MUST: 0, SHOULD: 0, MAY: 0 };
  for (const v of violations) count[v.level]++;
  for (const { unlisted } of checked) for (const level of LEVELS) count[level] += unlisted[level];
  return { layers: checked, violations, count };
}

const LEVELS: readonly Level[] = ['MUST', 'SHOULD', 'MAY'];

/** What is found in one layer. */
class Findings {
  readonly listed: FoundViolation[] = [];
  readonly unlisted: Record<Level, number> = { MUST: 0, SHOULD: 0, MAY: 0 };
  readonly #layer: number | null;

  constructor(layer: number | null) {
    this.#layer = layer;
  }

  add(v: Violation, file: FoundViolation['file'], phase: FoundViolation['phase'], at: number): void {
    const { level, flag } = clauseOf(v.clause);
    if (this.listed.length >= MAX_LISTED) {
      this.unlisted[level]++;
      return;
    }
    this.listed.push({
      layer: this.#layer, file, clause: v.clause, level, ...(flag === undefined ? {} : { flag }), phase, at, why: v.message,
    });
  }
}

/** Yields bytes of the file that are behind it, and at last the layer. */
function* checkLayer(input: LayerInput, as: 'device' | 'zfile', findings: Findings): Iterable<number | Omit<CheckedLayer, 'unlisted'>> {
  const source = guessLayer(input);
  let phase: FoundViolation['phase'] = 'open';
  /** Where the tar's member starts, bytes; 0 as long as it is the tar that is judged. */
  let start = 0;
  let decoded = false;
  let blocks = 0;
  let verified = false;
  let lsmt: LsmtLayer | null = null;
  let cutShort = false;

  const add = (v: Violation): void => {
    const container = v.clause.startsWith('ZF-');
    // All that is wrong with blocks is told before the layer in them is read through them.
    if (container && verified) return;
    if (v.inIndexFile) findings.add(v, 'index', phase, v.at);
    else if (decoded && !container) findings.add(v, 'decoded', phase, v.at);
    else findings.add(v, 'file', phase, start + v.at);
  };
  const lenient: Leniency = collecting(add);
  try {
    const { inner, zfile } = unwrap(source, lenient, (at) => { start = at; });
    if (zfile) {
      decoded = true;
      blocks = zfile.blocks;
      phase = 'read';
      for (const at of zfile.verify()) yield start + at;
      phase = 'open';
      verified = true;
    }
    if (as === 'device') lsmt = openForm(source, inner, lenient);
    else if (!zfile) throw new Violation('ZF-HDR-02', 0, 'the header lacks the magic values');
  } catch (e) {
    if (!(e instanceof Violation)) throw e;
    cutShort = true;
    add(e);
  }
  yield {
    wrapping: source.wrapping, form: lsmt?.form ?? null, virtualSize: lsmt?.virtualSize ?? null, blocks, entries: lsmt?.entries ?? 0, cutShort,
  };
}
