// SPDX-License-Identifier: MIT
/** Any program that speaks the target protocol (PROTOCOL.md), as a target. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { KnownFailure, Stance } from '../../model/index.ts';
import type { Target } from '../target.ts';
import { commandPath, type CommandLine } from './child.ts';
import type { Watch } from './conversation.ts';
import type { Capabilities, Description } from './messages.ts';
import { DEFAULT_DEADLINES, ProcessSession, start, type Deadlines } from './session.ts';

export interface ProcessTargetOptions extends CommandLine {
  /** As `--target` takes it. */
  readonly name: string;
  /** What it says of itself is overridden by this. */
  readonly stance?: { readonly flags?: Readonly<Record<string, boolean>>; readonly knownFailures?: readonly KnownFailure[]; readonly supports?: Partial<Stance['supports']> };
  readonly deadlines?: Partial<Deadlines>;
  /** Processes at the same time; default: one a processor. */
  readonly lanes?: number;
  /** Targets of one family are columns of one matrix. */
  readonly family?: string;
  /** What `ovbd replay` needs to make it again. */
  readonly remake?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Hears every line that is said. */
  readonly watch?: Watch;
}

/**
 * Starts the program once and asks what it is. Throws `UsageError` where there
 * is no such program and `EngineError` where it does not describe itself.
 */
export async function openProcessTarget(options: ProcessTargetOptions): Promise<Target> {
  const { name, command, args, cwd, stance, lanes, family, remake, signal, watch } = options;
  const line: CommandLine = { command, args, ...(options.env && { env: options.env }), ...(cwd === undefined ? {} : { cwd }), ...(options.limits && { limits: options.limits }) };
  const deadlines = { ...DEFAULT_DEADLINES, ...options.deadlines };
  const { conversation, description } = await start(line, deadlines, signal, watch);
  await conversation.kill();
  const { capabilities } = description;
  const sessions = new Set<ProcessSession>();
  return {
    identity: {
      name,
      description: `${description.name} ${description.version}, over the target protocol`.replace('  ', ' '),
      parts: { version: description.version, ...programParts(line) },
      remake: remake ?? { kind: name },
    },
    stance: stanceOf(capabilities, stance),
    sizeUnit: capabilities.sizeUnit,
    ...(family === undefined ? {} : { family }),
    lanes: Math.max(1, lanes ?? availableParallelism()),
    open: () => {
      const session = new ProcessSession({ line, deadlines, takes: capabilities.access, watch });
      sessions.add(session);
      return Promise.resolve(session);
    },
    close: async () => {
      await Promise.all([...sessions].map((session) => session.close()));
      sessions.clear();
    },
  };
}

/** Asks a program what it is, once. Errors as those of `openProcessTarget`. */
export async function describeTarget(line: CommandLine, deadlines: Partial<Deadlines> = {}): Promise<Description> {
  const { conversation, description } = await start(line, { ...DEFAULT_DEADLINES, ...deadlines });
  await conversation.kill();
  return description;
}

function stanceOf({ devices, wrappings, forms, algorithms, blockSizes, maxLayers, deviceBytes, whole, nested, empty, access, flags }: Capabilities, stance: ProcessTargetOptions['stance'] = {}): Stance {
  return {
    supports: {
      devices, wrappings, forms, tables: access.includes('table'), ...(access.includes('failsAfter') && { allocations: true as const }), algorithms, blockSizes, maxLayers,
      ...(deviceBytes === null ? {} : { deviceBytes }), ...(whole ? { whole } : {}), ...(nested ? {} : { nested }), ...(empty ? {} : { empty }),
      ...stance.supports,
    },
    flags: { ...flags, ...stance.flags },
    knownFailures: stance.knownFailures ?? [],
  };
}

/** Bytes of a file of which the digest is taken: programs are not longer. */
const PROGRAM_BYTES = 2 ** 28;

/** Digests of the program and of the files that its arguments name: what it was, should it change. */
function programParts({ command, args, cwd }: CommandLine): Record<string, string> {
  const digest = (path: string): string | undefined => {
    if (!existsSync(path)) return undefined;
    const stat = statSync(path);
    return stat.isFile() && stat.size <= PROGRAM_BYTES ? createHash('sha256').update(readFileSync(path)).digest('hex') : undefined;
  };
  const files = args.flatMap((arg): [string, string][] => {
    const sha256 = digest(resolve(cwd ?? '.', arg));
    return sha256 === undefined ? [] : [[`file ${arg}`, sha256]];
  });
  return { program: digest(commandPath(command, cwd)) ?? 'not read', ...Object.fromEntries(files) };
}
