// SPDX-License-Identifier: MIT
/** Image files as one case: every byte of their device is read. */
import type { Case, Extent, Layer } from '../../model/index.ts';
import { examine } from '../../oracles/examine.ts';
import { guessLayer } from '../../oracles/guess.ts';
import { bufferSource } from '../../oracles/source.ts';
import { openStack, unwrap, type LayerSource } from '../../oracles/stack.ts';
import { collecting, STRICT, Violation } from '../../oracles/violation.ts';
import { SECTOR } from '../../spec/index.ts';
import type { Judged } from '../execute.ts';
import { layerViews } from './place.ts';

/** One image: the bytes of its file, or of the two of a writable pair. */
export interface ImageBytes {
  readonly data: Uint8Array;
  readonly index?: Uint8Array;
}

/** Bytes of one read. */
const PIECE = 1 << 20;
/** Bytes of a device that are read; more would not fit beside what the targets give of it. */
export const MAX_DEVICE_BYTES = 256 << 20;

/** Thrown where images are sound and too large to be compared. */
export class TooLarge extends Error {}

/**
 * The case of images, bottom to top: their envelopes and forms are guessed as
 * by any tool, and all of the device is read. `as` zfile: the one image is
 * read as a ZFile, whatever it holds. Throws `TooLarge`.
 */
export function caseOfImages(id: string, images: readonly ImageBytes[], as: 'device' | 'zfile'): Judged {
  const sources = images.map(({ data, index }) => guessLayer({ file: bufferSource(data), ...(index && { index: bufferSource(index) }) }));
  const layers = images.map(({ data, index }, i): Layer => {
    const { wrapping, extents } = sources[i]!;
    return { wrapping, bytes: data, ...(index && { index }), ...extentsOf(extents), ...exposedOf(sources[i]!) };
  });
  const device = as === 'zfile' ? 'zfile' : 'lsmt';
  const size = sizeOf(sources, layers, device);
  if (size > MAX_DEVICE_BYTES) throw new TooLarge(`the device has ${size} bytes; at most ${MAX_DEVICE_BYTES} can be compared`);
  const deviceBytes = size - (size % SECTOR);
  const c: Case = {
    id, device, layers, clauses: { exercises: [], violates: [] },
    access: {
      slack: 'page', deviceBytes,
      reads: Array.from({ length: Math.max(1, Math.ceil(deviceBytes / PIECE)) }, (_, i) => ({
        offset: i * PIECE, length: Math.min(PIECE, Math.max(SECTOR, deviceBytes - i * PIECE)), bufferOffset: 0, mode: 'direct' as const,
      })),
    },
  };
  return examine(c);
}

function extentsOf(extents: readonly Extent[] | undefined): Pick<Layer, 'extents'> {
  return extents === undefined ? {} : { extents };
}

/** What the ZFile around a layer decodes to; for one that cannot be opened what its header says, if anything. */
function exposedOf(source: LayerSource): Pick<Layer, 'exposedBytes'> {
  if (!source.wrapping.includes('zfile')) return {};
  try {
    return { exposedBytes: unwrap(source, STRICT).outer!.size };
  } catch (e) {
    if (!(e instanceof Violation)) throw e;
  }
  try {
    return { exposedBytes: unwrap(source, collecting(() => undefined)).outer!.size };
  } catch (e) {
    if (e instanceof Violation) return { exposedBytes: SECTOR };
    throw e;
  }
}

/** Bytes of the device; of one that must be refused what its topmost layer says, or a page where it says nothing that can be. */
function sizeOf(sources: readonly LayerSource[], layers: readonly Layer[], device: Case['device']): number {
  try {
    return device === 'zfile' ? unwrap(sources[0]!, STRICT).zfile!.size : openStack(sources, STRICT).size;
  } catch (e) {
    if (!(e instanceof Violation)) throw e;
  }
  const said = device === 'zfile' ? layers[0]!.exposedBytes : layers.toReversed().map(virtualSize).find((n) => n > 0);
  return said !== undefined && said >= SECTOR && said <= MAX_DEVICE_BYTES ? said : 4096;
}

function virtualSize(layer: Layer): number {
  const level = layerViews(layer).at(-1)!.levels.findLast((l) => l.kind === 'lsmt');
  const field = level?.structures.findLast((s) => s.authoritative)?.fields.find((f) => f.name === 'virtual_size');
  return typeof field?.value === 'number' ? field.value : 0;
}
