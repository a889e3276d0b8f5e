// SPDX-License-Identifier: MIT
/** From a case to its expectation, and to the devices that a correct deployment makes for it. */
import { SECTOR } from '../spec/index.ts';
import type { Alternative, Case, Expectation, Outcome, ReadOutcome, ReadPlan } from '../model/index.ts';
import { bufferSource } from './source.ts';
import { inLayer, openStack, unwrap, zfileDevice, type Device, type LayerSource, type OpenStack } from './stack.ts';
import { governFaults } from './fault.ts';
import { overZFile, resizedSource, tableBytes, tableExtra } from './table.ts';
import { mayRefuse, RecordedLeniency, STRICT, Violation, type Leniency } from './violation.ts';
import type { ZFileReader } from './zfile.ts';

/** Combinations of contested points that are followed at the most. */
const MAX_ALTERNATIVES = 64;

export interface Examined {
  readonly expectation: Expectation;
  /** The case with the device sizes that its images say, where they can be opened. */
  readonly case: Case;
}

/**
 * What a conformant reader does with the case. Never throws for what an image
 * holds. `declared` are the flags that some target under test declares: the
 * other side of settled points is worked out for those only.
 */
export function examine(c: Case, declared: ReadonlySet<string> = new Set()): Examined {
  const strict = attempt(c, [], declared);
  // The sizes are for who makes the devices: no outcome depends on them.
  const sized = strict.sizes === null ? c : resize(c, strict.sizes);
  const alternatives = alternativesOf(sized, strict, declared);
  const clean = strict.outcome.outcome === 'open' && strict.outcome.reads.every((r) => r.outcome === 'bytes');
  return {
    case: sized,
    expectation: {
      class: alternatives.some((a) => !sameOutcome(a.outcome, strict.outcome)) ? 'permissive' : clean ? 'valid' : 'invalid',
      needs: strict.needs,
      notable: strict.notable,
      strict: governed(c, strict.outcome),
      alternatives,
    },
  };
}

/** The strict outcome alone: what a reader under test does with a case, without what it might have done. */
export function strictOutcome(c: Case): Outcome {
  return governed(c, attempt(c, [], new Set()).outcome);
}

function governed(c: Case, outcome: Outcome): Outcome {
  return governFaults(c, outcome, () => layerSources(c), (sources) => open(c, STRICT, sources).device);
}

interface Sizes {
  /** Virtual size in bytes. */
  readonly device: number;
  /** Decoded bytes of each layer's outermost ZFile; null where there is none. */
  readonly exposed: readonly (number | null)[];
}

interface Attempt {
  readonly outcome: Outcome;
  /** Null where the case is refused. */
  readonly sizes: Sizes | null;
  readonly needs: Expectation['needs'];
  readonly notable: readonly string[];
  /** Flags of the contested points that the image touches. */
  readonly asked: ReadonlySet<string>;
}

function attempt(c: Case, flags: readonly string[], declared: ReadonlySet<string>): Attempt {
  const lenient = new RecordedLeniency(flags, declared);
  const { asked } = lenient;
  const refused = (v: Violation): Attempt => ({
    outcome: { outcome: 'refuse', clause: v.clause, layer: v.layer, at: v.at, why: v.message },
    sizes: null, needs: { algorithms: [], blockSizes: [], layers: c.layers.length }, notable: [], asked,
  });
  const opened = (): Attempt => {
    const { device, zfiles, exposed, stack } = open(c, lenient);
    if (c.access.table?.kind === 'length') mayRefuse(lenient, 'DM-TBL-11', 0, otherLength(c.access.table.sectors));
    if (c.access.attempts?.writable) mayRefuse(lenient, 'DM-WR-02', 0, 'the table is loaded for writing');
    return {
      outcome: { outcome: 'open', size: device.size, reads: c.access.reads.map((r) => readOutcome(device, r, lenient)) },
      sizes: { device: device.size, exposed },
      needs: {
        algorithms: [...new Set(zfiles.flatMap((z) => (z ? [z.algo] : [])))],
        blockSizes: [...new Set(zfiles.flatMap((z) => (z ? [z.blockSize] : [])))],
        layers: c.layers.length,
      },
      notable: notableClauses(c, zfiles, stack),
      asked,
    };
  };
  const found = tried(opened);
  return found instanceof Violation ? refused(found) : found;
}

