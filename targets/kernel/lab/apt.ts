// SPDX-License-Identifier: MIT
/** The few things we ask of apt, and its errors in one line. */
import { EngineError, UsageError } from '../../../model/errors.ts';
import { CLEAN_ENV, findCommand, run } from './child.ts';
import { withLock } from './lock.ts';

/** What `apt-cache show` says of a package's candidate version. */
export interface AptPackage {
  readonly name: string;
  readonly version: string;
  /** Bytes of the .deb. */
  readonly size: number;
  readonly sha256: string;
  /** The names it depends on, in order, first alternatives only. */
  readonly depends: readonly string[];
}

/** Which sources apt is asked about: the machine's own, or a list of ours with its own state. */
export interface AptView {
  /** Arguments for every command of apt's. */
  readonly options: readonly string[];
  /** False where anybody may fetch its lists; the machine's need root. */
  readonly needsRoot: boolean;
  /** Which sources these are, for people. */
  readonly name: string;
}

export const MACHINE: AptView = { options: [], needsRoot: true, name: 'Debian 12' };

/** The lists are too old: the mirror no longer has what they name. */
export class StaleLists extends EngineError {}

/** Apt's configuration and proxies are the machine's business and are kept; nothing else is. */
export function aptEnv(): Record<string, string> {
  const env: Record<string, string> = { ...CLEAN_ENV, DEBIAN_FRONTEND: 'noninteractive' };
  for (const name of ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'APT_CONFIG']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** Bounded patience with mirrors, and no second user who could not enter the cache folder. */
export const APT_OPTIONS: readonly string[] = [
  '-q', '-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=30', '-o', 'Acquire::https::Timeout=30',
  '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0', '-o', 'APT::Sandbox::User=root',
];

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

export function hasApt(): boolean {
  return findCommand('apt-get') !== undefined && findCommand('dpkg') !== undefined;
}

/** Only one of our runs talks to apt's own locks at a time: apt waits for them in some commands only. */
export function withAptLock<T>(work: () => Promise<T>, options: { signal?: AbortSignal | undefined; onWait?: () => void } = {}): Promise<T> {
  return withLock('apt', work, options);
}

/** True where we may fetch the lists of those sources. */
export function mayUpdate(view: AptView): boolean {
  return isRoot() || !view.needsRoot;
}

/**
 * Fetches the package lists; those of the machine need root. Gives apt's reason where a list could not
 * be fetched, which is no error yet: it may be one that we do not need.
 */
export async function aptUpdate(options: { signal?: AbortSignal | undefined; say?: (text: string) => void; view?: AptView } = {}): Promise<string | undefined> {
  const { view = MACHINE } = options;
  for (let tries = 0; ; tries++) {
    // Without Error-Mode, apt calls an update in which every mirror failed a success.
    const result = await run('apt-get', [...APT_OPTIONS, ...view.options, '-o', 'APT::Update::Error-Mode=any', 'update'], {
      env: aptEnv(), seconds: 300, signal: options.signal, onLine: (line) => options.say?.(aptProgress(line)),
    });
    if (result.code === 0) return undefined;
    if (tries < 12 && /Could not get lock/.test(result.stderr)) {
      await new Promise((done) => setTimeout(done, 5000));
      continue;
    }
    return `the package lists cannot be fetched: ${aptReason(result)}`;
  }
}

/** The candidate versions of packages; a name that apt does not know is absent from the answer. */
export async function aptShow(names: readonly string[], signal?: AbortSignal, view: AptView = MACHINE): Promise<Map<string, AptPackage>> {
  const result = await run('apt-cache', [...view.options, 'show', '--no-all-versions', ...names], { env: aptEnv(), seconds: 60, signal });
  return parseShow(result.stdout);
}

/** Reads the stanzas of `apt-cache show` (deb822(5)). */
export function parseShow(text: string): Map<string, AptPackage> {
  const found = new Map<string, AptPackage>();
  for (const stanza of text.split(/\n\n+/)) {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    const name = field('Package');
    // The first stanza of a name is its candidate.
    if (name === '' || found.has(name)) continue;
    found.set(name, {
      name,
      version: field('Version'),
      size: Number(field('Size')),
      sha256: field('SHA256'),
      depends: field('Depends').split(',').map((part) => part.trim().split(/[ |]/)[0]!).filter((part) => part !== ''),
    });
  }
  return found;
}

/** Downloads packages into a folder; apt checks them against its signed lists. */
export async function aptDownload(packages: readonly AptPackage[], folder: string, signal?: AbortSignal, view: AptView = MACHINE): Promise<void> {
  const result = await run('apt-get', [...APT_OPTIONS, ...view.options, 'download', ...packages.map((p) => `${p.name}=${p.version}`)], {
    cwd: folder, env: aptEnv(), seconds: 1800, signal,
  });
  if (result.code === 0) return;
  const message = `cannot download ${packages[0]!.name}: ${aptReason(result)}`;
  throw /\b404\b|Not Found/.test(result.stderr) ? new StaleLists(message) : new EngineError(message);
}

/** One line of apt's output as progress for people. */
export function aptProgress(line: string): string {
  const get = /^Get:\d+ \S+ \S+ \S+ (\S+)/.exec(line);
  return get !== null ? `fetching ${get[1]}` : line.replace(/ \(.*/, '').slice(0, 60);
}

/** Why apt failed, in one line. */
export function aptReason(result: { stdout: string; stderr: string; timedOut: boolean }): string {
  if (result.timedOut) return 'it took too long';
  const lines = result.stderr.split('\n').map((line) => line.trim()).filter((line) => /^(E|Err|W):/.test(line));
  // The cause stands in the first error ("Temporary failure resolving …"); later ones say that there were errors.
  const line = lines.find((l) => l.startsWith('E:') && !/Some index files|some files failed/i.test(l)) ?? lines[0];
  return line?.replace(/^(E|Err|W):\s*/, '').replace(/Failed to fetch \S*\/(\S+)\s+/, 'fetching $1: ').slice(0, 300) ?? (result.stderr.trim().split('\n').at(-1) || 'no reason given');
}

/** For machines of another make. */
export function noApt(what: string): UsageError {
  return new UsageError(`${what}, and this machine has no apt-get to get it with: the kernel lab is made of Debian 12's packages`);
}
