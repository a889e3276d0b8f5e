// SPDX-License-Identifier: MIT
/** A target whose observations are another's, changed on their way out. */
import type { Observation } from '../../model/index.ts';
import type { Job, Session, Target } from '../target.ts';

/** Changes each observation; `n` counts the job's reads and sizes, not time, so that the same case is always treated alike. */
export function altered(
  honest: Target, name: string, description: string, change: (seen: Observation, n: number) => Observation,
): Target {
  return {
    ...honest,
    identity: { name, description, parts: { suite: 'built in' }, remake: { kind: name } },
    async open(): Promise<Session> {
      const session = await honest.open();
      return {
        close: () => session.close(),
        run: (jobs, done, options) => session.run(
          // Without wanted digests the honest reader sends its bytes, which is what can be changed.
          jobs.map((j) => ({ ...j, wanted: j.wanted.map(() => null) })),
          (i, seen) => done(i, change(seen, trait(jobs[i]!))), options),
      };
    },
  };
}

function trait(job: Job): number {
  return job.case.layers.reduce((n, l) => n + l.bytes.length, job.case.access.reads.length);
}
