// SPDX-License-Identifier: MIT
/** What a tree that was read through a target says of it. */
import { judge } from '../../judge/judge.ts';
import { isFindingKind, type Case, type Expectation, type FindingKind, type MountProcedure, type Verdict } from '../../model/index.ts';
import type { SeenTree } from '../../targets/kernel/file-system.ts';
import type { Target } from '../../targets/target.ts';
import { differences, type Difference } from './compare.ts';
import { firstWrongByte, placeOf } from './locate.ts';

/** Differences that are told; the rest is counted. */
const TOLD = 6;
/** What is broken where nothing says which bytes of the device are wrong. */
const READS = 'DM-RD-01';

/**
 * The worst of what the files, the device itself (which is read as a whole after
 * them), the kernel's log and the machine's end say. Where device and files are both
 * wrong, the device's clause governs, for it names the byte.
 */
export function verdictOfTree(c: Case, expectation: Expectation, { fileSystem, tree }: MountProcedure, seen: SeenTree, target: Target): Verdict {
  const { observation, problem } = seen;
  const device = judge(c, expectation, observation, target.stance, target);
  if (['engine-error', 'crash', 'hang', 'memory'].includes(device.kind)) return device;
  const wrong = differences(tree, seen);
  const told = [
    ...(problem === undefined ? [] : [problem.stage === 'mount' ? `mounting fails: ${problem.errno}` : `${problem.stage}: ${problem.errno}`]),
    ...wrong.slice(0, TOLD).map((d) => `${d.cache} cache: ${d.text}`), ...(wrong.length > TOLD ? [`${wrong.length - TOLD} more`] : []),
  ];
  if (told.length === 0) return device;
  const what = `${fileSystem} over ${wrapping(c)}: ${told.join('; ')}`;
  if (isFindingKind(device.kind)) {
    const byte = firstWrongByte(c, expectation, observation);
    return { ...device, why: `${what}; the device itself: ${device.why}${byte === undefined ? '' : `; that is byte ${byte.at} of the device, ${layerText(c, byte.layer)}`}` };
  }
  const finding = (kind: FindingKind, clause: string, more = ''): Verdict => ({ kind, clause, signature: `${kind}: ${clause}`, why: `${what}${more}` });
  if (wrong.some((d) => d.what !== 'unreadable')) {
    const place = firstPlace(c, wrong);
    return finding('corruption', place?.clause ?? READS, place === undefined ? '' : `; that block is byte ${place.at} of the device, ${layerText(c, place.layer)}`);
  }
  // A file system that does not find what it wrote, or finds nothing at all.
  if (problem?.stage === 'mount') return finding(problem.errno === 'EIO' ? 'refuses-valid' : 'corruption', READS);
  if (wrong.length > 0) return finding('refuses-valid', READS);
  return problem?.stage === 'remove' ? finding('leak', 'DM-FREE-01') : finding('refuses-valid', 'DM-TBL-02');
}

function layerText(c: Case, layer: number | undefined): string {
  return layer === undefined ? 'which no layer holds' : `of layer ${layer} of ${c.layers.length}`;
}

function firstPlace(c: Case, wrong: readonly Difference[]): ReturnType<typeof placeOf> {
  for (const { block } of wrong.slice(0, TOLD)) {
    const place = block === undefined ? undefined : placeOf(c, block.digest);
    if (place !== undefined) return place;
  }
  return undefined;
}

/** `4 layers in ZFiles`. */
function wrapping(c: Case): string {
  const n = c.layers.length;
  const one = n === 1;
  return c.layers[0]!.wrapping.includes('zfile') ? `${n} layer${one ? '' : 's'} in ${one ? 'a ZFile' : 'ZFiles'}` : `${n} raw layer${one ? '' : 's'}`;
}
