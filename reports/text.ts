// SPDX-License-Identifier: MIT
/** Text from images, kernels and manifests made harmless for a terminal, and laid out. */

/** One line: control characters (a hostile log may hold escape sequences) become `\xNN`, line ends spaces. */
export function oneLine(text: string): string {
  return escapeControls(text.replace(/\s*[\r\n]+\s*/g, ' ')).trim();
}

/** Like `oneLine`, but keeps line ends and tabs. */
export function manyLines(text: string): string {
  return text.replace(/\r\n?/g, '\n').split('\n').map(escapeControls).join('\n');
}

function escapeControls(text: string): string {
  // C0 without tab, DEL, C1, and the marks that turn the writing direction.
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Breaks at spaces so that no line is longer than `width` columns, except a word that is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** `1 case`, `2 cases`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** `8.2 s`, `3 min 20 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
