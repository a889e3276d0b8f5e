// SPDX-License-Identifier: MIT
/** From a recipe to a case: bytes, devices, reads. A pure function; the same recipe gives the same bytes. */
import { SECTOR } from '../spec/index.ts';
import type { AccessPlan, Case, Layer } from '../model/index.ts';
import { inSpecOrder, type Emit } from './clause-list.ts';
import { makeContent } from './content.ts';
import { emitAccess } from './access-clauses.ts';
import { mutatorAt } from './inflict.ts';
import { makeLayer, type MadeLayer } from './lsmt-layer.ts';
import { layOut, type LaidLayer } from './lsmt-layout.ts';
import { emitStack, paint, stackBytes } from './lsmt-stack.ts';
import { ZFILE_MUTATORS } from './mutators/zfile.ts';
import { inUse } from './crowd.ts';
import { planReads } from './reads.ts';
import type { CaseRecipe, DamageRecipe, LayerRecipe, ShapeRecipe, TroubleRecipe } from './recipe.ts';
import { hasTable, tableFault } from './table-fault.ts';
import { deepStack, tinyLayers } from './tiny-layers.ts';
import { troubleOf } from './trouble.ts';
import { inOrderMet, type Violated } from './violated.ts';
import { craftedContent } from './zfile-block.ts';
import { damageZFile } from './zfile-damage.ts';
import { PLAIN_ZFILE, writeZFile } from './zfile-writer.ts';

export interface Built {
  readonly case: Case;
  /**
   * The device's bytes [offset, offset + length) by the generator's own
   * account, written segment by segment over each other; the range lies inside
   * the device. Null where the case is damaged.
   */
  readonly readModel: ((offset: number, length: number) => Uint8Array) | null;
  /** Bytes of the device by the generator's own account. */
  readonly size: number;
}

/** Layers of a stack at the most. */
const MAX_LAYERS = 255;

export function buildCase(id: string, recipe: CaseRecipe): Built {
  const exercised = new Set<string>();
  const emit: Emit = (clause) => exercised.add(clause);
  // One thing at a time, so that it is known what a case is about.
  const trouble = recipe.damage.length === 0 && !recipe.table ? recipe.trouble : null;
  const made = recipe.shape.device === 'zfile'
    ? makeZFileDevice(recipe.shape, recipe.damage, emit, trouble?.kind === 'deep')
    : makeStack(allLayers(recipe.shape, trouble), recipe.damage, emit);
  const { device } = recipe.shape;
  const deviceBytes = made.size - (made.size % SECTOR);
  const sound = recipe.damage.length === 0 && made.violated.length === 0;
  const table = sound && recipe.table ? tableFault(recipe.table, { device, layers: made.layers }, recipe.slack, made.size) : null;
  const reads = planReads(recipe.reads, deviceBytes, made.borders);
  const usual: AccessPlan = {
    slack: recipe.slack, deviceBytes, reads,
    ...(table ? { table: table.fault } : {}),
    // A deep stack is on few devices, whether it is refused or not.
    ...(trouble && (sound || trouble.kind === 'deep') && deviceBytes > 0 && hasTable(made) ? troubleOf(trouble, { device, layers: made.layers }, deviceBytes, reads.length) : {}),
  };
  const calm = !usual.table && !usual.fault && !usual.attempts && !usual.shared;
  const access = calm ? { ...usual, ...inUse(recipe, reads, made.layers.length) } : usual;
  emitAccess({ device, layers: made.layers, access }, made.size, emit);
  return {
    case: {
      id, device, layers: made.layers, access,
      clauses: { exercises: inSpecOrder(exercised), violates: table ? table.violates : made.certain ? inOrderMet(made.violated) : [] },
    },
    size: made.size,
    readModel: sound && !table ? made.read : null,
  };
}

interface Made {
  readonly layers: readonly Layer[];
  /** Bytes. */
  readonly size: number;
  readonly borders: readonly number[];
  readonly violated: readonly Violated[];
  /** Whether that is all that is wrong. */
  readonly certain: boolean;
  read(offset: number, length: number): Uint8Array;
}