/** What `work` gives, or the violation that it ends with; any other error is a mistake of ours. */
function tried<T>(work: () => T): T | Violation {
  try {
    return work();
  } catch (e) {
    if (e instanceof Violation) return e;
    throw e;
  }
}

function otherLength(sectors: number): string {
  return `the table is ${Math.abs(sectors)} sectors ${sectors < 0 ? 'shorter' : 'longer'} than the device`;
}

/** The case's layers as sources, bottom to top. */
export function layerSources(c: Case): LayerSource[] {
  return c.layers.map((l) => ({
    wrapping: l.wrapping,
    file: bufferSource(l.bytes),
    ...(l.index ? { index: bufferSource(l.index) } : {}),
    ...(l.extents ? { extents: l.extents } : {}),
    ...(l.remote ? { remote: bufferSource(l.remote) } : {}),
  }));
}

interface OpenCase {
  readonly device: Device;
  /** Each layer's ZFile, of one in another the inner one. */
  readonly zfiles: readonly (ZFileReader | null)[];
  /** Decoded bytes of each layer's outermost ZFile. */
  readonly exposed: readonly (number | null)[];
  readonly stack: OpenStack | null;
}

function open(c: Case, lenient: Leniency, sources: readonly LayerSource[] = asTheTableSays(c, lenient)): OpenCase {
  if (c.device === 'zfile') {
    const { zfile, outer } = unwrap(sources[0]!, lenient);
    if (!zfile) throw new Error('a ZFile device needs a layer wrapped in a ZFile');
    if (zfile.size % SECTOR !== 0 && lenient.has('dm.ceil-size')) throw new Violation('DM-TBL-04', 0, 'the table leaves out the last sector');
    return { device: zfileDevice(zfile), zfiles: [zfile], exposed: [outer!.size], stack: null };
  }
  const stack = openStack(sources, lenient);
  const zfiles = stack.layers.map((l) => l.zfile);
  return { device: stack, zfiles, exposed: zfiles.map((z) => z?.size ?? null), stack };
}

/** The layers as a device with a wrong table meets them. */
function asTheTableSays(c: Case, lenient: Leniency): LayerSource[] {
  const said = tableBytes(c);
  return layerSources(c).map((source, i) => {
    if (i !== said?.layer) return source;
    // A device over a ZFile is cut, not the file under it.
    if (overZFile(c, c.layers[i]!)) return { wrapping: [], file: resizedSource(inLayer(i, () => unwrap(source, lenient).inner), said.bytes) };
    return { ...source, file: resizedSource(source.file, said.bytes) };
  });
}

function readOutcome(device: Device, plan: ReadPlan, lenient: Leniency): ReadOutcome {
  const offset = Math.min(plan.offset, device.size);
  const length = Math.min(plan.length, device.size - offset);
  const found = tried(() => device.read(offset, length));
  if (!(found instanceof Violation)) {
    if (length < plan.length && lenient.has('io.past-end-error')) {
      return { outcome: 'error', clause: 'ST-SIZE-03', layer: 0, at: 0, why: 'the read crosses the end of the device', goodBytes: found.bytes };
    }
    return { outcome: 'bytes', ...found, ...(plan.mode !== 'direct' && !pagesReadable(device, offset, length) ? { mayFail: true } : {}) };
  }
  const { clause, layer, at, message } = found;
  if (clause === 'ZF-BLK-05' && lenient.has('zf.short-block')) return { outcome: 'any', clause };
  return { outcome: 'error', clause, layer, at, why: message, goodBytes: readablePrefix(device, offset, length) };
}

/** Bytes of a page of the page cache, which is read as a whole. */
const PAGE = 4096;

