// SPDX-License-Identifier: MIT
/** Where a Redis is, as the user says it. Its password is for connecting only: whatever is shown or kept has the name without it. */
import { UsageError } from '../../model/index.ts';

/** As the client takes them. */
export interface ClientOptions {
  readonly host?: string;
  readonly port?: number;
  /** A Unix socket. */
  readonly path?: string;
  readonly db?: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly servername: string };
}

export interface RedisAddress {
  /** For people: without user and password. */
  readonly name: string;
  /** For the client. */
  readonly options: ClientOptions;
  /** What must not be seen anywhere, longest first. */
  readonly secrets: readonly string[];
}

const EXAMPLE = 'as in redis://host:6379, rediss://user:password@host:6380/1 (TLS) or unix:/run/redis.sock';

/**
 * Reads `redis://`, `rediss://` (TLS) and `unix:` addresses. Throws `UsageError` without
 * repeating what was given, for there may be a password in it.
 */
export function redisAddress(text: string): RedisAddress {
  const path = /^(?:unix:(?:\/\/)?)?(\/[^?#]+)$/.exec(text)?.[1];
  if (path !== undefined) return { name: `unix:${path}`, options: { path }, secrets: [] };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') throw new UsageError(`this is no address of a Redis; give one ${EXAMPLE}`);
  const db = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if (db === undefined || url.search !== '' || url.hash !== '') throw new UsageError(`the address of a Redis ends with its port or the number of a database, ${EXAMPLE}`);
  const port = Number(url.port || 6379);
  const [username, password] = [decoded(url.username), decoded(url.password)];
  // The brackets of an IPv6 address are the address's form, not the host's name.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    name: `${url.protocol}//${url.hostname}:${port}${db === '' ? '' : `/${db}`}`,
    options: {
      host, port, db: Number(db || 0),
      ...(username !== '' && { username }), ...(password !== '' && { password }), ...(url.protocol === 'rediss:' && { tls: { servername: host } }),
    },
    secrets: password === '' ? [] : [...new Set([text, url.href, url.password, password])].sort((a, b) => b.length - a.length),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new UsageError(`a user or password in the address of a Redis has a % that begins no character, ${EXAMPLE}`);
  }
}

/** A message of others, of bounded length and without what must not be seen. */
export function withoutSecrets({ secrets }: RedisAddress, message: string): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), message).slice(0, 1000);
}
