// SPDX-License-Identifier: MIT
/** From a layer recipe with absolute places to the layer's files: LSMT, the ZFile around it, the tar around that, each damaged in turn. */
import type { Extent, Layer, Wrapper } from '../model/index.ts';
import { SECTOR } from '../spec/index.ts';
import { rankOf, type Emit } from './clause-list.ts';
import { inflict, mutatorAt, numberOf, type Chosen, type Inflicted } from './inflict.ts';
import { emitLayer, entryCount, MAX_ENTRIES } from './lsmt-clauses.ts';
import type { LaidLayer } from './lsmt-layout.ts';
import { writeLsmt, writePair, writeSparse, writeWarp, type LsmtOptions } from './lsmt-writer.ts';
import type { Damage, Mutator } from './mutators/damage.ts';
import { LSMT_ANYWHERE } from './mutators/lsmt.ts';
import { LSMT_CLAUSE_MUTATORS, PLACE_MUTATORS, WARP_MUTATORS } from './mutators/lsmt-clauses.ts';
import { indexImage, sealedImage, type SealedImage } from './mutators/lsmt-image.ts';
import { PAIR_DATA_MUTATORS, PAIR_INDEX_MUTATORS, SPARSE_MUTATORS } from './mutators/lsmt-writable.ts';
import { TAR_MUTATORS } from './mutators/tar.ts';
import { ZFILE_MUTATORS } from './mutators/zfile.ts';
import type { DamageRecipe, LayerRecipe } from './recipe.ts';
import { tarAround } from './tar-writer.ts';
import { blockRank, meetingRank, tarRank, type Violated } from './violated.ts';
import { damageZFile } from './zfile-damage.ts';
import { writeZFile } from './zfile-writer.ts';

const SEALED: readonly Mutator<SealedImage>[] = [...LSMT_CLAUSE_MUTATORS, ...PLACE_MUTATORS, ...LSMT_ANYWHERE];
/** What only a warp layer can have wrong is drawn as often as all else. */
const WARP: readonly Mutator<SealedImage>[] = [...Array.from({ length: 6 }, () => WARP_MUTATORS).flat(), ...LSMT_CLAUSE_MUTATORS, ...LSMT_ANYWHERE];
const PAGE = 4096;

/** The files that can be damaged, from the inside out. */
type Level = 'file' | 'index' | 'zfile' | 'tar';

/** The mutators that apply to a layer of this recipe, each with the number by which a damage recipe chooses it. */
export function mutatorsOf(r: LayerRecipe): readonly { readonly number: number; readonly name: string; readonly violates: string | null }[] {
  const levels = levelsOf(r);
  return levels.flatMap(({ mutators }, k) => mutators.map(({ name, violates }, i) => ({ number: numberOf(mutators, i) * levels.length + k, name, violates })));
}

interface LevelMutators {
  readonly level: Level;
  readonly mutators: readonly Pick<Mutator<never>, 'name' | 'violates'>[];
}

function levelsOf(r: LayerRecipe): LevelMutators[] {
  const levels: LevelMutators[] = [];
  if (r.form === 'pair') levels.push({ level: 'file', mutators: PAIR_DATA_MUTATORS }, { level: 'index', mutators: PAIR_INDEX_MUTATORS });
  else if (r.form === 'sparse') levels.push({ level: 'file', mutators: SPARSE_MUTATORS });
  else levels.push({ level: 'file', mutators: r.form === 'warp' ? WARP : SEALED });
  if (isWrapped(r) && r.zfile) levels.push({ level: 'zfile', mutators: ZFILE_MUTATORS });
  if (isWrapped(r) && r.tar !== 'no') levels.push({ level: 'tar', mutators: TAR_MUTATORS });
  return levels;
}

/** Writable layers do not travel, so nothing is around them. */
function isWrapped(r: LayerRecipe): boolean {
  return r.form !== 'pair' && r.form !== 'sparse';
}

export interface MadeLayer {
  readonly layer: Layer;
  readonly violated: readonly Violated[];
  /** Whether that is all that is wrong with it. */
  readonly certain: boolean;
}

