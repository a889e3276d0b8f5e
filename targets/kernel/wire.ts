// SPDX-License-Identifier: MIT
/** Frames between host and guest agent; the layout is agent/PROTOCOL.md's. What comes from the guest is hostile. */
import { MEANWHILES, type Crowd } from '../../model/index.ts';

const MAGIC = 0x4442564f; // "OVBD"
const HEADER_BYTES = 12;
export const PROTOCOL = 4;
/** Bytes of the longest payload that the agent takes. */
export const MAX_COMMAND_BYTES = 8 << 20;
/** Bytes of the longest read of one case. */
export const MAX_READ_BYTES = 16 << 20;
/** Bytes of the longest file of counters, and the most files of one answer. */
export const MAX_COUNTER_BYTES = 1 << 20;
export const MAX_COUNTED = 64;
const MAX_MESSAGE_BYTES = MAX_READ_BYTES + (64 << 10);

export const COMMAND = { ping: 0x01, case: 0x02, bench: 0x03, test: 0x04, cycle: 0x05, reload: 0x06, mount: 0x07, coverage: 0x08, rescue: 0x10 } as const;
const MESSAGE = { hello: 0x81, begin: 0x82, open: 0x83, read: 0x84, end: 0x85, bench: 0x86, error: 0x87, action: 0x88, census: 0x89, reload: 0x8a, crowd: 0x8b, mount: 0x8c, entry: 0x8d, coverage: 0x8e, rescue: 0x90 } as const;

/** The guest broke the protocol. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** One line of a device-mapper table; start and sectors in sectors of 512 bytes. */
export interface TableLine {
  readonly start: number;
  readonly sectors: number;
  readonly type: string;
  /** `@m` is the mailbox disk, `@K` the case's device K. */
  readonly params: string;
}

/** Something that a target is told, as `dmsetup message` does. */
export interface TargetMessage {
  /** Which target of the device: the one that has this sector. */
  readonly sector: number;
  /** At most 256 bytes. */
  readonly text: string;
}

export interface DeviceCommand {
  readonly table: readonly TableLine[];
  /** A piece of the mailbox, which the agent may keep and give to the next case with another table. */
  readonly slice: boolean;
  /** What it shows before its own table. */
  readonly before?: readonly TableLine[];
  /** Its table is loaded for writing, too. */
  readonly writable?: boolean;
  /** Opened for nobody else before the next device is made. */
  readonly held?: boolean;
  /** What its targets are told when it has its table; at most 256. */
  readonly messages?: readonly TargetMessage[];
}

/** What can be done to a device between two reads; the numbers are the agent's. */
export const ACTION_KINDS = ['reload', 'write', 'discard', 'secure-discard', 'zero-out', 'flush', 'ioctls', 'message'] as const;

export interface ActionCommand {
  /** The read before which it is done; the number of reads: after the last one. */
  readonly before: number;
  readonly device: number;
  readonly kind: (typeof ACTION_KINDS)[number];
  /** Bytes, multiples of 512. */
  readonly offset: number;
  readonly length: number;
  /** What the target at that offset is told, of a message; `length` is 0. */
  readonly text?: string;
  /** The device's new table, of a reload. */
  readonly table?: readonly TableLine[];
}

export interface ReadCommand {
  readonly device: number;
  readonly mode: 'direct' | 'buffered' | 'mmap';
  /** Bytes. */
  readonly bufferOffset: number;
  readonly offset: number;
  readonly length: number;
  /** Bytes of each buffer of one preadv; absent: one buffer. */
  readonly pieces?: readonly number[];
  readonly huge?: boolean;
}

export interface CaseCommand {
  readonly number: number;
  /** In the order in which they are made. */
  readonly devices: readonly DeviceCommand[];
  /** Index of the device whose size is asked for. */
  readonly target: number;
  readonly reads: readonly ReadCommand[];
  readonly actions?: readonly ActionCommand[];
  readonly crowd?: Crowd;
}

/** What the guest's kernel holds after some cycles; memory in bytes. */
export interface Census {
  readonly done: number;
  /** Cycles in which the device could be opened. */
  readonly opened: number;
  readonly errno: number;
  readonly tasks: number;
  readonly available: number;
  /** Slab that cannot be reclaimed. */
  readonly slab: number;
  readonly vmalloc: number;
  readonly bufio: number;
}

