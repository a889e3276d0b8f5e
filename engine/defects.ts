// SPDX-License-Identifier: MIT
/**
 * Proof of the suite's sight: a reader is given one defect at a time, and the
 * cases of a run must show each. Which defects a case can show is learnt from
 * the sound reader: it asks for a defect only where that would matter, so a
 * case on which it asks for none judges nobody but itself.
 */
import { drawCase } from '../generators/draw.ts';
import { isFindingKind } from '../model/index.ts';
import { DEFECTS, type Defect, type DefectName } from '../targets/fakes/reader/defects.ts';
import { readerTarget, readerWith } from '../targets/fakes/reader/target.ts';
import { execute, type Executed } from './execute.ts';
import { prepare, type Prepared } from './prepare.ts';
import { shrink, shrinkBudget, type Shrunk } from './shrink.ts';

/** The first case that shows a defect. */
export interface FoundDefect {
  readonly defect: Defect;
  /** Cases drawn until then, this one included. */
  readonly cases: number;
  readonly shown: Executed;
  /** Made again where it is needed: cases are large. */
  readonly prepared: () => Prepared;
}

export interface DefectScreen {
  /** In the order of the list of defects. */
  readonly found: readonly FoundDefect[];
  readonly missed: readonly Defect[];
  /** Cases on which the sound reader and the suite differ: one of the two is wrong. */
  readonly disputed: readonly { readonly case: string; readonly why: string }[];
  readonly casesRun: number;
}

/** Runs the cases 0, 1, … of a seed, at most `limit`, until each defect has shown. */
export async function screenDefects(seed: number, limit: number, defects: readonly Defect[] = DEFECTS): Promise<DefectScreen> {
  const open = new Map<string, Defect>(defects.map((d) => [d.name, d]));
  const found = new Map<string, FoundDefect>();
  const disputed: { case: string; why: string }[] = [];
  const asked = new Set<DefectName>();
  const sound = readerWith((name) => {
    asked.add(name);
    return false;
  }, 'fake-reader', 'the sound reader');
  const soundSession = await sound.open();
  let cases = 0;
  for (; cases < limit && open.size > 0; cases++) {
    const index = cases;
    const prepared = prepare(drawCase(seed, index));
    asked.clear();
    const [{ verdict }] = await execute(sound, soundSession, [prepared]) as [Executed];
    if (verdict.kind !== 'pass') {
      disputed.push({ case: prepared.case.id, why: `${verdict.kind} ${verdict.clause ?? ''}: ${verdict.why}` });
      continue;
    }
    for (const name of [...asked]) {
      const defect = open.get(name);
      if (!defect) continue;
      const target = readerTarget(name);
      const [shown] = await execute(target, await target.open(), [prepared]) as [Executed];
      if (!isFindingKind(shown.verdict.kind)) continue;
      open.delete(name);
      found.set(name, { defect, cases: index + 1, shown, prepared: () => prepare(drawCase(seed, index)) });
    }
  }
  const inOrder = defects.flatMap((d) => found.get(d.name) ?? []);
  return { found: inOrder, missed: [...open.values()], disputed, casesRun: cases };
}

/** Executions of the first attempt to shrink; the next has twice as many. */
const FIRST_ATTEMPT = 60;

/**
 * Shrinks the case that showed a defect, as a run does with a finding, until
 * it is `enough` or about `executions` of a cheap kind are spent.
 */
export async function shrinkDefect({ defect, shown, prepared }: FoundDefect, executions: number, enough: (smallest: Prepared) => boolean): Promise<Shrunk> {
  const target = readerTarget(defect.name as DefectName);
  const session = await target.open();
  const { kind } = shown.verdict;
  if (!isFindingKind(kind)) throw new Error(`${defect.name} was found by no finding`);
  let shrunk: Shrunk = { smallest: prepared(), shown, executions: 0 };
  for (let attempt = FIRST_ATTEMPT; attempt <= executions && !enough(shrunk.smallest); attempt *= 2) {
    const more = await shrink(target, session, shrunk.smallest, shrunk.shown, shrinkBudget(kind, attempt), new AbortController().signal, undefined, true);
    shrunk = { ...more, executions: shrunk.executions + more.executions };
  }
  return shrunk;
}
