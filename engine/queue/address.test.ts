// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { redisAddress, withoutSecrets } from './address.ts';

it.each([
  ['redis://localhost', 'redis://localhost:6379', { host: 'localhost', port: 6379, db: 0 }],
  ['redis://h:7000/3', 'redis://h:7000/3', { host: 'h', port: 7000, db: 3 }],
  ['rediss://me:p%40ss@h:7000', 'rediss://h:7000', { host: 'h', port: 7000, db: 0, username: 'me', password: 'p@ss', tls: { servername: 'h' } }],
  ['redis://[::1]:7000', 'redis://[::1]:7000', { host: '::1', port: 7000, db: 0 }],
  ['unix:/run/redis.sock', 'unix:/run/redis.sock', { path: '/run/redis.sock' }],
  ['unix:///run/redis.sock', 'unix:/run/redis.sock', { path: '/run/redis.sock' }],
  ['/run/redis.sock', 'unix:/run/redis.sock', { path: '/run/redis.sock' }],
])('%s', (text, name, options) => {
  expect(redisAddress(text)).toMatchObject({ name, options });
});

it.each(['', 'localhost', 'http://h', 'redis://', 'redis://:secret@', 'redis://:secret@h/x', 'redis://:secret@h/1?tls=1', 'redis://:secret%@h', 'redis://:secret@h:99999'])('%j is no address, and is not repeated', (text) => {
  expect(() => redisAddress(text)).toThrow(/redis:\/\/host:6379/);
  expect(() => redisAddress(text)).not.toThrow(/secret@|secret%/);
});

it('a password is taken out of what others say', () => {
  const address = redisAddress('redis://me:p%40ss@h');
  expect(address.name).not.toContain('p%40ss');
  expect(withoutSecrets(address, 'AUTH me p@ss failed at redis://me:p%40ss@h')).toBe('AUTH me … failed at …');
});