export type Message =
  | { readonly type: 'hello'; readonly nonce: number; readonly taint: number; readonly mailboxBytes: number; readonly release: string; readonly targets: readonly string[]; readonly problems: string }
  | { readonly type: 'begin'; readonly case: number; readonly taint: number }
  | { readonly type: 'open'; readonly case: number; readonly device: number; readonly stage: number; readonly errno: number; readonly size: number }
  | {
      readonly type: 'read'; readonly case: number; readonly index: number; readonly reader: number; readonly result: number;
      readonly before: number; readonly after: number; readonly first: number; readonly untouched: number;
      readonly bytes: Buffer;
    }
  | { readonly type: 'end'; readonly case: number; readonly taint: number; readonly errno: number; readonly log: string }
  | { readonly type: 'bench'; readonly iterations: number; readonly errno: number; readonly nanoseconds: number; readonly bytes: number }
  | { readonly type: 'action'; readonly case: number; readonly index: number; readonly errno: number }
  | ({ readonly type: 'census' } & Census)
  | { readonly type: 'reload'; readonly unload: number; readonly load: number }
  | { readonly type: 'crowd'; readonly case: number; readonly times: number; readonly stage: number; readonly errno: number }
  | { readonly type: 'entry'; readonly kind: number; readonly pass: number; readonly errno: number; readonly path: string; readonly content: Buffer }
  | { readonly type: 'mount'; readonly stage: number; readonly device: number; readonly errno: number; readonly leftover: number }
  | { readonly type: 'coverage'; readonly last: boolean; readonly errno: number; readonly name: string; readonly content: Buffer }
  | { readonly type: 'error'; readonly text: string }
  | { readonly type: 'rescue'; readonly log: string };

/** One frame, header and payload. Throws `RangeError` where the payload is longer than the agent takes. */
export function encodeFrame(type: number, payload: Uint8Array): Buffer {
  if (payload.length > MAX_COMMAND_BYTES) throw new RangeError(`command of ${payload.length} bytes`);
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt8(type, 4);
  frame.writeUInt32LE(payload.length, 8);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

export function encodePing(nonce: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(nonce);
  return encodeFrame(COMMAND.ping, payload);
}

export function encodeTest(what: 'panic' | 'sleep' | 'log', text = ''): Buffer {
  return encodeFrame(COMMAND.test, Buffer.concat([Buffer.of({ panic: 0, sleep: 1, log: 2 }[what]), Buffer.from(text)]));
}

export function encodeRescue(): Buffer {
  return encodeFrame(COMMAND.rescue, Buffer.alloc(0));
}

/** Throws `RangeError` where a number or a text does not fit its field. */
export function encodeCase(command: CaseCommand): Buffer {
  return encodeFrame(COMMAND.case, casePayload(command));
}

export function encodeBench(command: CaseCommand, iterations: number): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(iterations);
  return encodeFrame(COMMAND.bench, Buffer.concat([count, casePayload(command)]));
}

/** A table may have more lines than a call has arguments. */
function addTable(parts: Buffer[], table: readonly TableLine[]): void {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(table.length);
  parts.push(count);
  for (const line of table) {
    const type = Buffer.from(line.type);
    const params = Buffer.from(line.params);
    const fixed = Buffer.alloc(19);
    fixed.writeBigUInt64LE(BigInt(line.start), 0);
    fixed.writeBigUInt64LE(BigInt(line.sectors), 8);
    fixed.writeUInt8(type.length, 16);
    fixed.writeUInt16LE(params.length, 17);
    parts.push(fixed, type, params);
  }
}

function addMessages(parts: Buffer[], messages: readonly TargetMessage[]): void {
  const count = Buffer.alloc(2);
  count.writeUInt16LE(messages.length);
  parts.push(count);
  for (const { sector, text } of messages) {
    const bytes = Buffer.from(text);
    const head = Buffer.alloc(10);
    head.writeBigUInt64LE(BigInt(sector), 0);
    head.writeUInt16LE(bytes.length, 8);
    parts.push(head, bytes);
  }
}

function addAction(parts: Buffer[], action: ActionCommand): void {
  const head = Buffer.alloc(20);
  head.writeUInt16LE(action.before, 0);
  head.writeUInt8(ACTION_KINDS.indexOf(action.kind), 2);
  head.writeUInt16LE(action.device, 4);
  head.writeBigUInt64LE(BigInt(action.offset), 8);
  const text = action.text === undefined ? undefined : Buffer.from(action.text);
  head.writeUInt32LE(text?.length ?? action.length, 16);
  parts.push(head);
  if (text !== undefined) parts.push(text);
  if (action.table !== undefined) addTable(parts, action.table);
}

/** Devices made and removed `iterations` times, with a census after `every` so many and at the end. */
export function encodeCycle(command: CaseCommand, iterations: number, every: number): Buffer {
  const counts = Buffer.alloc(8);
  counts.writeUInt32LE(iterations);
  counts.writeUInt32LE(every, 4);
  return encodeFrame(COMMAND.cycle, Buffer.concat([counts, casePayload(command)]));
}