/** Writes layer number `at` of a stack, with the damages that are meant for it. */
export function makeLayer(r: LayerRecipe, laid: LaidLayer, at: number, damages: readonly DamageRecipe[], emit: Emit): MadeLayer {
  emitLayer(r, laid, emit);
  const chosen = choose(r, damages);
  const violated: Violated[] = [];
  let certain = true;
  const done = ({ bytes, aimed, ...hurt }: Inflicted, rank: (clause: string, at: number) => number): Uint8Array => {
    for (const { clause, damage } of aimed) violated.push({ clause, layer: at, rank: rank(clause, damage.edits[0]?.at ?? damage.length ?? 0) });
    certain &&= hurt.certain;
    return bytes;
  };
  const inFile = (clause: string, position: number): number => meetingRank(r.form, 'data', clause, position);
  const { segments, virtualSize } = laid;
  const index = { invalidBefore: r.invalidBefore, emptyBefore: r.emptyBefore, marks: r.marks };

  if (r.form === 'pair') {
    const pair = writePair(segments, virtualSize, { ...index, torn: r.padding % 16 });
    const bytes = done(inflict(pair.data, { bytes: pair.data, wholeSectors: false }, PAIR_DATA_MUTATORS, chosen('file')), inFile);
    const hurt = inflict(pair.index, indexImage(pair.index, pair.data.length), PAIR_INDEX_MUTATORS, chosen('index'));
    return { layer: { wrapping: [], bytes, index: done(hurt, (clause, position) => meetingRank('pair', 'index', clause, position)) }, violated, certain };
  }
  if (r.form === 'sparse') {
    const { bytes, extents } = writeSparse(segments, virtualSize, r.marks);
    const hurt = inflict(bytes, { bytes, wholeSectors: false }, SPARSE_MUTATORS, chosen('file'));
    return { layer: { wrapping: [], bytes: done(hurt, inFile), extents: withEdited(extents, hurt.damages, hurt.bytes.length) }, violated, certain };
  }

  const invalidBehind = r.many?.kind === 'invalid' ? Math.max(0, r.many.count - segments.length - r.invalidBefore.length - r.emptyBefore.length) : 0;
  const options: LsmtOptions = {
    ...index, virtualSize, form: r.form === 'committed' ? 'committed' : 'sealed', placement: r.placement === 'reversed' ? 'reversed' : 'packed',
    padding: r.padding, invalidBehind,
  };
  const { bytes: file, remote } = r.form === 'warp' ? writeWarp(segments, options) : { bytes: writeLsmt(segments, options), remote: null };
  if (entryCount(r, laid) > MAX_ENTRIES) violated.push({ clause: 'LS-IDX-01', layer: at, rank: rankOf('LS-IDX-01') });
  let bytes = done(inflict(file, sealedImage(file, r.zfile !== null, remote), r.form === 'warp' ? WARP : SEALED, chosen('file')), inFile);

  const wrapping: Wrapper[] = [];
  let exposedBytes: number | undefined;
  if (r.zfile) {
    // A device over the ZFile has whole sectors: what damage left of the layer is padded to them.
    bytes = padToSector(bytes);
    exposedBytes = bytes.length;
    const sound = bytes;
    const around = damageZFile(writeZFile(bytes, r.zfile, emit), chosen('zfile'));
    around.violates.forEach((v, i) => violated.push({ clause: v.clause, layer: at, rank: blockRank(v, sound) + i / 1000 }));
    bytes = around.bytes;
    certain &&= around.certain;
    wrapping.unshift('zfile');
    emit('ST-WRAP-01');
  }
  if (r.tar !== 'no') {
    const tar = tarAround(bytes, r.tar, r.tarTail);
    bytes = done(inflict(tar.bytes, tar, TAR_MUTATORS, chosen('tar')), (clause, position) => tarRank(clause, position, tar.header));
    wrapping.unshift('tar');
    ['TR-TAR-01', 'TR-TAR-02', 'TR-TAR-03'].forEach(emit);
    if (r.tarTail !== 'end') emit('TR-TAR-04');
  }
  return { layer: { wrapping, bytes, ...(exposedBytes === undefined ? {} : { exposedBytes }), ...(remote ? { remote } : {}) }, violated, certain };
}

/** Which damages meet which level, each as likely as the others, and where in that level's list they begin. */
function choose(r: LayerRecipe, damages: readonly DamageRecipe[]): (level: Level) => Chosen[] {
  const levels = levelsOf(r);
  return (level) => damages.flatMap((recipe) => {
    const met = levels[recipe.mutator % levels.length]!;
    return met.level === level ? [{ recipe, mutator: mutatorAt(met.mutators, Math.floor(recipe.mutator / levels.length)) }] : [];
  });
}

function padToSector(bytes: Uint8Array): Uint8Array {
  if (bytes.length % SECTOR === 0) return bytes;
  const out = new Uint8Array(Math.ceil(bytes.length / SECTOR) * SECTOR);
  out.set(bytes);
  return out;
}

/** The extents of a sparse file that damage wrote into or cut: a page with a byte in it is no hole. */
function withEdited(extents: readonly Extent[], damages: readonly Damage[], length: number): Extent[] {
  const pages = damages.flatMap((d) => d.edits.map((e) => ({
    from: e.at - (e.at % PAGE), to: Math.ceil((e.at + e.bytes.length) / PAGE) * PAGE,
  })));
  const out: Extent[] = [];
  for (const e of [...extents, ...pages].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    const to = Math.min(e.to, Math.ceil(length / PAGE) * PAGE);
    if (e.from >= length) continue;
    if (last && e.from <= last.to) out[out.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else out.push({ from: e.from, to });
  }
  return out;
}
