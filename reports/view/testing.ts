// SPDX-License-Identifier: MIT
/** A run folder for the tests of what is made of stored runs: events of every type, and one finding with its folder. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../../model/index.ts';
import { saveFinding } from '../finding-folder.ts';
import { IDENTITY, sampleEvents, sampleFinding } from '../samples.ts';

/** What text from an image, a kernel or a stranger may hold. */
export const HOSTILE = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&]]>\u2028 \`|@someone \u001b[31m`;

/** Makes the folder below the system's temporary one; `change` may change the events before they are written. */
export function writeSampleRun(change: (events: Event[]) => readonly Event[] = (e) => e): string {
  const folder = mkdtempSync(join(tmpdir(), 'ovbd-view-'));
  const saved = saveFinding(folder, sampleFinding(), IDENTITY, (path) => `node cli/ovbd.mjs replay ${path}`);
  const events = sampleEvents().map((e): Event => (e.type === 'finding' && e.signature === sampleFinding().signature ? { ...e, ...saved } : e));
  writeFileSync(join(folder, 'run.jsonl'), change(events).map((e) => `${JSON.stringify(e)}\n`).join(''));
  return folder;
}

/** The events with hostile text wherever text may come from outside. */
export function hostile(events: readonly Event[]): Event[] {
  return events.map((e): Event => {
    switch (e.type) {
      case 'run': return { ...e, targets: e.targets.map((t) => ({ ...t, description: HOSTILE, parts: { [HOSTILE.slice(0, 20)]: HOSTILE } })), skipped: [{ target: HOSTILE, reason: HOSTILE }] };
      case 'case': return { ...e, ...(e.why !== undefined && { why: HOSTILE }), ...(e.signature !== undefined && { signature: `${e.kind}: ${HOSTILE}` }) };
      case 'finding': return { ...e, why: HOSTILE, signature: `${e.kind}: ${HOSTILE}`, smallest: HOSTILE, replay: HOSTILE };
      default: return e;
    }
  });
}
