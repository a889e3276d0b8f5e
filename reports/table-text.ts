// SPDX-License-Identifier: MIT
/** A case's device-mapper tables as `dmsetup create NAME --table …` takes them: for people, never parsed. */
import { formOf, tableParams, type Case, type Layer, type TableArgument } from '../model/index.ts';

const SECTOR = 512;

/**
 * One line a device, `NAME: START SECTORS TARGET ARGUMENTS`, sizes in the
 * arguments in bytes; image files stand where their block devices go.
 * A line that starts with `#` says what a table cannot.
 */
export function tableText(c: Case): string[] {
  if (c.device === 'zfile') {
    const layer = c.layers[0]!;
    const params = tableParams([{ device: 'layer0.img', bytes: layer.bytes.length }], c.access.table);
    return [...notes(layer, 0), `zfile: 0 ${sectors(c.access.deviceBytes)} zfile_target ${params}`];
  }
  const lines: string[] = [];
  const stack: TableArgument[] = [];
  c.layers.forEach((layer, n) => {
    lines.push(...notes(layer, n));
    if (layer.wrapping.includes('zfile')) {
      const exposed = layer.exposedBytes ?? 0;
      lines.push(`zfile${n}: 0 ${sectors(exposed)} zfile_target layer${n}.img ${layer.bytes.length}`);
      stack.push({ device: `/dev/mapper/zfile${n}`, bytes: exposed });
    } else {
      stack.push({ device: `layer${n}.img`, bytes: layer.bytes.length });
    }
  });
  return [...lines, `lsmt: 0 ${sectors(c.access.deviceBytes)} lsmt_target ${tableParams(stack, c.access.table)}`];
}

function sectors(bytes: number): number {
  return Math.floor(bytes / SECTOR);
}

function notes(layer: Layer, n: number): string[] {
  return [
    ...(layer.wrapping.includes('tar') ? [`# layer${n}.img is wrapped: ${layer.wrapping.join(' around ')}`] : []),
    ...formNote(layer, n),
  ];
}

function formNote(layer: Layer, n: number): string[] {
  switch (formOf(layer)) {
    case 'pair': return [`# layer${n} is a writable pair: layer${n}.img and layer${n}.index`];
    case 'sparse': return [`# layer${n} is a sparse writable layer: outside the extents in finding.json layer${n}.img has holes`];
    case 'warp': return [`# layer${n} is a warp file: layer${n}.img over layer${n}.remote`];
    case null: return [];
  }
}
