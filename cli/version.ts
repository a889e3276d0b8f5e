// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';

/** The version of this suite, as its package.json says. */
export function suiteVersion(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
