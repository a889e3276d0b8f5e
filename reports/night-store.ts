// SPDX-License-Identifier: MIT
/** A night's records in a folder: `batches/<target>/<first case>.json`, each whole or not there. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FINDING_KINDS, NIGHT_SCHEMA, VERDICT_KINDS, type NightBatch, type NightStore, type VerdictKind } from '../model/index.ts';
import { writeAtomically } from './atomic.ts';
import { integer, list, map, Mismatch, oneOf, optional, record, text, type Check } from './check.ts';

/** Bytes of the largest record that is read; usual ones have one or two thousand. */
const MAX_RECORD = 1 << 20;
const MAX_CASES = 1e9;
const RECORD = /^\d{10}\.json$/;
const DIGEST = text(64, /^[0-9a-f]{64}$/);
const tally = optional(integer(0, MAX_CASES));

const seconds: Check<number> = (value, at) => {
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value;
  throw new Mismatch(at, 'seconds', value);
};

const batchCheck = record({
  schema: oneOf(NIGHT_SCHEMA),
  suite: text(200),
  seed: integer(0, 2 ** 32 - 1),
  target: text(200),
  parts: map(100, text(4000)),
  first: integer(0, MAX_CASES),
  cases: integer(1, MAX_CASES),
  probe: DIGEST,
  stream: DIGEST,
  verdicts: record(Object.fromEntries(VERDICT_KINDS.map((kind) => [kind, tally])) as Record<VerdictKind, typeof tally>),
  findings: list(record({
    signature: text(4000), kind: oneOf(...FINDING_KINDS), why: text(1e5), firstCase: text(200), count: integer(0, MAX_CASES),
    blame: oneOf('alone', 'sequence', 'unreliable'), folder: text(4000), replay: text(4000),
  }), 10_000),
  deaths: integer(0, MAX_CASES),
  seconds,
});

/** The store in the folder `out`, which is made where it is absent. What is damaged counts as absent. */
export function nightStore(out: string): NightStore {
  const batches = join(out, 'batches');
  const folderOf = (target: string): string => join(batches, target.replace(/[^a-z0-9._+-]+/g, '-'));
  return {
    load(target) {
      const folder = folderOf(target);
      if (!existsSync(folder)) return [];
      const read = readdirSync(folder).filter((name) => RECORD.test(name)).sort().map((name) => readRecord(join(folder, name)));
      return read.filter((batch) => batch?.target === target) as NightBatch[];
    },
    save(batch) {
      const folder = folderOf(batch.target);
      mkdirSync(folder, { recursive: true });
      writeAtomically(join(folder, `${String(batch.first).padStart(10, '0')}.json`), `${JSON.stringify(batch, null, 1)}\n`);
    },
    setAside(target) {
      const folder = folderOf(target);
      if (!existsSync(folder)) return folder;
      let n = 1;
      while (existsSync(`${folder}.before-${n}`)) n++;
      renameSync(folder, `${folder}.before-${n}`);
      return `${folder}.before-${n}`;
    },
  };
}

function readRecord(path: string): NightBatch | undefined {
  try {
    if (statSync(path).size > MAX_RECORD) return undefined;
    return batchCheck(JSON.parse(readFileSync(path, 'utf8')), '') as NightBatch;
  } catch (error) {
    if (error instanceof Mismatch || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
