// SPDX-License-Identifier: MIT
/** The tree that was read against the one that was written. */
import { TREE_BLOCK, TREE_BLOCK_DIGITS, type TreeEntry } from '../../model/index.ts';
import type { SeenEntry, SeenTree } from '../../targets/kernel/file-system.ts';

/** Folders that a file system makes by itself. */
const OWN = new Set(['', 'lost+found']);

/** One thing that is not as it was. */
export interface Difference {
  readonly cache: 'cold' | 'warm';
  /** `content`: other bytes; `unreadable`: an error in their place; `missing`, `extra`, `kind`: another tree. */
  readonly what: 'content' | 'unreadable' | 'missing' | 'extra' | 'kind';
  /** In words, with the path. */
  readonly text: string;
  /** Of other bytes: where the first block begins in the file that is not as it was, and its digest as it should be. */
  readonly block?: { readonly at: number; readonly digest: string };
}

/** What differs, first with a cold cache and then with a warm one; nothing where nothing could be read. */
export function differences(wanted: readonly TreeEntry[], { passes }: Pick<SeenTree, 'passes'>): Difference[] {
  return passes.flatMap((seen, i) => (seen.size === 0 ? [] : [...differencesIn(wanted, seen)].map((d) => ({ ...d, cache: i === 0 ? 'cold' as const : 'warm' as const }))));
}

function* differencesIn(wanted: readonly TreeEntry[], seen: ReadonlyMap<string, SeenEntry>): Iterable<Omit<Difference, 'cache'>> {
  for (const want of wanted) {
    const { path } = want;
    const got = seen.get(path);
    if (!got) yield { what: 'missing', text: `${path} is not there` };
    else if (got.error !== '') yield { what: 'unreadable', text: `${path} cannot be read: ${got.error}` };
    else if (got.kind !== want.kind) yield { what: 'kind', text: `${path} is a ${got.kind}, not a ${want.kind}` };
    else if (got.content !== want.content) yield contentOf(want, got);
  }
  const paths = new Set(wanted.map((w) => w.path));
  for (const [path, got] of seen) {
    if (!paths.has(path) && !OWN.has(path)) yield { what: got.error === '' ? 'extra' : 'unreadable', text: `${path} should not be there${got.error === '' ? '' : ` (${got.error})`}` };
  }
}

function contentOf(want: TreeEntry, got: SeenEntry): Omit<Difference, 'cache'> {
  if (want.kind !== 'file') return { what: 'content', text: `${want.path} points to ${got.content}, not to ${want.content}` };
  const digest = (blocks: string, n: number): string => blocks.slice(n * TREE_BLOCK_DIGITS, (n + 1) * TREE_BLOCK_DIGITS);
  let n = 0;
  while (digest(want.blocks, n) !== '' && digest(want.blocks, n) === digest(got.blocks, n)) n++;
  const at = n * TREE_BLOCK;
  if (digest(want.blocks, n) === '' || digest(got.blocks, n) === '') return { what: 'content', text: `${want.path} has another length: ${got.size} bytes` };
  return { what: 'content', text: `${want.path} (${got.size} bytes) differs first in the ${TREE_BLOCK} bytes at ${at}`, block: { at, digest: digest(want.blocks, n) } };
}
