// SPDX-License-Identifier: MIT
/** The files of a campaign read back: whatever is not as it must be throws `Mismatch`. */
import {
  BATCH_SCHEMA, CAMPAIGN_SCHEMA, FINDING_KINDS, LEVELS, PLAN_SCHEMA, VERDICT_KINDS,
  type BatchPlan, type BatchRecord, type CampaignHeader, type EarlierFinding, type VerdictKind,
} from '../model/index.ts';
import { boolean, integer, list, map, Mismatch, oneOf, optional, record, text, type Check } from './check.ts';

const MAX = 1e9;
const natural = integer(0, MAX);
const name = text(200);
const line = text(65_536);
const seconds: Check<number> = (value, at) => {
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value;
  throw new Mismatch(at, 'a number that is not negative', value);
};
const orNull = <T>(check: Check<T>): Check<T | null> => (value, at) => (value === null ? null : check(value, at));
const words = map(256, line);
const counts = map(100_000, natural);
const verdicts = record(Object.fromEntries(VERDICT_KINDS.map((kind) => [kind, optional(natural)])) as Record<VerdictKind, ReturnType<typeof optional<number>>>);

const planFields = record({
  schema: oneOf(PLAN_SCHEMA), suite: text(200), seed: integer(0, 2 ** 32 - 1), number: natural,
  swarm: record({ features: map(1000, oneOf(...LEVELS)), mutators: list(integer(0, 0xfffff), 1000), from: orNull(natural) }),
  cases: integer(1, MAX), shares: map(4096, natural), shrinkExecutions: natural,
  known: map(4096, map(100_000, record({ shown: boolean(), bytes: orNull(integer(0, Number.MAX_SAFE_INTEGER)) }))),
});

const confirmation = record({
  shown: natural, tried: natural, blame: oneOf('alone', 'sequence', 'unreliable'), processors: optional(integer(1, 4096)),
});

const finding = record({
  target: name, family: orNull(text(200)), signature: line, kind: oneOf(...FINDING_KINDS), clause: optional(text(200)), why: line, firstCase: text(200),
  count: natural, smallest: text(200), bytes: integer(0, Number.MAX_SAFE_INTEGER), confirmation, label: optional(text(200)), folder: text(4000), replay: line,
});

const batchFields = record({
  schema: oneOf(BATCH_SCHEMA), plan: planFields, stream: text(64, /^[0-9a-f]{64}$/),
  targets: map(4096, record({ cases: natural, verdicts, seen: counts, rate: seconds })),
  findings: list(finding, 100_000),
  rows: list(record({
    family: text(200), signature: line,
    cells: map(4096, record({ state: oneOf('shown', 'unreliable', 'absent', 'unknown'), count: natural, instead: optional(line) })),
  }), 100_000),
  deaths: natural, seconds, sights: list(text(400), 1_000_000), points: map(4096, list(integer(0, Number.MAX_SAFE_INTEGER), 10_000_000)),
  gain: record({ signatures: natural, sights: natural, points: natural }), at: seconds,
});

const headerFields = record({
  schema: oneOf(CAMPAIGN_SCHEMA), suite: text(200), seed: integer(0, 2 ** 32 - 1), feedback: boolean(), batchCases: integer(1, MAX), shares: map(4096, natural),
  shrinkExecutions: natural, targets: list(record({ name, description: line, parts: words, remake: words }), 4096), request: map(256, (value) => value),
});

const earlierFields = list(record({
  target: name, signature: line, kind: oneOf(...FINDING_KINDS), from: text(4000), state: oneOf('still there', 'gone', 'another', 'not tried'), note: line, finding: optional(finding),
}), 100_000);

export const earlierCheck = earlierFields as Check<readonly EarlierFinding[]>;
export const planCheck = planFields as Check<BatchPlan>;
export const batchCheck = batchFields as Check<BatchRecord>;
export const headerCheck = headerFields as Check<CampaignHeader>;
