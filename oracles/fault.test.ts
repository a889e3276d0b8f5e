// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { BackingFault, Case, GovernedRange, Outcome, ReadOutcome, ReadPlan } from '../model/index.ts';
import { governFaults } from './fault.ts';
import { bufferSource, type ByteSource } from './source.ts';
import type { Device, LayerSource } from './stack.ts';
import { Violation } from './violation.ts';

const FILE = Uint8Array.from({ length: 8192 }, (_, i) => i % 251);

function read(offset: number, length: number): ReadPlan {
  return { offset, length, bufferOffset: 0, mode: 'direct' };
}

function caseOf(fault: Partial<BackingFault> | null, reads: readonly ReadPlan[]): Case {
  const whole: BackingFault = { layer: 0, from: 1024, to: 2048, kind: 'error', since: 0, ...fault };
  return { id: 'c', device: 'lsmt', layers: [], access: { slack: 'page', deviceBytes: 8192, reads, ...(fault ? { fault: whole } : {}) }, clauses: { exercises: [], violates: [] } };
}

const source = (): LayerSource => ({ wrapping: [], file: bufferSource(FILE) });

/** A device that shows the file of one layer, from some position on. */
function showing(layer: number, shift = 0) {
  return (sources: readonly LayerSource[]): Device => {
    const { file } = sources[layer]!;
    file.read(0, file.size);
    return { size: file.size - shift, read: (offset, length) => ({ bytes: file.read(shift + offset, length), ranges: [] }) };
  };
}

/** The reads as they are where nothing fails: half of each is the one clause’s, half the other’s. */
function opened(reads: readonly ReadPlan[]): Extract<Outcome, { outcome: 'open' }> {
  const outcome = ({ offset, length }: ReadPlan): ReadOutcome => {
    const bytes = FILE.subarray(offset, offset + length);
    const half = bytes.length >>> 1;
    return { outcome: 'bytes', bytes, ranges: [{ from: 0, to: half, clause: 'LS-MAP-01' }, { from: half, to: bytes.length, clause: 'ST-MRG-04' }] };
  };
  return { outcome: 'open', size: 8192, reads: reads.map(outcome) };
}

const brief = (ranges: readonly GovernedRange[]): string => ranges.map((r) => `${r.from}-${r.to} ${r.clause}`).join(', ');

/** The ranges of each read with the fault there, over a device that shows layer 0 of two. */
function governed(fault: Partial<BackingFault>, reads: readonly ReadPlan[], shift = 0): readonly string[] {
  const found = governFaults(caseOf(fault, reads), opened(reads), () => [source(), source()], showing(0, shift));
  if (found.outcome !== 'open') throw new Error('refused');
  return found.reads.map((r) => (r.outcome === 'bytes' ? brief(r.ranges) : r.outcome));
}

describe('bytes over a device that fails', () => {
  it.each<[why: string, read: ReadPlan, ranges: string]>([
    ['all before it', read(0, 1024), '0-512 LS-MAP-01, 512-1024 ST-MRG-04'],
    ['all behind it', read(2048, 1024), '0-512 LS-MAP-01, 512-1024 ST-MRG-04'],
    ['in its first sector', read(1024, 512), '0-512 DM-FLT-01'],
    ['in the middle of a sector of it', read(1100, 10), '0-10 DM-FLT-01'],
    ['to its first sector', read(512, 1024), '0-512 LS-MAP-01, 512-1024 DM-FLT-01'],
    ['from its last sector', read(1536, 1024), '0-512 DM-FLT-01, 512-1024 ST-MRG-04'],
    ['around it', read(0, 4096), '0-1024 LS-MAP-01, 1024-1536 DM-FLT-01, 1536-2048 DM-FLT-01, 2048-4096 ST-MRG-04'],
    ['of an odd number of sectors around it', read(512, 2560), '0-512 LS-MAP-01, 512-1024 DM-FLT-01, 1024-1536 DM-FLT-01, 1536-2560 ST-MRG-04'],
    ['in sectors of the read, not of the device', read(700, 1000), '0-512 DM-FLT-01, 512-1000 DM-FLT-01'],
    ['none, where it would fail', read(1100, 0), '0-0 LS-MAP-01, 0-0 ST-MRG-04'],
  ])('%s', (_why, plan, ranges) => expect(governed({}, [plan])).toEqual([ranges]));

  it('elsewhere in the file than on the device', () => {
    expect(governed({}, [read(0, 1024)], 1536)).toEqual(['0-512 DM-FLT-01, 512-1024 ST-MRG-04']);
    expect(governed({}, [read(512, 1024)], 512)).toEqual(['0-512 DM-FLT-01, 512-1024 DM-FLT-01']);
  });

  it('that nobody reads from are as before', () => {
    expect(governed({ layer: 1 }, [read(0, 4096)])).toEqual(['0-2048 LS-MAP-01, 2048-4096 ST-MRG-04']);
  });

  it('are not told by their bytes', () => {
    const reads = [read(1024, 512)];
    const { reads: after } = governFaults(caseOf({}, reads), opened(reads), () => [source()], showing(0)) as Extract<Outcome, { outcome: 'open' }>;
    expect(after).toEqual([{ outcome: 'bytes', bytes: FILE.subarray(1024, 1536), ranges: [{ from: 0, to: 512, clause: 'DM-FLT-01' }] }]);
  });

  it('fail from a read on, for good', () => {
    const sound = '0-256 LS-MAP-01, 256-512 ST-MRG-04';
    const reads = [read(1024, 512), read(1024, 512), read(1024, 512)];
    expect(governed({ since: 1, until: 2 }, reads)).toEqual([sound, '0-512 DM-FLT-01', '0-512 DM-FLT-01']);
    expect(governed({ since: -1, kind: 'flakey' }, reads)).toEqual(['0-512 DM-FLT-01', '0-512 DM-FLT-01', '0-512 DM-FLT-01']);
  });
});

