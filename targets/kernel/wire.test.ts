// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { COMMAND, MAX_READ_BYTES, MessageDecoder, WireError, encodeBench, encodeCase, encodeFrame, encodePing, type Message, type ReadCommand } from './wire.ts';

/** A frame as the agent would send it. */
function message(type: number, payload: Buffer): Buffer {
  return encodeFrame(type, payload);
}

function read(caseNumber: number, index: number, result: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(40);
  head.writeUInt32LE(caseNumber, 0);
  head.writeUInt16LE(index, 4);
  head.writeBigInt64LE(BigInt(result), 8);
  head.writeUInt32LE(3, 16);
  head.writeUInt32LE(5, 20);
  head.writeBigInt64LE(-2n, 24);
  head.writeBigInt64LE(-1n, 32);
  return message(0x84, Buffer.concat([head, bytes]));
}

function end(log: string): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(7, 0);
  head.writeBigUInt64LE(512n, 4);
  head.writeUInt32LE(16, 12);
  return message(0x85, Buffer.concat([head, Buffer.from(log)]));
}

describe('messages', () => {
  const stream = Buffer.concat([read(7, 1, 4, Buffer.from('abcd')), read(7, 2, -5, Buffer.alloc(0)), end('<6>log\n')]);
  const wanted: Message[] = [
    { type: 'read', case: 7, index: 1, reader: 0, result: 4, before: 3, after: 5, first: -2, untouched: -1, bytes: Buffer.from('abcd') },
    { type: 'read', case: 7, index: 2, reader: 0, result: -5, before: 3, after: 5, first: -2, untouched: -1, bytes: Buffer.alloc(0) },
    { type: 'end', case: 7, taint: 512, errno: 16, log: '<6>log\n' },
  ];

  it('come out whole however the stream is cut', () => {
    expect(new MessageDecoder().push(stream)).toEqual(wanted);
    for (const size of [1, 2, 11, 12, 13, 50]) {
      const decoder = new MessageDecoder();
      const got: Message[] = [];
      for (let at = 0; at < stream.length; at += size) got.push(...decoder.push(stream.subarray(at, at + size)));
      expect(got).toEqual(wanted);
    }
  });

  it('with counters carry a name and bytes, and end with one that has neither', () => {
    const part = (last: number, errno: number, name: string, content: string): Buffer => {
      const head = Buffer.alloc(8);
      head.writeUInt8(last, 0);
      head.writeUInt8(name.length, 1);
      head.writeUInt32LE(errno, 4);
      return message(0x8e, Buffer.concat([head, Buffer.from(name + content)]));
    };
    expect(new MessageDecoder().push(Buffer.concat([part(0, 0, 'a.gcda', 'xyz'), part(1, 7, '', '')]))).toEqual([
      { type: 'coverage', last: false, errno: 0, name: 'a.gcda', content: Buffer.from('xyz') },
      { type: 'coverage', last: true, errno: 7, name: '', content: Buffer.alloc(0) },
    ]);
    expect(() => new MessageDecoder().push(message(0x8e, Buffer.from([0, 9, 0, 0, 0, 0, 0, 0, 1])))).toThrow(WireError);
    expect(() => new MessageDecoder().push(part(0, 0, 'a', 'x'.repeat((1 << 20) + 1)))).toThrow(WireError);
  });

  it('that are cut short give nothing yet', () => {
    expect(new MessageDecoder().push(stream.subarray(0, 55))).toEqual([]);
  });

  it('that are wrong are refused at once', () => {
    const refuse = (bytes: Buffer): void => expect(() => new MessageDecoder().push(bytes)).toThrow(WireError);
    refuse(Buffer.alloc(12, 0x41));
    const huge = Buffer.from(message(0x84, Buffer.alloc(0)));
    huge.writeUInt32LE(MAX_READ_BYTES + (1 << 20), 8);
    refuse(huge);
    refuse(message(0x83, Buffer.alloc(19)));
    refuse(message(0x83, Buffer.alloc(21)));
    refuse(message(0x85, Buffer.alloc(15)));
    refuse(message(0x8b, Buffer.alloc(15)));
    refuse(message(0x8b, Buffer.alloc(17)));
    refuse(message(0x99, Buffer.alloc(4)));
    refuse(read(7, 0, 5, Buffer.from('abcd')));
    refuse(read(7, 0, -5, Buffer.from('abcd')));
    refuse(read(7, 0, 4, Buffer.alloc(0)));
    const taint = Buffer.alloc(12, 0xff);
    refuse(message(0x82, taint));
  });

  it('of every length short of whole never escape but as WireError', () => {
    for (let type = 0x81; type <= 0x90; type++) {
      for (let length = 0; length < 70; length++) {
        try {
          new MessageDecoder().push(message(type, Buffer.alloc(length, type)));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }
    }
  });
});

describe('commands', () => {
  const command = {
    number: 9,
    target: 1,
    devices: [
      { slice: true, table: [{ start: 0, sectors: 8, type: 'linear', params: '@m 16' }] },
      { slice: false, table: [{ start: 0, sectors: 4, type: 'zfile_target', params: '@0 4096' }] },
    ],
    reads: [{ device: 1, mode: 'direct' as const, bufferOffset: 512, offset: 1024, length: 2048 }],
  };

  it('are laid out as the agent reads them', () => {
    const frame = encodeCase(command);
    expect(frame.readUInt8(4)).toBe(COMMAND.case);
    expect(frame.readUInt32LE(8)).toBe(frame.length - 12);
    const payload = frame.subarray(12);
    expect([payload.readUInt32LE(0), payload.readUInt16LE(4), payload.readUInt16LE(6), payload.readUInt16LE(8)]).toEqual([9, 2, 1, 1]);
    expect(payload.subarray(16, 16 + 5 + 19 + 6 + 5).toString('latin1')).toContain('linear@m 16');
    const last = payload.subarray(-20);
    expect([last.readUInt16LE(0), last.readUInt16LE(2), last.readUInt32LE(4), Number(last.readBigUInt64LE(8)), last.readUInt32LE(16)]).toEqual([1, 1, 512, 1024, 2048]);
    const mapped = { device: 1, mode: 'mmap' as const, bufferOffset: 7, offset: 1, length: 3 };
    const pieces = { ...mapped, mode: 'direct' as const, pieces: [512, 1024], huge: true };
    const flags = (reads: readonly ReadCommand[]): Buffer => encodeCase({ ...command, reads }).subarray(frame.length - 20);
    expect(flags([{ ...command.reads[0]!, ...mapped }]).readUInt16LE(2)).toBe(2);
    const tail = flags([{ ...command.reads[0]!, ...pieces }]);
    expect([tail.readUInt16LE(2), tail.readUInt16LE(20), tail.readUInt32LE(22), tail.readUInt32LE(26), tail.length]).toEqual([13, 2, 512, 1024, 30]);
    const before = [{ start: 0, sectors: 9, type: 'zero', params: '' }];
    const crowded = encodeCase({ ...command, devices: [{ ...command.devices[0]!, before }], crowd: { readers: 4, rounds: 300, meanwhile: 'reload' } }).subarray(12);
    expect([crowded.readUInt8(12), crowded.readUInt8(13), crowded.readUInt16LE(14), crowded.readUInt8(16)]).toEqual([4, 2, 300, 9]);
    expect([crowded.readUInt32LE(17), Number(crowded.readBigUInt64LE(29)), crowded.readUInt32LE(17 + 4 + 19 + 4)]).toEqual([1, 9, 1]);
    expect(encodeBench(command, 3).readUInt32LE(12)).toBe(3);
    expect(encodePing(5).toString('hex')).toBe('4f5642440100000004000000' + '05000000');
  });

  it('say what is done between the reads', () => {
    const table = [{ start: 0, sectors: 8, type: 'error', params: '' }];
    const payload = encodeCase({
      ...command, devices: [{ ...command.devices[0]!, writable: true, held: true }, command.devices[1]!],
      actions: [{ before: 0, device: 0, kind: 'reload', offset: 0, length: 0, table }, { before: 1, device: 1, kind: 'zero-out', offset: 512, length: 1024 }],
    }).subarray(12);
    expect([payload.readUInt16LE(10), payload.readUInt8(16)]).toEqual([2, 7]);
    expect(payload.subarray(-20).toString('hex')).toBe('0100' + '04' + '00' + '0100' + '0000' + '0002000000000000' + '00040000');
    const reload = payload.subarray(-20 - 28 - 20, -20);
    expect([reload.readUInt16LE(0), reload.readUInt8(2), reload.readUInt32LE(20), reload.subarray(-5).toString('latin1')]).toEqual([0, 0, 1, 'error']);
  });

  it('that do not fit are refused', () => {
    expect(() => encodeCase({ ...command, devices: Array.from({ length: 70000 }, () => command.devices[0]!) })).toThrow(RangeError);
    const long = { slice: false, table: [{ start: 0, sectors: 1, type: 'linear', params: 'x'.repeat(70000) }] };
    expect(() => encodeCase({ ...command, devices: [long] })).toThrow(RangeError);
    expect(() => encodeFrame(1, Buffer.alloc((8 << 20) + 1))).toThrow(RangeError);
  });
});
