// SPDX-License-Identifier: MIT
/** A writer that is known by its command line alone: from input files to an image. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runDir } from '../kernel/run-dir.ts';
import type { WriterEntry } from './entry.ts';
import { readMade } from './files.ts';
import { commonValues, makeFiles, runSteps, type Place } from './runner.ts';

/** Bytes of the largest image that is taken. */
const MOST_BYTES = 1 << 29;

export interface WriterJob {
  /** The input files by the placeholder that names each: `data` and `index`, or `in`. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** What the other placeholders stand for. */
  readonly values: Readonly<Record<string, string>>;
}

/** Runs the entry's steps. Gives the image, or why there is none; never throws for what the program does. */
export async function runWriter(entry: WriterEntry, program: string, here: string, job: WriterJob, signal?: AbortSignal): Promise<Uint8Array | { readonly why: string }> {
  const dir = mkdtempSync(join(runDir(), 'writer-'));
  const place: Place = { dir, program, here, limits: entry.limits ?? {}, rules: entry.rules ?? [], patience: 1, ...(signal && { signal }) };
  try {
    const paths = Object.fromEntries(Object.entries(job.files).map(([name, bytes]) => {
      const path = join(dir, `${name}.img`);
      writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
      return [name, path];
    }));
    const common = commonValues(place, entry.files);
    const values = { ...common, one: { ...common.one, ...job.values, ...paths } };
    makeFiles(place, entry.files ?? [], values);
    const out = join(dir, 'out');
    const done = await runSteps(entry.write, place, values, 'open', out);
    if (done.death) return { why: done.death.title };
    if (done.meaning !== 'ok') return { why: done.why };
    const made = readMade(out, 0, MOST_BYTES);
    return made?.bytes ?? { why: 'it ended well and left no image' };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
