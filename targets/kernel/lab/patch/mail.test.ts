// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { htmlToText, isHtml } from './html.ts';
import { extractVersions } from './index.ts';
import { mailsOf } from './mail.ts';
import { C, FIX, patch } from './samples.ts';

const BODY = patch('x').split('\n\n').slice(1).join('\n\n');
const CODE = `${C.join('\n')}\n`;

function mail(headers: readonly string[], body: string): string {
  return [...headers, '', body].join('\n');
}

const HEAD = ['From: A <a@example.org>', 'Subject: [PATCH v2] dm overlaybd:', '\tand more', 'Message-Id: <1@example.org>'];

const quoted = (text: string): string => text.replace(/=/g, '=3D').replace(/\t/g, '=09').replace(/(.{20})(?=.)/g, '$1=\n');
const based = (text: string): string => Buffer.from(text).toString('base64').replace(/(.{76})/g, '$1\n');
const part = (headers: readonly string[], body: string): string => `--b1\n${mail(headers, body)}\n`;
const multi = (...parts: string[]): string => mail([...HEAD, 'Content-Type: multipart/mixed;', ' boundary="b1"'], `A text for old readers.\n${parts.join('')}--b1--\n`);

function code(text: string): Record<string, string | undefined> {
  return Object.fromEntries(extractVersions([text], 'p').versions.map((v) => [v.label!, v.sources.get('dm-lsmt.c')]));
}

describe('a mail', () => {
  it.each<[string, string]>([
    ['plain', mail(HEAD, BODY)],
    ['with line ends of two characters', mail(HEAD, BODY).replace(/\n/g, '\r\n')],
    ['quoted-printable', mail([...HEAD, 'Content-Transfer-Encoding: quoted-printable'], quoted(BODY))],
    ['base64', mail([...HEAD, 'content-transfer-encoding: BASE64'], based(BODY))],
    ['of parts', multi(part(['Content-Type: text/plain'], 'See below.'), part(['Content-Type: text/x-patch; name="x.patch"', 'Content-Transfer-Encoding: base64'], based(BODY)))],
    ['with a part without a header', multi(`--b1\n\n${BODY}\n`)],
    ['with an attachment of no type', multi(part(['Content-Type: application/octet-stream', 'Content-Disposition: attachment; filename=x.patch'], BODY))],
    ['in a mail', multi(part(['Content-Type: message/rfc822'], mail(HEAD, BODY)))],
    ['in two forms', mail([...HEAD, 'Content-Type: multipart/alternative; boundary=b1'], part(['Content-Type: text/html'], '<p>no') + part([], BODY))],
  ])('%s gives the sources as they were', (_, text) => {
    expect(code(text)).toEqual({ v2: CODE });
  });

  it('keeps characters of its set', () => {
    const latin = Buffer.from(mail([...HEAD, 'Content-Type: text/plain; charset=iso-8859-1'], BODY.replace('{', '{ /* \u00fc */')), 'latin1');
    expect(extractVersions([latin], 'p').versions[0]!.sources.get('dm-lsmt.c')).toContain('/* \u00fc */');
  });

  it('may have an encoded subject', () => {
    expect(code(mail([HEAD[0]!, 'Subject: =?utf-8?q?=5BPATCH_v5=5D?= =?UTF-8?B?eA==?=', HEAD[3]!], BODY))).toEqual({ v5: CODE });
  });

  it('with more parts than a real one is refused', () => {
    expect(() => mailsOf(Buffer.from(multi(...Array<string>(1100).fill(part([], 'x')))), 'p')).toThrow(/^p is refused: a mail in it has more parts/);
    let deep = 'x';
    for (let i = 0; i < 12; i++) deep = mail(['Message-Id: x', 'Content-Type: message/rfc822'], deep);
    expect(() => mailsOf(Buffer.from(deep), 'p')).toThrow(/more parts/);
  });
});

describe('an mbox', () => {
  const box = (...mails: string[]): string => mails.map((m) => `From 0123456789 Mon Sep 17 00:00:00 2001\n${m}\n`).join('\n');
  const head = (subject: string): string[] => ['From: A <a@example.org>', `Subject: ${subject}`, 'Date: x'];

  it('is a series as git writes it, in one file or in several', () => {
    const one = mail(head('[PATCH v4 1/2] add it'), `${BODY}-- \n2.39\n`);
    const two = mail(head('[PATCH v4 2/2] fix it'), `---\n${FIX}-- \n2.39\n`);
    expect(code(box(one, two))['v4']).toContain('return 7 +');
    expect(extractVersions([box(one), box(two)], 'p').versions.map((v) => v.sources.get('dm-lsmt.c')!.includes('return 7 +'))).toEqual([true]);
  });

  it('may have escaped lines that begin like a separator', () => {
    expect(mailsOf(Buffer.from(box(mail(head('x'), '>From here on\n>>From there'))), 'p')[0]!.text).toBe('From here on\n>From there\n');
  });

  it('holds a thread: answers are no versions', () => {
    expect(Object.keys(code(box(
      mail(head('[PATCH] a'), BODY), mail(head('Re: [PATCH] a'), BODY.replace(/^/gm, '> ')), mail(head('[PATCH v2] a'), BODY.replace('return', 'return 2 +')),
    )))).toEqual(['v1', 'v2']);
  });
});

describe('a page', () => {
  const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&#34;');
  const marked = (text: string): string => escape(text).replace(/^(\+.*)$/gm, '<span class="add">$1</span>');

  it('of an archive gives the sources as they were', () => {
    const page = `<!DOCTYPE html><html><head><title>[PATCH v3] a - A</title><style>pre { x: "<" }</style></head><body><pre>\n<b>Subject:</b> [PATCH v3] a\n\n${marked(BODY)}</pre><hr><pre>Thread overview: ...\n* <a href="#r">[PATCH v9] other</a></pre></body></html>`;
    expect(code(page)).toEqual({ v3: CODE });
  });

  it('of patchwork, whose title has the version', () => {
    const page = `<html><body><h1>[RFC,v2] a</h1><p>State\n New</p><div class="patch"><pre class="content">${marked(BODY)}</pre></div><div class="comment"><pre>${escape(BODY.replace(/^/gm, '> '))}</pre></div></body></html>`;
    expect(code(page)).toEqual({ v2: CODE });
  });

  it('without <pre> has collapsed white space', () => {
    const page = `<html><body><div>Subject: [PATCH] a<br>\n${escape(BODY).replace(/\n/g, '<br>\n')}</div></body></html>`;
    expect(code(page)['v1']!.replace(/\s+/g, ' ')).toBe(CODE.replace(/\s+/g, ' '));
  });

  it('is told from a mail that mentions tags', () => {
    expect(isHtml('Hello,\nuse <pre> here')).toBe(false);
    expect(isHtml('#include <linux/x.h>')).toBe(false);
  });

  it('may end anywhere', () => {
    for (const text of ['<', '<html', '<html><script>', '<html><!--', '<html>&', '<html>&#99999999;']) expect(() => htmlToText(text)).not.toThrow();
    expect(htmlToText('<html>a < b &amp;lt; &#x41;&#0;&unknown;')).toBe('a < b &lt; A&#0;&unknown;');
  });
});
