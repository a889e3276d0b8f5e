// SPDX-License-Identifier: MIT
/**
 * Debian 12's backports suite beside the machine's own sources: a sources list of
 * ours for the mirror that the machine is configured with, and apt's state for it
 * in the cache folder. Nothing of the machine's apt is changed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../../model/errors.ts';
import type { AptView } from './apt.ts';
import type { Cache } from './cache.ts';

const SUITE = 'bookworm';

/** An entry of a sources list (sources.list(5)). */
interface Source {
  readonly uri: string;
  /** What follows `Signed-By:`, over more lines where a key is given in place. */
  readonly signedBy?: string;
  readonly trusted?: boolean;
}

/** The suite's packages. Throws `UsageError` where the machine has no mirror of Debian 12. */
export async function backports(cache: Cache): Promise<AptView> {
  const source = configured();
  if (source === undefined) {
    throw new UsageError(`the backports of Debian 12 are wanted, and apt's sources on this machine name no mirror of ${SUITE}: use a machine or container with Debian 12`);
  }
  const folder = join(cache.root, 'apt', 'backports');
  const parts = join(folder, 'sources.list.d');
  try {
    await mkdir(parts, { recursive: true });
    await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
    await mkdir(join(folder, 'archives', 'partial'), { recursive: true });
    // Another run's apt may be reading it.
    const file = join(parts, 'backports.sources');
    if ((await readFile(file, 'utf8').catch(() => '')) !== sourcesText(source)) {
      await writeFile(`${file}.${process.pid}`, sourcesText(source));
      await rename(`${file}.${process.pid}`, file);
    }
  } catch (error) {
    throw new UsageError(`cannot keep package lists in ${folder} (${(error as NodeJS.ErrnoException).code}): set OVBD_CACHE to a folder that can be written`);
  }
  const set = (name: string, value: string): string[] => ['-o', `${name}=${value}`];
  return {
    options: [
      ...set('Dir::Etc::SourceList', '/dev/null'), ...set('Dir::Etc::SourceParts', `${parts}/`), ...set('Dir::State::Lists', join(folder, 'lists')),
      ...set('Dir::Cache', folder), ...set('Dir::Cache::Archives', join(folder, 'archives')),
      // Priorities of the machine's are made for its own sources.
      ...set('Dir::Etc::Preferences', '/dev/null'), ...set('Dir::Etc::PreferencesParts', '/dev/null'),
      ...set('APT::Sandbox::User', 'root'),
    ],
    needsRoot: false,
    name: "Debian 12's backports",
  };
}

function configured(): Source | undefined {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  const parts = '/etc/apt/sources.list.d';
  let names: string[] = [];
  try {
    names = readdirSync(parts).sort();
  } catch {
    // A machine with one list only.
  }
  for (const name of names.filter((one) => one.endsWith('.sources'))) {
    const found = findDeb822(read(join(parts, name)));
    if (found !== undefined) return found;
  }
  return [read('/etc/apt/sources.list'), ...names.filter((one) => one.endsWith('.list')).map((one) => read(join(parts, one)))]
    .map(findOneLine)
    .find((source) => source !== undefined);
}

/** The mirror of the suite in a list of stanzas; undefined where there is none. */
export function findDeb822(text: string): Source | undefined {
  for (const stanza of text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/)) {
    // A field goes on over lines that begin with white space.
    const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1]?.trimEnd() ?? '';
    const words = (name: string): string[] => field(name).split(/\s+/).filter((word) => word !== '');
    if (!words('Types').includes('deb') || !words('Suites').includes(SUITE) || !words('Components').includes('main')) continue;
    if (/^(no|false|0)$/i.test(field('Enabled'))) continue;
    const uri = words('URIs')[0];
    if (uri === undefined) continue;
    const signedBy = field('Signed-By');
    return { uri, ...(signedBy === '' ? {} : { signedBy }), ...(/^(yes|true|1)$/i.test(field('Trusted')) ? { trusted: true } : {}) };
  }
  return undefined;
}

/** The mirror of the suite in a list of the old kind, a source a line; undefined where there is none. */
export function findOneLine(text: string): Source | undefined {
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null || match[3] !== SUITE || !match[4]!.replace(/#.*/, '').split(/\s+/).includes('main')) continue;
    const signedBy = /\bsigned-by=(\S+)/.exec(match[1] ?? '')?.[1];
    return { uri: match[2]!, ...(signedBy === undefined ? {} : { signedBy: signedBy.replaceAll(',', ' ') }), ...(/\btrusted=yes\b/.test(match[1] ?? '') ? { trusted: true } : {}) };
  }
  return undefined;
}

function sourcesText({ uri, signedBy, trusted }: Source): string {
  return [
    'Types: deb', `URIs: ${uri}`, `Suites: ${SUITE}-backports`, 'Components: main', 'Architectures: amd64',
    ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]), ...(trusted === true ? ['Trusted: yes'] : []), '',
  ].join('\n');
}
