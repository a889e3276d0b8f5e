// SPDX-License-Identifier: MIT
/** A case as device-mapper tables over slices of the mailbox. */
import { formOf, tableParams, type Slack, type TableArgument } from '../../model/index.ts';
import type { Job } from '../target.ts';
import type { Slice } from './mailbox.ts';
import type { DeviceCommand, TableLine } from './wire.ts';

const SECTOR = 512;
const PAGE = 4096;
const GARBAGE_BYTES = 4 * PAGE;
/** Devices that the agent makes for one case at most. */
const MAX_DEVICES = 1024;

/** A device that is a slice of the mailbox, or a table of its own. */
export type Device = { readonly slice: number } | { readonly table: readonly TableLine[] };

export interface Deployment {
  readonly slices: readonly Slice[];
  /** In the order in which they are made; the last one is what is read. */
  readonly devices: readonly Device[];
}

/** Why a case has no devices; our own fault, never the target's. */
export class CannotDeploy extends Error {
  override readonly name = 'CannotDeploy';
}

/** A backing device as the access plan wants it. A device has at least one sector, even for an empty image. */
export function sliceOf(image: Uint8Array, slack: Slack): Slice {
  const sectors = Math.max(1, Math.ceil(image.length / SECTOR)) * SECTOR;
  const pages = Math.ceil(sectors / PAGE) * PAGE;
  switch (slack) {
    case 'exact':
      return { image, deviceBytes: sectors, garbageFrom: sectors };
    case 'page':
      return { image, deviceBytes: pages, garbageFrom: pages };
    case 'garbage':
      return { image, deviceBytes: pages + GARBAGE_BYTES, garbageFrom: pages };
  }
}

function sectorsOf(bytes: number, what: string): number {
  const sectors = Math.floor(bytes / SECTOR);
  if (!(sectors > 0)) throw new CannotDeploy(`${what} of ${bytes} bytes has no sector`);
  return sectors;
}

/** The patch's own targets, as its document stacks them: a zfile device a layer, one lsmt device over them. */
export function deployOnPatch(job: Job): Deployment {
  const { device, layers, access } = job.case;
  const sectors = sectorsOf(access.deviceBytes, 'a device');
  const slices: Slice[] = [];
  const devices: Device[] = [];
  const add = (entry: Device): number => {
    if (devices.length === MAX_DEVICES) throw new CannotDeploy(`more than ${MAX_DEVICES} devices`);
    return devices.push(entry) - 1;
  };
  const addSlice = (image: Uint8Array): number => add({ slice: slices.push(sliceOf(image, access.slack)) - 1 });

  if (device === 'zfile') {
    const layer = layers[0];
    if (layer === undefined || layers.length !== 1) throw new CannotDeploy('a ZFile device has exactly one layer');
    const backing = addSlice(layer.bytes);
    add({ table: [{ start: 0, sectors, type: 'zfile_target', params: tableParams([{ device: `@${backing}`, bytes: layer.bytes.length }], access.table) }] });
    return { slices, devices };
  }
  const words: TableArgument[] = [];
  for (const [index, layer] of layers.entries()) {
    const form = formOf(layer);
    if (form !== null) throw new CannotDeploy(`layer ${index} is a ${form} layer`);
    let top = addSlice(layer.bytes);
    let bytes = layer.bytes.length;
    if (layer.wrapping.length === 1 && layer.wrapping[0] === 'zfile') {
      bytes = layer.exposedBytes ?? 0;
      top = add({ table: [{ start: 0, sectors: sectorsOf(bytes, `layer ${index}`), type: 'zfile_target', params: `@${top} ${layer.bytes.length}` }] });
    } else if (layer.wrapping.length > 0) {
      throw new CannotDeploy(`layer ${index} is wrapped in ${layer.wrapping.join(', ')}`);
    }
    words.push({ device: `@${top}`, bytes });
  }
  if (words.length === 0) throw new CannotDeploy('a stack without layers');
  add({ table: [{ start: 0, sectors, type: 'lsmt_target', params: tableParams(words, access.table) }] });
  return { slices, devices };
}

/** What the oracle says the stack is, as pieces of linear and zero: stock device-mapper. */
export function deployOnStock(job: Job): Deployment {
  const { lowered } = job;
  if (lowered === undefined) throw new CannotDeploy('the oracle gave no table for this case');
  sectorsOf(job.case.access.deviceBytes, 'a device');
  const slices: Slice[] = [];
  const devices: Device[] = [];
  const deviceOf = lowered.images.map((image) => {
    if (image.length === 0) return -1;
    return devices.push({ slice: slices.push(sliceOf(image, job.case.access.slack)) - 1 }) - 1;
  });
  const table = lowered.pieces.map(({ start, sectors, source }): TableLine => {
    if (source === null) return { start, sectors, type: 'zero', params: '' };
    const device = deviceOf[source.layer] ?? -1;
    if (device < 0) throw new CannotDeploy(`the table names layer ${source.layer}, which has no bytes`);
    return { start, sectors, type: 'linear', params: `@${device} ${source.sector}` };
  });
  devices.push({ table });
  return { slices, devices };
}

/** The tables, now that it is known where in the mailbox (in bytes) each slice begins. */
export function tablesOf(deployment: Deployment, starts: readonly number[]): DeviceCommand[] {
  return deployment.devices.map((device) =>
    'table' in device
      ? { table: device.table, slice: false }
      : { table: [{ start: 0, sectors: deployment.slices[device.slice]!.deviceBytes / SECTOR, type: 'linear', params: `@m ${starts[device.slice]! / SECTOR}` }], slice: true },
  );
}
