// SPDX-License-Identifier: MIT
/** An image's bytes as plain text, with the names of what stands in each row. */
import type { HexView } from './view/view.ts';

const ROW = 16;

/** One line a row: position, bytes, characters, and what begins there; `>` before a row with a fault that the expectation names. */
export function hexLines(view: HexView, maxRows = 160): string[] {
  const lines: string[] = [];
  let rows = 0;
  for (const piece of view.pieces) {
    if ('skipped' in piece) {
      lines.push(`  ${address(piece.at)}  … ${piece.skipped} bytes${piece.fill !== undefined ? ` of ${hex(piece.fill)}` : piece.repeated ? ' that repeat the row above' : ''}`);
      continue;
    }
    const bytes = Buffer.from(piece.base64, 'base64');
    for (let i = 0; i < bytes.length; i += ROW) {
      if (rows++ === maxRows) return [...lines, '  … more in the finding\'s folder'];
      lines.push(row(view, piece.at + i, bytes.subarray(i, i + ROW)));
    }
  }
  return lines;
}

function row({ fields, faults }: HexView, at: number, bytes: Uint8Array): string {
  const bad = faults.filter((f) => f.at < at + bytes.length && f.at + Math.max(f.size, 1) > at);
  const names = fields.filter((f) => f.at >= at && f.at < at + bytes.length).map((f) => `${f.name}${f.shown === '' ? '' : `=${f.shown}`}`);
  const cells = [...bytes].map((b, i) => `${hex(b)}${bad.some((f) => f.named && at + i >= f.at && at + i < f.at + f.size) ? '<' : ' '}`).join('');
  const characters = [...bytes].map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');
  const said = [...names.map((n) => (n.length > 48 ? `${n.slice(0, 47)}…` : n)), ...bad.filter((f) => f.named).map((f) => `<- ${f.clause}`)].join(', ');
  return `${bad.some((f) => f.named) ? '>' : ' '} ${address(at)}  ${cells.padEnd(ROW * 3)} ${characters.padEnd(ROW)}  ${said}`.trimEnd();
}

function address(at: number): string {
  return at.toString(16).padStart(8, '0');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