/** Removes a module of this name from the kernel and inserts it again. */
export function encodeReload(module: string): Buffer {
  const name = Buffer.from(module);
  return encodeFrame(COMMAND.reload, Buffer.concat([Buffer.of(name.length), name]));
}

/** Mounts the target device as this file system and has all its files sent. */
export function encodeMount(command: CaseCommand, fileSystem: string): Buffer {
  const name = Buffer.from(fileSystem);
  return encodeFrame(COMMAND.mount, Buffer.concat([Buffer.of(name.length), name, casePayload(command)]));
}

/**
 * Asks for the counters of the folder that the kernel names by this path, then sets all counters
 * to 0, and has them sent again whenever a later case has its devices, each where wanted. Throws `RangeError` for a path that does not fit.
 */
export function encodeCoverage(path: string, { send, reset, opens }: { readonly send?: boolean; readonly reset?: boolean; readonly opens?: boolean }): Buffer {
  const name = Buffer.from(path);
  const head = Buffer.alloc(3);
  head.writeUInt8((send === true ? 1 : 0) | (reset === true ? 2 : 0) | (opens === true ? 4 : 0), 0);
  head.writeUInt16LE(name.length, 1);
  return encodeFrame(COMMAND.coverage, Buffer.concat([head, name]));
}

function casePayload(command: CaseCommand): Buffer {
  const parts: Buffer[] = [];
  const actions = command.actions ?? [];
  const head = Buffer.alloc(16);
  head.writeUInt32LE(command.number, 0);
  head.writeUInt16LE(command.devices.length, 4);
  head.writeUInt16LE(command.reads.length, 6);
  head.writeUInt16LE(command.target, 8);
  head.writeUInt16LE(actions.length, 10);
  if (command.crowd) {
    head.writeUInt8(command.crowd.readers, 12);
    head.writeUInt8(command.crowd.meanwhile === undefined ? 0 : 1 + MEANWHILES.indexOf(command.crowd.meanwhile), 13);
    head.writeUInt16LE(command.crowd.rounds, 14);
  }
  parts.push(head);
  for (const { table, slice, writable, held, before, messages } of command.devices) {
    parts.push(Buffer.of((slice ? 1 : 0) | (writable ? 2 : 0) | (held ? 4 : 0) | (before ? 8 : 0) | (messages ? 16 : 0)));
    if (before) addTable(parts, before);
    addTable(parts, table);
    if (messages) addMessages(parts, messages);
  }
  for (const read of command.reads) {
    const entry = Buffer.alloc(20);
    entry.writeUInt16LE(read.device, 0);
    entry.writeUInt16LE(flagsOf(read), 2);
    entry.writeUInt32LE(read.bufferOffset, 4);
    entry.writeBigUInt64LE(BigInt(read.offset), 8);
    entry.writeUInt32LE(read.length, 16);
    parts.push(entry);
    if (!read.pieces) continue;
    const pieces = Buffer.alloc(2 + 4 * read.pieces.length);
    pieces.writeUInt16LE(read.pieces.length, 0);
    for (const [i, bytes] of read.pieces.entries()) pieces.writeUInt32LE(bytes, 2 + 4 * i);
    parts.push(pieces);
  }
  for (const action of actions) addAction(parts, action);
  return Buffer.concat(parts);
}

function flagsOf({ mode, pieces, huge }: ReadCommand): number {
  return (mode === 'direct' ? 1 : mode === 'mmap' ? 2 : 0) | (pieces ? 4 : 0) | (huge ? 8 : 0);
}

/** Cuts a byte stream into messages. After it threw, the stream cannot be used any more. */
export class MessageDecoder {
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes that must be there before anything can be done. */
  #need = HEADER_BYTES;

  /** Takes the next bytes and gives the messages that they complete. Throws `WireError` on what is no frame. */
  push(chunk: Buffer): Message[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const messages: Message[] = [];
    while (this.#size >= this.#need) {
      const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#size);
      this.#chunks = [all];
      const bytes = all.readUInt32LE(8);
      if (all.readUInt32LE(0) !== MAGIC) throw new WireError('no frame where one should begin');
      if (bytes > MAX_MESSAGE_BYTES) throw new WireError(`frame of ${bytes} bytes`);
      if (all.length < HEADER_BYTES + bytes) {
        this.#need = HEADER_BYTES + bytes;
        break;
      }
      messages.push(decode(all.readUInt8(4), all.subarray(HEADER_BYTES, HEADER_BYTES + bytes)));
      const rest = all.subarray(HEADER_BYTES + bytes);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#size = rest.length;
      this.#need = HEADER_BYTES;
    }
    return messages;
  }
}

