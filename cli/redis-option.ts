// SPDX-License-Identifier: MIT
/** Which Redis a campaign's batches go over. */
import { UsageError } from '../model/index.ts';

/** The address that was given, or the environment has: what stands in a command line every user of the machine can see. */
export function redisOf(given: string | undefined): string {
  const url = given ?? process.env['OVBD_REDIS'];
  if (url === undefined || url === '') throw new UsageError('give the address of a Redis with --redis, or in OVBD_REDIS where it has a password');
  return url;
}
