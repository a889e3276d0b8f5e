// SPDX-License-Identifier: MIT
/** The one compiler of the lab, and its errors for people. */
import { findCommand, run } from './child.ts';

/** What Debian's 6.1 headers ask for by name. */
export const COMPILER = 'gcc-12';

/** The compiler's version line, which is a part of the identity of what it makes; undefined where it is missing. */
export async function compilerVersion(signal?: AbortSignal): Promise<string | undefined> {
  if (findCommand(COMPILER) === undefined) return undefined;
  const result = await run(COMPILER, ['--version'], { seconds: 20, signal });
  return result.code === 0 ? result.stdout.split('\n')[0]!.trim() : undefined;
}

/** The first errors of a compiler's or linker's output, a line each, without the folders in `hide`. */
export function firstErrors(output: string, hide: readonly string[], most = 5): string {
  const lines = output.split('\n').filter((line) => /\berror:|^ERROR:|: undefined reference|No space left/i.test(line));
  const shown = (lines.length > 0 ? lines : output.trim().split('\n').slice(-most)).map((line) => {
    let text = line;
    for (const folder of hide) text = text.replaceAll(`${folder}/`, '').replaceAll(folder, '.');
    return `  ${text.trim().slice(0, 300)}`;
  });
  const more = shown.length - most;
  return [...shown.slice(0, most), ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n');
}
