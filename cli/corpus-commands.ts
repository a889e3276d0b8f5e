// SPDX-License-Identifier: MIT
/** The command line of `ovbd corpus`. */
import { Option, type Command } from 'commander';
import { columns, reports, targets } from './execution-options.ts';
import { once, seed, wholeNumber } from './options.ts';

/** Adds the command and its own commands; `exit` takes the exit code. */
export function addCorpusCommands(ovbd: Command, signal: AbortSignal, exit: (code: number) => void): void {
  const corpus = ovbd.command('corpus').description('the permanent cases: images, tables and reads with what is expected of them');
  const inFolder = (command: Command): Command => command.option('--corpus <dir>', 'the folder of the corpus (default: the one of this checkout)', once);

  reports(targets(columns(inFolder(corpus.command('run')), 'test the dm-overlaybd patch')))
    .description('run the stored cases on the targets, as run does with drawn ones; a known failure that no longer shows fails the run')
    .argument('[case...]', 'only those whose names, clauses or readers start with one of these')
    .allowExcessArguments(false)
    .action(async (words, options) => exit(await (await import('./commands/corpus.ts')).corpusRun(words, options, signal)));

  inFolder(corpus.command('list'))
    .description('one line a case')
    .argument('[case...]', 'only those whose names, clauses or readers start with one of these')
    .option('--json', 'one JSON document')
    .action(async (words, options) => exit(await (await import('./commands/corpus.ts')).corpusList(words, options, signal)));

  inFolder(corpus.command('lint'))
    .description('check every file, what is said of each case, and that every MUST clause has its cases; exit code 1 where something is wrong')
    .action(async (options) => exit(await (await import('./commands/corpus-lint.ts')).corpusLint(options)));

  inFolder(corpus.command('add'))
    .description('keep the smallest cases of findings, or what a seed gives for clauses and readers\' mistakes that have no case')
    .argument('[finding...]', 'their folders, under a run\'s findings/')
    .option('--by <text>', 'what showed them, with its version: "dm-overlaybd RFC v3"', once)
    .option('--fixed-in <text>', 'the version that does not show them', once)
    .option('--from-seed <n>', 'draw the cases of this seed', seed)
    .addOption(new Option('--cases <n>', 'how many').argParser(wholeNumber(1, 1e6)).default(6000))
    .action(async (findings, options) => exit(await (await import('./commands/corpus-add.ts')).corpusAdd(findings, options, signal)));

  inFolder(corpus.command('minimize'))
    .description('say which cases cover no clause and no signature that others do not')
    .option('--write', 'remove them')
    .action(async (options) => exit((await import('./commands/corpus.ts')).corpusMinimize(options)));

  inFolder(corpus.command('export'))
    .description('all of it as one tar, named by version and content, for those who have nothing of this suite')
    .option('-o, --output <file>', 'where to write (default: a file of that name in the working folder)', once)
    .action(async (options) => exit((await import('./commands/corpus.ts')).corpusExport(options)));
}
