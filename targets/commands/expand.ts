// SPDX-License-Identifier: MIT
/** Placeholders in command lines and files. */
import type { Argument, MadeFile } from './entry.ts';

/** One layer's values. */
export interface LayerValues {
  /** Its file, or as the entry's own `{layer}` of a writable pair. */
  readonly layer: string;
  readonly index: string;
  readonly number: string;
}

/** What the placeholders stand for. A value of several texts can only be an argument by itself. */
export interface Values {
  readonly one: Readonly<Record<string, string>>;
  readonly many: Readonly<Record<string, readonly string[]>>;
  readonly layers: readonly LayerValues[];
}

/** `{name}`; other braces stay as they are, for JSON has many. */
const PLACEHOLDER = /\{([a-z][A-Za-z]*[0-9]*(?::[\w.-]+)?)\}/g;

/** The names of all placeholders in a text. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map((m) => m[1]!);
}

/** The text with its placeholders filled in; `quote` changes each value. Unknown names stay: the lint has seen to it that there are none. */
export function fill(text: string, values: Readonly<Record<string, string>>, quote: (value: string) => string = (v) => v): string {
  return text.replace(PLACEHOLDER, (whole, name: string) => (Object.hasOwn(values, name) ? quote(values[name]!) : whole));
}

/** Program and arguments of a command. */
export function expandCommand(command: readonly Argument[], values: Values): string[] {
  return command.flatMap((argument): string[] => {
    if (typeof argument === 'string') {
      const alone = /^\{([A-Za-z]+)\}$/.exec(argument)?.[1];
      if (alone !== undefined && Object.hasOwn(values.many, alone)) return [...values.many[alone]!];
      return [fill(argument, values.one)];
    }
    if ('each' in argument) {
      const layers = argument.order === 'top' ? values.layers.toReversed() : values.layers;
      return layers.flatMap((layer) => argument.each.map((text) => fill(text, { ...values.one, ...layer })));
    }
    const value = values.one[argument.when] ?? '';
    const holds = argument.is === undefined ? value !== '' : value === argument.is;
    return holds ? argument.args.map((text) => fill(text, values.one)) : [];
  });
}

/** A text for /bin/sh; each value is one word of it, {layers} one for each layer. */
export function expandShell(text: string, values: Values): string {
  const many = Object.fromEntries(Object.entries(values.many).map(([name, texts]) => [name, texts.map(shellWord).join(' ')]));
  return fill(text, { ...Object.fromEntries(Object.entries(values.one).map(([name, value]) => [name, shellWord(value)])), ...many });
}

/** One word of the shell that stands for these characters. */
function shellWord(text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`;
}

/** The text of a file that is made for a case. */
export function expandFile({ name, text, layer = '{layer}', between = '\n' }: MadeFile, values: Values): string {
  const quote = name.endsWith('.json') ? (value: string): string => JSON.stringify(value).slice(1, -1) : (value: string): string => value;
  const layers = values.layers.map((one) => fill(layer, { ...values.one, ...one }, quote)).join(between);
  // In two steps: what stands for the layers is not to be filled in again.
  return text.split('{layers}').map((part) => fill(part, values.one, quote)).join(layers);
}
