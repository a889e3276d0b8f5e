// SPDX-License-Identifier: MIT
/** From an image's files to its view: envelope after envelope, each as it is found. */
import type { FileView, ImageView, LevelView, StopView } from '../../model/index.ts';
import { LSMT_SPACE, ZFILE_SPACE } from '../../spec/index.ts';
import type { ByteSource } from '../source.ts';
import { inspectLsmt, lsmtMagics, type LsmtPart } from './lsmt.ts';
import { attempt, type Place } from './place.ts';
import type { InspectOptions } from './rows.ts';
import { inspectTar, startsTar } from './tar.ts';
import { inspectZFile, zfileMagics } from './zfile.ts';

/** A file and what it is called. */
export interface NamedSource {
  readonly path: string;
  readonly source: ByteSource;
}

/**
 * The view of one image: a file, or the two of a writable pair. Reads what it
 * shows and no more, keeps the jump table and what the strict reader needs of
 * a ZFile around a layer. Never throws for what an image holds; errors of the
 * source itself pass through.
 */
export function inspectImage(data: NamedSource, index: NamedSource | null, options: InspectOptions): ImageView {
  const files = index === null
    ? [inspectFile(data, { role: 'layer' }, options)]
    : [inspectFile(data, { role: 'data' }, options), inspectFile(index, { role: 'index', dataBytes: data.source.size }, options)];
  return { recognised: files.some((f) => f.levels.some((l) => l.kind === 'zfile' || l.kind === 'lsmt')), files };
}

function inspectFile({ path, source }: NamedSource, part: LsmtPart, options: InspectOptions): FileView {
  const levels: LevelView[] = [];
  let place: Place = { source, space: 'file', base: 0, judged: 0 };
  // Readers look for a tar, then for a ZFile, then for LSMT, once each.
  if (startsTar(place.source.read(0, Math.min(ZFILE_SPACE, source.size)))) {
    const { view, member } = inspectTar(place);
    levels.push(view);
    if (member === null) return { role: part.role, path, size: source.size, levels };
    place = { source: member.source, space: 'file', base: member.start, judged: member.start };
  }
  const kind = kindOf(place);
  if (kind.kind === 'zfile') {
    const { view, inner } = inspectZFile(place, options);
    levels.push(view);
    if (inner !== null) {
      const inside: Place = { source: inner, space: 'decoded', base: 0, judged: place.base };
      const found = kindOf(inside);
      levels.push(found.kind === 'lsmt' ? inspectLsmt(inside, part, options) : rawLevel(inside, found));
    }
  } else {
    levels.push(kind.kind === 'lsmt' ? inspectLsmt(place, part, options) : rawLevel(place, kind));
  }
  return { role: part.role, path, size: source.size, levels };
}

interface Kind {
  readonly kind: 'zfile' | 'lsmt' | 'raw';
  /** The first bytes, for what is neither. */
  readonly head: Uint8Array;
  readonly stops: readonly StopView[];
}

/** What the bytes are by their magic values: both at the start, else one of them, else those of a trailer. */
function kindOf(place: Place): Kind {
  const { source } = place;
  const read = attempt(place, 'the first bytes', () => source.read(0, Math.min(LSMT_SPACE, source.size)));
  if ('stop' in read) return { kind: 'raw', head: new Uint8Array(0), stops: [read.stop] };
  const head = read.got;
  const kind = (k: Kind['kind']): Kind => ({ kind: k, head, stops: [] });
  const zfile = place.space === 'file' ? zfileMagics(head) : 0;
  const lsmt = lsmtMagics(head);
  if (zfile === 2 || lsmt === 2) return kind(zfile === 2 ? 'zfile' : 'lsmt');
  if (zfile + lsmt > 0) return kind(zfile > 0 ? 'zfile' : 'lsmt');
  const last = (size: number): Uint8Array => {
    const tail = attempt(place, 'the last bytes', () => (source.size >= 2 * size ? source.read(source.size - size, size) : new Uint8Array(0)));
    return 'got' in tail ? tail.got : new Uint8Array(0);
  };
  if (place.space === 'file' && zfileMagics(last(ZFILE_SPACE)) === 2) return kind('zfile');
  return kind(lsmtMagics(last(LSMT_SPACE)) === 2 ? 'lsmt' : 'raw');
}

const OTHER_FORMS: readonly (readonly [hex: string, name: string])[] = [
  ['1f8b', 'gzip'], ['28b52ffd', 'a ZSTD frame'], ['04224d18', 'an LZ4 frame'],
];

function rawLevel(place: Place, { head, stops }: Kind): LevelView {
  const { source, space, base } = place;
  const start = Buffer.from(head.subarray(0, 16)).toString('hex');
  const other = OTHER_FORMS.find(([magic]) => start.startsWith(magic))?.[1]
    ?? (zfileMagics(head) > 0 ? 'a ZFile, for which no reader looks here' : startsTar(head) ? 'a tar, for which no reader looks here' : null);
  return {
    kind: 'raw', title: source.size === 0 ? 'nothing: no bytes' : space === 'file' ? 'neither tar nor ZFile nor LSMT' : 'content that is no LSMT layer',
    space, offset: base, size: source.size, structures: [], differ: [],
    layout: source.size === 0 ? [] : [{ region: 'content', offset: base, size: source.size }],
    facts: [...(start === '' ? [] : [`starts with ${start}`]), ...(other === null ? [] : [`looks like ${other}`])],
    marks: [], stops,
  };
}
