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
    const nested = layer.wrapping.length > 1;
    const inner = nested ? { device: '/dev/mapper/outer', bytes: layer.exposedBytes ?? 0 } : { device: 'layer0.img', bytes: layer.bytes.length };
    const params = tableParams([inner], c.access.table);
    const outer = nested ? [`outer: 0 ${sectors(layer.exposedBytes ?? 0)} zfile_target layer0.img ${layer.bytes.length}`] : [];
    return [...notes(layer, 0), ...around(c), ...outer, `zfile: 0 ${sectors(c.access.deviceBytes)} zfile_target ${params}`];
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
  return [...lines, ...around(c), `lsmt: 0 ${sectors(c.access.deviceBytes)} lsmt_target ${tableParams(stack, c.access.table)}`];
}

/** What happens to the devices beyond their tables. */
function around({ access: { table, fault, attempts, shared, failsAfter } }: Case): string[] {
  const lines: string[] = [];
  if (table?.kind === 'busy') lines.push(`# the device of layer${table.layer} is opened with O_EXCL before the table is loaded`);
  if (table?.kind === 'short') lines.push(`# the device of layer${table.layer} ends ${table.sectors} sectors before its image's last one`);
  if (fault) {
    const what = fault.kind === 'delay' ? 'answers late' : fault.kind === 'error' ? 'fails' : `fails (${fault.kind})`;
    const until = fault.until === undefined ? '' : `, until before read ${fault.until}`;
    lines.push(`# bytes ${fault.from} to ${fault.to} of the device of layer${fault.layer}: ${what} from ${fault.since < 0 ? 'before it is made' : `before read ${fault.since}`} on${until}`);
  }
  if (attempts) lines.push(`# before the reads (table loaded ${attempts.writable ? 'for writing' : 'read-only'}): ${attempts.list.map((a) => `${a.kind} of ${a.length} bytes at ${a.offset}`).join(', ')}`);
  if (shared === 'device') lines.push('# layers that are the same file stand on one device');
  if (shared === 'twin') lines.push('# the device is made twice over the same devices; every other read is of the other one');
  if (failsAfter !== undefined) lines.push(`# ${failsAfter} allocations of the driver succeed, none after them`);
  return lines;
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
