// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Case, Outcome } from '../../model/index.ts';
import { examine, strictOutcome } from '../../oracles/examine.ts';
import { CLAUSES } from '../../spec/index.ts';
import { makeContent, randomBytes, type ContentKind } from '../content.ts';
import { writeZFile, type ZFileRecipe } from '../zfile-writer.ts';
import { damaged, type Damage } from './damage.ts';
import { pick } from './mutator.ts';
import { meetingOrder } from './zfile-order.ts';
import { resealZFile, ZFILE_MUTATORS, zfileImage, type ZFileImage } from './zfile.ts';

/** Those that stand in the list more than once, once. */
const AIMED = [...new Set(ZFILE_MUTATORS)].filter((m) => m.violates !== null);
const DRAWS = 40;

/** Sound files of every option, most of a few blocks, some of one short block or none. */
const images: readonly ZFileImage[] = Array.from({ length: 160 }, (_, i) => {
  const n = new DataView(randomBytes(i + 1, 32).buffer);
  const at = (byte: number): number => n.getUint8(byte);
  const recipe: ZFileRecipe = {
    algo: pick(['lz4', 'lz4', 'zstd'], at(0)), encoder: pick(['library', 'library', 'literals'], at(1)),
    blockSize: pick([4096, 512, 1024, 65536], at(2)), verify: at(3) % 3 > 0, headerMode: at(4) % 2 > 0, digest: at(5) % 4 > 0,
  };
  const size = pick([4096, 8192, 12_288, 20_000, 512, 513, 1535, 1, 0, 66_000, 0, 1, 200], at(6));
  return zfileImage(writeZFile(makeContent({ kind: pick(['counter', 'mixed', 'random', 'zeros', 'text'] as ContentKind[], at(7)), seed: i }, size), recipe));
});

function caseOf(image: ZFileImage, bytes: Uint8Array): Case {
  const whole = Math.ceil(image.size / 4096) * 4096;
  return {
    id: 'damaged', device: 'zfile', layers: [{ wrapping: ['zfile'], bytes, exposedBytes: image.size }],
    access: { slack: 'page', deviceBytes: whole, reads: whole === 0 ? [] : [{ offset: 0, length: whole - (whole > image.size ? image.size % 512 : 0), bufferOffset: 0, mode: 'direct' }] },
    clauses: { exercises: [], violates: [] },
  };
}

function sealed(image: ZFileImage, damages: readonly Damage[]): Case {
  const bytes = damaged(image.bytes, damages);
  resealZFile(bytes, image);
  return caseOf(image, bytes);
}

/** The clause by which strict reading refuses the case or fails its read; null where all of it is read. */
function broken(outcome: Outcome): string | null {
  if (outcome.outcome === 'refuse') return outcome.clause;
  return outcome.reads.find((r) => r.outcome === 'error')?.clause ?? null;
}

/** What strict reading says where the clause stands behind another one that every such image breaks as well. */
const strictly = (clause: string): string => (clause === 'ZF-BLK-04' ? 'ZF-IDX-06' : clause);

function overlap(one: Damage, other: Damage): boolean {
  return one.edits.some((x) => other.edits.some((y) => x.at < y.at + y.bytes.length && y.at < x.at + x.bytes.length));
}

describe('damage to a sound ZFile', () => {
  it('the files are sound', () => {
    for (const image of images) expect(broken(strictOutcome(caseOf(image, image.bytes)))).toBeNull();
  });

  it('has a mutator for every clause that an image can break', () => {
    const bound = CLAUSES.filter((c) => c.id.startsWith('ZF-') && c.binds === 'image').map((c) => c.id);
    expect(bound.filter((id) => !AIMED.some((m) => m.violates === id))).toEqual([]);
  });

  it.each(AIMED)('$name breaks $violates and nothing before it', (mutator) => {
    let made = 0;
    images.forEach((image, i) => {
      for (let k = 0; k < DRAWS / 8; k++) {
        const [a, b] = [i * 7919 + k * 31 + k, i * 104_729 + k * 17];
        const damage = mutator.damage(image, a, b);
        if (!damage) continue;
        made++;
        const found = broken(strictOutcome(sealed(image, [damage])));
        expect(found, `image ${i}, ${a}, ${b}`).toBe(strictly(mutator.violates!));
      }
    });
    expect(made).toBeGreaterThan(50);
  });

  it('a block outside of the file is found by who does not compare its end with the index', () => {
    const mutator = AIMED.find((m) => m.violates === 'ZF-BLK-04')!;
    const image = images.find((x) => x.size === 12_288)!;
    const { alternatives } = examine(sealed(image, [mutator.damage(image, 0, 1)!])).expectation;
    expect(alternatives.map((x) => broken(x.outcome))).toContain('ZF-BLK-04');
  });

  it('of two, the one is found that stands first in the specification, or in the file', () => {
    let made = 0;
    for (let i = 0; i < 4000; i++) {
      const n = new DataView(randomBytes(i + 77, 32).buffer);
      const image = pick(images, n.getUint32(0));
      const aimed = [0, 1].flatMap((k) => {
        const mutator = pick(AIMED, n.getUint16(4 + k * 12));
        const damage = mutator.damage(image, n.getUint16(6 + k * 12), n.getUint16(8 + k * 12));
        return damage ? [{ clause: strictly(mutator.violates!), damage, name: mutator.name }] : [];
      });
      // Of one that is half overwritten, half is left: drawn cases have no such damage.
      if (aimed.length < 2 || overlap(aimed[0]!.damage, aimed[1]!.damage)) continue;
      made++;
      const found = broken(strictOutcome(sealed(image, aimed.map((x) => x.damage))));
      expect(found, `${i}: ${aimed.map((x) => x.name).join(' and ')}`).toBe(meetingOrder(image, aimed)[0]);
    }
    expect(made).toBeGreaterThan(1000);
  });

  it('left stale, a checksum is what is wrong first, where one covers the damage', () => {
    const image = images.find((x) => x.digest && x.verify && !x.headerMode && x.blocks.length > 2)!;
    const stale = (name: string, b: number): string | null => {
      const damage = ZFILE_MUTATORS.find((m) => m.name === name)!.damage(image, 0, b)!;
      return broken(strictOutcome(caseOf(image, damaged(image.bytes, [damage]))));
    };
    expect(stale('zfile.odd-block-size', 0)).toBe('ZF-TRL-05');
    expect(stale('zfile.longer-entry', 0)).toBe('ZF-IDX-03');
    expect(stale('zfile.block-byte', 0)).toBe('ZF-BLK-03');
  });

  it.each(ZFILE_MUTATORS)('$name leaves the sound file as it is', (mutator) => {
    const image = images[0]!;
    const before = image.bytes.slice();
    const damage = mutator.damage(image, 12_345, 678);
    if (damage) sealed(image, [damage]);
    expect(Buffer.compare(image.bytes, before)).toBe(0);
  });
});
