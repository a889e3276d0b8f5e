// SPDX-License-Identifier: MIT
/** The devices under the images: slices of the mailbox, some of which fail, answer late, or get another table between reads. */
import type { BackingFault } from '../../model/index.ts';
import type { Deployment, Device } from './deploy.ts';
import type { ActionCommand, DeviceCommand, TableLine, TargetMessage } from './wire.ts';

const SECTOR = 512;
/** Milliseconds by which answers of a slow device come late. */
const DELAY_MS = 5;
/** Seconds for which a flakey device stays as it is: longer than any case. */
const FOREVER = 3600;

/** Blocks of a dust target, in bytes: what goes bad are sectors. */
const DUST_BLOCK = 512;
/** Bad blocks that a target is told of, each by a message. */
const MOST_BAD = 250;

/** The fault as a kernel with these targets can make it: without dust, reads of the bad blocks fail by the error target. */
function lowered(fault: BackingFault, targets: readonly string[]): BackingFault {
  const fits = (fault.to - fault.from) / DUST_BLOCK <= MOST_BAD;
  return fault.kind === 'dust' && !(fits && targets.includes('dust')) ? { ...fault, kind: 'error' } : fault;
}

/** The table of a slice of `sectors` that begins at sector `start` of the mailbox. */
function sliceTable(start: number, sectors: number, fault: BackingFault | undefined): TableLine[] {
  const linear = (from: number, to: number): TableLine[] => (to > from ? [{ start: from, sectors: to - from, type: 'linear', params: `@m ${start + from}` }] : []);
  const from = Math.min(sectors, (fault?.from ?? sectors * SECTOR) / SECTOR);
  const to = Math.min(sectors, (fault?.to ?? sectors * SECTOR) / SECTOR);
  if (fault === undefined || to <= from) return linear(0, sectors);
  return [...linear(0, from), { start: from, sectors: to - from, ...failing(fault, `@m ${start + from}`) }, ...linear(to, sectors)];
}

function failing(fault: BackingFault, place: string): Pick<TableLine, 'type' | 'params'> {
  switch (fault.kind) {
    case 'error': return { type: 'error', params: '' };
    // Never up: the first interval is that in which it works.
    case 'flakey': return { type: 'flakey', params: `${place} 0 ${FOREVER}` };
    case 'delay': return { type: 'delay', params: `${place} ${DELAY_MS}` };
    case 'dust': return { type: 'dust', params: `${place} ${DUST_BLOCK}` };
  }
}

/**
 * What a dust target is told when it is made: its bad blocks, which it counts from
 * the start of the device below it (the kernel's dm-dust.c), to say nothing of
 * them in the log, and to let reads of them fail if the fault is there from the start.
 */
function dustMessages(start: number, sectors: number, fault: BackingFault): TargetMessage[] {
  const from = Math.min(sectors, fault.from / SECTOR);
  const to = Math.min(sectors, fault.to / SECTOR);
  if (to <= from) return [];
  const blocks = Array.from({ length: to - from }, (_, i) => `addbadblock ${start + from + i}`);
  return ['quiet', ...blocks, ...(fault.since < 0 ? ['enable'] : [])].map((text) => ({ sector: from, text }));
}

/**
 * The devices, now that it is known where in the mailbox (in bytes) each slice begins.
 * `targets`: names of those that the kernel has.
 */
export function tablesOf(deployment: Deployment, starts: readonly number[], targets: readonly string[] = []): DeviceCommand[] {
  return deployment.devices.map((one) => {
    const device = 'slice' in one && one.fault ? { ...one, fault: lowered(one.fault, targets) } : one;
    return commandOf(deployment, device, starts);
  });
}

function commandOf(deployment: Deployment, device: Device, starts: readonly number[]): DeviceCommand {
  const fault = 'slice' in device ? device.fault : undefined;
  const messages = 'slice' in device && fault?.kind === 'dust' ? dustMessages(starts[device.slice]! / SECTOR, sectorsOf(deployment, device), fault) : [];
  return {
    // A dust target is there from the start, and only begins to fail.
    table: 'table' in device ? device.table : tableOf(deployment, device, starts, fault?.kind === 'dust' || (fault?.since ?? 0) < 0),
    slice: 'slice' in device,
    ...(messages.length > 0 ? { messages } : {}),
    ...(device.writable ? { writable: true } : {}),
    ...(device.held ? { held: true } : {}),
    ...('before' in device && device.before ? { before: device.before } : {}),
  };
}

function sectorsOf(deployment: Deployment, device: Extract<Device, { slice: number }>): number {
  return deployment.slices[device.slice]!.deviceBytes / SECTOR;
}

function tableOf(deployment: Deployment, device: Extract<Device, { slice: number }>, starts: readonly number[], faulty: boolean): TableLine[] {
  return sliceTable(starts[device.slice]! / SECTOR, sectorsOf(deployment, device), faulty ? device.fault : undefined);
}

/** What is done between the reads: faults come and go, somebody tries to change the device that is read. */
export function actionsOf(deployment: Deployment, starts: readonly number[], targets: readonly string[] = []): ActionCommand[] {
  const reloads = deployment.devices.flatMap((device, i): ActionCommand[] => {
    if (!('slice' in device) || !device.fault) return [];
    const fault = lowered(device.fault, targets);
    const { since, until } = fault;
    const reload = (before: number, faulty: boolean): ActionCommand =>
      ({ before, device: i, kind: 'reload', offset: 0, length: 0, table: tableOf(deployment, { ...device, fault }, starts, faulty) });
    if (fault.kind === 'dust') {
      const offset = fault.from;
      if (offset >= sectorsOf(deployment, device) * SECTOR) return [];
      const tell = (before: number, text: string): ActionCommand => ({ before, device: i, kind: 'message', offset, length: 0, text });
      return [...(since < 0 ? [] : [tell(since, 'enable')]), ...(until === undefined ? [] : [tell(until, 'disable')])];
    }
    return [...(since < 0 ? [] : [reload(since, true)]), ...(until === undefined ? [] : [reload(until, false)])];
  });
  const target = deployment.devices.length - 1;
  return [...reloads, ...(deployment.attempts ?? []).map((attempt): ActionCommand => ({ before: 0, device: target, ...attempt }))];
}
