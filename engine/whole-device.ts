// SPDX-License-Identifier: MIT
/** Which devices can be asked of a reader that always reads, and writes to a file, all of one. */
import type { Case, Stance } from '../model/index.ts';
import { layerSources } from '../oracles/examine.ts';
import { openStack, unwrap, zfileDevice, type Device } from '../oracles/stack.ts';
import { STRICT, Violation } from '../oracles/violation.ts';

/** Bytes that are read at once. */
const PIECE = 1 << 20;

/** Whether all of a device can be read; looked at once for each case, for several targets ask. */
const readable = new WeakMap<Case, boolean>();

/** Why the device of a case is none for such a reader; null where it is, or where the images must be refused anyway. */
export function noWholeDevice(c: Case, { whole, deviceBytes, empty }: Stance['supports']): string | null {
  // Most readers have no such limits, and opening a stack takes its time.
  if (!whole && deviceBytes === undefined && empty !== false) return null;
  const device = open(c);
  if (!device) return null;
  if (empty === false && device.size === 0) return 'it makes no device of no bytes';
  if (deviceBytes !== undefined && device.size > deviceBytes) return `its devices have at most ${deviceBytes} bytes`;
  if (!whole) return null;
  const known = readable.get(c) ?? isReadable(device);
  readable.set(c, known);
  return known ? null : 'a part of the device cannot be read, and it always reads all of it';
}

function open(c: Case): Device | null {
  try {
    if (c.device === 'lsmt') return openStack(layerSources(c), STRICT);
    const { zfile } = unwrap(layerSources(c)[0]!, STRICT);
    return zfile && zfileDevice(zfile);
  } catch (e) {
    if (e instanceof Violation) return null;
    throw e;
  }
}

function isReadable(device: Device): boolean {
  try {
    for (let at = 0; at < device.size; at += PIECE) device.read(at, Math.min(PIECE, device.size - at));
    return true;
  } catch (e) {
    if (e instanceof Violation) return false;
    throw e;
  }
}
