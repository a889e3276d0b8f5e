// SPDX-License-Identifier: MIT
/** The kernel lab up to the moment a VM can boot. */
export { Cache, defaultCacheRoot } from './cache.ts';
export { Steps, type StepsOptions } from './steps.ts';
export { withLock } from './lock.ts';
export { ensurePackages, installCommand, missingPackages, MissingPackages, type Purpose } from './packages.ts';
export { ensureKernel, newestCached, type KernelTree } from './kernel.ts';
export { DEFAULT_KERNEL, kernelLabel, parseKernelChoice, SERIES, type KernelChoice, type Series } from './kernels.ts';
export { addSoak, forgetSoak, soakOf, soakRecords, soakText, type SoakRecord } from './soak-record.ts';
export { type ChosenQemu, type Qemu } from './qemu.ts';
export { extractVersions, type Version, type Versions } from './patch/index.ts';
export { loadPatches, type PatchColumn, type PatchColumns } from './patch/columns.ts';
export { type BuiltModule } from './module.ts';
export { chosenKernel, prepareLab, type KernelOptions, type PreparedLab, type PrepareOptions } from './prepare.ts';
