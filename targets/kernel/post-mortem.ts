// SPDX-License-Identifier: MIT
/** What a VM died of. */
import type { Complaint, Death } from '../../model/index.ts';
import { blamedReports, diedOfMemory } from './klog.ts';
import type { Ended } from './vm.ts';

export interface PostMortem {
  readonly death?: Death;
  readonly complaints: readonly Complaint[];
  readonly engineError?: string;
}

/** `console`: all that the guest printed; `module`: the module under test. */
export function postMortem(ended: Ended, console: string, module: string | undefined, phase: string): PostMortem {
  if (diedOfMemory(console)) return { complaints: [], engineError: 'the guest ran out of memory' };
  const reports = blamedReports(console, module);
  const report = reports.find((one) => one.kind !== 'leak');
  if (report !== undefined) {
    // A sanitizer's report and then the crash: both are true, and memory is the kind that tells more.
    const complaints = reports
      .filter((other) => other.kind === 'memory' || other.kind === 'leak')
      .map(({ kind, title }) => ({ kind: kind as 'memory' | 'leak', title }));
    return { death: { kind: report.kind === 'hang' ? 'hang' : 'crash', title: report.title, phase }, complaints };
  }
  // Without a panic QEMU ends by itself only when the guest resets the machine, as after a triple fault.
  if (ended.code === 0 && ended.signal === null) return { death: { kind: 'crash', title: 'reset without a panic', phase }, complaints: [] };
  const how = ended.signal ?? `code ${ended.code}`;
  return {
    death: { kind: 'lost', title: `lost machine: QEMU ended (${how})`, phase },
    complaints: [],
    engineError: `the virtual machine was lost: QEMU ended (${how})${ended.stderr === '' ? '' : `: ${ended.stderr.slice(0, 300)}`}`,
  };
}
