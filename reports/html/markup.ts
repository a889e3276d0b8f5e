// SPDX-License-Identifier: MIT
/** HTML in which nothing that was put in is markup, unless it was made here. */

/** HTML that is safe as it stands. */
export interface Markup {
  readonly markup: string;
}

type Part = string | number | Markup | readonly Part[] | null | undefined | false;

/** Escapes every value that is no markup; lists are joined, and null, undefined and false leave nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return { markup: strings.map((s, i) => `${s}${i < values.length ? text(values[i]) : ''}`).join('') };
}

function text(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  if ('markup' in part) return part.markup;
  return part.map(text).join('');
}

/** For text and quoted attributes. Control characters, which HTML cannot hold, become U+FFFD; so do marks that turn the writing direction. */
export function escapeHtml(raw: string): string {
  return raw.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Surrogate}]/gu, '\ufffd')
    .replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** JSON for a script element: no `<` ends it, and no line separator splits it. */
export function scriptJson(value: unknown): Markup {
  return { markup: JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`) };
}
