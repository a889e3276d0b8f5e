// SPDX-License-Identifier: MIT
/** A case's device-mapper tables as `dmsetup create NAME --table …` takes them: for people, never parsed. */
import type { Case, Layer } from '../model/index.ts';

const SECTOR = 512;

/**
 * One line a device, `NAME: START SECTORS TARGET ARGUMENTS`, sizes in the
 * arguments in bytes; image files stand where their block devices go.
 * A line that starts with `#` says what a table cannot.
 */
export function tableText(c: Case): string[] {
  if (c.device === 'zfile') {
    const layer = c.layers[0]!;
    return [...notes(layer, 0), `zfile: ${zfileTable(layer, 0, c.access.deviceBytes)}`];
  }
  const lines: string[] = [];
  const stack: string[] = [];
  c.layers.forEach((layer, n) => {
    lines.push(...notes(layer, n));
    if (layer.wrapping.includes('zfile')) {
      const exposed = layer.exposedBytes ?? 0;
      lines.push(`zfile${n}: ${zfileTable(layer, n, exposed)}`);
      stack.push(`/dev/mapper/zfile${n} ${exposed}`);
    } else {
      stack.push(`layer${n}.img ${layer.bytes.length}`);
    }
  });
  return [...lines, `lsmt: 0 ${sectors(c.access.deviceBytes)} lsmt_target ${stack.join(' ')}`];
}

function zfileTable(layer: Layer, n: number, deviceBytes: number): string {
  return `0 ${sectors(deviceBytes)} zfile_target layer${n}.img ${layer.bytes.length}`;
}

function sectors(bytes: number): number {
  return Math.floor(bytes / SECTOR);
}

function notes(layer: Layer, n: number): string[] {
  return [
    ...(layer.wrapping.includes('tar') ? [`# layer${n}.img is wrapped: ${layer.wrapping.join(' around ')}`] : []),
    ...(layer.index ? [`# layer${n} is a writable pair: layer${n}.img and layer${n}.index`] : []),
  ];
}
