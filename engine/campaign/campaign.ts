// SPDX-License-Identifier: MIT
/**
 * A campaign: plans batches, runs them beside each other, records them. Stopped,
 * killed or out of disk at any moment it goes on from what is recorded; a batch
 * that was begun is run again from its plan.
 */
import {
  EngineError, EXIT, PLAN_SCHEMA,
  type BatchPlan, type BatchRecord, type CampaignHeader, type CampaignStore, type CampaignView, type EarlierFinding, type Finding, type TargetIdentity,
} from '../../model/index.ts';
import type { Target } from '../../targets/target.ts';
import type { Progress } from '../run.ts';
import { imageBytes } from '../screen.ts';
import { runBatch } from './batch.ts';
import { tryEarlier, type Earlier } from './earlier.ts';
import { differenceOf, isBetter, Ledger } from './ledger.ts';
import { drawSwarm, steerSwarm } from './swarm.ts';

export interface CampaignSettings {
  readonly header: CampaignHeader;
  readonly targets: readonly Target[];
  /** Batches at the same time; the first one has all instances for itself. */
  readonly jobs: number;
  /** No batch is begun when one of them is used up: milliseconds since the epoch; cases drawn; batches. */
  readonly budget: { readonly deadline?: number; readonly cases?: number; readonly batches?: number };
  /** Sets aside what is recorded, even where it could go on. */
  readonly fresh?: boolean;
  readonly store: CampaignStore;
  readonly signal: AbortSignal;
  /** Writes a finding's folder whole or not at all, in place of one of the same finding. */
  readonly saveFinding: (finding: Finding, identity: TargetIdentity) => Promise<{ folder: string; replay: string }>;
  /** Where batches run; absent: here, on `targets`. */
  readonly runBatch?: typeof runBatch;
  /** Takes the label from a finding's folder. */
  readonly confirmFinding?: (folder: string) => void;
  /** Tried before the first batch. */
  readonly earlier?: readonly Earlier[];
  /** One line for people. */
  readonly say: (text: string) => void;
  readonly progress?: (p: CampaignProgress) => void;
}

export interface CampaignProgress {
  readonly view: CampaignView;
  /** What runs. */
  readonly running: readonly { readonly number: number; readonly cases: number; readonly within?: Progress }[];
  /** The batch that has just been recorded. */
  readonly ended?: BatchRecord;
}

/** Times that a batch is tried that fails by a fault of ours, before that ends the campaign. */
const TRIES = 2;

/**
 * Runs batches until the budget is used up or the signal aborts. Throws
 * `EngineError` where batches fail again and again, or the disk is full: what was
 * recorded is kept then too.
 */
export async function runCampaign(s: CampaignSettings): Promise<CampaignView> {
  const ledger = takeUp(s);
  const earlier = await lookBack(s, ledger);
  const campaign = new Campaign(s, ledger, earlier);
  if (!ledger.records.some((r) => r.plan.number === 0)) await campaign.lane(s.jobs, 1);
  await Promise.all(Array.from({ length: s.jobs }, () => campaign.lane(1, Infinity)));
  if (campaign.failure !== undefined) throw campaign.failure;
  return campaign.view();
}

/** 1 where something was found that was not known; 3 where the canary passed, or verdicts are missing by our own fault. */
export function campaignExit({ findings, canaryPassed, ours, records }: CampaignView): number {
  if (canaryPassed !== undefined) return EXIT.engine;
  if (findings.some((f) => f.reliable && f.known === undefined)) return EXIT.findings;
  return ours > 0 || records.length === 0 ? EXIT.engine : EXIT.ok;
}

/** Takes what is recorded, or sets it aside where it is of something else. */
function takeUp({ header, fresh, store, targets, say }: CampaignSettings): Ledger {
  const ledger = new Ledger(targets);
  const then = store.header();
  const difference = then && differenceOf(then, header);
  if (then !== undefined && (fresh === true || difference !== undefined)) {
    const place = store.setAside();
    say(fresh === true ? `begins anew; what was recorded is kept in ${place}` : `begins anew, for ${difference}; what was recorded is kept in ${place}`);
  }
  if (then === undefined && (store.records().length > 0 || store.plans().length > 0)) say(`begins anew, for it is not told of which campaign the batches are; they are kept in ${store.setAside()}`);
  if (then === undefined || fresh === true || difference !== undefined) {
    store.begin(header);
    return ledger;
  }
  seed(ledger, store.earlier());
  for (const record of [...store.records()].sort((a, b) => a.at - b.at || a.plan.number - b.plan.number)) ledger.take(record);
  say(`goes on: ${ledger.records.length} batches of ${ledger.cases} cases are recorded`);
  return ledger;
}