/** Whether what a read leaves out of its first and its last page can be produced as well. A read of nothing needs no page. */
function pagesReadable(device: Device, offset: number, length: number): boolean {
  if (length === 0) return true;
  const end = offset + length;
  const first = offset - (offset % PAGE);
  const last = Math.min(device.size, Math.ceil(end / PAGE) * PAGE);
  const around = tried(() => [device.read(first, offset - first), device.read(end, last - end)]);
  return !(around instanceof Violation);
}

/** The bytes before the first sector that cannot be produced. */
function readablePrefix(device: Device, offset: number, length: number): Uint8Array {
  const sectors: Uint8Array[] = [];
  for (let at = 0; at < length;) {
    const inSector = Math.min(SECTOR - ((offset + at) % SECTOR), length - at);
    const found = tried(() => device.read(offset + at, inSector));
    if (found instanceof Violation) break;
    sectors.push(found.bytes);
    at += inSector;
  }
  return Buffer.concat(sectors);
}

/**
 * Every outcome that some choice of sides of the contested points allows, other than the strict one. A refusal
 * by another clause is one: a reader that may overlook the first must still see the second, and is charged with that.
 */
function alternativesOf(c: Case, strict: Attempt, declared: ReadonlySet<string>): Alternative[] {
  const alternatives: Alternative[] = [];
  const followed = new Set<string>();
  const queue: string[][] = extend([], strict.asked);
  while (queue.length > 0 && followed.size < MAX_ALTERNATIVES) {
    const flags = queue.shift()!;
    const key = flags.join();
    if (followed.has(key)) continue;
    followed.add(key);
    const found = attempt(c, flags, declared);
    if (!sameOutcome(found.outcome, strict.outcome) || refusedBy(found.outcome) !== refusedBy(strict.outcome)) alternatives.push({ flags, outcome: found.outcome });
    queue.push(...extend(flags, found.asked));
  }
  return alternatives;
}

function refusedBy(outcome: Outcome): string | null {
  return outcome.outcome === 'refuse' ? outcome.clause : null;
}

/** Whether nobody could tell the two apart. */
function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a.outcome === 'refuse') return b.outcome === 'refuse';
  return b.outcome === 'open' && a.size === b.size && a.reads.every((read, i) => sameRead(read, b.reads[i]!));
}

function sameRead(a: ReadOutcome, b: ReadOutcome): boolean {
  if (a.outcome === 'bytes' && b.outcome === 'bytes') return Buffer.compare(a.bytes, b.bytes) === 0 && a.mayFail === b.mayFail;
  return a.outcome === 'error' && b.outcome === 'error' && Buffer.compare(a.goodBytes, b.goodBytes) === 0;
}

function extend(flags: readonly string[], asked: ReadonlySet<string>): string[][] {
  return [...asked].filter((f) => !flags.includes(f)).map((f) => [...flags, f].sort());
}

/** Bytes of a device table over an image of `size` bytes: whole sectors only (DM-TBL-04). */
export function wholeSectors(size: number): number {
  return size - (size % SECTOR);
}

function resize(c: Case, { device, exposed }: Sizes): Case {
  return {
    ...c,
    layers: c.layers.map((l, i) => {
      const bytes = exposed[i];
      return typeof bytes === 'number' ? { ...l, exposedBytes: bytes } : l;
    }),
    access: { ...c.access, deviceBytes: Math.max(0, wholeSectors(device) + tableExtra(c) * SECTOR) },
  };
}

/** What a sound image may lean on, the likeliest reason for a refusal first. */
const NOTABLE = ['ZF-ZST-01', 'ZF-BLK-06', 'LS-IDX-07', 'ST-SIZE-01', 'LS-IDX-03', 'ZF-OPT-04', 'ZF-TRL-06', 'DM-BACK-01'] as const;

function notableClauses(c: Case, zfiles: readonly (ZFileReader | null)[], stack: OpenStack | null): string[] {
  const notable = new Set<(typeof NOTABLE)[number]>();
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
  return NOTABLE.filter((id) => notable.has(id));
}

