// SPDX-License-Identifier: MIT
/** The devices under the images: slices of the mailbox, some of which fail, answer late, or get another table between reads. */
import type { BackingFault } from '../../model/index.ts';
import type { Deployment, Device } from './deploy.ts';
import type { ActionCommand, DeviceCommand, TableLine } from './wire.ts';

const SECTOR = 512;
/** Milliseconds by which answers of a slow device come late. */
const DELAY_MS = 5;
/** Seconds for which a flakey device stays as it is: longer than any case. */
const FOREVER = 3600;

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
  }
}

/** The devices, now that it is known where in the mailbox (in bytes) each slice begins. */
export function tablesOf(deployment: Deployment, starts: readonly number[]): DeviceCommand[] {
  return deployment.devices.map((device) => ({
    table: 'table' in device ? device.table : tableOf(deployment, device, starts, (device.fault?.since ?? 0) < 0),
    slice: 'slice' in device,
    ...(device.writable ? { writable: true } : {}),
    ...(device.held ? { held: true } : {}),
    ...('before' in device && device.before ? { before: device.before } : {}),
  }));
}

function tableOf(deployment: Deployment, device: Extract<Device, { slice: number }>, starts: readonly number[], faulty: boolean): TableLine[] {
  return sliceTable(starts[device.slice]! / SECTOR, deployment.slices[device.slice]!.deviceBytes / SECTOR, faulty ? device.fault : undefined);
}

/** What is done between the reads: faults come and go, somebody tries to change the device that is read. */
export function actionsOf(deployment: Deployment, starts: readonly number[]): ActionCommand[] {
  const reloads = deployment.devices.flatMap((device, i): ActionCommand[] => {
    if (!('slice' in device) || !device.fault) return [];
    const reload = (before: number, faulty: boolean): ActionCommand =>
      ({ before, device: i, kind: 'reload', offset: 0, length: 0, table: tableOf(deployment, device, starts, faulty) });
    const { since, until } = device.fault;
    return [...(since < 0 ? [] : [reload(since, true)]), ...(until === undefined ? [] : [reload(until, false)])];
  });
  const target = deployment.devices.length - 1;
  return [...reloads, ...(deployment.attempts ?? []).map((attempt): ActionCommand => ({ before: 0, device: target, ...attempt }))];
}
