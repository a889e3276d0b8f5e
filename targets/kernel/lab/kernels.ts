// SPDX-License-Identifier: MIT
/** Which kernel a lab runs, as data: one of Debian's series, or what the user built. */
import { UsageError } from '../../../model/errors.ts';

/** Series of Debian 12's kernel packages: 6.1 is its own, 6.12 that of its backports. */
export const SERIES = ['6.1', '6.12'] as const;
export type Series = (typeof SERIES)[number];

/** What `--kernel` (and, for a file, `--kernel-build`) say. */
export type KernelChoice =
  | { readonly kind: 'debian'; readonly series: Series }
  /** `bzImage` is a file; `build` the folder it was built in, for `make -C`. Paths as given. */
  | { readonly kind: 'own'; readonly bzImage: string; readonly build: string };

export const DEFAULT_KERNEL: KernelChoice = { kind: 'debian', series: '6.1' };

/**
 * Reads the text of `--kernel`: a series, or the path of a bzImage (which holds a
 * `/`, or is no number), which needs `build`, the text of `--kernel-build`. Without
 * a text, the default series. Looks at no file. Throws `UsageError`.
 */
export function parseKernelChoice(text?: string, build?: string): KernelChoice {
  if (text === undefined) {
    if (build !== undefined) throw new UsageError('--kernel-build is the build folder of a kernel of yours: give its bzImage by --kernel');
    return DEFAULT_KERNEL;
  }
  const series = SERIES.find((one) => one === text);
  if (series !== undefined) {
    if (build !== undefined) throw new UsageError(`--kernel-build goes with a bzImage of yours, and --kernel ${series} is Debian's`);
    return { kind: 'debian', series };
  }
  if (/^v?[\d.]*$/.test(text)) throw new UsageError(`--kernel ${text}: the lab has ${SERIES.join(' and ')}; or give the path of a bzImage, and --kernel-build`);
  if (build === undefined) throw new UsageError(`--kernel ${text} needs --kernel-build, the folder it was built in: modules are built against it`);
  if (build === '') throw new UsageError('--kernel-build is empty: give the folder the kernel was built in');
  return { kind: 'own', bzImage: text, build };
}

/** A short name for columns and folders: `6.1`, `6.12-sanitizer`, the bzImage's path. */
export function kernelLabel(choice: KernelChoice, sanitize = false): string {
  return `${choice.kind === 'debian' ? choice.series : choice.bzImage}${sanitize ? '-sanitizer' : ''}`;
}
