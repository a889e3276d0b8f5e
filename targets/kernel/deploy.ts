// SPDX-License-Identifier: MIT
/** A case as device-mapper tables over slices of the mailbox. */
import { formOf, tableParams, type AccessPlan, type Attempt, type BackingFault, type Slack, type TableArgument } from '../../model/index.ts';
import type { Job } from '../target.ts';
import type { Slice } from './mailbox.ts';
import type { TableLine } from './wire.ts';

const SECTOR = 512;
const PAGE = 4096;
const GARBAGE_BYTES = 4 * PAGE;
/** Devices that the agent makes for one case at most. */
const MAX_DEVICES = 1024;

/** A device that is a slice of the mailbox, or a table of its own. */
export type Device =
  | { readonly slice: number; readonly layer: number; readonly fault?: BackingFault; readonly held?: boolean; readonly writable?: boolean }
  | {
    readonly table: readonly TableLine[]; readonly held?: boolean; readonly writable?: boolean;
    /** What the device shows before that. */
    readonly before?: readonly TableLine[];
  };

export interface Deployment {
  readonly slices: readonly Slice[];
  /** In the order in which they are made; the last one is what is read. */
  readonly devices: readonly Device[];
  /** What is tried on the device that is read, before it is. */
  readonly attempts?: readonly Attempt[];
  /** Whether the last two devices are the same, made twice: every other read is of the one before the last. */
  readonly twin?: boolean;
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

/** Shows the stored bytes of the first slice, and zeros behind them; nothing where there is no slice. `sectors`: of the whole device. */
function storedBytes({ slices, devices }: Plan, sectors: number): TableLine[] | undefined {
  const device = devices.findIndex((d) => 'slice' in d);
  if (device < 0) return undefined;
  const stored = Math.min(sectors, slices[0]!.deviceBytes / SECTOR);
  const line: TableLine = { start: 0, sectors: stored, type: 'linear', params: `@${device} 0` };
  return stored === sectors ? [line] : [line, { start: stored, sectors: sectors - stored, type: 'zero', params: '' }];
}

function sectorsOf(bytes: number, what: string): number {
  const sectors = Math.floor(bytes / SECTOR);
  if (!(sectors > 0)) throw new CannotDeploy(`${what} of ${bytes} bytes has no sector`);
  return sectors;
}

/** Collects slices and devices in the order in which they are made. */
class Plan {
  readonly slices: Slice[] = [];
  readonly devices: Device[] = [];
  readonly access: AccessPlan;
  readonly writable: { readonly writable?: true };

  constructor(access: AccessPlan, canWrite: boolean) {
    this.access = access;
    this.writable = canWrite && access.attempts?.writable ? { writable: true } : {};
  }

  add(device: Device): number {
    if (this.devices.length === MAX_DEVICES) throw new CannotDeploy(`more than ${MAX_DEVICES} devices`);
    return this.devices.push({ ...device, ...this.writable }) - 1;
  }

  /** The device under a layer's file, with what is wrong with it. */
  addSlice(image: Uint8Array, layer: number, tableIsOfFile: boolean): number {
    const { slack, table, fault } = this.access;
    const wrong = table && 'layer' in table && table.layer === layer && tableIsOfFile ? table : undefined;
    const whole = sliceOf(image, slack);
    const slice = wrong?.kind === 'short' ? shortened(image, wrong.sectors) : whole;
    return this.add({
      slice: this.slices.push(slice) - 1, layer,
      ...(fault?.layer === layer ? { fault } : {}), ...(wrong?.kind === 'busy' ? { held: true } : {}),
    });
  }