describe('an outcome stays what it is', () => {
  const reads = [read(1024, 512)];
  const never = (): never => { throw new Error('asked'); };

  it.each<[string, Partial<BackingFault> | null, Outcome]>([
    ['without a fault', null, opened(reads)],
    ['where the device is only late', { kind: 'delay' }, opened(reads)],
    ['of an image that is refused', {}, { outcome: 'refuse', clause: 'LS-HDR-01', layer: 0, at: 0, why: 'why' }],
  ])('%s', (_name, fault, outcome) => expect(governFaults(caseOf(fault, reads), outcome, never, never)).toBe(outcome));

  it('where the read fails anyway, or may give anything', () => {
    const error: ReadOutcome = { outcome: 'error', clause: 'ZF-BLK-03', layer: 0, at: 0, why: 'why', goodBytes: new Uint8Array(3) };
    const any: ReadOutcome = { outcome: 'any', clause: 'ZF-BLK-05' };
    const outcome: Outcome = { outcome: 'open', size: 8192, reads: [error, any] };
    const found = governFaults(caseOf({}, [...reads, ...reads]), outcome, () => [source()], showing(0));
    expect(found).toEqual(outcome);
  });
});

describe('the device that fails', () => {
  /** What reading `[offset, length]` of the layer’s file gives while it fails: bytes, or the violation. */
  function whileFailing(layer: number, spans: readonly (readonly [number, number])[]): readonly string[] {
    const told: string[] = [];
    const look = (file: ByteSource): Device['read'] => () => {
      for (const [offset, length] of spans) {
        try {
          told.push(Buffer.from(file.read(offset, length)).equals(FILE.subarray(offset, offset + length)) ? 'right' : 'wrong');
        } catch (e) {
          if (!(e instanceof Violation)) throw e;
          told.push(`${e.clause} at ${e.at}: ${e.message}`);
        }
      }
      return { bytes: new Uint8Array(0), ranges: [] };
    };
    const reads = [read(0, 512)];
    governFaults(caseOf({ layer: 1 }, reads), opened(reads), () => [source(), source()], (sources) => {
      expect(sources.map((s) => [s.wrapping, s.file.size])).toEqual([[[], 8192], [[], 8192]]);
      return { size: 8192, read: look(sources[layer]!.file) };
    });
    return told;
  }

  const fails = (at: number): string => `DM-FLT-01 at ${at}: the device under the image fails`;

  it('fails where a read touches the bytes that are lost, and nowhere else', () => {
    expect(whileFailing(1, [[0, 1024], [2048, 1], [0, 1025], [2047, 1], [0, 8192], [1500, 8]])).toEqual(['right', 'right', fails(1024), fails(2047), fails(1024), fails(1500)]);
  });
  it('is the one of its layer', () => expect(whileFailing(0, [[0, 8192]])).toEqual(['right']));
});

it.each<[string, Error]>([
  ['is none of the reader’s', new RangeError('ours')], ['has another clause', new Violation('ZF-BLK-03', 0, 'another')],
])('an error that %s is told', (_name, error) => {
  const reads = [read(1024, 512)];
  expect(() => governFaults(caseOf({}, reads), opened(reads), () => [source()], () => ({ size: 8192, read: () => { throw error; } }))).toThrow(error);
});
