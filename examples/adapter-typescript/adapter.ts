// SPDX-License-Identifier: MIT
/**
 * A target around a reader command, in TypeScript: copy it and change
 * `readerCommand`. It speaks the protocol of targets/process/PROTOCOL.md. The
 * words after its name are the reader; without any it is this suite's own,
 * `ovbd read`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The keys of a read and of a case that this adapter looks at. */
interface Read {
  readonly offset: number;
  readonly length: number;
  readonly want: string | null;
  readonly output: string;
}
interface Case {
  readonly type: 'case';
  readonly id: number;
  readonly device: 'lsmt' | 'zfile';
  readonly layers: readonly { readonly path: string }[];
  readonly reads: readonly Read[];
}

const READER = process.argv.length > 2 ? process.argv.slice(2) : [process.execPath, join(import.meta.dirname, '../../cli/ovbd.mjs'), 'read'];

/** What the reader supports; what is left out has the defaults of the protocol. */
const CAPABILITIES = { wrappings: ['zfile', 'tar'], algorithms: ['lz4', 'zstd'], maxLayers: 255, deviceBytes: 64 << 20, whole: true };

/**
 * The command that writes the device over the case's layers to the file
 * `device`. It ends with exit code 0, or with 1 and its reason on standard
 * error where it refuses the image.
 */
function readerCommand(c: Case, device: string): readonly string[] {
  return [...READER, '--as', c.device === 'zfile' ? 'zfile' : 'device', '-o', device, ...c.layers.map((layer) => layer.path)];
}

/** Written at once, not when there is time: somebody waits for it. */
function say(message: object): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

function answerRead(c: Case, number: number, read: Read, device: number): void {
  const bytes = Buffer.alloc(Math.max(0, Math.min(read.length, fstatSync(device).size - read.offset)));
  for (let at = 0; at < bytes.length;) at += readSync(device, bytes, at, bytes.length - at, read.offset + at);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== read.want) writeFileSync(read.output, bytes);
  say({ type: 'read', id: c.id, read: number, result: bytes.length, sha256 });
}

function answerCase(c: Case, folder: string): void {
  const path = join(folder, 'device');
  // Nothing of an earlier case may be read.
  rmSync(path, { force: true });
  const [command, ...args] = readerCommand(c, path);
  // The reader's standard output is not ours: that one carries messages.
  const ran = spawnSync(command!, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 26 });
  // What it says goes on to the runner, who knows the reports of sanitizers.
  process.stderr.write(ran.stderr);
  if (ran.status === 1) say({ type: 'refused', id: c.id, reason: (ran.stderr.trim().split('\n').at(-1) || 'exit code 1').slice(0, 1000) });
  else if (ran.status !== 0) {
    say({ type: 'crashed', id: c.id, title: ran.signal ?? `exit code ${ran.status}` });
    return;
  } else {
    const device = openSync(path, 'r');
    say({ type: 'opened', id: c.id, size: fstatSync(device).size });
    c.reads.forEach((read, i) => answerRead(c, i, read, device));
    closeSync(device);
  }
  say({ type: 'done', id: c.id });
}

const folder = mkdtempSync(join(tmpdir(), 'adapter-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as Case | { readonly type: 'describe' | 'bye'; readonly id: number };
  if (message.type === 'bye') break;
  if (message.type === 'case') answerCase(message, folder);
  else say({ type: 'describe', id: message.id, protocol: 1, name: 'example in TypeScript', version: '1', capabilities: CAPABILITIES });
}
process.exit(0);