function makeZFileDevice(shape: Extract<ShapeRecipe, { device: 'zfile' }>, damages: readonly DamageRecipe[], emit: Emit, nested: boolean): Made {
  const content = craftedContent(makeContent(shape.content, shape.bytes), shape.zfile);
  const chosen = damages.map((recipe) => ({ recipe, mutator: mutatorAt(ZFILE_MUTATORS, recipe.mutator) }));
  const zfile = nested ? { ...shape.zfile, headerMode: true } : shape.zfile;
  const { bytes, violates, certain } = damageZFile(writeZFile(content, zfile, emit), chosen);
  const borders: number[] = [];
  for (let at = 0; at <= content.length && borders.length < 512; at += shape.zfile.blockSize) borders.push(at);
  return {
    layers: [nested ? inZFile(bytes) : { wrapping: ['zfile'], bytes, exposedBytes: content.length }],
    size: content.length, borders, violated: violates.map(({ clause }, rank) => ({ clause, layer: 0, rank })), certain,
    read: (offset, length) => content.subarray(offset, offset + length),
  };
}

/** A ZFile whose header has the fields, in another one: a device has whole sectors, and what follows such a ZFile is nobody's. */
function inZFile(inner: Uint8Array): Layer {
  const padded = new Uint8Array(Math.ceil(inner.length / SECTOR) * SECTOR);
  padded.set(inner);
  return { wrapping: ['zfile', 'zfile'], bytes: writeZFile(padded, PLAIN_ZFILE), exposedBytes: padded.length };
}

/** The recipes of all layers, bottom to top, a repeated file's own recipe in its place; `again`: the bottom one once more on top; `deep`: another stack. */
function allLayers(shape: Extract<ShapeRecipe, { device: 'lsmt' }>, trouble: TroubleRecipe | null): { readonly recipe: LayerRecipe; readonly same: number }[] {
  const out: { recipe: LayerRecipe; same: number }[] = [];
  for (const recipe of trouble?.kind === 'deep' ? deepStack(trouble.a, trouble.b) : [...tinyLayers(shape.tiny), ...shape.layers]) {
    const i = out.length;
    out.push(recipe.sameAs === null || i === 0 ? { recipe, same: i } : out[recipe.sameAs % i]!);
  }
  if (trouble?.kind === 'again' && out.length > 0 && out.length < MAX_LAYERS && out.every((l, i) => l.same === i)) out.push(out[0]!);
  return out;
}

function makeStack(recipes: readonly { readonly recipe: LayerRecipe; readonly same: number }[], damages: readonly DamageRecipe[], emit: Emit): Made {
  const laid: LaidLayer[] = [];
  for (const [i, { recipe, same }] of recipes.entries()) {
    laid.push(same < i ? laid[same]! : layOut(recipe, recipe.segments.some((s) => s.place?.to === 'segment') ? laid.flatMap((l) => l.segments) : []));
  }
  const made: MadeLayer[] = [];
  for (const [i, { recipe, same }] of recipes.entries()) {
    if (same === i) made.push(makeLayer(recipe, laid[i]!, i, damages.filter((d) => recipes[d.layer % recipes.length]!.same === i), emit));
    else made.push({ layer: made[same]!.layer, violated: [], certain: true });
  }
  emitStack(laid, emit);
  if (recipes.some((r, i) => r.same !== i)) emit('ST-DUP-01');
  if (new Set(made.map((m) => m.layer.wrapping.join())).size > 1) emit('ST-WRAP-02');
  const violated = made.flatMap((m) => m.violated);
  if (recipes.length > MAX_LAYERS) violated.push({ clause: 'ST-CNT-01', layer: -1, rank: 0 });
  return {
    layers: made.map((m) => m.layer), size: stackBytes(laid), borders: bordersOf(laid), violated, certain: made.every((m) => m.certain),
    read: (offset, length) => paint(laid, offset, length),
  };
}

/** Borders that reads are planned at, at the most. */
const MAX_BORDERS = 4096;

function bordersOf(laid: readonly LaidLayer[]): number[] {
  const borders = new Set<number>();
  for (const { segments } of laid) {
    for (const s of segments) {
      if (borders.size >= MAX_BORDERS) break;
      borders.add(s.offset * SECTOR).add(s.end * SECTOR);
    }
  }
  return [...borders];
}
