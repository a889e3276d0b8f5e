// SPDX-License-Identifier: MIT
/** The tree that was read against the one that was written. */
import type { SeenEntry, SeenTree } from '../../targets/kernel/file-system.ts';
import type { wantedOf } from './tree.ts';

/** Differences that are told of one pass; the rest is counted. */
const TOLD = 5;
/** Folders that a file system makes by itself. */
const OWN = new Set(['', 'lost+found']);

/** What is wrong, in words; empty where every file is as it was, with a cold cache and with a warm one. */
export function differences(wanted: ReturnType<typeof wantedOf>, { passes, problem }: SeenTree): string[] {
  const out: string[] = problem === undefined ? [] : [problem];
  for (const [i, seen] of passes.entries()) {
    // Where nothing could be read, the problem says it all.
    if (problem !== undefined && seen.size === 0) continue;
    const wrong = [...wrongIn(wanted, seen)];
    const cache = i === 0 ? 'cold' : 'warm';
    out.push(...wrong.slice(0, TOLD).map((w) => `${cache} cache: ${w}`));
    if (wrong.length > TOLD) out.push(`${cache} cache: ${wrong.length - TOLD} more`);
  }
  return out;
}

function* wrongIn(wanted: ReturnType<typeof wantedOf>, seen: ReadonlyMap<string, SeenEntry>): Iterable<string> {
  for (const [path, want] of wanted) {
    const got = seen.get(path);
    if (!got) yield `${path} is not there`;
    else if (got.error !== '') yield `${path}: ${got.error}`;
    else if (got.kind !== want.kind) yield `${path} is a ${got.kind}, not a ${want.kind}`;
    else if (got.content !== want.content) yield `${path} has another content (${got.size} bytes)`;
  }
  for (const [path, got] of seen) if (!wanted.has(path) && !OWN.has(path)) yield `${path} should not be there${got.error === '' ? '' : ` (${got.error})`}`;
}
