// SPDX-License-Identifier: MIT
/** The arguments of a device-mapper table over images, with what a case has wrong about them. */
import type { TableFault } from './case.ts';

/** What a table says of one image. */
export interface TableArgument {
  /** The device, as its reader names devices. */
  readonly device: string;
  /** Bytes of the image. */
  readonly bytes: number;
}

/** A device that no machine has. */
const NO_DEVICE = '/dev/no-such-device';

/** The words of a table over these images, bottom first, with the fault in them. */
export function tableParams(images: readonly TableArgument[], fault: TableFault | undefined): string {
  const words = images.flatMap(({ device, bytes }, i) => {
    if (!fault || !('layer' in fault) || fault.layer !== i) return [device, String(bytes)];
    switch (fault.kind) {
      case 'bytes': return [device, String(bytes + fault.delta)];
      case 'text': return [device, fault.text];
      case 'device': return [NO_DEVICE, String(bytes)];
      // What is wrong is not said in its words.
      case 'busy': case 'short': return [device, String(bytes)];
    }
  });
  if (fault?.kind !== 'count') return words.join(' ');
  const more = Array.from({ length: Math.max(0, fault.delta) }, (_, i) => words[i % words.length]!);
  return [...words.slice(0, Math.max(0, words.length + Math.min(0, fault.delta))), ...more].join(' ');
}

/** Whether a table with `delta` arguments more than its layers need is wrong: a whole layer more or less is another stack. */
export function isWrongCount(device: 'zfile' | 'lsmt', layers: number, delta: number): boolean {
  const count = Math.max(0, 2 * layers + delta);
  return delta !== 0 && (device === 'zfile' || count === 0 || count % 2 === 1);
}
