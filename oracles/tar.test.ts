// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { writeTar } from '../generators/tar-writer.ts';
import { edited, refusal, sectors, type Refusal } from '../test/oracle-images.ts';
import { bufferSource } from './source.ts';
import { looksLikeTar, unwrapTar } from './tar.ts';
import { RecordedLeniency, STRICT, type Leniency } from './violation.ts';

const CONTENT = sectors(3).subarray(0, 1500);
const PLAIN = writeTar(CONTENT, false);
const PAX = writeTar(CONTENT, true);
const judge = (bytes: Uint8Array, lenient: Leniency = STRICT): Refusal | null => refusal(() => unwrapTar(bufferSource(bytes), lenient));

/** Makes the checksum of the header at byte `base` right again. */
function summed(bytes: Uint8Array, base = 0): Uint8Array {
  return edited(bytes, (b) => {
    b.fill(0x20, base + 148, base + 156);
    const sum = b.subarray(base, base + 512).reduce((n, x) => n + x, 0);
    b.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `, 'latin1'), base + 148);
  });
}

const text = (bytes: Uint8Array, at: number, value: string): Uint8Array => edited(bytes, (b) => b.set(Buffer.from(value, 'latin1'), at));

describe('a layer in a tar', () => {
  it('starts behind its headers', () => {
    for (const [bytes, start] of [[PLAIN, 512], [PAX, 1536]] as const) {
      const member = unwrapTar(bufferSource(bytes), STRICT);
      expect([member.start, member.size]).toEqual([start, 1500]);
      expect(Buffer.compare(member.read(0, 1500), CONTENT)).toBe(0);
      expect(Buffer.compare(member.read(7, 100), CONTENT.subarray(7, 107))).toBe(0);
    }
  });

  it('looks like one', () => {
    expect(looksLikeTar(bufferSource(PLAIN.subarray(0, 512)))).toBe(true);
    expect(looksLikeTar(bufferSource(PLAIN.subarray(0, 511)))).toBe(false);
    expect(looksLikeTar(bufferSource(text(PLAIN, 261, 'x')))).toBe(false);
  });

  const size = (digits: string): Uint8Array => summed(text(PLAIN, 124, digits));
  it.each<[string, Uint8Array, Refusal | null]>([
    ['no magic', text(PLAIN, 257, 'U'), ['TR-TAR-01', 0, 'the file does not start with a ustar header']],
    ['GNU version', summed(text(PLAIN, 262, '  \0')), ['TR-TAR-03', 263, 'the version is " \\u0000", not "00"']],
    ['version 01', summed(text(PLAIN, 264, '1')), ['TR-TAR-03', 263, 'the version is "01", not "00"']],
    ['a wrong checksum', text(PLAIN, 148, '000001\0 '), ['TR-TAR-03', 148, expect.stringMatching(/^the checksum is "000001", the header gives [0-7]+ \(octal\)$/) as unknown as string]],
    ['no checksum', edited(PLAIN, (b) => b.fill(0, 148, 156)), ['TR-TAR-03', 148, expect.stringMatching(/^the checksum is "", the header gives/) as unknown as string]],
    ['a checksum that is no number', text(PLAIN, 148, '00x00'), ['TR-TAR-03', 148, expect.stringMatching(/^the checksum is "00x00/) as unknown as string]],
    ['a checksum with a letter behind it', edited(PLAIN, (b) => { b[154] = 0x78; }), ['TR-TAR-03', 148, expect.stringMatching(/^the checksum is "[0-7]{6}x?/) as unknown as string]],
    ['the right checksum with a number behind it', edited(PLAIN, (b) => { b[155] = 0x37; }), ['TR-TAR-03', 148, expect.stringMatching(/^the checksum is "[0-7]{6} 7", the header gives/) as unknown as string]],
    ['a checksum in two pieces', edited(PLAIN, (b) => { b.copyWithin(150, 149, 154); b[149] = 0; b[155] = 0x20; }), ['TR-TAR-03', 148, expect.stringMatching(/^the checksum is "0 [0-7]{5}", the header gives/) as unknown as string]],
    ['a size in two pieces', size('0000\x00001000\0'), ['TR-TAR-02', 124, 'the size field holds no octal number']],
    ['a stale header', text(PLAIN, 0, 'X'), ['TR-TAR-03', 148, expect.any(String) as unknown as string]],
    ['a size that is no number', size('0000000000x\0'), ['TR-TAR-02', 124, 'the size field holds no octal number']],
    ['a size in base 256', summed(edited(PLAIN, (b) => { b[124] = 0x80; })), ['TR-TAR-02', 124, 'the size field holds no octal number']],
    ['a size of blanks', size('            '), null],
    ['all bytes to the end', size(`${(PLAIN.length - 512).toString(8).padStart(11, '0')}\0`), null],
    ['a byte more', size(`${(PLAIN.length - 511).toString(8).padStart(11, '0')}\0`), ['TR-TAR-02', 124, `the member claims ${PLAIN.length - 511} bytes, ${PLAIN.length - 512} are there`]],
    ['a pax header and no more', PAX.subarray(0, 1535), ['TR-TAR-01', 512, 'the file ends at byte 1535, inside the pax header or the ustar header after it']],
    ['a pax header and a ustar header', PAX.subarray(0, 1536), ['TR-TAR-02', 1024 + 124, 'the member claims 1500 bytes, 0 are there']],
    ['no ustar header behind pax', text(PAX, 1024 + 257, 'x'), ['TR-TAR-01', 1024, 'no ustar header follows the pax header']],
    ['a wrong checksum behind pax', text(PAX, 1024, 'x'), ['TR-TAR-03', 1024 + 148, expect.any(String) as unknown as string]],
    ['a long pax header', summed(text(PAX, 124, '00000200001\0')), ['TR-TAR-02', 124, 'the pax header claims 65537 bytes, more than 65536']],
    ['the longest pax header, which is not there', summed(text(PAX, 124, '00000200000\0')), ['TR-TAR-01', 512, `the file ends at byte ${PAX.length}, inside the pax header or the ustar header after it`]],
    ['a pax record that is too long', text(PAX, 512, '99'), ['TR-TAR-02', 512, 'a pax record claims 99 bytes']],
    ['a pax record that is too short', text(PAX, 512, '08'), ['TR-TAR-02', 512, 'a pax record claims 8 bytes']],
    ['a pax size that is no number', text(PAX, 520, 'x'), ['TR-TAR-02', 512, 'the pax size record holds no number']],
  ])('%s', (_name, bytes, expected) => expect(judge(bytes)).toEqual(expected));

  it('a record is read from its start to its end', () => {
    const records = (text_: string): Uint8Array => summed(text(text(PAX, 512, text_), 124, `${text_.length.toString(8).padStart(11, '0')}\0`));
    expect(judge(records('12 path=abc\n99 size=1\n'))).toEqual(['TR-TAR-02', 512 + 12, 'a pax record claims 99 bytes']);
    expect(judge(records('12 path=abc\n14 size=1500x\n'))).toEqual(['TR-TAR-02', 512 + 12, 'the pax size record holds no number']);
    expect(judge(records('12 path=abc\n10 size=-1\n'))).toEqual(['TR-TAR-02', 512 + 12, 'the pax size record holds no number']);
    expect(unwrapTar(bufferSource(records('x 13 size=1500\n')), STRICT).size).toBe(0);
    expect(unwrapTar(bufferSource(records('13 size=1500\n')), STRICT).size).toBe(1500);
  });

  it('a size record is found behind others, and the ustar size counts where there is none', () => {
    const behind = summed(text(text(PAX, 512, '12 path=abc\n13 size=1500\n'), 124, '00000000031\0'));
    expect(unwrapTar(bufferSource(behind), STRICT).size).toBe(1500);
    const none = summed(text(text(PAX, 512, '12 path=abc\n'), 124, '00000000014\0'));
    expect(unwrapTar(bufferSource(none), STRICT).size).toBe(0);
    expect(unwrapTar(bufferSource(text(PAX, 512, 'no record')), STRICT).size).toBe(0);
  });

  it('a lax reader takes any version and checksum', () => {
    const asked = new RecordedLeniency([]);
    expect(judge(text(PLAIN, 264, '1'), asked)?.[0]).toBe('TR-TAR-03');
    expect([...asked.asked]).toEqual(['tr.tar-header-lax']);
    expect(judge(text(PLAIN, 264, '1'), new RecordedLeniency(['tr.tar-header-lax']))).toBeNull();
    const none = new RecordedLeniency([]);
    judge(PAX, none);
    expect([...none.asked]).toEqual([]);
  });
});
