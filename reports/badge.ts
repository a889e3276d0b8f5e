// SPDX-License-Identifier: MIT
/** A run in two words: a picture in SVG, and the JSON that shields.io's endpoint badges take. */
import { isFindingKind, type VerdictKind } from '../model/index.ts';
import { count } from './text.ts';
import type { View } from './view/view.ts';

const LABEL = 'OverlayBD conformance';
/** Worst kinds in red, milder ones in orange, what says nothing in grey. */
const COLOURS = { good: '#2f7d32', mild: '#b25e09', bad: '#b3261e', unknown: '#5f6368' } as const;
const MILD: readonly VerdictKind[] = ['leak', 'docs', 'refuses-valid'];

/** `no findings in 600 cases`, and its colour; known failures do not count. A run that was stopped never says so much. */
export function badgeWords({ footer, findings, cases }: View): { readonly message: string; readonly colour: string } {
  if (footer === null) return { message: 'no whole run', colour: COLOURS.unknown };
  const sure = findings.filter((f) => f.event.confirmation.blame !== 'unreliable' && f.event.known === undefined);
  const signatures = new Set(sure.map((f) => f.event.signature)).size;
  if (signatures > 0) return { message: count(signatures, 'finding'), colour: sure.every((f) => MILD.includes(f.event.kind)) ? COLOURS.mild : COLOURS.bad };
  if (cases.some((c) => c.kind === 'engine-error')) return { message: 'errors of the suite', colour: COLOURS.unknown };
  if (!footer.complete) return { message: `stopped after ${count(footer.cases, 'case')}`, colour: COLOURS.unknown };
  const known = new Set(findings.flatMap((f) => (f.event.known === undefined ? [] : [`${f.event.target}\n${f.event.signature}`])));
  const passed = cases.every((c) => !isFindingKind(c.kind) || known.has(`${c.target}\n${c.signature ?? ''}`));
  return passed ? { message: `no findings in ${count(footer.cases, 'case')}`, colour: COLOURS.good } : { message: 'nothing confirmed', colour: COLOURS.unknown };
}

/** Characters of the widest letters count more; an estimate is enough where `textLength` sets the width. */
function width(text: string): number {
  return Math.ceil([...text].reduce((n, c) => n + (/[mwMWO]/.test(c) ? 9 : /[ilj.,' ]/.test(c) ? 4 : 6.6), 0));
}

/** The picture, with its words as its title for those who do not see it. */
export function badgeSvg(view: View): string {
  const { message, colour } = badgeWords(view);
  const [left, right] = [width(LABEL) + 12, width(message) + 12];
  const said = `${LABEL}: ${message}`;
  const word = (x: number, text: string, length: number): string =>
    `<text x="${x}" y="14" textLength="${length}" lengthAdjust="spacingAndGlyphs">${text}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${said}">
<title>${said}</title>
<clipPath id="r"><rect width="${left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="${left}" height="20" fill="#3c4043"/><rect x="${left}" width="${right}" height="20" fill="${colour}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">${word(6, LABEL, left - 12)}${word(left + 6, message, right - 12)}</g>
</svg>
`;
}

/** https://shields.io/badges/endpoint-badge: schemaVersion, label, message and colour. */
export function badgeJson(view: View): string {
  const { message, colour } = badgeWords(view);
  return `${JSON.stringify({ schemaVersion: 1, label: LABEL, message, color: colour.slice(1), isError: colour === COLOURS.bad })}\n`;
}