/** Tries what was found before, and has not been tried by this campaign yet. */
async function lookBack({ earlier = [], store, targets, signal, saveFinding, say }: CampaignSettings, ledger: Ledger): Promise<readonly EarlierFinding[]> {
  const done = store.earlier();
  const open = earlier.filter((one) => !done.some((d) => d.from === one.from && d.signature === one.signature));
  if (open.length > 0) say(`findings of before: ${open.length} are tried first`);
  const tried = await tryEarlier(open, { targets, signal, saveFinding, tried: ({ state, target, signature, note }) => say(`${state.padEnd(11)}  ${target}: ${signature}${note === '' ? '' : ` (${note})`}`) });
  const all = [...done, ...tried];
  if (tried.length > 0) store.saveEarlier(all);
  seed(ledger, tried);
  return all;
}

function seed(ledger: Ledger, earlier: readonly EarlierFinding[]): void {
  for (const { finding } of earlier) if (finding !== undefined) ledger.seed(finding);
}

class Campaign {
  failure: unknown;
  readonly #s: CampaignSettings;
  readonly #ledger: Ledger;
  readonly #earlier: readonly EarlierFinding[];
  readonly #began = Date.now();
  /** Seconds of campaign before this process. */
  readonly #before: number;
  /** Begun once and not recorded: they are run as they were planned. */
  readonly #pending: BatchPlan[];
  readonly #numbers: Set<number>;
  readonly #running = new Map<number, { readonly plan: BatchPlan; within?: Progress }>();
  /** The best that was saved by this process: batches that were planned before it was known may still show it. */
  readonly #saved = new Map<string, { confirmation: Finding['confirmation']; bytes: number; folder: string; replay: string }>();
  readonly #confirmed = new Set<string>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  constructor(s: CampaignSettings, ledger: Ledger, earlier: readonly EarlierFinding[]) {
    this.#s = s;
    this.#ledger = ledger;
    this.#earlier = earlier;
    this.#before = Math.max(0, ...ledger.records.map((r) => r.at));
    this.#signal = AbortSignal.any([s.signal, this.#stop.signal]);
    this.#numbers = new Set(ledger.records.map((r) => r.plan.number));
    this.#pending = s.store.plans().filter((p) => !this.#numbers.has(p.number)).sort((a, b) => a.number - b.number);
    for (const { number } of this.#pending) this.#numbers.add(number);
  }

  /** Runs batches, at most so many, one after the other. */
  async lane(jobs: number, most: number): Promise<void> {
    for (let n = 0; n < most; n++) {
      const plan = this.#next();
      if (plan === undefined) return;
      await this.#run(plan, jobs);
    }
  }

  view(): CampaignView {
    const { records, cases, points, canaryPassed, ours } = this.#ledger;
    return {
      header: this.#s.header, records, findings: this.#ledger.findings(), cases, points, elapsed: this.#elapsed(), earlier: this.#earlier,
      ...(canaryPassed === undefined ? {} : { canaryPassed }), ours,
    };
  }

