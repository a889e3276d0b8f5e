// SPDX-License-Identifier: MIT
/** Mails as they travel: mbox files, headers, parts, quoted-printable and base64. Formats: RFC 5322, 2045 to 2047, 4155. */
import { UsageError } from '../../../../model/errors.ts';
import { htmlToText, isHtml } from './html.ts';
import { parseSubject, type Subject } from './subject.ts';

/** The text of one mail, or of something that is no mail. */
export interface MailText {
  readonly subject?: Subject;
  readonly text: string;
}

/** Parts inside parts, and parts of one mail. */
const MAX_DEPTH = 8;
const MAX_PARTS = 1000;
/** Characters of a mail's header. */
const MAX_HEADERS = 256 << 10;

/** The mails of a file, decoded; a file that is no mail is one text. Throws `UsageError` where a mail has more parts than mails have. */
export function mailsOf(bytes: Buffer, name: string): MailText[] {
  // Latin-1 keeps every byte; each part is decoded by its own character set.
  const raw = bytes.toString('latin1').replace(/\r\n?/g, '\n');
  const texts = splitMbox(raw);
  return (texts ?? [raw]).map((text) => {
    const mail = headersOf(text);
    if (mail === undefined) return { text: plain(decodeCharset(text, undefined)) };
    const subject = mail.headers.get('subject');
    const parts = { left: MAX_PARTS };
    return {
      ...(subject === undefined ? {} : { subject: parseSubject(decodeWords(subject)) }),
      text: bodyText(mail, parts, 0, name).map(plain).join('\n'),
    };
  });
}

/** An mbox's mails: each begins with a `From ` line that a header follows. Undefined where the text is none. */
function splitMbox(raw: string): string[] | undefined {
  const starts: number[] = [];
  const separator = /^From \S[^\n]{0,200}\n(?=>?[A-Za-z][A-Za-z0-9-]{0,60}:)/gm;
  for (let found = separator.exec(raw); found !== null; found = separator.exec(raw)) {
    if (found.index === 0 || raw[found.index - 1] === '\n') starts.push(found.index);
  }
  if (starts.length === 0 || raw.slice(0, starts[0]).trim() !== '') return undefined;
  return starts.map((start, i) => raw.slice(raw.indexOf('\n', start) + 1, starts[i + 1] ?? raw.length).replace(/^>(?=>*From )/gm, ''));
}

