// SPDX-License-Identifier: MIT
/** Which clauses of devices, tables and reads a case exercises by how it is accessed. */
import type { Case, Meanwhile, ReadPlan } from '../model/index.ts';
import { SECTOR } from '../spec/index.ts';
import type { Emit } from './clause-list.ts';
import { hasTable } from './table-fault.ts';

const PAGE = 4096;
const LIVE = { suspend: 'DM-LIVE-01', reload: 'DM-LIVE-02', remove: 'DM-LIVE-03', 'deferred-remove': 'DM-LIVE-03' } as const satisfies Record<Meanwhile, string>;

/** `size`: bytes of the device's content, a last part of a sector included. */
export function emitAccess({ device, layers, access }: Pick<Case, 'device' | 'layers' | 'access'>, size: number, emit: Emit): void {
  const { reads, slack } = access;
  if (reads.some((r) => r.offset + r.length > size)) emit(device === 'zfile' ? 'ZF-SIZE-01' : 'ST-SIZE-03');
  if (!hasTable({ layers }) || access.deviceBytes === 0) return;
  const all = (...ids: string[]): void => ids.forEach(emit);
  all('DM-TBL-05', 'DM-TBL-06', 'DM-TBL-07', 'DM-SAFE-01', 'DM-FREE-01', device === 'zfile' ? 'DM-TBL-01' : 'DM-TBL-02');
  if (slack === 'exact') all('DM-TBL-08', 'DM-BACK-01');
  else if (layers.some((l) => slack === 'garbage' || l.bytes.length % PAGE !== 0)) emit('DM-TBL-09');
  if (device === 'zfile' && size % SECTOR !== 0) emit('DM-TBL-04');
  emitTrouble(device, layers, access, emit);
  if (access.crowd && access.crowd.readers > 1) emit('DM-RD-09');
  if (access.crowd?.meanwhile) emit(LIVE[access.crowd.meanwhile]);
  if (access.replaces !== undefined) emit('DM-LIVE-04');
  for (const r of reads) {
    if (r.offset >= access.deviceBytes) continue;
    all('DM-RD-03', 'DM-RD-05', inPages(r) ? 'DM-RD-01' : 'DM-RD-02');
    if (r.mode === 'buffered') emit('DM-RD-04');
    if (r.mode === 'mmap') emit('DM-RD-06');
    if (r.pieces) emit('DM-RD-07');
    if (Math.min(r.length, access.deviceBytes - r.offset) > ONE_REQUEST) emit('DM-RD-08');
  }
}

function emitTrouble(device: Case['device'], layers: Case['layers'], { fault, attempts, shared, table }: Case['access'], emit: Emit): void {
  emit('DM-TBL-10');
  if (fault) emit(fault.kind === 'delay' ? 'DM-FLT-02' : 'DM-FLT-01');
  if (attempts) emit('DM-WR-01');
  if (attempts?.writable) emit('DM-WR-02');
  if (shared) emit('DM-TBL-12');
  if (table?.kind === 'length') emit('DM-TBL-11');
  if (device === 'zfile' && layers[0]!.wrapping.length > 1) emit('DM-TBL-13');
}

/** Bytes that one request surely holds: a page for each of its 256 vectors (BIO_MAX_VECS). */
const ONE_REQUEST = 256 * PAGE;

function inPages(r: ReadPlan): boolean {
  return r.offset % PAGE === 0 && r.length % PAGE === 0 && r.bufferOffset === 0;
}
