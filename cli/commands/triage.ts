// SPDX-License-Identifier: MIT
/** `ovbd triage`: the entries of a stance file that a run's findings would need. */
import { existsSync } from 'node:fs';
import { EXIT, UsageError } from '../../model/index.ts';
import { isOpen, knownText, loadKnown, loadFound, mergeKnown, oneLine, proposeKnown, saveKnown } from '../../reports/index.ts';
import { print } from '../print.ts';

export interface TriageOptions {
  /** The stance file, which may be there already. */
  readonly output?: string;
  /** Of every entry that is added. */
  readonly reason?: string;
  readonly link?: string;
}

/** Prints the entries, or merges them into the file. Throws `UsageError` for what is no run and no stance file. */
export async function triage(folder: string, { output, reason, link }: TriageOptions, signal: AbortSignal): Promise<number> {
  if (link !== undefined && !/^https?:\/\/\S+$/.test(link)) throw new UsageError(`--link ${link}: it must be an address that begins with http:// or https://`);
  if (reason !== undefined && isOpen(reason)) throw new UsageError('--reason: it must say why the failures are known');
  const run = await loadFound(folder);
  const before = output !== undefined && existsSync(output) ? loadKnown(output, true) : [];
  const { entries, added, unseen } = mergeKnown(before, run, proposeKnown(run, { ...(reason !== undefined && { reason }), ...(link !== undefined && { link }) }));
  const say = (text: string): void => void process.stderr.write(`${oneLine(text)}\n`);
  if (output === undefined) await print([knownText(entries)], signal);
  else saveKnown(output, entries);
  const where = output === undefined ? '' : `${output}: `;
  say(`${where}${added.length} new ${added.length === 1 ? 'entry' : 'entries'}${before.length > 0 ? `, ${before.length} kept as they were` : ''}`);
  for (const entry of unseen) say(`not seen in this run: ${entry.signature} (${entry.reason})`);
  const open = entries.filter((entry) => isOpen(entry.reason)).length;
  if (open > 0) say(`${open} without a reason: write it into each before the file is given to --known`);
  return EXIT.ok;
}
