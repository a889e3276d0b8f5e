// SPDX-License-Identifier: MIT
/** The module removed and inserted again in a machine of its own, so that what it does when it goes is counted. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Mailbox } from '../mailbox.ts';
import { runDir } from '../run-dir.ts';
import type { Vm } from '../vm.ts';
import { encodeReload, type Message } from '../wire.ts';
import type { Collector } from './collector.ts';

/** Milliseconds for the start, and for each answer. */
const START_MS = 60_000;
const ANSWER_MS = 30_000;

/**
 * Starts one machine and reloads the module in it. What goes wrong is a problem of the
 * collector's: no case has asked for this, so it is no finding (`ovbd lab cycle` looks for those).
 */
export async function countReload(start: (mailbox: string) => Vm, module: string, collector: Collector, signal?: AbortSignal): Promise<void> {
  const mailbox = new Mailbox(join(await mkdtemp(join(runDir(), 'reload-')), 'mailbox'));
  const vm = start(mailbox.path);
  const abort = (): void => void vm.kill();
  signal?.addEventListener('abort', abort, { once: true });
  const counters = collector.begin(1);
  let died = false;
  /** Takes messages until one is of that type, or the counters' answers are so many. */
  const wait = async (type: Message['type'], answers = 0): Promise<Message | undefined> => {
    for (;;) {
      const event = await vm.next(ANSWER_MS);
      died = event.type === 'ended';
      if (event.type !== 'message') return undefined;
      const { message } = event;
      if (message.type === 'coverage') counters.take(message);
      if (message.type === type && counters.answers >= answers) return message;
    }
  };
  try {
    if ((await vm.hello(START_MS, 1)) === undefined) return collector.complain('what the module does when it is removed: the virtual machine does not start');
    vm.send(counters.first);
    vm.send(encodeReload(module));
    const reloaded = await wait('reload');
    if (reloaded?.type !== 'reload') return collector.complain('what the module does when it is removed: the machine died or hung of it');
    if (reloaded.unload !== 0) return collector.complain(`what the module does when it is removed: it cannot be (errno ${reloaded.unload})`);
    const before = counters.answers;
    vm.send(counters.request());
    if ((await wait('coverage', before + 1)) === undefined) collector.complain('what the module does when it is removed: the machine gives no counters');
  } finally {
    signal?.removeEventListener('abort', abort);
    counters.end(died);
    await vm.kill();
    mailbox.close();
  }
}
