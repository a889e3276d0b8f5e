// SPDX-License-Identifier: MIT
/** Values of options as the user writes them. Each parser throws commander's error, which names the option. */
import { randomInt } from 'node:crypto';
import { InvalidArgumentError } from 'commander';

/** A whole number in bounds. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const n = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (n >= minimum && n <= maximum) return n;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}

/** Seeds are 32 bits wide, as the generators' are. */
export const MAX_SEED = 2 ** 32 - 1;

/** A number, or `random`: drawn here, and printed with the run. */
export function seed(text: string): number {
  return text === 'random' ? randomInt(MAX_SEED + 1) : wholeNumber(0, MAX_SEED)(text);
}

const MILLISECONDS = { s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `90s`, `5m`, `1.5h`, in milliseconds. */
export function time(text: string): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)([smh])$/.exec(text);
  const ms = match ? Math.round(Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS]) : 0;
  if (ms > 0) return ms;
  throw new InvalidArgumentError('It must be a number and a unit: 90s, 5m or 1h.');
}

/** Collects an option that may be given more than once. */
export function repeated(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/** Refuses a second value rather than forgetting the first. */
export function once(text: string, before: string | undefined): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  if (before !== undefined) throw new InvalidArgumentError('It can be given only once.');
  return text;
}
