// SPDX-License-Identifier: MIT
/** What an implementation says of itself: support, contested sides, known failures. */
import type { FindingKind } from './verdict.ts';

export interface KnownFailure {
  /** A signature as verdicts carry it. */
  readonly signature: string;
  readonly reason: string;
  readonly link?: string;
}

/** A known failure as a file of the user's has it: for which targets, and what it looked like when it was written down. */
export interface KnownEntry extends KnownFailure {
  /** Names or families of targets (`patch`: in machines and in userspace, whatever its version). Absent: any. */
  readonly targets?: readonly string[];
  readonly kind?: FindingKind;
  /** As the run said it that proposed the entry. */
  readonly why?: string;
  readonly firstCase?: string;
  readonly smallest?: string;
}

export interface Stance {
  /** What it documents or is known by its own account to support. */
  readonly supports: {
    readonly wrappings: readonly ('zfile' | 'tar')[];
    readonly devices: readonly ('zfile' | 'lsmt')[];
    /** Layers other than sealed ones. */
    readonly forms: readonly ('pair' | 'sparse' | 'warp')[];
    /** Whether its devices are made by tables that can be wrong. */
    readonly tables: boolean;
    /** True: its allocations can be made to fail. */
    readonly allocations?: true;
    readonly algorithms: readonly ('lz4' | 'zstd')[];
    /** Bytes; empty means all that the format allows. */
    readonly blockSizes: readonly number[];
    readonly maxLayers: number;
    /** Bytes of the largest device that it can be asked for. Absent: any. */
    readonly deviceBytes?: number;
    /** True: it always reads all of a device, so that one of which a part cannot be read is not for it. */
    readonly whole?: true;
    /** False: a ZFile in a ZFile is not for it. */
    readonly nested?: false;
    /** False: a device of no bytes is not for it. */
    readonly empty?: false;
    /** True: it reads what its user has set up, whatever images it is given. */
    readonly fixed?: true;
  };
  /** Which side it takes of contested points: flag → true (lenient) or false (strict). Undeclared: either. */
  readonly flags: Readonly<Record<string, boolean>>;
  readonly knownFailures: readonly KnownFailure[];
}

/** What the stance says of that signature; undefined where it knows nothing of it. */
export function knownFailure({ knownFailures }: Stance, signature: string): KnownFailure | undefined {
  return knownFailures.find((k) => k.signature === signature);
}
