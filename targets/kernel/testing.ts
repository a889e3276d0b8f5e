// SPDX-License-Identifier: MIT
/** What the kernel target's own tests share: the lab or the reason why there is none, and small handmade images. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Lowered, ReadPlan, Slack, Wrapper } from '../../model/index.ts';
import type { Job } from '../target.ts';
import { Cache, Steps, missingPackages, newestCached, prepareLab, type PreparedLab } from './lab/index.ts';

export const cache = new Cache();

/** The lab, or why it is not here. Never installs anything. */
export async function labForTests(subject: { readonly patch?: string; readonly source?: string } = {}): Promise<PreparedLab | string> {
  const missing = missingPackages('vm');
  if (missing.length > 0) return `missing: ${missing.join(', ')}`;
  const debian12 = existsSync('/etc/os-release') && /^VERSION_CODENAME=bookworm$/m.test(readFileSync('/etc/os-release', 'utf8'));
  if (!debian12 && (await newestCached(cache)) === undefined) return 'this is not Debian 12 and no kernel is cached';
  try {
    return await prepareLab({ cache, steps: new Steps(), ...subject });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The third version of the patch as it was mailed, where it is at hand. */
export function patchForTests(): string | undefined {
  const seeds = join(process.env['OVBD_SHARED'] ?? '../shared', 'seeds');
  const name = existsSync(seeds) ? readdirSync(seeds).find((one) => one.startsWith('002')) : undefined;
  return name === undefined ? undefined : join(seeds, name);
}

/** Process ids of the virtual machines that this process, or `parent`, has started. */
export function vmProcesses(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(ppid) === parent && state !== 'Z' && /qemu-system/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
      } catch {
        return false;
      }
    });
}

/** Bytes that look random and are the same every time. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let x = (Math.imul(seed + 1, 2654435761) >>> 0) || 1;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface JobParts {
  readonly device?: 'zfile' | 'lsmt';
  readonly layers?: readonly { readonly bytes: Uint8Array; readonly wrapping?: readonly Wrapper[]; readonly exposedBytes?: number }[];
  readonly deviceBytes: number;
  readonly reads: readonly Partial<ReadPlan>[];
  readonly slack?: Slack;
  readonly wanted?: readonly (string | null)[];
  readonly lowered?: Lowered;
}

export function jobOf(id: string, parts: JobParts): Job {
  const reads = parts.reads.map((read): ReadPlan => ({ offset: 0, length: parts.deviceBytes, bufferOffset: 0, mode: 'direct', ...read }));
  return {
    case: {
      id,
      device: parts.device ?? 'lsmt',
      layers: (parts.layers ?? []).map((layer) => ({ wrapping: [], ...layer })),
      access: { slack: parts.slack ?? 'page', deviceBytes: parts.deviceBytes, reads },
      clauses: { exercises: [], violates: [] },
    },
    wanted: parts.wanted ?? reads.map(() => null),
    ...(parts.lowered === undefined ? {} : { lowered: parts.lowered }),
  };
}

export interface Segment {
  /** Sectors of 512 bytes. */
  readonly offset: number;
  /** A multiple of 512 bytes; or sectors of zeros. */
  readonly data: Buffer | number;
}

/** A committed LSMT layer. `indexSize` tells a lie about its entries. */
export function lsmt(segments: readonly Segment[], virtualSize: number, indexSize = segments.length): Buffer {
  const space = (flags: number, indexOffset: number, entries: number): Buffer => {
    const bytes = Buffer.alloc(4096);
    bytes.write('4c534d5400010200657e63d29444084ca2d2c8ec4fcfae8a', 'hex');
    bytes.writeUInt32LE(390, 24);
    bytes.writeUInt32LE(flags, 28);
    bytes.writeBigUInt64LE(BigInt(indexOffset), 32);
    bytes.writeBigUInt64LE(BigInt(entries), 40);
    bytes.writeBigUInt64LE(BigInt(virtualSize), 48);
    bytes.set([1, 1], 132);
    return bytes;
  };
  let at = 8;
  const index = Buffer.alloc(Math.ceil((16 * segments.length) / 512) * 512);
  segments.forEach(({ offset, data }, i) => {
    const sectors = typeof data === 'number' ? data : data.length / 512;
    index.writeBigUInt64LE(BigInt(offset) | (BigInt(sectors) << 50n), 16 * i);
    index.writeBigUInt64LE(BigInt(at) | (typeof data === 'number' ? 1n << 55n : 0n), 16 * i + 8);
    if (typeof data !== 'number') at += sectors;
  });
  const data = segments.flatMap((segment) => (typeof segment.data === 'number' ? [] : [segment.data]));
  return Buffer.concat([space(7, 0, 0), ...data, index, space(6, at * 512, indexSize)]);
}

/** A ZFile of 4096-byte blocks, each one LZ4 sequence of literals. `indexSize` tells a lie about its entries. */
export function zfile(content: Buffer, indexSize = content.length / 4096): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < content.length; at += 4096) {
    // Token 15 literals, then 4096 - 15 in bytes of 255 and a rest.
    blocks.push(Buffer.concat([Buffer.of(0xf0, ...Array<number>(16).fill(255), 4096 - 15 - 16 * 255), content.subarray(at, at + 4096)]));
  }
  const index = Buffer.alloc(4 * blocks.length);
  blocks.forEach((block, i) => index.writeUInt32LE(block.length, 4 * i));
  const data = Buffer.concat(blocks);
  const space = (flags: number): Buffer => {
    const bytes = Buffer.alloc(512);
    bytes.write('5a46696c6500010074756a692e79796640416c6962616261', 'hex');
    bytes.writeUInt32LE(96, 24);
    bytes.writeBigUInt64LE(BigInt(flags), 32);
    bytes.writeBigUInt64LE(BigInt(512 + data.length), 40);
    bytes.writeBigUInt64LE(BigInt(indexSize), 48);
    bytes.writeBigUInt64LE(BigInt(content.length), 56);
    bytes.writeUInt32LE(4096, 72);
    bytes[76] = 1;
    return bytes;
  };
  return Buffer.concat([space(3), data, index, space(6)]);
}
