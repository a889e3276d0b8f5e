// SPDX-License-Identifier: MIT
/** The LZ4 library that the reference uses, where the machine has it and a C compiler. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A stored block and the bytes that it should decode to. */
export interface Lz4Question {
  readonly block: Uint8Array;
  /** Bytes. */
  readonly length: number;
}

/** What liblz4 decodes each block to, null where it refuses; null as a whole, said aloud, where it cannot be asked. */
export function systemLz4(questions: readonly Lz4Question[]): (Uint8Array | null)[] | null {
  const folder = mkdtempSync(path.join(tmpdir(), 'liblz4-'));
  try {
    const program = path.join(folder, 'liblz4');
    const source = path.join(import.meta.dirname, 'liblz4.c');
    const built = spawnSync('cc', ['-O1', '-o', program, source, '-l:liblz4.so.1'], { encoding: 'utf8' });
    if (built.status !== 0) {
      console.warn(`SKIPPED: liblz4 cannot be asked: ${built.error?.message ?? built.stderr.split('\n')[0]}`);
      return null;
    }
    return ask(program, questions);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function ask(program: string, questions: readonly Lz4Question[]): (Uint8Array | null)[] {
  const input = Buffer.concat(questions.flatMap(({ block, length }) => [new Uint8Array(Uint32Array.of(block.length, length).buffer), block]));
  const { status, stdout } = spawnSync(program, { input, maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`liblz4 ended with status ${status}`);
  let at = 0;
  return questions.map(() => {
    const got = stdout.readInt32LE(at);
    at += 4 + Math.max(got, 0);
    return got < 0 ? null : stdout.subarray(at - got, at);
  });
}
