// SPDX-License-Identifier: MIT
/** What a mail's subject says of the patch in it: `[RFC PATCH v2 1/3] …`. */

/** A subject, taken apart. */
export interface Subject {
  /** `v2`; `v1` where it is a patch that states none, as the custom is; undefined where it is no patch's subject. */
  readonly version?: string;
  /** Whether the version is written there. */
  readonly stated: boolean;
  /** Its place in a series, from 0 (the cover letter). */
  readonly part?: { readonly number: number; readonly of: number };
  /** An answer to another mail. */
  readonly reply: boolean;
}

/** Characters of a line that can be a subject or a diff's header: longer ones are neither. */
export const MAX_HEADER = 4096;

const REPLY = /^(?:re|aw|sv|antw|fwd?|wg)(?:\[\d{1,3}\])?:\s*/i;
const TAG = /^\[([^[\]]{1,120})\]\s*/;
const VERSION = /(?:^|[\s,]|patch|rfc)v(\d{1,4}(?:\.\d{1,3})?)(?=[\s,]|$)/i;
const PART = /(?:^|[\s,])(\d{1,4})\/(\d{1,4})(?=[\s,]|$)/;

/** Takes a subject apart, without the word `Subject:`. */
export function parseSubject(text: string): Subject {
  let rest = text.slice(0, MAX_HEADER).trim();
  let reply = false;
  let tags: string | undefined;
  // Prefixes come in any order: `[dm-devel] Re: [PATCH v2]`.
  for (let n = 0; n < 16; n++) {
    const answer = REPLY.exec(rest);
    const tag = answer === null ? TAG.exec(rest) : null;
    if (answer === null && tag === null) break;
    if (answer !== null) reply = true;
    if (tag !== null && /\b(?:patch|rfc)|(?:^|[\s,])v\d/i.test(tag[1]!)) tags = `${tags ?? ''} ${tag[1]!}`;
    rest = rest.slice((answer ?? tag)![0].length);
  }
  if (tags === undefined) return { stated: false, reply };
  const version = VERSION.exec(tags)?.[1];
  const part = PART.exec(tags);
  return {
    version: `v${version ?? 1}`, stated: version !== undefined, reply,
    ...(part === null ? {} : { part: { number: Number(part[1]), of: Number(part[2]) } }),
  };
}

/** The subject that a line of an archive's text states; undefined for other lines. */
export function subjectLine(line: string): Subject | undefined {
  if (line.length > MAX_HEADER) return undefined;
  const stated = /^(?:Subject:|\*\s+(?=(?:Re:\s*)?\[))\s*(.*)$/.exec(line);
  return stated === null ? undefined : parseSubject(stated[1]!);
}

/** The subject of a page's title or heading: a line that begins with a patch's tags. Footnotes look alike, so the caller says where one may stand. */
export function titleLine(line: string): Subject | undefined {
  if (line.length > MAX_HEADER || !/^\s*\[[^[\]]{1,120}\]\s+(?!https?:)\S/.test(line)) return undefined;
  const subject = parseSubject(line);
  return subject.version === undefined ? undefined : subject;
}
