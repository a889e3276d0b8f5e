// SPDX-License-Identifier: MIT
/** What a view of a stored run needs of other parts: names on the bytes of images, and the cases drawn again. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { prepare } from '../engine/prepare.ts';
import { drawCase } from '../generators/draw.ts';
import { ClauseCounter, type CaseEvent, type ClauseTally, type FooterEvent, type Layer, type RunEvent, type VerdictKind } from '../model/index.ts';
import { inspectImage } from '../oracles/inspect/inspect.ts';
import { inspectTar, startsTar } from '../oracles/inspect/tar.ts';
import { inspectZFile, zfileMagics } from '../oracles/inspect/zfile.ts';
import type { Place } from '../oracles/inspect/place.ts';
import { bufferSource } from '../oracles/source.ts';
import { Violation } from '../oracles/violation.ts';
import type { Examined } from '../reports/index.ts';
import { ZFILE_SPACE } from '../spec/index.ts';
import { Steps } from '../targets/kernel/lab/index.ts';

const ASKED = { limit: 64, blocks: true, entries: true } as const;
/** Bytes that a ZFile may decode to where its inside is shown. */
const DECODED = 4 << 20;

/** Names the fields of a layer's files, and decodes a ZFile whose inside has some. */
export function examineLayer(layer: Layer): Examined {
  const named = (path: string, bytes: Uint8Array): { path: string; source: ReturnType<typeof bufferSource> } => ({ path, source: bufferSource(bytes) });
  const view = inspectImage(named('layer', layer.bytes), layer.index === undefined ? null : named('index', layer.index), ASKED);
  const inside = view.files.some((f) => f.levels.some((l) => l.space === 'decoded'));
  const decoded = inside ? decode(layer.bytes) : undefined;
  return { view, ...(decoded !== undefined && { decoded }) };
}

/** What a ZFile, in a tar or not, decodes to; undefined where it does not, or to too much. */
function decode(bytes: Uint8Array): Uint8Array | undefined {
  let place: Place = { source: bufferSource(bytes), space: 'file', base: 0, judged: 0 };
  const head = (): Uint8Array => place.source.read(0, Math.min(ZFILE_SPACE, place.source.size));
  if (startsTar(head())) {
    const { member } = inspectTar(place);
    if (member === null) return undefined;
    place = { source: member.source, space: 'file', base: member.start, judged: member.start };
  }
  if (zfileMagics(head()) === 0) return undefined;
  const { inner } = inspectZFile(place, ASKED);
  if (inner === null || inner.size > DECODED) return undefined;
  try {
    return inner.read(0, inner.size);
  } catch (error) {
    if (error instanceof Violation) return undefined;
    throw error;
  }
}

/**
 * Counts the clauses of a drawn run's cases by drawing them again, at most `limit`; the run's hash of all cases says
 * whether they are the same, so a run of another version is told, not miscounted.
 */
export function drawnTally(limit: number, signal: AbortSignal): (run: RunEvent, footer: FooterEvent | null, cases: readonly CaseEvent[]) => Promise<ClauseTally | string> {
  return async (run, footer, cases) => {
    if (footer === null) return 'without the footer its cases cannot be told for certain';
    if (run.corpus !== undefined) return 'its footer does not say, as those of earlier versions';
    if (footer.cases > limit) return `its footer does not say, as those of earlier versions, and more than ${limit} cases would have to be drawn again (--draw N)`;
    const results = new Map<string, [target: string, kind: VerdictKind][]>();
    for (const { case: id, target, kind } of cases) results.set(id, [...(results.get(id) ?? []), [target, kind]]);
    if (cases.length > 0 && !results.has(drawCase(run.seed, 0).id)) return 'its cases are not drawn ones';
    const counter = new ClauseCounter();
    const hash = createHash('sha256');
    await new Steps().run(`draw ${footer.cases} cases again`, async (say) => {
      for (let i = 0; i < footer.cases; i++) {
        const { case: c, digest } = prepare(drawCase(run.seed, i));
        hash.update(digest);
        counter.case(c.clauses);
        for (const [target, kind] of results.get(c.id) ?? []) counter.result(target, c.id, c.clauses, kind);
        if (i % 16 !== 0) continue;
        say(`${i} of ${footer.cases}`);
        await setImmediate();
        signal.throwIfAborted();
      }
    });
    return hash.digest('hex') === footer.caseStream ? counter.tally() : 'this version of the suite draws other cases than the one that made the run';
  };
}
