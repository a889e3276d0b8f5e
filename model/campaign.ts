// SPDX-License-Identifier: MIT
/**
 * A campaign: batches of cases without an end, each drawn by a swarm of its own.
 * A batch is run from a plan and leaves a record; both are plain JSON, so that
 * any machine that has the targets can run any batch.
 */
import type { Confirmation } from './finding.ts';
import type { MatrixCell } from './events.ts';
import type { FindingKind, VerdictKind } from './verdict.ts';

export const CAMPAIGN_SCHEMA = 'ovbd-campaign/1';
export const PLAN_SCHEMA = 'ovbd-batch-plan/1';
export const BATCH_SCHEMA = 'ovbd-batch/1';

/** How often something is drawn, against the usual. */
export const LEVELS = ['off', 'low', 'normal', 'high'] as const;
export type Level = (typeof LEVELS)[number];

/** What the cases of one batch are made of. */
export interface Swarm {
  /** Feature of generators/weights.ts → how much of it; absent: normal. */
  readonly features: Readonly<Record<string, Level>>;
  /** Numbers that choose the mutators that are on; none: all are. */
  readonly mutators: readonly number[];
  /** The batch whose swarm this one is a variant of; null: drawn anew. */
  readonly from: number | null;
}

/** What a campaign knows of a signature of one target before a batch begins. */
export interface KnownSignature {
  /** False where it was looked into as often as it is worth, and not confirmed. */
  readonly shown: boolean;
  /** Bytes of its smallest case's images: one of half of that is looked into; null where it is only counted, whatever shows it. */
  readonly bytes: number | null;
}

/** All that a batch is a function of, besides the targets themselves. */
export interface BatchPlan {
  readonly schema: typeof PLAN_SCHEMA;
  readonly suite: string;
  readonly seed: number;
  /** Counted from 0. */
  readonly number: number;
  readonly swarm: Swarm;
  /** Cases that are drawn. */
  readonly cases: number;
  /** target → how many of them, the first ones, it is given. */
  readonly shares: Readonly<Record<string, number>>;
  /** Executions for shrinking one finding. */
  readonly shrinkExecutions: number;
  /** target → signature → what is not confirmed and shrunk again. */
  readonly known: Readonly<Record<string, Readonly<Record<string, KnownSignature>>>>;
}

/** A signature that a batch has confirmed, or found unreliable. */
export interface BatchFinding {
  readonly target: string;
  /** Findings of targets of one family are one finding by their signature. */
  readonly family: string | null;
  readonly signature: string;
  readonly kind: FindingKind;
  readonly clause?: string;
  readonly why: string;
  readonly firstCase: string;
  /** Cases of the batch that showed it; 0 where only another target's smallest case did. */
  readonly count: number;
  /** Of its smallest case: for people, and of all images. */
  readonly smallest: string;
  readonly bytes: number;
  readonly confirmation: Confirmation;
  /** Present where only the patch's code in userspace had shown it then. */
  readonly label?: string;
  /** Folder of the finding, from the campaign's folder. */
  readonly folder: string;
  readonly replay: string;
}

/** What one target made of a batch. */
export interface BatchTarget {
  /** Cases that it was given. */
  readonly cases: number;
  readonly verdicts: Partial<Readonly<Record<VerdictKind, number>>>;
  /** signature → cases that showed it, confirmed or not. */
  readonly seen: Readonly<Record<string, number>>;
  /** Cases a second of its own time, of one instance. */
  readonly rate: number;
}

/** Where one finding appears, as a batch found it. */
export interface BatchRow {
  readonly family: string;
  readonly signature: string;
  readonly cells: Readonly<Record<string, MatrixCell>>;
}

/** What a batch gave that no batch recorded before it had. */
export interface Gain {
  /** Signatures of some target. */
  readonly signatures: number;
  /** Clauses that the cases touch or break, and pairs of verdict and clause that targets have shown. */
  readonly sights: number;
  /** Points of code that targets have reached. */
  readonly points: number;
}

