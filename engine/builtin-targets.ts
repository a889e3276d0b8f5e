// SPDX-License-Identifier: MIT
/** Targets that need nothing but ourselves: the oracle as a reader, and those made of it. */
import { createHash } from 'node:crypto';
import type { Observation, ReadObservation, ReadOutcome } from '../model/index.ts';
import { strictOutcome } from '../oracles/examine.ts';
import { canaryTarget, crashingTarget, lyingTarget } from '../targets/fakes/index.ts';
import { defectOf } from '../targets/fakes/reader/defects.ts';
import { readerTarget } from '../targets/fakes/reader/target.ts';
import type { Job, Target } from '../targets/target.ts';

/** Sessions of pure functions: as many as anyone asks for. */
const LANES = 64;

/** The reference reader under test by itself: a run in which it fails is a fault of the suite. */
export function oracleTarget(): Target {
  return {
    identity: { name: 'oracle', description: 'the reference reader of this suite', parts: { suite: 'built in' }, remake: { kind: 'oracle' } },
    stance: {
      supports: { wrappings: ['zfile', 'tar'], devices: ['zfile', 'lsmt'], forms: ['pair', 'sparse', 'warp'], tables: true, algorithms: ['lz4', 'zstd'], blockSizes: [], maxLayers: 256 },
      flags: {}, knownFailures: [],
    },
    sizeUnit: 1,
    lanes: LANES,
    open: () => Promise.resolve({
      run(jobs, done) {
        jobs.forEach((job, i) => done(i, observe(job)));
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    }),
    close: () => Promise.resolve(),
  };
}

/** Every built-in target by the name that `--target` takes. */
export const BUILTIN_TARGETS: Readonly<Record<string, () => Target>> = {
  oracle: oracleTarget,
  'fake-lies': () => lyingTarget(oracleTarget()),
  'fake-crashes': () => crashingTarget(oracleTarget()),
  canary: () => canaryTarget(oracleTarget()),
  'fake-reader': () => readerTarget(),
};

/** The built-in target of this name; a defect of `fake-reader` follows its name, `fake-reader:stack-reversed`. Undefined where there is none. */
export function builtinTarget(name: string): Target | undefined {
  const [base, defect] = name.split(':') as [string, string?];
  if (defect === undefined) return BUILTIN_TARGETS[name]?.();
  return base === 'fake-reader' && defectOf(defect) ? readerTarget(defectOf(defect)!.name) : undefined;
}

function observe({ case: c, wanted }: Job): Observation {
  const strict = strictOutcome(c);
  const common = { complaints: [], log: '', history: 0 };
  if (strict.outcome === 'refuse') return { ...common, open: 'refused', refusal: `${strict.clause}: ${strict.why}`, reads: [] };
  return { ...common, open: 'opened', size: strict.size, reads: strict.reads.map((r, i) => readResult(r, wanted[i] ?? null)) };
}

const EIO = 5;

function readResult(read: ReadOutcome, wanted: string | null): ReadObservation {
  if (read.outcome !== 'bytes') return { result: -EIO, sha256: '' };
  const sha256 = createHash('sha256').update(read.bytes).digest('hex');
  return { result: read.bytes.length, sha256, ...(sha256 === wanted ? {} : { bytes: read.bytes }) };
}
