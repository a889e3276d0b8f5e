// SPDX-License-Identifier: MIT
/** What a child may use of the machine. */

export interface ChildLimits {
  /** Bytes in memory of all its processes together; above, they are killed. Pages that several share count for each. */
  readonly memoryBytes: number;
  /** Bytes of address space of each process, which the kernel refuses to exceed; 0: no limit, as programs under ASan need. */
  readonly addressSpaceBytes: number;
  /** Processes at the same time; above, they are killed. */
  readonly processes: number;
  /** Bytes of a file that it writes; above, the kernel sends SIGXFSZ. */
  readonly fileBytes: number;
  /** Bytes on standard error since it was last asked for something; above, it is killed. */
  readonly errorBytes: number;
}

export const DEFAULT_LIMITS: ChildLimits = {
  memoryBytes: 2 ** 31, addressSpaceBytes: 0, processes: 128, fileBytes: 2 ** 32, errorBytes: 2 ** 26,
};

/** Lines of shell that set what the kernel enforces. The kernel, short of memory, is to choose the child before us. */
export function ulimits({ addressSpaceBytes, fileBytes }: ChildLimits): string {
  return [
    // Core files of hundreds of crashes fill a disk.
    'ulimit -c 0',
    `ulimit -f ${Math.ceil(fileBytes / 512)}`,
    ...(addressSpaceBytes > 0 ? [`ulimit -v ${Math.ceil(addressSpaceBytes / 1024)}`] : []),
    '{ echo 1000 > /proc/self/oom_score_adj; } 2>/dev/null',
  ].join('\n');
}
