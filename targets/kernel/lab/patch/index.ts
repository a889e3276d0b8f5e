// SPDX-License-Identifier: MIT
/** The sources of dm-overlaybd out of whatever a patch was saved as. */
import { UsageError } from '../../../../model/errors.ts';
import { parsePatches, type Patch } from './diff.ts';
import { mailsOf } from './mail.ts';
import { versionsOf, type Version, type Versions } from './versions.ts';

export { readPatchInput, type PatchInput } from './input.ts';
export { versionsOf, type Version, type Versions } from './versions.ts';

/** Lines of one text: what comes after would be held in memory line by line. */
const MAX_LINES = 4_000_000;

/** The patches of a file, in order. Throws `UsageError` for a text that is refused. */
export function patchesOf(bytes: Buffer, name: string): Patch[] {
  return mailsOf(bytes, name).flatMap(({ subject, text }) => {
    const lines = text.split('\n', MAX_LINES + 1);
    if (lines.length > MAX_LINES) throw new UsageError(`${name} is refused: it has more than ${MAX_LINES} lines`);
    return parsePatches(lines, name, subject);
  });
}

/**
 * All versions of the module that files hold, which may be mails, pages of
 * archives, or diffs; `base` is what diffs may change besides. Throws
 * `UsageError` with the reason where there is none.
 */
export function extractVersions(files: readonly (Buffer | string)[], name: string, base?: Version): Versions {
  const patches = files.flatMap((file) => patchesOf(Buffer.from(file), name));
  if (patches.length === 0) throw new UsageError(`${name} is not a patch: no diff in it`);
  return versionsOf(patches, name, base);
}