interface Mail {
  /** Names in lower case; the first of a name counts. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The header and the body; undefined where the text does not begin with a mail's header. */
function headersOf(text: string, part = false): Mail | undefined {
  const start = /^\n*/.exec(text.slice(0, 100))![0].length;
  const blank = text.startsWith('\n', start) ? start : text.indexOf('\n\n', start);
  const end = part && text.startsWith('\n') ? 0 : blank < 0 ? text.length : blank + 1;
  if (end - start > MAX_HEADERS) return undefined;
  const headers = new Map<string, string>();
  let last: string | undefined;
  for (const line of text.slice(part ? 0 : start, end).split('\n')) {
    if (line === '') continue;
    const field = /^([A-Za-z][A-Za-z0-9-]{0,60}):[ \t]*(.*)$/.exec(line);
    if (field !== null) {
      last = field[1]!.toLowerCase();
      if (headers.has(last)) last = `${last}\0`;
      headers.set(last, field[2]!);
    } else if (/^[ \t]/.test(line) && last !== undefined) {
      headers.set(last, `${headers.get(last)!} ${line.trim()}`);
    } else {
      return undefined;
    }
  }
  const isMail = ['message-id', 'content-type', 'content-transfer-encoding'].some((h) => headers.has(h)) || (headers.has('from') && headers.has('subject'));
  if (!part && !isMail) return undefined;
  return { headers, body: text.slice(end).replace(/^\n/, '') };
}

/** The texts of a mail in order, attached patches among them. */
function bodyText(mail: Mail, parts: { left: number }, depth: number, name: string): string[] {
  if (parts.left-- <= 0 || depth > MAX_DEPTH) throw new UsageError(`${name} is refused: a mail in it has more parts than any real one`);
  const type = (mail.headers.get('content-type') ?? 'text/plain').slice(0, 4096);
  const kind = /^\s*([\w.+-]+\/[\w.+-]+)/.exec(type)?.[1]?.toLowerCase() ?? 'text/plain';
  if (kind.startsWith('multipart/')) {
    const boundary = /boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(type);
    if (boundary === null) return [];
    const inside = splitParts(mail.body, boundary[1] ?? boundary[2]!).map((part) => headersOf(part, true)).filter((part) => part !== undefined);
    const isPlain = (part: Mail): boolean => /^\s*(?:text\/plain|$)/i.test(part.headers.get('content-type') ?? '');
    const plainPart = kind === 'multipart/alternative' ? inside.find(isPlain) : undefined;
    return (plainPart ? [plainPart] : inside).flatMap((part) => bodyText(part, parts, depth + 1, name));
  }
  const content = decodeTransfer(mail.body, mail.headers.get('content-transfer-encoding'));
  if (kind === 'message/rfc822') {
    const inner = headersOf(content);
    const subject = inner?.headers.get('subject');
    return inner === undefined ? [] : [...(subject === undefined ? [] : [`Subject: ${decodeWords(subject)}`]), ...bodyText(inner, parts, depth + 1, name)];
  }
  const isPatch = /\.(?:patch|diff|txt|eml|mbox)\b/i.test(`${type} ${mail.headers.get('content-disposition') ?? ''}`);
  if (!kind.startsWith('text/') && !isPatch) return [];
  const text = decodeCharset(content, /charset\s*=\s*"?([\w.:-]{1,40})/i.exec(type)?.[1]);
  return [kind === 'text/html' ? htmlToText(text) : text];
}

function splitParts(body: string, boundary: string): string[] {
  const parts: string[] = [];
  let part: string[] | undefined;
  const close = (): void => {
    if (part) parts.push(part.join('\n'));
  };
  for (const line of body.split('\n')) {
    const mark = line.startsWith(`--${boundary}`) ? line.trimEnd() : '';
    if (mark === `--${boundary}` || mark === `--${boundary}--`) {
      close();
      part = mark.endsWith('--') && mark !== `--${boundary}` ? undefined : [];
    } else {
      part?.push(line);
    }
  }
  close();
  return parts;
}

function decodeTransfer(body: string, encoding: string | undefined): string {
  switch (encoding?.trim().toLowerCase()) {
    case 'base64': return Buffer.from(body, 'base64').toString('latin1').replace(/\r\n?/g, '\n');
    case 'quoted-printable':
      return body.replace(/=[ \t]{0,80}\n/g, '')
        .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))).replace(/\r\n?/g, '\n');
    default: return body;
  }
}

/** Bytes, one a character, as text of a character set; UTF-8 where that is unknown. */
function decodeCharset(bytes: string, charset: string | undefined): string {
  const buffer = Buffer.from(bytes, 'latin1');
  try {
    return new TextDecoder(charset ?? 'utf-8').decode(buffer);
  } catch {
    return buffer.toString('utf8');
  }
}

/** Encoded words of a header, `=?utf-8?q?…?=`. */
function decodeWords(text: string): string {
  const word = /=\?([\w.:-]{1,40})\?([bq])\?([^?\s]{0,1000})\?=\s*/gi;
  return text.slice(0, 4096).replace(word, (_, charset: string, how: string, code: string) => (
    decodeCharset(how.toLowerCase() === 'b' ? decodeTransfer(code, 'base64') : decodeTransfer(code.replaceAll('_', ' '), 'quoted-printable'), charset)
  ));
}

/** A saved page of an archive says nothing of mail. */
function plain(text: string): string {
  return isHtml(text) ? htmlToText(text) : text;
}
