// SPDX-License-Identifier: MIT
/** What stands for the writers of overlaybd's tools: `zfile ALGORITHM KIB IN OUT`, `lsmt MESSAGE UUID PARENT DATA INDEX OUT`, `merge SERVICE IMAGE OUT`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { commitLayer, commitMerged, liveSegments, type LayerOptions, type LayerSegment, type WritableLayer } from '../../generators/commit.ts';
import { PLAIN_ZFILE, writeZFile } from '../../generators/zfile-writer.ts';
import { guessLayer } from '../../oracles/guess.ts';
import { bufferSource } from '../../oracles/source.ts';
import { openStack } from '../../oracles/stack.ts';
import { STRICT, Violation } from '../../oracles/violation.ts';
import { getInteger, getSegment, INVALID_OFFSET, LSMT_HEADER, LSMT_SPACE, SECTOR, SEGMENT_ENTRY } from '../../spec/index.ts';

const bytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

/** The writable layer of two files. */
function pair(data: Uint8Array, index: Uint8Array): WritableLayer {
  const entries: LayerSegment[] = [];
  for (let at = LSMT_SPACE; at + SEGMENT_ENTRY <= index.length; at += SEGMENT_ENTRY) {
    const { offset, length, moffset, zeroed, tag } = getSegment(index, at);
    if (offset !== INVALID_OFFSET) entries.push({ offset: Number(offset), length, moffset: Number(moffset), zeroed, tag });
  }
  return { data, index, entries };
}

/** The layers as one, by the reader of this suite. Throws Violation. */
function merged(paths: readonly string[], options: (virtualSize: number) => LayerOptions): Uint8Array {
  const stack = openStack(paths.map((path) => guessLayer({ file: bufferSource(bytes(path)) })), STRICT);
  const files = stack.layers.map((l) => l.lsmt.data.read(0, l.lsmt.data.size)).reverse();
  const segments = stack.pieces.map(({ start, end, moffset, zeroed, layer }) => ({ offset: start, length: end - start, moffset, zeroed, tag: stack.layers.length - 1 - layer }));
  return commitMerged(liveSegments(segments), files, options(stack.size));
}

function make([what, ...args]: readonly string[]): Uint8Array {
  if (what === 'zfile') return writeZFile(bytes(args[2]!), { ...PLAIN_ZFILE, algo: args[0] as 'lz4' | 'zstd', blockSize: Number(args[1]) * 1024 });
  if (what === 'merge') {
    JSON.parse(readFileSync(args[0]!, 'utf8'));
    const { lowers } = JSON.parse(readFileSync(args[1]!, 'utf8')) as { lowers: { file: string }[] };
    return merged(lowers.map((l) => l.file), (virtualSize) => ({ virtualSize }));
  }
  const [userTag, uuid, parentUuid, data, index] = args as [string, string, string, string, string];
  const identity = { userTag, ...(uuid === '' ? {} : { uuid }), ...(parentUuid === '' ? {} : { parentUuid }) };
  if (index === '') return merged([data], (virtualSize) => ({ virtualSize, ...identity }));
  return commitLayer(pair(bytes(data), bytes(index)), { virtualSize: Number(getInteger(bytes(index), LSMT_HEADER, 'virtual_size')), ...identity });
}

try {
  writeFileSync(process.argv.at(-1)!, make(process.argv.slice(2)), { flag: 'wx' });
} catch (error) {
  if (!(error instanceof Violation)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 255;
}
