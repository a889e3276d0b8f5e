// SPDX-License-Identifier: MIT
/** Small campaigns for tests. */
import { CAMPAIGN_SCHEMA, type BatchRecord, type CampaignHeader, type CampaignView } from '../../model/index.ts';
import type { Session, Target } from '../../targets/target.ts';
import { builtinTarget } from '../builtin-targets.ts';

/** A built-in target under another name: `named('wrong', 'canary')` is wrong in every case, and is not taken for the canary. */
export function named(name: string, of = 'oracle', more: Partial<Target> & { readonly remake?: Record<string, string> } = {}): Target {
  const { remake, ...rest } = more;
  const target = builtinTarget(of)!;
  return { ...target, identity: { ...target.identity, name, remake: { ...target.identity.remake, ...remake } }, ...rest };
}

/** Does something when the target is opened for the `nth` time. */
export function interrupted(target: Target, nth: number, what: () => void | Promise<void>): Target {
  let opened = 0;
  return {
    ...target,
    open: async (): Promise<Session> => {
      if (++opened === nth) await what();
      return target.open();
    },
  };
}

export function headerFor(targets: readonly Target[], change: Partial<CampaignHeader> = {}): CampaignHeader {
  const batchCases = change.batchCases ?? 4;
  return {
    schema: CAMPAIGN_SCHEMA, suite: 'test', seed: 1, feedback: false, batchCases, shrinkExecutions: 0,
    shares: Object.fromEntries(targets.map((t) => [t.identity.name, batchCases])),
    targets: targets.map(({ identity: { name, description, parts, remake } }) => ({ name, description, parts, remake })), request: {}, ...change,
  };
}

/** All of a record that a plan decides. */
export function decided({ seconds: _, at: __, targets, ...rest }: BatchRecord): unknown {
  return { ...rest, targets: Object.fromEntries(Object.entries(targets).map(([name, { rate: ___, ...t }]) => [name, t])) };
}

/** The same of all batches, by number. */
export function decidedOf({ records }: Pick<CampaignView, 'records'>): unknown[] {
  return [...records].sort((a, b) => a.plan.number - b.plan.number).map(decided);
}