function decode(type: number, p: Buffer): Message {
  const need = (bytes: number): void => {
    if (p.length < bytes) throw new WireError(`message 0x${type.toString(16)} of ${p.length} bytes`);
  };
  const exactly = (bytes: number): void => {
    if (p.length !== bytes) throw new WireError(`message 0x${type.toString(16)} of ${p.length} bytes`);
  };
  /** A number that would lose digits cannot be right in any field: device sizes past 2⁵³ are whole sectors and keep theirs. */
  const u64 = (at: number): number => {
    const value = p.readBigUInt64LE(at);
    if (BigInt(Number(value)) !== value) throw new WireError(`message 0x${type.toString(16)}: number too large`);
    return Number(value);
  };
  const i64 = (at: number): number => {
    const value = p.readBigInt64LE(at);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new WireError(`message 0x${type.toString(16)}: number too large`);
    }
    return Number(value);
  };
  switch (type) {
    case MESSAGE.hello: {
      need(24);
      if (p.readUInt32LE(0) !== PROTOCOL) throw new WireError(`the agent speaks protocol ${p.readUInt32LE(0)}`);
      const [release = '', targets = '', ...problems] = p.toString('latin1', 24).split('\n');
      return {
        type: 'hello', nonce: p.readUInt32LE(4), taint: u64(8), mailboxBytes: u64(16),
        release, targets: targets.split(' ').filter((name) => name !== ''), problems: problems.join('\n'),
      };
    }
    case MESSAGE.begin:
      exactly(12);
      return { type: 'begin', case: p.readUInt32LE(0), taint: u64(4) };
    case MESSAGE.open:
      exactly(20);
      return { type: 'open', case: p.readUInt32LE(0), device: p.readUInt16LE(4), stage: p.readUInt16LE(6), errno: p.readUInt32LE(8), size: u64(12) };
    case MESSAGE.read: {
      need(40);
      const result = i64(8);
      const bytes = p.subarray(40);
      if (bytes.length !== Math.max(0, result)) throw new WireError(`read of ${result} with ${bytes.length} bytes`);
      return {
        type: 'read', case: p.readUInt32LE(0), index: p.readUInt16LE(4), reader: p.readUInt16LE(6), result,
        before: p.readUInt32LE(16), after: p.readUInt32LE(20), first: i64(24), untouched: i64(32), bytes,
      };
    }
    case MESSAGE.end:
      need(16);
      return { type: 'end', case: p.readUInt32LE(0), taint: u64(4), errno: p.readUInt32LE(12), log: p.toString('latin1', 16) };
    case MESSAGE.bench:
      exactly(24);
      return { type: 'bench', iterations: p.readUInt32LE(0), errno: p.readUInt32LE(4), nanoseconds: u64(8), bytes: u64(16) };
    case MESSAGE.action:
      exactly(12);
      return { type: 'action', case: p.readUInt32LE(0), index: p.readUInt16LE(4), errno: p.readUInt32LE(8) };
    case MESSAGE.census:
      exactly(48);
      return {
        type: 'census', done: p.readUInt32LE(0), opened: p.readUInt32LE(4), errno: p.readUInt32LE(8), tasks: p.readUInt32LE(12),
        available: u64(16), slab: u64(24), vmalloc: u64(32), bufio: u64(40),
      };
    case MESSAGE.reload:
      exactly(8);
      return { type: 'reload', unload: p.readUInt32LE(0), load: p.readUInt32LE(4) };
    case MESSAGE.crowd:
      exactly(16);
      return { type: 'crowd', case: p.readUInt32LE(0), times: p.readUInt32LE(4), stage: p.readUInt16LE(8), errno: p.readUInt32LE(12) };
    case MESSAGE.entry: {
      need(8);
      const path = p.readUInt16LE(2);
      need(8 + path);
      return { type: 'entry', kind: p.readUInt8(0), pass: p.readUInt8(1), errno: p.readUInt32LE(4), path: p.toString('utf8', 8, 8 + path), content: p.subarray(8 + path) };
    }
    case MESSAGE.coverage: {
      need(8);
      const name = p.readUInt8(1);
      need(8 + name);
      const content = p.subarray(8 + name);
      if (content.length > MAX_COUNTER_BYTES) throw new WireError(`counters of ${content.length} bytes`);
      return { type: 'coverage', last: p.readUInt8(0) === 1, errno: p.readUInt32LE(4), name: p.toString('utf8', 8, 8 + name), content };
    }
    case MESSAGE.mount:
      exactly(12);
      return { type: 'mount', stage: p.readUInt16LE(0), device: p.readUInt16LE(2), errno: p.readUInt32LE(4), leftover: p.readUInt32LE(8) };
    case MESSAGE.error:
      return { type: 'error', text: p.toString('latin1', 0, 1024) };
    case MESSAGE.rescue:
      return { type: 'rescue', log: p.toString('latin1') };
    default:
      throw new WireError(`unknown message 0x${type.toString(16)}`);
  }
}
