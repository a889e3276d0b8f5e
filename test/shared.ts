// SPDX-License-Identifier: MIT
/** The shared folder (golden images, patch seeds) is beside the checkout in CI and absent elsewhere. */
import { existsSync } from 'node:fs';
import path from 'node:path';

export const SHARED = path.resolve(process.env['OVBD_SHARED'] ?? path.join(import.meta.dirname, '..', '..', 'shared'));

/** Path inside the shared folder, or null, said aloud once, where it is absent. */
export function shared(...parts: string[]): string | null {
  const file = path.join(SHARED, ...parts);
  if (existsSync(file)) return file;
  console.warn(`SKIPPED: ${parts.join('/')} is not there: set OVBD_SHARED to the folder that holds golden/ and seeds/`);
  return null;
}
