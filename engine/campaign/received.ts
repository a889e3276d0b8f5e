// SPDX-License-Identifier: MIT
/**
 * A batch that was run elsewhere, taken into the campaign. A worker is believed what
 * its targets did, as a target is. That it is this batch, what its cases are expected to do, what they
 * are called and where they are kept is for us to say.
 */
import { isDeepStrictEqual } from 'node:util';
import { UsageError, type BatchFinding, type BatchPlan, type BatchRecord, type Finding, type TargetIdentity } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import type { Target } from '../../targets/target.ts';
import { declaredFlags } from '../prepare.ts';
import { describe } from '../run.ts';
import { imageBytes } from '../screen.ts';

/** A batch of the right form, of which nothing else is known. Findings are in the order of the record. */
export interface Received {
  readonly record: BatchRecord;
  readonly findings: readonly Omit<Finding, 'expectation'>[];
}

/** Gives the record as if the batch had run here, its findings saved. Throws `UsageError` with the reason where it is not of this plan, before anything is saved. */
export async function takeReceived(
  plan: BatchPlan, { record, findings }: Received, targets: readonly Target[],
  saveFinding: (finding: Finding, identity: TargetIdentity) => Promise<{ folder: string; replay: string }>,
): Promise<BatchRecord> {
  const wrong = (what: string): never => { throw new UsageError(what); };
  if (!isDeepStrictEqual(record.plan, plan)) wrong(`it is not of the plan of batch ${plan.number}`);
  const names = Object.keys(plan.shares);
  const of = new Map(targets.map((t) => [t.identity.name, t]));
  if (!isDeepStrictEqual(Object.keys(record.targets).sort(), [...names].sort())) wrong('it is of other targets');
  for (const [name, { cases }] of Object.entries(record.targets)) {
    // A share is a number of whole chunks (engine/screen.ts).
    if (cases < Math.min(plan.shares[name]!, plan.cases) || cases > plan.cases) wrong(`${name} was given ${cases} cases of ${plan.cases}, where its share is ${plan.shares[name]!}`);
  }
  if (Object.keys(record.points).some((name) => !names.includes(name))) wrong('points of code of other targets');
  if (new Set(record.findings.map((f) => `${f.target}\0${f.signature}`)).size < record.findings.length) wrong('a finding is there twice');
  const taken = record.findings.map((found, n): readonly [BatchFinding, Finding] => {
    const finding = findings[n]!;
    const target = names.includes(found.target) ? of.get(found.target)! : wrong(`a finding of ${found.target}, which is none of its targets`);
    for (const key of ['target', 'signature', 'kind', 'clause', 'firstCase', 'count', 'confirmation', 'label'] as const) {
      if (!isDeepStrictEqual(finding[key], found[key])) wrong(`finding ${n}: its folder and the record differ in "${key}"`);
    }
    return [found, { ...finding, expectation: examine(finding.smallest, declaredFlags([target])).expectation }];
  });
  const kept: BatchFinding[] = [];
  for (const [found, finding] of taken) {
    const { identity, family } = of.get(found.target)!;
    kept.push({ ...found, family: family ?? null, smallest: describe(finding), bytes: imageBytes(finding.smallest), ...await saveFinding(finding, identity) });
  }
  return { ...record, plan, findings: kept, gain: { signatures: 0, sights: 0, points: 0 }, at: 0 };
}
