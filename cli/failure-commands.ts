// SPDX-License-Identifier: MIT
/** The command line of `ovbd failures`. */
import type { Command } from 'commander';
import { columns, reports, targets } from './execution-options.ts';
import { once, repeated, wholeNumber } from './options.ts';

/** Adds the command and its own commands; `exit` takes the exit code. */
export function addFailureCommands(ovbd: Command, signal: AbortSignal, exit: (code: number) => void): void {
  const failures = ovbd.command('failures').description('what earlier runs found, kept until it expires: saved, fetched from elsewhere, run again (docs/nightly.md)');
  const inStore = (command: Command): Command => command.option('--store <dir>', 'the folder of the store (default: reports/failures)', once);

  inStore(failures.command('save'))
    .description('keep findings: of each signature of a family of targets the smallest')
    .argument('<finding...>', 'their folders, or those of runs')
    .action(async (folders, options) => exit((await import('./commands/failures.ts')).failuresSave(folders, options)));

  inStore(failures.command('list'))
    .description('one line a failure')
    .option('--json', 'one JSON document')
    .action(async (options) => exit(await (await import('./commands/failures.ts')).failuresList(options, signal)));

  inStore(failures.command('fetch'))
    .description('copy failures from shared folders and archives, in this order, into the store')
    .argument('[key...]', 'only those whose keys start with one of these')
    .requiredOption('--from <layer>', 'another store\'s folder, or a .tar.gz of one, such as a CI artifact; repeatable', repeated)
    .action(async (keys, options) => exit(await (await import('./commands/failures.ts')).failuresFetch(keys, options)));

  reports(targets(columns(failures.command('replay'), 'test the dm-overlaybd patch')), false)
    .description('run the stored failures on the targets, as run does with drawn cases; what shows again stays')
    .argument('[key...]', 'only those whose keys start with one of these')
    .option('--store <dir>', 'the folder of the store (default: reports/failures)', once)
    .allowExcessArguments(false)
    .action(async (keys, options) => exit(await (await import('./commands/failures.ts')).failuresReplay(keys, options, signal)));

  inStore(failures.command('expire'))
    .description('remove what was not seen for long, and the longest unseen of what is too much')
    .option('--days <n>', 'what was not seen for so many days', wholeNumber(0, 1e5))
    .option('--max-bytes <n>', 'bytes that may stay', wholeNumber(0, 1e15))
    .action(async (options) => exit((await import('./commands/failures.ts')).failuresExpire(options)));

  inStore(failures.command('export'))
    .description('the store as one .tar.gz, the same for the same failures: for an artifact of a CI run, and fetch --from')
    .requiredOption('-o, --output <file>', 'where to write', once)
    .action(async (options) => exit((await import('./commands/failures.ts')).failuresExport(options)));
}
