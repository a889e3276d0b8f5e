// SPDX-License-Identifier: MIT
/** From a case to its expectation, and to the devices that a correct deployment makes for it. */
import { clauseOf, SECTOR } from '../spec/index.ts';
import type { Alternative, Case, Expectation, Outcome, ReadOutcome, ReadPlan } from '../model/index.ts';
import { bufferSource } from './source.ts';
import { openStack, unwrap, zfileDevice, type Device, type LayerSource, type OpenStack } from './stack.ts';
import { STRICT, Violation, type Leniency } from './violation.ts';
import type { ZFileReader } from './zfile.ts';

/** Contested points of one image that are followed at the most. */
const MAX_FLAGS = 4;

export interface Examined {
  readonly expectation: Expectation;
  /** The case with the device sizes that its images say, where they can be opened. */
  readonly case: Case;
}

/** What a conformant reader does with the case. Never throws for what an image holds. */
export function examine(c: Case): Examined {
  const strict = attempt(c, STRICT);
  const sized = strict.size === null ? c : resize(c, strict.size, strict.exposed);
  const expected = strict.size === null ? strict : attempt(sized, STRICT);
  const alternatives = alternativesOf(sized, expected.outcome);
  const clean = expected.outcome.outcome === 'open' && expected.outcome.reads.every((r) => r.outcome === 'bytes');
  return {
    case: sized,
    expectation: {
      class: alternatives.length > 0 ? 'permissive' : clean ? 'valid' : 'invalid',
      needs: expected.needs,
      notable: expected.notable,
      strict: expected.outcome,
      alternatives,
    },
  };
}

interface Attempt {
  readonly outcome: Outcome;
  /** Virtual size in bytes; null where the case is refused. */
  readonly size: number | null;
  /** Decoded bytes of each layer's ZFile; null where there is none. */
  readonly exposed: readonly (number | null)[];
  readonly needs: Expectation['needs'];
  readonly notable: readonly string[];
}

function attempt(c: Case, lenient: Leniency): Attempt {
  const refused = (v: Violation): Attempt => ({
    outcome: { outcome: 'refuse', clause: v.clause, layer: v.layer, at: v.at, why: v.message },
    size: null, exposed: [], needs: { algorithms: [], blockSizes: [] }, notable: [],
  });
  try {
    const { device, zfiles, stack } = open(c, lenient);
    return {
      outcome: { outcome: 'open', size: device.size, reads: c.access.reads.map((r) => readOutcome(device, r)) },
      size: device.size,
      exposed: zfiles.map((z) => z?.size ?? null),
      needs: {
        algorithms: [...new Set(zfiles.flatMap((z) => (z ? [z.algo] : [])))],
        blockSizes: [...new Set(zfiles.flatMap((z) => (z ? [z.blockSize] : [])))],
      },
      notable: notableClauses(c, zfiles, stack),
    };
  } catch (e) {
    if (e instanceof Violation) return refused(e);
    throw e;
  }
}

/** The case's layers as sources, bottom to top. */
export function layerSources(c: Case): LayerSource[] {
  return c.layers.map((l) => ({
    wrapping: l.wrapping,
    file: bufferSource(l.bytes),
    ...(l.index ? { index: bufferSource(l.index) } : {}),
  }));
}

function open(c: Case, lenient: Leniency): { device: Device; zfiles: (ZFileReader | null)[]; stack: OpenStack | null } {
  const sources = layerSources(c);
  if (c.device === 'zfile') {
    const { zfile } = unwrap(sources[0]!, lenient);
    if (!zfile) throw new Error('a ZFile device needs a layer wrapped in a ZFile');
    return { device: zfileDevice(zfile), zfiles: [zfile], stack: null };
  }
  const stack = openStack(sources, lenient);
  return { device: stack, zfiles: stack.layers.map((l) => l.zfile), stack };
}

function readOutcome(device: Device, plan: ReadPlan): ReadOutcome {
  const offset = Math.min(plan.offset, device.size);
  const length = Math.min(plan.length, device.size - offset);
  try {
    return { outcome: 'bytes', ...device.read(offset, length) };
  } catch (e) {
    if (!(e instanceof Violation)) throw e;
    return {
      outcome: 'error', clause: e.clause, layer: e.layer, at: e.at, why: e.message,
      goodBytes: readablePrefix(device, offset, length),
    };
  }
}

/** The bytes before the first sector that cannot be produced. */
function readablePrefix(device: Device, offset: number, length: number): Uint8Array {
  const sectors: Uint8Array[] = [];
  for (let at = 0; at < length; at += SECTOR) {
    try {
      sectors.push(device.read(offset + at, Math.min(SECTOR, length - at)).bytes);
    } catch (e) {
      if (e instanceof Violation) break;
      throw e;
    }
  }
  return Buffer.concat(sectors);
}

/** Follows the contested clauses one after the other: each alternative takes one more lenient side. */
function alternativesOf(c: Case, strict: Outcome): Alternative[] {
  const alternatives: Alternative[] = [];
  const flags: string[] = [];
  let outcome = strict;
  while (flags.length < MAX_FLAGS) {
    const flag = contestedFlag(outcome);
    if (flag === undefined || flags.includes(flag)) break;
    flags.push(flag);
    outcome = attempt(c, new Set(flags)).outcome;
    alternatives.push({ flags: [...flags], outcome });
  }
  return alternatives;
}

/** The flag whose lenient side would get past the first refusal or read error. */
function contestedFlag(outcome: Outcome): string | undefined {
  const clauses = outcome.outcome === 'refuse'
    ? [outcome.clause]
    : outcome.reads.flatMap((r) => (r.outcome === 'error' ? [r.clause] : []));
  return clauses.map((id) => clauseOf(id).flag).find((f) => f !== undefined);
}

/** Bytes of a device table over an image of `size` bytes: whole sectors only (DM-TBL-04). */
export function wholeSectors(size: number): number {
  return size - (size % SECTOR);
}

function resize(c: Case, size: number, exposed: readonly (number | null)[]): Case {
  return {
    ...c,
    layers: c.layers.map((l, i) => {
      const bytes = exposed[i];
      return bytes === null || bytes === undefined ? l : { ...l, exposedBytes: bytes };
    }),
    access: { ...c.access, deviceBytes: wholeSectors(size) },
  };
}

function notableClauses(c: Case, zfiles: readonly (ZFileReader | null)[], stack: OpenStack | null): string[] {
  const notable = new Set<string>();
  for (const z of zfiles) {
    if (!z) continue;
    if (z.headerMode) notable.add('ZF-TRL-06');
    if (z.dictBytes > 0) notable.add('ZF-OPT-04');
    if (z.blockSize !== 4096) notable.add('ZF-BLK-06');
    if (z.algo === 'zstd') notable.add('ZF-ZST-01');
  }
  stack?.layers.forEach((l, i) => {
    if (l.lsmt.mappings.length === 0) notable.add('LS-IDX-07');
    if (l.lsmt.invalidInside > 0) notable.add('LS-IDX-03');
    if (i === stack.layers.length - 1 && l.lsmt.virtualSize === 0) notable.add('ST-SIZE-01');
  });
  const endsInMidPage = c.access.slack === 'exact' && c.layers.some((l) => Math.ceil(l.bytes.length / SECTOR) % 8 !== 0);
  if (endsInMidPage) notable.add('DM-BACK-01');
  return [...notable].sort();
}

