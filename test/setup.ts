// SPDX-License-Identifier: MIT
/** Before any test: the system packages and the kernel that the virtual machines need, or one line that says why not. */
import { Cache, ensurePackages, prepareLab, Steps } from '../targets/kernel/lab/index.ts';

export async function setup(): Promise<void> {
  const steps = new Steps();
  try {
    await ensurePackages('build', steps);
    await prepareLab({ cache: new Cache(), steps });
  } catch (e) {
    console.warn(`SKIPPED: everything that needs a virtual machine: ${(e as Error).message}`);
  }
}
