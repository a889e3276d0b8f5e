// SPDX-License-Identifier: MIT
/** The thread of engine/prepare-pool.ts: makes the cases ready that it is told to, and hands them over without copying them. */
import { parentPort, workerData } from 'node:worker_threads';
import { drawCase } from '../generators/draw.ts';
import { prepare } from './prepare.ts';
import type { Answer, Order, Ready, WorkerSettings } from './prepare-pool.ts';

const { seed, largeEvery, declared } = workerData as WorkerSettings;
const port = parentPort!;

port.on('message', ({ first, count }: Order) => {
  try {
    const buffers = new Set<ArrayBuffer>();
    const ready = Array.from({ length: count }, (_, k): Ready => {
      const { drawn: _drawn, ...made } = prepare(drawCase(seed, first + k, largeEvery), declared);
      return portable(made, buffers) as Ready;
    });
    port.postMessage({ first, ready } satisfies Answer, [...buffers]);
  } catch (error) {
    port.postMessage({ first, error: error instanceof Error ? error.stack ?? error.message : String(error) } satisfies Answer);
  }
});

/** The value with every run of bytes in memory of its own, which is added to `buffers`: what is handed over is gone here. What is one thing stays one. */
function portable(value: unknown, buffers: Set<ArrayBuffer>, known = new Map<object, unknown>()): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const before = known.get(value);
  if (before !== undefined) return before;
  const made = value instanceof Uint8Array ? ownBytes(value, buffers)
    : Array.isArray(value) ? value.map((one) => portable(one, buffers, known))
      : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, portable(one, buffers, known)]));
  known.set(value, made);
  return made;
}

/** The same array where it has all of its memory and is the first that does; else a copy. */
function ownBytes(bytes: Uint8Array, buffers: Set<ArrayBuffer>): Uint8Array {
  const { buffer } = bytes;
  const alone = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength && !buffers.has(buffer);
  const own = alone ? bytes : Uint8Array.from(bytes);
  buffers.add(own.buffer as ArrayBuffer);
  return own;
}
