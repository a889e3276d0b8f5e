// SPDX-License-Identifier: MIT
/** `ovbd serve`: the runs of a folder in a browser of this machine. It reads, it answers this machine only, and it leaves its folder never. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import type { AddressInfo } from 'node:net';
import { EXIT, UsageError } from '../../model/index.ts';
import { htmlReport, runListPage, viewOf, type ListedRun } from '../../reports/index.ts';
import { examineLayer } from '../view-help.ts';

export interface ServeOptions {
  /** 0: any that is free. */
  readonly port: number;
}

/** Folders below the served one in which runs are looked for, and runs that are listed. */
const DEPTH = 3;
const MAX_RUNS = 1000;
const MAX_FOLDERS = 20_000;

/** Serves until the signal. Throws `UsageError` where the folder is none, or the port is taken. */
export async function serve(folder: string, options: ServeOptions, signal: AbortSignal): Promise<number> {
  const { urls, close } = await startServer(folder, options.port);
  process.stdout.write(`runs of ${folder}: ${urls.join(' or ')} (Ctrl-C ends it)\n`);
  await new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
  await close();
  return EXIT.ok;
}

/** Listens on 127.0.0.1, and on ::1 where this machine has it, on one port. */
export async function startServer(folder: string, port: number): Promise<{ readonly urls: readonly string[]; readonly port: number; close(): Promise<void> }> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`${folder}: no such folder`);
  const root = realpathSync(folder);
  const servers: Server[] = [];
  const first = await listen(root, '127.0.0.1', port).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`port ${port} of 127.0.0.1 cannot be had (${error.code ?? error.message}): give another --port`);
  });
  servers.push(first);
  const own = (first.address() as AddressInfo).port;
  // A machine without IPv6, or with the port taken there, is served on the other address alone.
  const second = await listen(root, '::1', own).catch(() => null);
  if (second !== null) servers.push(second);
  return {
    port: own, urls: [`http://127.0.0.1:${own}/`, ...(second === null ? [] : [`http://[::1]:${own}/`])],
    close: async () => {
      await Promise.all(servers.map((s) => new Promise<void>((done) => {
        s.close(() => done());
        s.closeAllConnections();
      })));
    },
  };
}

function listen(root: string, host: string, port: number): Promise<Server> {
  return new Promise((done, fail) => {
    const server = createServer({ maxHeaderSize: 16_384, requestTimeout: 30_000 }, (request, response) => {
      answer(root, request, response).catch((error: unknown) => {
        send(response, error instanceof UsageError ? 404 : 500, 'text/plain', `${error instanceof UsageError ? error.message : 'internal error'}\n`);
        if (!(error instanceof UsageError)) process.stderr.write(`ovbd: ${error instanceof Error ? error.message : String(error)}\n`);
      });
    });
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', fail);
      server.on('error', (error) => process.stderr.write(`ovbd: ${error.message}\n`));
      done(server);
    });
  });
}

async function answer(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A page elsewhere may make this browser ask for another name that leads here: only our own names are answered.
  if (!isOwnName(request)) return send(response, 421, 'text/plain', 'this address is not served here\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(response, 405, 'text/plain', 'runs are only shown\n');
  }
  const path = (request.url ?? '/').split(/[?#]/)[0]!;
  if (path === '/') return send(response, 200, 'text/html', runListPage(findRuns(root)), request.method === 'HEAD');
  const name = /^\/run\/(.{1,4096})$/.exec(path)?.[1];
  const run = name === undefined ? null : runNamed(root, name);
  if (run === null) return send(response, 404, 'text/plain', 'there is no such run\n');
  const view = await viewOf(run, { examine: examineLayer });
  send(response, 200, 'text/html', htmlReport(view), request.method === 'HEAD');
}

function isOwnName({ headers, socket }: IncomingMessage): boolean {
  const { localPort } = socket;
  const names = ['127.0.0.1', 'localhost', '[::1]'].map((n) => `${n}:${localPort}`);
  return headers.host !== undefined && names.includes(headers.host.toLowerCase());
}

function send(response: ServerResponse, status: number, type: string, body: string, headOnly = false): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer', 'X-Frame-Options': 'DENY', 'Cross-Origin-Resource-Policy': 'same-origin', 'Cross-Origin-Opener-Policy': 'same-origin',
  });
  response.end(headOnly ? undefined : body);
}

/** The folder of a run whose address was asked for; null for whatever is none, or lies elsewhere, also behind a link. */
function runNamed(root: string, name: string): string | null {
  try {
    const parts = name.split('/').map(decodeURIComponent);
    if (parts.some((p) => p === '' || p === '.' || p === '..' || /[/\\\0]/.test(p))) return null;
    const path = resolve(root, ...parts);
    const real = realpathSync(path);
    if (real !== root && !real.startsWith(root + sep)) return null;
    return isRun(real) ? real : null;
  } catch {
    return null;
  }
}

function isRun(folder: string): boolean {
  return lstatSync(join(folder, 'run.jsonl'), { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Runs in the folder and some levels below it, the latest first; links are not followed. */
export function findRuns(root: string): ListedRun[] {
  const runs: ListedRun[] = [];
  let seen = 0;
  const look = (folder: string, parts: readonly string[]): void => {
    if (runs.length >= MAX_RUNS || seen++ > MAX_FOLDERS) return;
    if (parts.length > 0 && isRun(folder)) {
      const { size, mtime } = statSync(join(folder, 'run.jsonl'));
      runs.push({ name: parts.join('/'), href: `/run/${parts.map(encodeURIComponent).join('/')}`, bytes: size, changed: mtime.toISOString() });
      return;
    }
    if (parts.length >= DEPTH) return;
    for (const one of readdirSync(folder, { withFileTypes: true })) if (one.isDirectory() && !one.name.startsWith('.')) look(join(folder, one.name), [...parts, one.name]);
  };
  look(root, []);
  return runs.sort((a, b) => (a.changed < b.changed ? 1 : a.changed > b.changed ? -1 : a.name < b.name ? -1 : 1));
}
