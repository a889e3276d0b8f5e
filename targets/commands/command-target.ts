// SPDX-License-Identifier: MIT
/** A reader that is known by its command line alone, as a target. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { UsageError } from '../../model/errors.ts';
import type { Stance } from '../../model/index.ts';
import type { Target } from '../target.ts';
import type { EntrySupports, ReaderEntry } from './entry.ts';
import { installed, type Loaded } from './load.ts';
import { CommandSession } from './session.ts';

/** MiB of the largest device that a reader is asked for which writes whole devices, where the entry says nothing. */
const DEVICE_MIB = 64;
/** Bytes of a program of which the digest is taken. */
const PROGRAM_BYTES = 2 ** 28;

/** The target of an entry. Throws `UsageError` where its program is missing, or a parameter is missing or too many. */
export async function commandTarget(loaded: Loaded<ReaderEntry>, parameter = '', remake: Readonly<Record<string, string>> = {}): Promise<Target> {
  const { entry, here } = loaded;
  if (entry.parameter && parameter === '') throw new UsageError(`${entry.name} needs ${entry.parameter.what}: ${entry.name}:${entry.parameter.example}`);
  if (!entry.parameter && parameter !== '') throw new UsageError(`${entry.name} takes nothing behind its name, but "${parameter}" is given`);
  const found = await installed(loaded);
  if ('missing' in found) throw new UsageError(`${entry.name}: ${found.missing}`);
  const name = parameter === '' ? entry.name : `${entry.name}:${parameter}`;
  return {
    identity: {
      name,
      description: `${entry.description}${entry.tried.with === 'real' ? '' : ` (${entry.tried.with})`}`,
      parts: { entry: sha256(JSON.stringify(entry)), program: digestOf(found.program) },
      remake: { kind: 'command', ...remake },
    },
    stance: stanceOf(entry),
    sizeUnit: entry.supports.sizeUnit ?? 1,
    lanes: entry.fixed ? 1 : availableParallelism(),
    open: () => Promise.resolve(new CommandSession({ entry, program: found.program, here, parameter })),
    close: () => Promise.resolve(),
  };
}

function stanceOf({ supports, flags = {}, knownFailures = [], device, fixed }: ReaderEntry): Stance {
  const { devices, wrappings = [], forms = [], algorithms = ['lz4'], blockSizes = [], maxLayers = 255 } = supports;
  return {
    supports: { devices, wrappings, forms, tables: false, algorithms, blockSizes, maxLayers, ...bounds(supports, device !== undefined), ...(fixed && { fixed }) },
    flags, knownFailures,
  };
}

function bounds({ deviceMiB, nested, empty }: EntrySupports, whole: boolean): Pick<Stance['supports'], 'deviceBytes' | 'whole' | 'nested' | 'empty'> {
  const mib = deviceMiB ?? (whole ? DEVICE_MIB : undefined);
  return {
    ...(mib === undefined ? {} : { deviceBytes: mib * 2 ** 20 }), ...(whole && { whole }), ...(nested === false && { nested }), ...(empty === false && { empty }),
  };
}

function digestOf(program: string): string {
  return statSync(program).size <= PROGRAM_BYTES ? sha256(readFileSync(program)) : 'not read';
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
