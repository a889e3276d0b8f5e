// SPDX-License-Identifier: MIT
/** A reader or writer described by its command line: the entries of `targets.json`. */
import type { KnownFailure } from '../../model/index.ts';

export const TARGETS_SCHEMA = 'ovbd-targets/1';

/** One argument, or several that depend on the case. Texts may hold placeholders. */
export type Argument =
  | string
  /** These for each layer, bottom to top; `order` top: the other way round. */
  | { readonly each: readonly string[]; readonly order?: 'bottom' | 'top' }
  /** These where the placeholder has a value other than the empty text; `is`: where it has this one. */
  | { readonly when: string; readonly is?: string; readonly args: readonly string[] };

/** One command to run. */
export interface Step {
  /** Program and arguments; or, with `shell`, one text for /bin/sh in which placeholders are quoted. */
  readonly command: readonly Argument[] | string;
  readonly shell?: true;
  /** Its standard output is what it makes of {out}. Absent: it writes {out} itself. */
  readonly stdout?: 'out';
  /** Written to its standard input; placeholders are filled in. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A file that is made beside the images before the first command. */
export interface MadeFile {
  /** A plain name; {file:NAME} is its path. */
  readonly name: string;
  /** Its text. {layers} in it is the text of `layer` for each layer, bottom to top, with `between` between them. In a .json file what is filled in is escaped. */
  readonly text: string;
  readonly layer?: string;
  readonly between?: string;
}

export type Meaning = 'ok' | 'refused' | 'error' | 'crash';

/** What an end of a command means; the first rule that fits counts. Without one: 0 is ok, any other code is refused while opening and an error while reading. */
export interface Rule {
  /** Exit codes; absent: any. */
  readonly exit?: readonly number[];
  /** A regular expression that a line of standard error or of {log} matches; absent: any. */
  readonly stderr?: string;
  readonly is: Meaning;
}

/** A program that must run while the commands do. */
export interface Serve extends Step {
  /** When it is ready: a file exists, or a command ends with exit code 0. */
  readonly ready: { readonly exists: string } | { readonly command: readonly Argument[] };
  /** What ends it, before it is sent SIGTERM. */
  readonly end?: readonly Step[];
}

export interface EntryLimits {
  /** Seconds of one command; default 10. */
  readonly seconds?: number;
  /** MiB in memory of a command and all it started; default 2048. */
  readonly memoryMiB?: number;
  /** MiB of address space of each process; default: no limit. */
  readonly addressSpaceMiB?: number;
  /** MiB of a file that it writes; default 512. */
  readonly fileMiB?: number;
  readonly processes?: number;
}

/** How sure it is that the entry fits its program. */
export interface Tried {
  /** `real`: with the program itself. `stand-in`: with a script of the same command line. `untested`: with nothing. */
  readonly with: 'real' | 'stand-in' | 'untested';
  readonly note: string;
}

interface Entry {
  readonly name: string;
  readonly description: string;
  /** What to install, and how. */
  readonly install: string;
  readonly tried: Tried;
  /** Programs that must be there; the first is {program}. A path with a slash counts from the folder of the file. */
  readonly programs: readonly string[];
  /** A command that must end with exit code 0 and print a line that matches: a program can be there without what the entry needs of it. */
  readonly probe?: { readonly command: readonly string[]; readonly stdout?: string; readonly otherwise: string };
  readonly files?: readonly MadeFile[];
  readonly rules?: readonly Rule[];
  readonly limits?: EntryLimits;
}

/** What a reader takes; what is left out is nothing, or all where the field says so. */
export interface EntrySupports {
  readonly devices: readonly ('zfile' | 'lsmt')[];
  /** Default: none. */
  readonly wrappings?: readonly ('zfile' | 'tar')[];
  readonly forms?: readonly ('pair' | 'sparse' | 'warp')[];
  /** Default: lz4. */
  readonly algorithms?: readonly ('lz4' | 'zstd')[];
  /** Bytes; default: all. */
  readonly blockSizes?: readonly number[];
  /** Default 255. */
  readonly maxLayers?: number;
  /** 512: its devices are of whole sectors, rounded down. Default 1. */
  readonly sizeUnit?: 1 | 512;
  /** MiB of the largest device that it can be asked for; default: 64 where it writes whole devices, else none. */
  readonly deviceMiB?: number;
  /** False: a ZFile in a ZFile is not for it. Default true. */
  readonly nested?: boolean;
  /** False: a device of no bytes is not for it. Default true. */
  readonly empty?: boolean;
}

export interface ReaderEntry extends Entry {
  /** `NAME:VALUE` on the command line gives {parameter}. */
  readonly parameter?: { readonly what: string; readonly example: string };
  /** True: it reads what its user has set up, whatever the images are: only for `ovbd compare` with images. */
  readonly fixed?: true;
  readonly supports: EntrySupports;
  /** How a writable pair is named where {layer} stands: default `{data}:{index}`. */
  readonly pair?: string;
  readonly flags?: Readonly<Record<string, boolean>>;
  readonly knownFailures?: readonly KnownFailure[];
  readonly serve?: Serve;
  /** Opens the layers and says how large the device is. `size`: a regular expression whose first group is that, in bytes, on standard output. */
  readonly open?: { readonly steps: readonly Step[]; readonly size?: string };
  /** Writes the whole device to {out}. Either this or `read`. */
  readonly device?: readonly Step[];
  /** Writes bytes {offset} to {offset} + {length} of the device to {out}. */
  readonly read?: readonly Step[];
  /** `inside`: reads are cut at the end of the device, which `open` tells. Default: it takes reads that cross the end. */
  readonly reads?: 'inside' | 'any';
}

export interface WriterEntry extends Entry {
  readonly makes: 'lsmt' | 'zfile';
  /** Makes {out} of the writable pair {data} and {index}, or of the file {in}. */
  readonly write: readonly Step[];
  /** Of ZFiles. Default: lz4. */
  readonly algorithms?: readonly ('lz4' | 'zstd')[];
}

export interface TargetsFile {
  readonly schema: typeof TARGETS_SCHEMA;
  readonly readers?: readonly ReaderEntry[];
  readonly writers?: readonly WriterEntry[];
}
