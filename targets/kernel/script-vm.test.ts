// SPDX-License-Identifier: MIT
/** A finding's shell script in a machine without our agent says what the agent saw: on a module that is wrong on purpose. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Finding, Observation } from '../../model/index.ts';
import { reproScript } from '../../reports/repro.ts';
import type { Target } from '../target.ts';
import { openKernelTarget } from './kernel-target.ts';
import { Steps } from './lab/index.ts';
import { plainSystem } from './lab/tools.ts';
import { runScript } from './script-vm.ts';
import { cache, jobOf, labForTests, noise } from './testing.ts';

const lab = await labForTests({ source: fileURLToPath(new URL('./faulty/', import.meta.url)) });
const tools = typeof lab === 'string' ? lab : await plainSystem(cache, new Steps()).then(() => undefined, (error: Error) => error.message);
if (tools !== undefined) console.warn(`skipped: scripts in a virtual machine of their own, ${tools}`);

/** A device one sector shorter than its image, which has so many: that is what the module goes by. */
function found(sectors: number): { job: ReturnType<typeof jobOf>; image: Buffer } {
  const image = noise(sectors * 512, sectors);
  return { image, job: jobOf(`f${sectors}`, { deviceBytes: image.length - 512, layers: [{ bytes: image }], reads: [{ offset: 512, length: 4096 }] }) };
}

async function observe(target: Target, job: ReturnType<typeof jobOf>): Promise<Observation> {
  const session = await target.open();
  let seen: Observation | undefined;
  await session.run([job], (_, observation) => {
    seen = observation;
  });
  await session.close();
  return seen!;
}

function findingOf({ job, image }: ReturnType<typeof found>, observation: Observation): Finding {
  const bytes = Uint8Array.from(image.subarray(512, 4608));
  return {
    signature: 'corruption: made', kind: 'corruption', clause: 'ST-MRG-01', target: 'patch', count: 1, firstCase: job.case.id, smallest: job.case, before: [],
    expectation: {
      class: 'valid', needs: { algorithms: [], blockSizes: [], layers: 1 }, notable: [], alternatives: [],
      strict: { outcome: 'open', size: job.case.access.deviceBytes, reads: [{ outcome: 'bytes', bytes, ranges: [{ from: 0, to: bytes.length, clause: 'ST-MRG-01' }] }] },
    },
    observation, verdict: { kind: 'corruption', why: 'wrong bytes' }, confirmation: { shown: 1, tried: 1, blame: 'alone' }, shrinkExecutions: 0,
  };
}

describe.skipIf(tools !== undefined)('a repro.sh', () => {
  it('reads the very bytes that the agent read, and only where they are wrong says so', async () => {
    if (typeof lab === 'string') return;
    const target = await openKernelTarget(lab, { name: 'patch', cacheDir: cache.root, steps: new Steps() });
    try {
      for (const [sectors, exitCode] of [[40, 1], [60, 0]] as const) {
        const made = found(sectors);
        const observation = await observe(target, made.job);
        const run = await runScript(reproScript(findingOf(made, observation), target.identity)!, lab, cache, new Steps());
        expect(run.output).toContain(`read 0: 4096 bytes, SHA-256 ${observation.reads[0]!.sha256}`);
        expect([run.exitCode, run.output.includes('SHOWN: read 0 must give 4096 bytes')]).toEqual([exitCode, exitCode === 1]);
      }
    } finally {
      await target.close();
    }
  });

  it('that kills the kernel is seen to', async () => {
    if (typeof lab === 'string') return;
    const made = found(1);
    const job = jobOf('f1', { deviceBytes: 512, layers: [{ bytes: made.image }], reads: [{}] });
    const identity = { name: 'patch', description: 'made', parts: { module: '' }, remake: {} };
    const observation: Observation = { open: 'none', reads: [], complaints: [], log: '', history: 0 };
    const run = await runScript(reproScript(findingOf({ ...made, job }, observation), identity)!, lab, cache, new Steps());
    expect(run).toMatchObject({ exitCode: undefined, death: 'page-fault in do_fault' });
  });
});
