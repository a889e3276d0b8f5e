// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Steps } from './steps.ts';

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('Steps', () => {
  it('says what begins, that it goes on, and how long it took', async () => {
    let out = '';
    const steps = new Steps({ write: (text) => (out += text), every: 20 });
    const result = await steps.run('brew tea', async (say) => {
      say('2 of 3 cups');
      await wait(50);
      return 42;
    });
    expect(result).toBe(42);
    expect(out).toMatch(/^brew tea …\n(brew tea: still running after 0 s \(2 of 3 cups\)\n)+brew tea: 0\.\d s\n$/);
  });

  it('says that it failed and passes the error on', async () => {
    let out = '';
    const steps = new Steps({ write: (text) => (out += text) });
    await expect(steps.run('brew tea', () => Promise.reject(new Error('no water')))).rejects.toThrow('no water');
    expect(out).toMatch(/brew tea: failed after 0\.\d s\n$/);
  });

  it('rewrites one line on a terminal and leaves the line with the time', async () => {
    let out = '';
    const steps = new Steps({ write: (text) => (out += text), tty: true, every: 10 });
    await steps.run('brew tea', () => wait(30));
    expect(out.split('\n')).toHaveLength(2);
    expect(out).toMatch(/\r\x1b\[Kbrew tea: 0\.\d s\n$/);
  });
});
