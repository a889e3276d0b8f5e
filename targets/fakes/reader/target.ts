// SPDX-License-Identifier: MIT
/** The reader of this folder as a target: as it should be, or with one defect. */
import { CLAUSES } from '../../../spec/index.ts';
import type { Observation, ReadObservation } from '../../../model/index.ts';
import type { Job, Target } from '../../target.ts';
import { readTogether } from './crowd.ts';
import type { DefectName, Has } from './defects.ts';
import { readIntoMemory } from './memory.ts';
import { Hung, OutOfBounds, Refused } from './source.ts';
import { openCase, type Device } from './stack.ts';

const LANES = 64;

/** The strict side of every contested point, and of refusing when it is opened what could be refused later. */
const STRICT = Object.fromEntries([...CLAUSES.flatMap((c) => (c.flag === undefined ? [] : [c.flag])), 'suite.late-refusal'].map((flag) => [flag, false]));

/** The reader with one defect; with none where `defect` is null. */
export function readerTarget(defect: DefectName | null = null): Target {
  const name = defect === null ? 'fake-reader' : `fake-reader:${defect}`;
  const description = defect === null ? 'a reader of this suite apart from the oracle, which must be right' : `the reader apart from the oracle, with a defect: ${defect}`;
  return readerWith((asked) => asked === defect, name, description);
}

/** The reader with whatever `has` says; it asks for a defect only where that would make a difference, or nearly so. */
export function readerWith(has: Has, name: string, description: string): Target {
  return {
    identity: { name, description, parts: { suite: 'built in' }, remake: { kind: name } },
    stance: {
      supports: { wrappings: ['zfile', 'tar'], devices: ['zfile', 'lsmt'], forms: ['pair', 'sparse', 'warp'], tables: true, algorithms: ['lz4', 'zstd'], blockSizes: [], maxLayers: 255 },
      flags: STRICT, knownFailures: [],
    },
    sizeUnit: 1,
    family: 'fake-reader',
    lanes: LANES,
    open: () => Promise.resolve({
      run(jobs, done, options) {
        for (const [i, job] of jobs.entries()) {
          if (options?.signal?.aborted) break;
          done(i, observe(job, has));
        }
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    }),
    close: () => Promise.resolve(),
  };
}

/** What the reader does with one case. */
export function observe({ case: c, wanted }: Job, has: Has): Observation {
  const common = { complaints: [], log: '', history: 0 };
  const clock = { read: -1 };
  let device: Device;
  try {
    device = openCase(c, has, clock);
    if (device.size === 0 && has('crash-on-no-bytes')) throw new OutOfBounds('nothing is there');
  } catch (e) {
    if (!(e instanceof Refused)) return { ...common, open: 'none', reads: [], death: deathOf(e, 'open') };
    const left = has('leak-when-refused') ? [{ kind: 'leak' as const, title: 'a device that was refused is still open' }] : [];
    return { ...common, open: 'refused', refusal: `${e.clause}: ${e.message}`, reads: [], complaints: left };
  }
  const changed = c.access.attempts?.list.some((a) => a.kind === 'write') && has('write-reaches-image') ? { changed: { layer: 0, at: 0 } } : {};
  const opened = { ...common, ...changed, open: 'opened' as const, size: device.size };
  const reads: ReadObservation[] = [];
  for (const [i, plan] of c.access.reads.entries()) {
    clock.read = i;
    try {
      const stale = plan.mode !== 'direct' && c.access.replaces !== undefined && has('live-old-pages');
      const read = readIntoMemory(stale ? showing(c.layers[0]!.bytes, device) : device, plan, wanted[i] ?? null, has);
      if (read.result < 0 && has('hang-on-read-error')) throw new Hung('the read never ends');
      reads.push(read);
    } catch (e) {
      return { ...opened, reads, death: deathOf(e, `read ${i}`) };
    }
  }
  const together = readTogether(c, device, reads, has);
  return { ...opened, ...together, complaints: has('leak-when-closed') ? [{ kind: 'leak', title: 'memory that was not given back' }] : [] };
}

/** The device as long as it is, with the stored bytes of a layer in place of its own. */
function showing(stored: Uint8Array, device: Device): Device {
  return { ...device, read: (from, into) => into.fill(0).set(stored.subarray(from, from + into.length)) };
}

/** A name for what went wrong that says where it was, not with which numbers. */
function deathOf(e: unknown, phase: string): NonNullable<Observation['death']> {
  const kind = e instanceof Hung ? 'hang' : 'crash';
  const known = e instanceof OutOfBounds || e instanceof Hung || e instanceof RangeError;
  if (!known) throw e;
  return { kind, title: `${e.name} in ${phase.split(' ')[0]}`, phase };
}
