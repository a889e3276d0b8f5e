// SPDX-License-Identifier: MIT
/** A drawn case made ready: built, examined by the oracle, sized. Targets get jobs made from it. */
import { createHash } from 'node:crypto';
import { build, type Drawn } from '../generators/draw.ts';
import { formOf, type Case, type Expectation, type Stance } from '../model/index.ts';
import { DECLARED_ONLY, SECTOR } from '../spec/index.ts';
import { examine } from '../oracles/examine.ts';
import { lower } from '../oracles/lower.ts';
import { noWholeDevice } from './whole-device.ts';
import type { Job, Target } from '../targets/target.ts';

/** A case that is stored, not drawn. */
export interface StoredOrigin {
  readonly id: string;
  /** Its number in the run. */
  readonly index: number;
  readonly stored: Case;
  shrinks(): Iterable<StoredOrigin>;
}

/** Where a case comes from. */
export type Origin = Drawn | StoredOrigin;

/** Taken as it is; `smaller` gives what may be tried in its place, of which nothing is known by default. */
export function storedOrigin(stored: Case, index: number, smaller: (c: Case) => Iterable<Case> = () => []): StoredOrigin {
  return {
    id: stored.id, index, stored,
    *shrinks() {
      for (const one of smaller(stored)) yield storedOrigin(one, index, smaller);
    },
  };
}

export interface Prepared {
  readonly drawn: Origin;
  readonly case: Case;
  readonly expectation: Expectation;
  /** SHA-256 over the case's bytes and access plan, hex. */
  readonly digest: string;
  /** Set where the generator's own account of the device differs from the oracle's: then nobody is judged by it. */
  readonly disagreement?: string;
}

/** `declared`: flags of settled points that some target declares (oracles/examine.ts). */
export function prepare(drawn: Origin, declared?: ReadonlySet<string>): Prepared {
  const built = 'stored' in drawn ? { case: drawn.stored, size: 0, readModel: null } : build(drawn);
  const { case: c, expectation } = examine(built.case, declared);
  const disagreement = built.readModel ? disagreementOf(c, expectation, built.size, built.readModel) : null;
  return { drawn, case: c, expectation, digest: caseDigest(c), ...(disagreement === null ? {} : { disagreement }) };
}

/** Where two opinions on a sound case differ: the generator's bytes and the oracle's reads; null where they agree. `size`: bytes of the device. */
export function disagreementOf(c: Case, { strict }: Expectation, size: number, model: (offset: number, length: number) => Uint8Array): string | null {
  if (strict.outcome === 'refuse') return `the oracle refuses a sound image by ${strict.clause}: ${strict.why}`;
  if (strict.size !== size) return `the oracle says ${strict.size} bytes, the generator ${size}`;
  const i = strict.reads.findIndex((r, k) => {
    const { offset, length } = c.access.reads[k]!;
    return r.outcome !== 'bytes' || Buffer.compare(r.bytes, model(offset, Math.max(0, Math.min(length, size - offset)))) !== 0;
  });
  return i < 0 ? null : `the oracle and the generator differ on read ${i}`;
}

/** SHA-256 over everything of a case that a target can see. */
export function caseDigest(c: Case): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([c.device, c.access, c.layers.map((l) => [l.wrapping, l.bytes.length, l.index?.length ?? null, l.exposedBytes ?? null, l.extents ?? null, l.remote?.length ?? null])]));
  for (const l of c.layers) {
    hash.update(l.bytes);
    if (l.index) hash.update(l.index);
    if (l.remote) hash.update(l.remote);
  }
  return hash.digest('hex');
}

/**
 * Why this target is not given this case, or null where it is. A case that
 * cannot be deployed is `unsupported` without being run.
 */
function notDeployable(c: Case, target: Target): string | null {
  const { supports }: Stance = target.stance;
  if (!supports.devices.includes(c.device)) return `it has no ${c.device} device`;
  const wrapper = c.layers.flatMap((l) => l.wrapping).find((w) => !supports.wrappings.includes(w));
  if (wrapper) return `it takes no layers in a ${wrapper}`;
  const form = c.layers.map(formOf).find((f) => f !== null && !supports.forms.includes(f));
  if (form) return `it takes no ${form} layers`;
  if (c.access.table && !supports.tables) return 'it has no tables';
  if (c.access.failsAfter !== undefined && !supports.allocations) return 'its allocations cannot be made to fail';
  if (supports.nested === false && c.layers.some((l) => l.wrapping.filter((w) => w === 'zfile').length > 1)) return 'it takes no ZFile in a ZFile';
  const why = noWholeDevice(c, supports);
  if (why) return why;
  if (target.sizeUnit === SECTOR) {
    if (c.access.deviceBytes < SECTOR) return 'a table of 0 sectors cannot be loaded';
    if (c.layers.some((l) => l.wrapping.includes('zfile') && (l.exposedBytes ?? 0) < SECTOR)) return 'a ZFile of less than a sector is no device';
  }
  return null;
}

/** The job for one target, or why it is given none: then the case is `unsupported` without being run. */
export function jobOrWhy(c: Pick<Prepared, 'case' | 'expectation'>, target: Target): Job | string {
  return notDeployable(c.case, target) ?? jobFor(c, target) ?? 'it cannot be lowered to linear and zero pieces';
}

/** The job for one target; null where the target needs the case lowered and it cannot be. */
export function jobFor({ case: c, expectation }: Pick<Prepared, 'case' | 'expectation'>, target: Target): Job | null {
  const wanted = c.access.reads.map((_, i) => wantedDigest(c, expectation, i));
  if (!target.needsLowering) return { case: c, wanted };
  const sound = expectation.strict.outcome === 'open' && expectation.strict.reads.every((r) => r.outcome === 'bytes');
  const lowered = sound ? lower(c) : null;
  return lowered ? { case: c, wanted, lowered } : null;
}

function wantedDigest(c: Case, { strict }: Expectation, i: number): string | null {
  const read = strict.outcome === 'open' ? strict.reads[i] : undefined;
  if (read?.outcome !== 'bytes') return null;
  const visible = Math.max(0, c.access.deviceBytes - c.access.reads[i]!.offset);
  return createHash('sha256').update(read.bytes.subarray(0, visible)).digest('hex');
}

/** Flags of settled points of which some target says that it takes the other side. */
export function declaredFlags(targets: readonly Pick<Target, 'stance'>[]): ReadonlySet<string> {
  return new Set(targets.flatMap((t) => Object.keys(t.stance.flags).filter((f) => t.stance.flags[f] && DECLARED_ONLY.has(f))));
}
