// SPDX-License-Identifier: MIT
/** Runs shown to a browser of this machine, and to nobody else. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer } from '../cli/commands/serve.ts';
import { UsageError } from '../model/index.ts';
import { writeSampleRun } from '../reports/view/testing.ts';

let folder: string;
let outside: string;
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  const parent = mkdtempSync(join(tmpdir(), 'ovbd-serve-'));
  outside = writeSampleRun();
  folder = join(parent, 'served');
  mkdirSync(join(folder, 'night'), { recursive: true });
  renameSync(writeSampleRun(), join(folder, 'a run #1'));
  renameSync(writeSampleRun((e) => e.slice(0, -1)), join(folder, 'night', 'cut'));
  mkdirSync(join(folder, 'broken'));
  writeFileSync(join(folder, 'broken', 'run.jsonl'), 'nothing\n');
  symlinkSync(outside, join(folder, 'link'));
  writeFileSync(join(parent, 'secret'), 'secret');
  server = await startServer(folder, 0);
});
afterAll(async () => {
  await server.close();
  rmSync(join(folder, '..'), { recursive: true });
  rmSync(outside, { recursive: true });
});

interface Answer { readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, unknown>> }

/** The path goes out as it stands: clients tidy `..` away, attackers do not. */
function ask(path: string, options: { host?: string; method?: string; address?: string } = {}): Promise<Answer> {
  return new Promise((done, fail) => {
    const sent = request({
      host: options.address ?? '127.0.0.1', port: server.port, path, method: options.method ?? 'GET', headers: { host: options.host ?? `127.0.0.1:${server.port}` },
    }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (more: string) => { body += more; }).on('end', () => done({ status: response.statusCode!, body, headers: response.headers }));
    });
    sent.on('error', fail).end();
  });
}

it('lists the runs of its folder, and shows each as a report', async () => {
  const list = await ask('/');
  expect(list.status).toBe(200);
  expect(list.body).toContain('3 runs');
  expect(list.body).not.toContain('/run/link');
  const hrefs = [...list.body.matchAll(/href="(\/run\/[^"]+)"/g)].map((m) => m[1]!);
  expect(hrefs.sort()).toEqual(['/run/a%20run%20%231', '/run/broken', '/run/night/cut']);
  expect((await ask('/run/a%20run%20%231')).body).toMatch(/<p class="state">2 findings in 4 cases/);
  expect((await ask('/run/night/cut')).body).toContain('not a whole run');
  expect((await ask('/run/broken')).status).toBe(404);
  expect((await ask('/', { host: `localhost:${server.port}` })).status).toBe(200);
});

it('shows nothing outside of its folder', async () => {
  const name = outside.split('/').at(-1)!;
  const paths = [
    '/run/link', `/run/../../${name}`, `/run/%2e%2e/%2e%2e/${name}`, '/run/..%2f..%2fsecret', '/run/%2e%2e%2fsecret', '/../secret', '/secret', '/run//etc', '/run/%2Fetc', '/run/a%20run%20%231/run.jsonl',
    '/run/a%00b', '/run/%', '/run/', '/run/.', '/run/a%20run%20%231/../broken', '/run/..%5c..%5csecret',
  ];
  for (const path of paths) {
    const { status, body } = await ask(path);
    expect(status, path).toBe(404);
    expect(body).not.toContain('secret');
  }
});

it('answers its own names only, and only who reads', async () => {
  for (const host of ['evil.example', `evil.example:${server.port}`, `127.0.0.1:${server.port + 1}`, '127.0.0.1']) expect((await ask('/', { host })).status, host).toBe(421);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) expect((await ask('/', { method })).status).toBe(405);
  const head = await ask('/', { method: 'HEAD' });
  expect([head.status, head.body]).toEqual([200, '']);
  expect(head.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'x-frame-options': 'DENY' });
  expect(Object.keys(head.headers)).not.toContain('access-control-allow-origin');
});

it('is not reached from other machines', async () => {
  const others = Object.values(networkInterfaces()).flatMap((all) => all ?? []).filter((a) => !a.internal && a.family === 'IPv4');
  for (const { address } of others) {
    const reached = await new Promise<boolean>((done) => {
      const socket = connect({ host: address, port: server.port }, () => { socket.destroy(); done(true); }).on('error', () => done(false));
    });
    expect(reached, address).toBe(false);
  }
  expect(server.urls.every((url) => /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+\/$/.test(url))).toBe(true);
});

it('says what is wrong with what it is given', async () => {
  await expect(startServer(join(folder, 'none'), 0)).rejects.toThrow(UsageError);
  await expect(startServer(folder, server.port)).rejects.toThrow(/--port/);
});
