// SPDX-License-Identifier: MIT
/** What was found before is tried first: still there, gone, or another one in its place. */
import {
  isFindingKind, isUserspace, familyOf, UNCONFIRMED,
  type BatchFinding, type Case, type Confirmation, type EarlierFinding, type Finding, type FindingKind, type Procedure, type TargetIdentity,
} from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import type { Target } from '../../targets/target.ts';
import { RACE_TRIES, TRIES } from '../confirm.ts';
import { declaredFlags } from '../prepare.ts';
import { explainFinding, replayFinding } from '../replay.ts';
import { describe } from '../run.ts';
import { imageBytes } from '../screen.ts';
import { CANARY } from './batch.ts';

/** A finding of an earlier campaign, run or failure store. */
export interface Earlier {
  /** Of the target that showed it. */
  readonly identity: TargetIdentity;
  readonly signature: string;
  readonly kind: FindingKind;
  readonly smallest: Case;
  readonly before: readonly Case[];
  readonly procedure?: Procedure | undefined;
  readonly confirmation: Confirmation;
  /** The folder that it is kept in. */
  readonly from: string;
}

export interface EarlierMeans {
  readonly targets: readonly Target[];
  readonly signal: AbortSignal;
  readonly saveFinding: (finding: Finding, identity: TargetIdentity) => Promise<{ folder: string; replay: string }>;
  /** Called after each one. */
  readonly tried?: (one: EarlierFinding, done: number, total: number) => void;
}

/** Tries each on the target of its name, or where there is none on those of its family, or on the only one. Where the signal aborts, those tried until then. */
export async function tryEarlier(list: readonly Earlier[], means: EarlierMeans): Promise<EarlierFinding[]> {
  const pairs = list.flatMap((one) => targetsOf(one, means.targets).map((target) => ({ one, target })));
  const none = list.filter((one) => targetsOf(one, means.targets).length === 0);
  const results = none.map((one) => resultOf(one, one.identity.name, 'not tried', 'this campaign has no such target'));
  for (const [i, { one, target }] of pairs.entries()) {
    if (means.signal.aborted) break;
    const result = await tryOne(one, target, means);
    if (result === undefined) break;
    results.push(result);
    means.tried?.(result, i + 1, pairs.length);
  }
  return results;
}

function targetsOf({ identity }: Earlier, targets: readonly Target[]): readonly Target[] {
  const real = targets.filter((t) => t.identity.name !== CANARY);
  const own = real.filter((t) => t.identity.name === identity.name);
  if (own.length > 0) return own;
  const alike = real.filter((t) => familyOf(t.identity) === familyOf(identity));
  return alike.length > 0 || real.length > 1 ? alike : real;
}

async function tryOne(one: Earlier, target: Target, means: EarlierMeans): Promise<EarlierFinding | undefined> {
  const { name } = target.identity;
  if (one.procedure !== undefined) return resultOf(one, name, 'not tried', 'it takes more than its case: ovbd replay');
  const races = one.confirmation.shown < one.confirmation.tried || one.confirmation.processors !== undefined;
  const { shown, tried, verdict, observation } = await replayFinding(one, target, { times: races ? RACE_TRIES : TRIES, signal: means.signal });
  if (tried === 0 || means.signal.aborted) return undefined;
  if (verdict.kind === 'engine-error' || observation === null) return resultOf(one, name, 'not tried', verdict.why);
  if (shown === 0) return isFindingKind(verdict.kind) ? resultOf(one, name, 'another', verdict.signature ?? verdict.kind) : resultOf(one, name, 'gone', verdict.kind === 'pass' ? '' : verdict.kind);
  const { expectation } = examine(one.smallest, declaredFlags([target]));
  const explanation = await explainFinding(target, one.signature, observation);
  const { processors } = one.confirmation;
  const finding: Finding = {
    signature: one.signature, kind: one.kind, ...(verdict.clause === undefined ? {} : { clause: verdict.clause }), target: name, count: 0, firstCase: one.smallest.id,
    smallest: one.smallest, before: one.before, expectation, observation, verdict,
    confirmation: { shown, tried, blame: one.before.length > 0 ? 'sequence' : 'alone', ...(processors === undefined ? {} : { processors }) },
    ...(explanation === undefined ? {} : { explanation }), ...(isUserspace(target.identity) ? { label: UNCONFIRMED } : {}), shrinkExecutions: 0,
  };
  const saved = await means.saveFinding(finding, target.identity);
  const kept: BatchFinding = {
    target: name, family: target.family ?? null, signature: one.signature, kind: one.kind, ...(finding.clause === undefined ? {} : { clause: finding.clause }), why: verdict.why,
    firstCase: finding.firstCase, count: 0, smallest: describe(finding), bytes: imageBytes(one.smallest), confirmation: finding.confirmation,
    ...(finding.label === undefined ? {} : { label: finding.label }), ...saved,
  };
  return { ...resultOf(one, name, 'still there', ''), finding: kept };
}

function resultOf({ signature, kind, from }: Earlier, target: string, state: EarlierFinding['state'], note: string): EarlierFinding {
  return { target, signature, kind, from, state, note };
}
