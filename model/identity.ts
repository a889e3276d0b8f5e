// SPDX-License-Identifier: MIT
/** What exactly was tested: enough to say whether two runs may be compared. */

export interface TargetIdentity {
  /** Name as `--target` takes it, `oracle`, `canary`, `stock`, `patch`, …; of several columns what tells them apart, `v2/6.12/sanitize`. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Versions and content hashes that define it, such as `linux-image-…` → `6.1.192-2`. */
  readonly parts: Readonly<Record<string, string>>;
  /** What `ovbd replay` needs to make this target again (paths are the user's own, as given). */
  readonly remake: Readonly<Record<string, string>>;
}

/** Whether it runs the patch's code outside of a kernel (`remake` says so): what only such targets show is the kernel's once a VM shows it too. */
export function isUserspace({ remake }: TargetIdentity): boolean {
  return remake['role'] === 'userspace';
}

/** How a finding is labelled that no virtual machine of its run has shown. */
export const UNCONFIRMED = 'userspace only, not confirmed in a VM';
/** What is said of a finding that shows where an allocation fails; it may show without that, too. */
export const WITHOUT_MEMORY = 'seen with an allocation failure';

/**
 * Under which name a target's failures are kept from one night to the next: `patch` for the patch's code wherever it
 * runs and whatever its version, `stock`, else the target's own name.
 */
export function familyOf({ name, remake }: Pick<TargetIdentity, 'name' | 'remake'>): string {
  const role = remake['role'];
  return role === 'userspace' ? 'patch' : role ?? name;
}
