// SPDX-License-Identifier: MIT
/**
 * A campaign's folder: `campaign.json` (what decides its results), `batches/<number>.json`
 * (records), `batches/<number>.plan.json` (begun and not ended), `campaign.jsonl`
 * (what happened when). Every file but the log is there whole or not at all.
 */
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchPlan, BatchRecord, CampaignHeader, CampaignStore } from '../model/index.ts';
import { isTemporary, writeAtomically } from './atomic.ts';
import { batchCheck, earlierCheck, headerCheck, planCheck } from './campaign-check.ts';
import { Mismatch, type Check } from './check.ts';

export const CAMPAIGN_FILE = 'campaign.json';
const LOG = 'campaign.jsonl';
const EARLIER = 'earlier.json';
const BATCHES = 'batches';
/** Bytes of the largest file that is read. */
const MAX_FILE = 64 << 20;
const RECORD = /^\d{10}\.json$/;
const PLAN = /^\d{10}\.plan\.json$/;
/** What is moved when a campaign begins anew; the header last, so that a move that is broken off is begun again. */
const MOVED = [BATCHES, 'findings', LOG, EARLIER, 'run.jsonl', 'report.txt', 'report.json', CAMPAIGN_FILE] as const;

/** The store in a folder that is there. Removes what a killed process left half-written. */
export function campaignStore(out: string): CampaignStore {
  const batches = join(out, BATCHES);
  for (const name of readdirSync(out)) if (isTemporary(name)) rmSync(join(out, name), { recursive: true, force: true });
  const fileOf = (number: number, what: '.json' | '.plan.json'): string => join(batches, `${String(number).padStart(10, '0')}${what}`);
  const all = <T extends BatchRecord | BatchPlan>(pattern: RegExp, check: Check<T>): T[] =>
    (existsSync(batches) ? readdirSync(batches).filter((name) => pattern.test(name)).sort() : []).flatMap((name) => readChecked(join(batches, name), check) ?? []);
  const records = (): BatchRecord[] => all(RECORD, batchCheck);
  return {
    header: () => readChecked(join(out, CAMPAIGN_FILE), headerCheck),
    begin: (header) => writeAtomically(join(out, CAMPAIGN_FILE), json(header)),
    records,
    save({ plan, ...record }) {
      mkdirSync(batches, { recursive: true });
      writeAtomically(fileOf(plan.number, '.json'), json({ plan, ...record }));
      rmSync(fileOf(plan.number, '.plan.json'), { force: true });
    },
    plans() {
      const done = new Set(records().map((r) => r.plan.number));
      return all(PLAN, planCheck).filter((plan) => !done.has(plan.number));
    },
    plan(plan) {
      mkdirSync(batches, { recursive: true });
      writeAtomically(fileOf(plan.number, '.plan.json'), json(plan));
    },
    earlier: () => readChecked(join(out, EARLIER), earlierCheck) ?? [],
    saveEarlier: (list) => writeAtomically(join(out, EARLIER), json(list)),
    setAside() {
      let n = 1;
      while (existsSync(join(out, `before-${n}`))) n++;
      const place = join(out, `before-${n}`);
      mkdirSync(place);
      for (const name of MOVED) if (existsSync(join(out, name))) renameSync(join(out, name), join(place, name));
      return place;
    },
    log(event) {
      const path = join(out, LOG);
      // A line that was cut off by a full disk or a power cut stays by itself.
      appendFileSync(path, `${endsWithLine(path) ? '' : '\n'}${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
    },
  };
}

/** The header of a campaign's folder; undefined where there is none, or it is damaged. */
export function readCampaignHeader(folder: string): CampaignHeader | undefined {
  return readChecked(join(folder, CAMPAIGN_FILE), headerCheck);
}

/** The record of one batch of a campaign's folder; undefined where there is none, or it is damaged. */
export function readBatchRecord(folder: string, number: number): BatchRecord | undefined {
  return readChecked(join(folder, BATCHES, `${String(number).padStart(10, '0')}.json`), batchCheck);
}

function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** What is damaged counts as absent. */
function readChecked<T>(path: string, check: Check<T>): T | undefined {
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    if (file === undefined || !file.isFile() || file.size > MAX_FILE) return undefined;
    return check(JSON.parse(readFileSync(path, 'utf8')), '');
  } catch (error) {
    if (error instanceof Mismatch || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function endsWithLine(path: string): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return true;
  const file = openSync(path, 'r');
  try {
    const last = Buffer.alloc(1);
    readSync(file, last, 0, 1, size - 1);
    return last[0] === 0x0a;
  } finally {
    closeSync(file);
  }
}
