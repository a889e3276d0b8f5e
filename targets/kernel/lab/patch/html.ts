// SPDX-License-Identifier: MIT
/** The text of a web page, such as an archive's page of one mail: tags out, entities decoded. */

/** Entities that mails in archives need; others stay as they are. */
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: '\'', nbsp: ' ', tab: '\t', newline: '\n' };
/** Tags at which a new line begins. */
const BREAKS = new Set([
  'br', 'p', 'div', 'li', 'tr', 'ul', 'ol', 'table', 'blockquote', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6',
  'hr', 'pre', 'title', 'section', 'article', 'header', 'footer',
]);
/** Elements whose inside is not text. */
const SILENT = new Set(['script', 'style']);

/** Whether a text is a page rather than a mail that mentions tags. */
export function isHtml(text: string): boolean {
  return /^\s*<(?:!doctype\s+html|html|head|body|title|div|pre|p|table|span|\?xml|!--)[\s>]/i.test(text.slice(0, 1000));
}

/** One pass over the page. Inside `<pre>` white space is kept; outside it folds, as a browser shows it. */
export function htmlToText(html: string): string {
  const lower = html.toLowerCase();
  const out: string[] = [];
  let pre = 0;
  let lineStart = true;
  const say = (raw: string): void => {
    const folded = pre > 0 ? raw : raw.replace(/[\t\n\r ]+/g, ' ');
    const text = decodeEntities(pre === 0 && lineStart && folded.startsWith(' ') ? folded.slice(1) : folded);
    if (text === '') return;
    out.push(text);
    lineStart = text.endsWith('\n');
  };
  for (let at = 0; at < html.length;) {
    const open = nextTag(html, at);
    say(html.slice(at, open));
    if (open === html.length) break;
    const comment = html.startsWith('<!--', open);
    at = after(lower, comment ? '-->' : '>', open);
    const tag = comment ? null : /^<(\/?)([a-z][a-z0-9]*)/.exec(lower.slice(open, open + 40));
    if (tag === null) continue;
    const [, slash, name] = tag as unknown as [string, string, string];
    if (name === 'pre') pre = Math.max(0, pre + (slash === '' ? 1 : -1));
    if (BREAKS.has(name) && !(lineStart && name !== 'br')) {
      out.push('\n');
      lineStart = true;
    }
    if (SILENT.has(name) && slash === '') at = after(lower, '>', after(lower, `</${name}`, at));
  }
  return out.join('');
}

/** Where the next tag or comment begins; the end of the page where there is none. A `<` before anything else is text. */
function nextTag(html: string, from: number): number {
  for (let at = html.indexOf('<', from); at >= 0; at = html.indexOf('<', at + 1)) {
    if (/[a-z/!?]/i.test(html[at + 1] ?? '')) return at;
  }
  return html.length;
}

/** Behind the next `what`; the end where there is none, so that no page is searched twice. */
function after(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at + what.length;
}

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? parseInt(hex!, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
