// SPDX-License-Identifier: MIT
/** Damage to a ZFile, with its checksums made right again or left stale, and what that violates. */
import { fieldOf, ZFILE_HEADER, ZFILE_SPACE } from '../spec/index.ts';
import { inflict, type Chosen } from './inflict.ts';
import { meetingOrder, type AimedDamage } from './mutators/zfile-order.ts';
import { resealZFile, ZFILE_MUTATORS, zfileImage, type ZFileImage } from './mutators/zfile.ts';

/** A clause that the ZFile violates. */
export interface ZFileViolation {
  readonly clause: string;
  /** Bytes of the content that cannot be read for it; null: it is met when the ZFile is opened. */
  readonly content: { readonly from: number; readonly to: number } | null;
}

/** Clauses that another one stands before in every such image. */
const SHADOWED_BY: Readonly<Record<string, string>> = { 'ZF-BLK-04': 'ZF-IDX-06' };

/** The damaged file and the clauses that it violates, first what a reader meets first. The file itself stays as it is. */
export function damageZFile(
  bytes: Uint8Array, chosen: readonly Chosen[],
): { bytes: Uint8Array; violates: readonly ZFileViolation[]; certain: boolean } {
  if (chosen.length === 0) return { bytes, violates: [], certain: true };
  const image = zfileImage(bytes);
  const done = inflict(bytes, image, ZFILE_MUTATORS, chosen);
  const sealed = Uint8Array.from(done.bytes);
  resealZFile(sealed, image);
  const reseal = chosen.some((c) => c.recipe.reseal);
  const aimed = done.aimed.map((a) => ({ ...a, clause: SHADOWED_BY[a.clause] ?? a.clause }));
  const all = reseal ? aimed : [...aimed, ...stale(image, done.bytes, sealed)];
  const inOrder = [...new Set(all.length < 2 ? all.map((a) => a.clause) : meetingOrder(image, all))];
  const shadowed = done.aimed.map((a) => a.clause).filter((clause) => SHADOWED_BY[clause] !== undefined);
  return {
    certain: done.certain,
    bytes: reseal ? sealed : done.bytes,
    violates: inOrder.flatMap((clause) => [clause, ...shadowed.filter((s) => SHADOWED_BY[s] === clause)])
      .map((clause) => ({ clause, content: contentOf(image, all.find((a) => a.clause === (SHADOWED_BY[clause] ?? clause))!) })),
  };
}

/** The checksums that the damage left stale: each where it stands. */
function stale(image: ZFileImage, bytes: Uint8Array, sealed: Uint8Array): AimedDamage[] {
  const out: AimedDamage[] = [];
  const look = (clause: string, at: number): void => {
    const now = sealed.slice(at, at + 4);
    if (Buffer.compare(now, bytes.subarray(at, at + 4)) !== 0) out.push({ clause, damage: { edits: [{ at, bytes: now }] } });
  };
  const digest = fieldOf(ZFILE_HEADER, 'digest').offset;
  const touched = (base: number): boolean =>
    Buffer.compare(bytes.subarray(base, base + ZFILE_SPACE), image.bytes.subarray(base, base + ZFILE_SPACE)) !== 0;
  if (touched(0)) look('ZF-HDR-04', digest);
  if (!image.headerMode && touched(image.trailer)) look('ZF-TRL-05', image.trailer + digest);
  if (image.digest) look('ZF-IDX-03', image.base + fieldOf(ZFILE_HEADER, 'index_crc').offset);
  if (image.verify) for (const { offset, stored } of image.blocks) look('ZF-BLK-03', offset + stored);
  return out;
}

/** What is met when a block is needed. */
const BLOCK_CLAUSE = /^ZF-(BLK-0[35]|LZ4-|ZST-)/;

/** What the block under the damage decodes to. */
function contentOf(image: ZFileImage, { clause, damage }: AimedDamage): ZFileViolation['content'] {
  if (!BLOCK_CLAUSE.test(clause)) return null;
  const i = image.blocks.findLastIndex((b) => b.offset <= (damage.edits[0]?.at ?? 0));
  return i < 0 ? null : { from: i * image.blockSize, to: i * image.blockSize + image.blocks[i]!.length };
}