/** One batch, whole: a batch that was stopped leaves no record. */
export interface BatchRecord {
  readonly schema: typeof BATCH_SCHEMA;
  readonly plan: BatchPlan;
  /** SHA-256 over the bytes of all its cases. */
  readonly stream: string;
  readonly targets: Readonly<Record<string, BatchTarget>>;
  readonly findings: readonly BatchFinding[];
  readonly rows: readonly BatchRow[];
  /** Instances that died, confirmation included. */
  readonly deaths: number;
  /** Wall time in seconds. */
  readonly seconds: number;
  /** New ones only; what a worker sends has all of the batch. */
  readonly sights: readonly string[];
  /** target → points of code, new ones only as with `sights`. */
  readonly points: Readonly<Record<string, readonly number[]>>;
  readonly gain: Gain;
  /** Seconds of campaign after which it was recorded, pauses not counted; 0 as it comes from a worker. */
  readonly at: number;
}

/** What decides the results of a campaign: a folder holds batches of one only. */
export interface CampaignHeader {
  readonly schema: typeof CAMPAIGN_SCHEMA;
  readonly suite: string;
  readonly seed: number;
  /** Whether later swarms depend on what earlier ones gained. */
  readonly feedback: boolean;
  /** Cases of a batch. */
  readonly batchCases: number;
  readonly shares: Readonly<Record<string, number>>;
  readonly shrinkExecutions: number;
  readonly targets: readonly { readonly name: string; readonly description: string; readonly parts: Readonly<Record<string, string>>; readonly remake: Readonly<Record<string, string>> }[];
  /** Options by which the targets are opened again. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** A finding of an earlier campaign or run, tried again when this one began. */
export interface EarlierFinding {
  readonly target: string;
  readonly signature: string;
  readonly kind: FindingKind;
  /** The folder it was kept in. */
  readonly from: string;
  readonly state: 'still there' | 'gone' | 'another' | 'not tried';
  /** What it showed instead, or why it was not tried. */
  readonly note: string;
  /** Where it is still there: as this campaign keeps it. */
  readonly finding?: BatchFinding;
}

/** Where a campaign is kept. Every write is whole or not there; what is damaged counts as absent. */
export interface CampaignStore {
  header(): CampaignHeader | undefined;
  begin(header: CampaignHeader): void;
  /** By number. */
  records(): readonly BatchRecord[];
  save(record: BatchRecord): void;
  /** Plans that have no record: they were begun and not ended. */
  plans(): readonly BatchPlan[];
  plan(plan: BatchPlan): void;
  /** What became of findings of before; none where that was not tried yet. */
  earlier(): readonly EarlierFinding[];
  saveEarlier(list: readonly EarlierFinding[]): void;
  /** Moves all that is recorded into a folder of its own, and gives that. */
  setAside(): string;
  /** One line of the log. */
  log(event: Readonly<Record<string, unknown>>): void;
}

/** A finding of a campaign: one signature of the targets of one family. */
export interface DistinctFinding {
  readonly signature: string;
  readonly kind: FindingKind;
  readonly clause?: string;
  readonly family: string | null;
  /** Batch that had it first, -1 where it was there before the first one; seconds of campaign when that was recorded, and cases drawn until then. */
  readonly batch: number;
  readonly at: number;
  readonly cases: number;
  /** Each target that has shown it, with its own smallest case. The first one is where it was seen first. */
  readonly on: readonly BatchFinding[];
  /** Cases of the whole campaign that showed it, on all targets. */
  readonly count: number;
  /** Why it was expected: every target that shows it says so in its stance. */
  readonly known?: string;
  /** Present where no virtual machine has shown it. */
  readonly label?: string;
  /** False where it was seen and never again. */
  readonly reliable: boolean;
}

/** All that is to be told of a campaign. */
export interface CampaignView {
  readonly header: CampaignHeader;
  /** In the order in which they were recorded. */
  readonly records: readonly BatchRecord[];
  /** In the order in which they were found. */
  readonly findings: readonly DistinctFinding[];
  /** Cases drawn, and points of code reached by all targets together. */
  readonly cases: number;
  readonly points: number;
  /** Seconds of campaign, pauses not counted. */
  readonly elapsed: number;
  readonly earlier: readonly EarlierFinding[];
  /** A batch in which the canary passed. */
  readonly canaryPassed?: number;
  /** Verdicts that are faults of ours. */
  readonly ours: number;
}
