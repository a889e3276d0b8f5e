// SPDX-License-Identifier: MIT
/** Devices that come and go thousands of times in one VM, and what its kernel holds meanwhile. */
import type { Observation } from '../../model/index.ts';
import { inGuest, SILENCE_MS, type Errand } from './guest.ts';
import { encodeCycle, encodeReload, type Census } from './wire.ts';

/** Milliseconds a cycle, which takes tens of them, many more with sanitizers on a busy machine. */
const CYCLE_MS = 3000;

/** What became of a module that was removed and inserted again: errnos, 0 where all is well. */
export interface Reloaded {
  readonly unload: number;
  readonly load: number;
}

export interface Cycled {
  /** The last one was made when all cycles were done, or as many as the VM lived. */
  readonly censuses: readonly Census[];
  /** Absent on the stock kernel, and where the VM did not live so long. */
  readonly reloaded?: Reloaded;
  /** The devices once more, after all cycles, with what the kernel has said; and how the VM ended, where it did before its time. */
  readonly observation: Observation;
}

/**
 * Runs `iterations` cycles of the job with a census after `every`, then
 * reloads the module `reload`, where one is given. Throws `EngineError` where
 * the VM does not start or the guest refuses the command.
 */
export async function cycle(errand: Errand, reload: string | undefined, iterations: number, every: number): Promise<Cycled> {
  const censuses: Census[] = [];
  let reloaded: Reloaded | undefined;
  const observation = await inGuest(errand, async (guest) => {
    guest.send(encodeCycle(guest.command, iterations, every));
    do {
      const { type: _, ...census } = await guest.next(['census'], `cycles after ${censuses.at(-1)?.done ?? 0}`, SILENCE_MS + every * CYCLE_MS);
      censuses.push(census);
    } while (censuses.at(-1)!.done < iterations && censuses.at(-1)!.errno === 0);
    // What cannot be removed once would only be in the way.
    if (censuses.at(-1)!.errno !== 0) return;
    await guest.look();
    if (reload === undefined) return;
    guest.send(encodeReload(reload));
    const { type: _, ...both } = await guest.next(['reload'], 'unloading and loading the module', SILENCE_MS);
    reloaded = both;
  });
  return { censuses, observation, ...(reloaded === undefined ? {} : { reloaded }) };
}