  /** The device that is read, twice where the case wants a twin. `before`: what it shows first, where the case wants that; absent: stored bytes. */
  finish(table: readonly TableLine[], before?: readonly TableLine[]): Deployment {
    const twin = this.access.shared === 'twin';
    if (twin) this.add({ table });
    const shown = this.access.replaces === undefined ? undefined : before ?? storedBytes(this, table.reduce((n, line) => n + line.sectors, 0));
    this.add({ table, ...(shown && { before: shown }) });
    const attempts = this.access.attempts?.list;
    return { slices: this.slices, devices: this.devices, ...(attempts ? { attempts } : {}), ...(twin ? { twin } : {}) };
  }
}

/** A backing device that ends before the image does. */
function shortened(image: Uint8Array, sectors: number): Slice {
  const deviceBytes = (Math.ceil(image.length / SECTOR) - sectors) * SECTOR;
  if (!(deviceBytes > 0)) throw new CannotDeploy('a device that is too short has no sector left');
  return { image: image.subarray(0, deviceBytes), deviceBytes, garbageFrom: deviceBytes };
}

/** The patch's own targets, as its document stacks them: a zfile device a layer, one lsmt device over them. */
export function deployOnPatch(job: Job): Deployment {
  const { device, layers, access } = job.case;
  const sectors = sectorsOf(access.deviceBytes, 'a device');
  const plan = new Plan(access, true);
  if (device === 'zfile') {
    const layer = layers[0];
    if (layer === undefined || layers.length !== 1) throw new CannotDeploy('a ZFile device has exactly one layer');
    let top = plan.addSlice(layer.bytes, 0, true);
    let bytes = layer.bytes.length;
    if (layer.wrapping.length > 1) {
      // A ZFile in a ZFile: a device over a device.
      const exposed = layer.exposedBytes ?? 0;
      top = plan.add({ table: [{ start: 0, sectors: sectorsOf(exposed, 'the ZFile'), type: 'zfile_target', params: `@${top} ${bytes}` }] });
      bytes = exposed;
    }
    return plan.finish([{ start: 0, sectors, type: 'zfile_target', params: tableParams([{ device: `@${top}`, bytes }], access.table) }]);
  }
  const words: TableArgument[] = [];
  for (const [index, layer] of layers.entries()) {
    const form = formOf(layer);
    if (form !== null) throw new CannotDeploy(`layer ${index} is a ${form} layer`);
    const again = access.shared === 'device' ? sameFileBelow(layers, index) : -1;
    if (again >= 0) {
      words.push(words[again]!);
      continue;
    }
    const inZFile = layer.wrapping.length === 1 && layer.wrapping[0] === 'zfile';
    let top = plan.addSlice(layer.bytes, index, !inZFile);
    let bytes = layer.bytes.length;
    if (inZFile) {
      bytes = layer.exposedBytes ?? 0;
      // Of such a layer the table is about the device over the ZFile.
      const wrong = access.table && 'layer' in access.table && access.table.layer === index ? access.table : undefined;
      const length = wrong?.kind === 'short' ? Math.ceil(bytes / SECTOR) - wrong.sectors : sectorsOf(bytes, `layer ${index}`);
      if (length <= 0) throw new CannotDeploy('a device that is too short has no sector left');
      const table = [{ start: 0, sectors: length, type: 'zfile_target', params: `@${top} ${layer.bytes.length}` }];
      top = plan.add({ table, ...(wrong?.kind === 'busy' ? { held: true } : {}) });
    } else if (layer.wrapping.length > 0) {
      throw new CannotDeploy(`layer ${index} is wrapped in ${layer.wrapping.join(', ')}`);
    }
    words.push({ device: `@${top}`, bytes });
  }
  if (words.length === 0) throw new CannotDeploy('a stack without layers');
  const lower = words.slice(0, access.replaces ?? 0);
  const before = lower.length === 0 ? undefined : [{ start: 0, sectors, type: 'lsmt_target', params: tableParams(lower, undefined) }];
  return plan.finish([{ start: 0, sectors, type: 'lsmt_target', params: tableParams(words, access.table) }], before);
}

/** The first layer that is the same file; -1: there is none below. */
function sameFileBelow(layers: Job['case']['layers'], index: number): number {
  const { bytes, wrapping } = layers[index]!;
  const below = layers.findIndex((l) => l.bytes.length === bytes.length && l.wrapping.join() === wrapping.join() && (l.bytes === bytes || Buffer.compare(l.bytes, bytes) === 0));
  return below < index ? below : -1;
}

/** What the oracle says the stack is, as pieces of linear and zero: stock device-mapper. */
export function deployOnStock(job: Job): Deployment {
  const { lowered } = job;
  if (lowered === undefined) throw new CannotDeploy('the oracle gave no table for this case');
  sectorsOf(job.case.access.deviceBytes, 'a device');
  // Linear targets would let a write through to the image, as they should.
  const plan = new Plan(job.case.access, false);
  const deviceOf: number[] = [];
  for (const [layer, image] of lowered.images.entries()) {
    const again = job.case.access.shared === 'device' ? sameFileBelow(job.case.layers, layer) : -1;
    deviceOf.push(again >= 0 ? deviceOf[again]! : image.length === 0 ? -1 : plan.addSlice(image, layer, true));
  }
  return plan.finish(lowered.pieces.map(({ start, sectors, source }): TableLine => {
    if (source === null) return { start, sectors, type: 'zero', params: '' };
    const device = deviceOf[source.layer] ?? -1;
    if (device < 0) throw new CannotDeploy(`the table names layer ${source.layer}, which has no bytes`);
    return { start, sectors, type: 'linear', params: `@${device} ${source.sector}` };
  }));
}
