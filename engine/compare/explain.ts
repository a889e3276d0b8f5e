// SPDX-License-Identifier: MIT
/** A difference of readers as people and tools are told of it. */
import type { CaseDifference, Observation, PlaceView, SideView } from '../../model/index.ts';
import { SECTOR } from '../../spec/index.ts';
import type { Judged } from '../execute.ts';
import { bytesOf, wasAsked, type Answer, type Parting } from './answer.ts';
import { originOf, placeOfDevice, placeOfRefusal, placeOfSize } from './place.ts';

/** Bytes of each side that are shown. */
const SHOWN = 16;

/** The difference with what every target did there. `answers`: target → answer, in their order. */
export function explainDifference(p: Judged, parting: Parting, answers: ReadonlyMap<string, Answer>): CaseDifference {
  const { case: c, expectation } = p;
  const { read, at } = parting;
  const position = read === undefined || at === undefined ? undefined : c.access.reads[read]!.offset + at;
  return {
    case: c.id, class: expectation.class, bytes: bytesOfCase(p), place: parting.what === 'other size' ? placeOfSize(c) : placesOf(p, position, read),
    ...(read === undefined ? {} : { read }), ...(position === undefined ? {} : { position }),
    sides: [...answers].map(([target, answer]) => sideOf(p, parting, target, answer)),
  };
}

/** Bytes of all files of a case. */
export function bytesOfCase({ case: c }: Judged): number {
  return c.layers.reduce((n, l) => n + l.bytes.length + (l.index?.length ?? 0) + (l.remote?.length ?? 0), 0);
}

function placesOf({ case: c, expectation: { strict } }: Judged, position: number | undefined, read: number | undefined): PlaceView[] {
  if (strict.outcome === 'refuse') return [...placeOfRefusal(c, strict), { layer: strict.layer, text: `the reference refuses it: ${strict.clause}: ${strict.why}` }];
  const outcome = read === undefined ? undefined : strict.reads[read];
  if (outcome?.outcome === 'error') {
    const from = c.access.reads[read!]!.offset + outcome.goodBytes.length;
    return [{ layer: outcome.layer, text: `the reference reads ${outcome.goodBytes.length} bytes and fails: ${outcome.clause}: ${outcome.why}` }, ...placeOfDevice(c, position ?? from)];
  }
  const where = position ?? (read === undefined ? undefined : c.access.reads[read]!.offset);
  return where === undefined ? [] : placeOfDevice(c, where);
}

function sideOf(p: Judged, { read, at }: Parting, target: string, answer: Answer): SideView {
  const { verdict, observation } = answer.executed;
  const side = {
    target, does: wasAsked(answer) ? doing(p, observation!, read) : `was not asked: ${observation?.engineError ?? verdict.why}`,
    verdict: verdict.kind, ...(verdict.clause === undefined ? {} : { clause: verdict.clause }),
  };
  const got = read === undefined ? undefined : observation?.reads[read];
  const bytes = got && read !== undefined ? bytesOf(p, read, got) : undefined;
  if (!bytes || at === undefined || at >= bytes.length) return side;
  const origin = isRight(p, read!, at, bytes) ? undefined : originAt(p, read!, at, bytes);
  return { ...side, bytes: Buffer.from(bytes.subarray(at, at + SHOWN)).toString('hex'), ...(origin === undefined ? {} : { origin }) };
}

function isRight({ expectation: { strict } }: Judged, read: number, at: number, bytes: Uint8Array): boolean {
  const want = strict.outcome === 'open' ? strict.reads[read] : undefined;
  return want?.outcome === 'bytes' && want.bytes[at] === bytes[at];
}

/** Where the sector at a place of a read comes from, by as much of it as the read holds. */
function originAt({ case: c }: Judged, read: number, at: number, bytes: Uint8Array): string | undefined {
  const { offset } = c.access.reads[read]!;
  const sector = Math.floor((offset + at) / SECTOR);
  const from = sector * SECTOR - offset;
  return from < 0 ? undefined : originOf(c, sector, bytes.subarray(from, from + SECTOR));
}

/** What a target did, in one line; of its reads the one that is asked about. */
function doing(p: Judged, seen: Observation, read: number | undefined): string {
  if (seen.death) return `${seen.death.kind === 'hang' ? 'hung' : seen.death.kind === 'crash' ? 'crashed' : 'vanished'} during ${seen.death.phase}: ${seen.death.title}`;
  if (seen.open === 'refused') return `refused it: ${seen.refusal ?? 'no reason given'}`;
  const size = seen.size === undefined ? '' : `, ${seen.size} bytes`;
  if (read === undefined) return `opened it${size}`;
  const got = seen.reads[read];
  const { offset, length } = p.case.access.reads[read]!;
  if (!got) return `opened it${size}; read ${read} was never answered`;
  return `opened it${size}; read ${read} (${length} bytes at ${offset}) ${got.result < 0 ? `failed with error ${-got.result}` : `gave ${got.result} bytes`}`;
}
