// SPDX-License-Identifier: MIT
/** A command line in one text, cut into words as a shell does; nothing in it is expanded. */
import { UsageError } from '../../model/errors.ts';

/** Blanks part words; quotes, double or single, and backslashes keep them together. Throws `UsageError` for a quote that does not end and for no words. */
export function splitWords(text: string): [string, ...string[]] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== '' && c === quote) quote = '';
    else if (quote === "'" || (quote === '"' && c !== '\\')) word += c;
    else if (c === '\\' && i + 1 < text.length) word = (word ?? '') + text[++i]!;
    else if (c === '"' || c === "'") {
      quote = c;
      word ??= '';
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + c;
  }
  if (quote !== '') throw new UsageError(`${text}: a quote (${quote}) does not end`);
  if (word !== undefined) words.push(word);
  const [command, ...args] = words;
  if (command === undefined) throw new UsageError('there is no command');
  return [command, ...args];
}