  #elapsed(): number {
    return this.#before + (Date.now() - this.#began) / 1000;
  }

  /** The next plan, kept before it is begun; undefined where there is none. */
  #next(): BatchPlan | undefined {
    const { budget, header, store } = this.#s;
    if (this.#signal.aborted || this.failure !== undefined || Date.now() >= (budget.deadline ?? Infinity)) return undefined;
    const begun = this.#pending.shift();
    if (begun !== undefined) return begun;
    let number = 0;
    while (this.#numbers.has(number)) number++;
    const drawn = [...this.#running.values()].reduce((sum, { plan }) => sum + plan.cases, this.#ledger.cases);
    const cases = Math.min(header.batchCases, (budget.cases ?? Infinity) - drawn);
    if (number >= (budget.batches ?? Infinity) || cases <= 0) return undefined;
    const plan: BatchPlan = {
      schema: PLAN_SCHEMA, suite: header.suite, seed: header.seed, number, cases, shares: header.shares, shrinkExecutions: header.shrinkExecutions,
      swarm: header.feedback ? steerSwarm(header.seed, number, this.#ledger.parents()) : drawSwarm(header.seed, number), known: this.#ledger.known(),
    };
    this.#keeping(() => store.plan(plan));
    if (this.failure !== undefined) return undefined;
    this.#numbers.add(number);
    return plan;
  }

  async #run(plan: BatchPlan, jobs: number): Promise<void> {
    const { targets, say } = this.#s;
    for (let tried = 1; tried <= TRIES; tried++) {
      try {
        const running: { readonly plan: BatchPlan; within?: Progress } = { plan };
        this.#running.set(plan.number, running);
        const record = await (this.#s.runBatch ?? runBatch)(plan, {
          targets, jobs, signal: this.#signal, saveFinding: (finding, identity, again) => this.#save(finding, identity, again),
          progress: (within) => {
            running.within = within;
            this.#tell();
          },
        });
        this.#running.delete(plan.number);
        if (record !== undefined) this.#record(record);
        return;
      } catch (error) {
        this.#running.delete(plan.number);
        if (this.#signal.aborted) return;
        if (!(error instanceof EngineError)) return this.#give(error);
        say(`batch ${plan.number}: ${error.message}`);
        if (tried === TRIES) this.#give(error);
      }
    }
  }

  #record(record: BatchRecord): void {
    // Later than the one before it by what is written of it: that is their order.
    const last = this.#ledger.records.at(-1)?.at ?? 0;
    const kept = this.#ledger.completed(record, Math.round(Math.max(this.#elapsed(), last + 0.001) * 1000) / 1000);
    this.#keeping(() => this.#s.store.save(kept));
    if (this.failure !== undefined) return;
    this.#ledger.take(kept);
    for (const { folder } of this.#ledger.outgrown()) {
      if (this.#confirmed.has(folder)) continue;
      this.#confirmed.add(folder);
      this.#keeping(() => this.#s.confirmFinding?.(folder));
    }
    this.#keeping(() => this.#s.store.log({
      event: 'batch', number: kept.plan.number, at: kept.at, cases: kept.plan.cases, from: kept.plan.swarm.from, gain: kept.gain, seconds: kept.seconds,
      findings: kept.findings.map(({ target, signature, folder }) => ({ target, signature, folder })),
    }));
    this.#tell(kept);
  }

  /** Keeps the better of two that batches beside each other found at the same time; `again`: the one that is kept may have another label now. */
  async #save(finding: Finding, identity: TargetIdentity, again = false): Promise<{ folder: string; replay: string }> {
    const key = `${finding.target}\0${finding.signature}`;
    const { confirmation } = finding;
    const one = { confirmation, bytes: imageBytes(finding.smallest) };
    const before = this.#saved.get(key) ?? this.#ledger.keptOf(finding.target, finding.signature);
    const same = again && before?.bytes === one.bytes;
    if (before !== undefined && !same && !isBetter(one, before)) return { folder: before.folder, replay: before.replay };
    const saved = await this.#s.saveFinding(finding, identity);
    this.#saved.set(key, { ...one, ...saved });
    // It was saved with the label that it has here, whatever a machine has shown before.
    this.#confirmed.delete(saved.folder);
    return saved;
  }

  #keeping(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#give(error);
    }
  }

  /** Ends the campaign for a reason of ours. */
  #give(error: unknown): void {
    this.failure ??= isDiskFull(error)
      ? new EngineError(`the disk is full (${(error as Error).message}): the ${this.#ledger.records.length} recorded batches and their findings are kept; make room and start again with the same options: it goes on`)
      : error;
    this.#stop.abort();
  }

  #tell(ended?: BatchRecord): void {
    this.#s.progress?.({
      view: this.view(), ...(ended && { ended }),
      running: [...this.#running.values()].map(({ plan, within }) => ({ number: plan.number, cases: plan.cases, ...(within && { within }) })),
    });
  }
}

function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
