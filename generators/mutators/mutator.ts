// SPDX-License-Identifier: MIT
/** Choosing places and values for damage. */

/** The element that any non-negative integer chooses. The list is not empty. */
export function pick<T>(list: readonly T[], n: number): T {
  return list[n % list.length]!;
}

/**
 * Values at the borders of a field: 0, 1, around what it holds, around the
 * places and sizes that matter to it, powers of two, the field's largest.
 */
export function boundaryValues(current: bigint, width: 8 | 32 | 64, around: readonly number[] = []): bigint[] {
  const near = (v: bigint, ...steps: bigint[]): bigint[] => steps.map((s) => v + s);
  const max = (1n << BigInt(width)) - 1n;
  const candidates = [
    // The same value again for whoever keeps 16 or 32 bits of it, or counts its bytes in 64.
    ...near(current, 1n << 16n, 1n << 32n, 1n << 60n, 1n << 62n),
    0n, 1n, 2n, ...near(current, -4096n, -512n, -16n, -4n, -1n, 1n, 4n, 16n, 512n, 4096n), current * 2n,
    ...around.flatMap((v) => near(BigInt(v), -1n, 0n, 1n)),
    ...[8n, 15n, 16n, 31n, 32n, 50n, 54n, 59n, 62n, 63n].flatMap((p) => near(1n << p, -1n, 0n)),
    max - 511n, max - 15n, max - 3n, max,
  ];
  const inRange = candidates.filter((v) => v >= 0n && v <= max && v !== current);
  return [...new Set(inRange)];
}
