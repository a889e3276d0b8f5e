// SPDX-License-Identifier: MIT
/** The few words of QEMU's machine protocol that we need. */
import type { Duplex } from 'node:stream';
import { EngineError } from '../../model/errors.ts';

/** Replies are small; whatever is longer is not one. */
const MAX_LINE = 1 << 20;

export class Monitor {
  readonly #stream: Duplex;
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  #text = '';
  #greeted: Promise<unknown> | undefined;
  #ended = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => this.#take(chunk.toString('utf8')));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.#ended = true;
      for (const one of this.#waiting.splice(0)) one.reject(new EngineError('QEMU closed its monitor'));
    });
  }

  /** Runs one command and gives what it returns. Throws `EngineError` where QEMU refuses or is gone. */
  async command(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    this.#greeted ??= this.#send({ execute: 'qmp_capabilities' });
    await this.#greeted;
    return this.#send({ execute: name, arguments: args });
  }

  #send(message: object): Promise<unknown> {
    if (this.#ended) return Promise.reject(new EngineError('QEMU closed its monitor'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#stream.write(`${JSON.stringify(message)}\n`);
    });
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop()!.slice(0, MAX_LINE);
    for (const line of lines) {
      let reply: { return?: unknown; error?: { desc?: unknown } };
      try {
        reply = JSON.parse(line) as typeof reply;
      } catch {
        continue;
      }
      if (reply.return !== undefined) this.#waiting.shift()?.resolve(reply.return);
      else if (reply.error !== undefined) this.#waiting.shift()?.reject(new EngineError(`QEMU: ${String(reply.error.desc)}`));
      // Anything else is the greeting or an event.
    }
  }
}
