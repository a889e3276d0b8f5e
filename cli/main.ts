// SPDX-License-Identifier: MIT
/** The command line of `ovbd`. Each command's module is loaded only when it is asked for. */
import { Argument, Command, CommanderError, Option } from 'commander';
import { FAST_LARGE_EVERY } from '../engine/fast.ts';
import { EXIT, EngineError, UsageError } from '../model/index.ts';
import { addCorpusCommands } from './corpus-commands.ts';
import { addFailureCommands } from './failure-commands.ts';
import { columns, instances, reports, targets } from './execution-options.ts';
import { REPORT_FORMATS } from './report-formats.ts';
import { MAX_SEED, once, repeated, seed, time, wholeNumber } from './options.ts';
import { EXIT_STOPPED, stopSignal } from './stop.ts';
import { suiteVersion } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 nothing unexpected, 1 findings (read: refused; inspect: no image; smoke, corpus lint: something is wrong; check:
violations; replay: shown again; diff: something new; compare: two differ; doctor: something is missing), 2 wrong usage or input,
3 the suite's own machinery failed, 4 nightly: the time that was given ran out, 130 stopped by Ctrl-C, a signal, or a closed output.`;

const CHECK_HELP = `
Violations of MUST clauses make the exit code 1, as does a file that cannot be read; those of
SHOULD clauses are warnings and leave it 0. Contested clauses are shown with the flag by which a
reader declares the other side. At most 1000 violations a layer are listed, the rest is counted.`;

/** Runs one command and returns its exit code. Never throws; prints one message for what went wrong. */
export async function main(argv: readonly string[]): Promise<number> {
  const signal = stopSignal();
  let exitCode: number = EXIT.ok;
  const fatal = (error: unknown): void => process.exit(explain(error));
  process.on('uncaughtException', fatal).on('unhandledRejection', fatal);
  try {
    await program(signal, (code) => { exitCode = code; }).parseAsync([...argv], { from: 'user' });
    return signal.aborted ? EXIT_STOPPED : exitCode;
  } catch (error) {
    if (signal.aborted) return EXIT_STOPPED;
    return explain(error);
  }
}

function program(signal: AbortSignal, exit: (code: number) => void): Command {
  const ovbd = new Command('ovbd')
    .description('Conformance and fuzz suite for readers of OverlayBD images (ZFile and LSMT).')
    .version(suiteVersion())
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', EXIT_CODES);

  reports(targets(columns(ovbd.command('run')
    .description('generate cases, run them on the targets, judge, shrink and report'), 'test the dm-overlaybd patch'))
    .addOption(new Option('--seed <n>', 'what all cases follow from; "random" draws one').argParser(seed).default(1))
    .addOption(new Option('--cases <n>', 'how many cases').argParser(wholeNumber(1, 1e9)).default(600))
    .option('--fail-allocations', 'with --fast or --target userspace: each case a second time with an allocation of the patch failing, and all after it')
    .option('--time <t>', 'stop starting cases after this time (90s, 5m, 1h): runs a prefix of the same cases', time)
    .option('--large-every <n>', `images above 1 MiB in one of so many cases at the most, since they take half of the time; the other cases stay as they are (default: 1; with --fast ${FAST_LARGE_EVERY})`, wholeNumber(1, 1e9)))
    .allowExcessArguments(false)
    .action(async (options) => exit(await (await import('./commands/run.ts')).run(options, signal)));

  columns(ovbd.command('guided')
    .description('libFuzzer on the patch\'s code in userspace, led by what it reaches; what it finds is judged, confirmed and shrunk as in a run'), 'fuzz the dm-overlaybd patch')
    .addOption(new Option('--seed <n>', 'of the cases to begin with and of libFuzzer\'s choices').argParser(seed).default(1))
    .option('--time <t>', 'how long to fuzz (90s, 5m, 1h; default: 1m)', time)
    .option('--executions <n>', 'in place of a time, so that a seed gives the same run', wholeNumber(1, 1e12))
    .addOption(new Option('--seeds <n>', 'drawn cases to begin with').argParser(wholeNumber(1, 1e6)).default(400))
    .option('--plain', 'libFuzzer\'s own mutations, which know nothing of the formats')
    .option('--confirm', 'run the inputs in virtual machines too')
    .option('--out <dir>', 'folder for the inputs, run.jsonl and findings/ (default: reports/out/<time>)', once)
    .option('--jobs <n>', 'instances of a target at the same time (default: one a processor)', wholeNumber(1, 64))
    .option('--known <file>', 'failures that are known, with the reason of each: they do not fail the run; repeatable', repeated)
    .option('--quiet', 'no progress')
    .allowExcessArguments(false)
    .action(async (options) => exit(await (await import('./commands/guided.ts')).guided(options, signal)));

  instances(targets(columns(ovbd.command('fuzz')
    .description('a campaign: batches of cases, each made of other features, until the budget is used up; kept in a folder from which it goes on'), 'fuzz the dm-overlaybd patch')))
    .option('--out <dir>', 'the campaign\'s folder (default: reports/out/fuzz-<seed>)', once)
    .option('--json', 'the report as one JSON document on stdout, everything else on stderr')
    .addOption(new Option('--seed <n>', 'what all batches follow from; "random" draws one').argParser(seed).default(1))
    .option('--time <t>', 'begin no batch after this time (90s, 5m, 1h; default: 10m, where nothing else ends it)', time)
    .option('--cases <n>', 'draw so many cases in all, those that are recorded included', wholeNumber(1, 1e9))
    .option('--batches <n>', 'run so many batches in all, those that are recorded included', wholeNumber(1, 1e9))
    .option('--batch-cases <n>', 'cases of a batch (default: 250; 100 where all targets are virtual machines)', wholeNumber(1, 1e6))
    .option('--share <n>', 'virtual machines are given one in so many of the cases (default: 5 beside cheaper targets, else 1)', wholeNumber(1, 1e6))
    .addOption(new Option('--shrink <n>', 'executions for shrinking one finding').argParser(wholeNumber(0, 1e6)).default(72))
    .option('--coverage', 'be led by the lines of the patch that are reached too, on kernels that count them: with --sanitize, or of yours with GCOV')
    .option('--no-feedback', 'what a batch is made of follows from the seed alone, not from what earlier batches gained')
    .option('--fresh', 'begin anew; what is recorded is set aside')
    .option('--redis [address]', 'have workers run the batches, over this Redis (default: OVBD_REDIS); --jobs is how many they are offered at a time (default: 16); docs/workers.md')
    .option('--after <dir>', 'try the findings of this campaign or run first, and say which are still there; repeatable', repeated)
    .option('--failures <dir>', 'the same with a failure store (ovbd failures), in which what is found is kept too', once)
    .option('--replay-batch <folder#n>', 'run this batch of that campaign again, from its record, and say whether it gives the same', once)
    .allowExcessArguments(false)
    .action(async (options) => exit(await (await import('./commands/fuzz.ts')).fuzz(options, signal)));

  instances(targets(columns(ovbd.command('worker')
    .description('run batches of campaigns that "ovbd fuzz --redis" coordinates, until it is stopped; takes those of the same suite and targets only'), 'fuzz the dm-overlaybd patch')))
    .option('--redis <address>', 'as redis://host:6379, rediss://… (TLS) or unix:/path (default: OVBD_REDIS, for what has a password)', once)
    .addOption(new Option('--lock <t>', 'its batches are given to others after so long without a sign of life').argParser(time).default(30_000, '30s'))
    .addOption(new Option('--slot <folder>', 'for its own processes').hideHelp())
    .allowExcessArguments(false)
    .action(async (options) => exit(await (await import('./commands/worker.ts')).worker(options, signal)));

  ovbd.command('nightly')
    .description('the stock kernels under thousands of cases, kept in batches: started again it goes on; exit code 0 only where all are done and nothing was found')
    .addOption(new Option('--seed <n>', 'what all cases follow from').argParser(wholeNumber(0, MAX_SEED)).default(1))
    .addOption(new Option('--cases <n>', 'how many on each kernel').argParser(wholeNumber(1, 1e9)).default(20_000))
    .option('--time <t>', 'stop starting batches after this time (90s, 5m, 1h): exit code 4 where some are left', time)
    .option('--kernel <kernel>', 'Debian\'s 6.1 or 6.12, or a bzImage of yours; repeatable (default: both of Debian\'s)', repeated)
    .option('--kernel-build <dir>', 'the folder in which that bzImage was built; one for each', repeated)
    .addOption(new Option('--sanitize <which>', 'each of Debian\'s kernels with sanitizers too, only so, or not').choices(['both', 'only', 'none']))
    .option('--jobs <n>', 'virtual machines at the same time (default: one a processor); results do not depend on it', wholeNumber(1, 64))
    .option('--out <dir>', 'the night\'s folder (default: reports/out/nightly-<seed>)', once)
    .addOption(new Option('--soak-boots <n>', 'boots of a pair of kernel and emulator that was never soaked').argParser(wholeNumber(0, 1e6)).default(5))
    .option('--with-cycle', 'at the end "lab cycle" on each kernel')
    .option('--with-fs', 'at the end "fs" on each kernel')
    .option('--quiet', 'no progress')
    .option('--json', 'the report as one JSON document on stdout, everything else on stderr')
    .allowExcessArguments(false)
    .action(async (options) => exit(await (await import('./commands/nightly.ts')).nightly(options, signal)));

  addCorpusCommands(ovbd, signal, exit);
  addFailureCommands(ovbd, signal, exit);

  ovbd.command('diff')
    .description('compare two runs: what is new, fixed, still there; exit code 1 where something is new')
    .argument('<runA>', 'the folder of a run, or its run.jsonl')
    .argument('<runB>', 'the later one')
    .option('--column <a=b>', 'compare this target of the first with that of the second; repeatable (default: those of the same name)', repeated)
    .option('--json', 'one JSON document on stdout')
    .action(async (a, b, options) => exit(await (await import('./commands/diff.ts')).diff(a, b, options, signal)));

  ovbd.command('retain')
    .description('remove the oldest runs from a folder of runs; never one that goes on, nor what is no run')
    .argument('<dir>', 'such as reports/out')
    .option('--keep <n>', 'runs that may stay', wholeNumber(0, 1e6))
    .option('--max-bytes <n>', 'bytes that may stay', wholeNumber(0, 1e15))
    .option('--days <n>', 'what was not written to for so many days goes', wholeNumber(0, 1e5))
    .option('--dry-run', 'only say what would go')
    .action(async (dir, options) => exit((await import('./commands/retain.ts')).retain(dir, options)));

  ovbd.command('triage')
    .description('propose known failures: an entry for each finding of a run, whose reasons are left for you to write; for --known')
    .argument('<run>', 'the folder of a run, a campaign or a night, or a run.jsonl')
    .option('-o, --output <file>', 'the file, to which entries are added where it is there; what is in it stays (default: standard output)', once)
    .option('--reason <text>', 'of every entry that is added', once)
    .option('--link <address>', 'of every entry that is added', once)
    .action(async (run, options) => exit(await (await import('./commands/triage.ts')).triage(run, options, signal)));

  ovbd.command('coverage')
    .description('what runs with --coverage have reached of the same sources, side by side, and what all of them together have not')
    .argument('<run...>', 'folders of runs')
    .option('-o, --output <dir>', 'where to write the coverage of all together: summary.txt, index.html, lcov.info, coverage.json', once)
    .action(async (runs, options) => exit(await (await import('./commands/coverage.ts')).coverage(runs, options, signal)));

  ovbd.command('report')
    .description('make a report of a stored run; what is damaged or missing in it is said, and the rest is shown')
    .argument('<run>', 'the folder of a run, or its run.jsonl')
    .addOption(new Option('--format <form>', 'what to make; badge is SVG, badge-json what shields.io takes, errata one page for each implementation').choices(REPORT_FORMATS).makeOptionMandatory())
    .option('-o, --output <file>', 'where to write (errata: a folder, or a file that ends in .md); "-" is standard output, the default', once)
    .option('--against <run>', 'an earlier run to compare with; repeatable', repeated)
    .option('--embargo', 'leave out bytes of images, scripts, logs and the commands that show findings again')
    .addOption(new Option('--draw <n>', 'cases of an earlier version\'s run that are drawn again at the most, to know which clauses they touch').argParser(wholeNumber(0, 1e6)).default(1000))
    .action(async (run, options) => exit(await (await import('./commands/report.ts')).report(run, options, signal)));

  ovbd.command('serve')
    .description('show the runs of a folder in a browser of this machine; nothing else is served, and to nobody else')
    .argument('[folder]', 'where runs are, with the folders in it', 'reports/out')
    .addOption(new Option('--port <n>', 'of 127.0.0.1 and ::1 (default: any that is free)').argParser(wholeNumber(0, 65_535)).default(0, 'any'))
    .action(async (folder, options) => exit(await (await import('./commands/serve.ts')).serve(folder, options, signal)));

  ovbd.command('completion')
    .description('print what a shell needs to complete commands, options and their words: . <(ovbd completion bash)')
    .addArgument(new Argument('<shell>', 'for which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell) => exit(await (await import('./commands/completion.ts')).completion(shell, ovbd, signal)));

  columns(ovbd.command('compare')
    .description('readers on the same cases or images, or writers on the same inputs: who does the same, and where they part first')
    .argument('[image...]', 'image files, bottom to top, rather than generated cases; a writable pair as data:index')
    .option('--targets <names>', 'readers (or writers), separated by commas; the others are compared with the first (default: oracle,fake-reader; ours and all that are installed)', repeated)
    .addOption(new Option('--writers [what]', 'compare what writers make of the same inputs: layers or ZFiles; a writer may be "command:PROGRAM … {data} {index} {out}" (ZFiles: {in} {out})').choices(['lsmt', 'zfile']).preset('lsmt'))
    .option('--targets-file <file>', 'readers of yours, known by their command line (docs/readers.md); repeatable', repeated)
    .addOption(new Option('--seed <n>', 'what all cases follow from').argParser(seed).default(1))
    .addOption(new Option('--cases <n>', 'how many cases').argParser(wholeNumber(1, 1e9)).default(600))
    .addOption(new Option('--as <form>', 'what the image files are').choices(['device', 'zfile']).default('device')),
  'for --targets patch: the patch')
    .option('--no-vm', 'leave out what needs a virtual machine')
    .option('--jobs <n>', 'instances of a target at the same time; results do not depend on it', wholeNumber(1, 64))
    .option('--out <dir>', 'keep compare.json, compare.txt and the images of each difference in this folder', once)
    .option('--quiet', 'no progress')
    .option('--json', 'one JSON document on stdout')
    .action(async (images, options) => exit(await (await import('./commands/compare.ts')).compare(images, options, signal)));

  ovbd.command('targets')
    .description('readers and writers that join by their command line: which there are, which are installed, how far each was tried')
    .option('--file <file>', 'entries of yours besides those that come with the suite; repeatable', repeated)
    .option('--json', 'one JSON document on stdout')
    .action(async (options) => exit(await (await import('./commands/targets.ts')).listTargets(options, signal)));

  ovbd.command('replay')
    .description('run a stored finding again: exit code 1 where it (or another) shows, 0 where none does')
    .argument('<finding>', 'its folder, under a run\'s findings/')
    .option('--patch <file>', 'on this patch rather than on the one it was found with', once)
    .option('--source <dir>', 'the same, from a folder with the module\'s sources', once)
    .option('--module <file.ko>', 'the same, as a built module', once)
    .option('--times <n>', 'how many times, each in a fresh instance', wholeNumber(1, 1000), 1)
    .option('--script', 'run the finding\'s repro.sh instead, in a virtual machine in which nothing of ours runs')
    .action(async (finding, options) => exit(await (await import('./commands/replay.ts')).replay(finding, options, signal)));

  ovbd.command('read')
    .description('read images strictly: write the merged device, or refuse with the clause that is violated')
    .argument('<layer...>', 'image files, bottom to top; a writable pair as data:index')
    .requiredOption('-o, --output <file>', 'where to write; "-" is standard output', once)
    .addOption(new Option('--as <form>', 'what to write').choices(['device', 'zfile']).default('device'))
    .action(async (layers, options) => exit(await (await import('./commands/read.ts')).read(layers, options, signal)));

  ovbd.command('smoke')
    .description('prove in seconds that a target speaks the protocol (targets/process/PROTOCOL.md) and reads, and say in plain words what is wrong with it')
    .argument('<target>', 'a command line, as one word: "python3 reader.py"; or what run\'s --target takes')
    .option('--targets-file <file>', 'readers of yours, known by their command line (docs/readers.md); repeatable', repeated)
    .addOption(new Option('--time <t>', 'how long it has for each answer').argParser(time).default(30_000, '30s'))
    .option('--verbose', 'show every message')
    .action(async (target, options) => exit(await (await import('./commands/smoke.ts')).smoke(target, options, signal)));

  ovbd.command('inspect')
    .description('show what images hold: envelopes, every field, blocks and index entries, and what is unusual; judges nothing')
    .argument('<image...>', 'image files; a writable pair as data:index')
    .addOption(new Option('--limit <n>', 'rows of a list, before unusual and last ones').argParser(wholeNumber(0, 1e6)).default(12))
    .option('--all', 'all rows')
    .option('--blocks', 'of the lists only the blocks of ZFiles')
    .option('--entries', 'of the lists only the index entries of layers')
    .option('--json', 'one JSON document; integers above 2^53 - 1 are strings of digits')
    .action(async (images, options) => exit(await (await import('./commands/inspect.ts')).inspect(images, options, signal)));

  ovbd.command('spec')
    .description('print the specification: every clause with its cases, and the tables of fields')
    .argument('[prefix]', 'only the clauses whose ids start with it, as ZF-IDX')
    .addOption(new Option('--format <form>', 'how').choices(['md', 'json']).default('md'))
    .option('-o, --output <file>', 'where to write; "-" is standard output, the default', once)
    .option('--no-cases', 'do not draw cases to name some for each clause')
    .action(async (prefix, options) => exit(await (await import('./commands/spec.ts')).spec(prefix, options, signal)));

  ovbd.command('check')
    .description('say every clause that layers and their stack violate, with file, byte, and what was expected')
    .argument('<layer...>', 'image files, bottom to top; a writable pair as data:index')
    .addOption(new Option('--as <form>', 'what the files are').choices(['device', 'zfile']).default('device'))
    .option('--remote <file>', 'the file that a single warp layer maps besides itself', once)
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', CHECK_HELP)
    .action(async (layers, options) => exit(await (await import('./commands/check.ts')).check(layers, options, signal)));

  const lab = ovbd.command('lab').description('the kernel lab: kernels, emulators and what is built for them');
  const labKernels = (command: Command): Command => command
    .option('--kernel <name>', 'a series (6.1, 6.12) or the path of a bzImage; repeatable', repeated)
    .option('--kernel-build <dir>', 'the folder in which that bzImage was built', once)
    .option('--sanitize', 'the series built with KASAN, UBSAN and line counts');
  lab.command('list')
    .description('what is in the cache, with size and age, and what soaks found')
    .action(async () => exit(await (await import('./commands/lab.ts')).labList()));
  labKernels(lab.command('prepare'))
    .description('download and build what runs on these kernels need')
    .action(async (options) => exit(await (await import('./commands/lab.ts')).labPrepare(options, signal)));
  lab.command('clean')
    .description('remove what is made again in seconds, and superseded kernels; never while another run uses the cache')
    .option('--all', 'everything: kernels, emulators, and what soaks found')
    .action(async (options) => exit(await (await import('./commands/lab.ts')).labClean(options, signal)));
  labKernels(lab.command('soak'))
    .description('boot kernels again and again, run the stock target on them, and remember what fails by itself (default: the cached kernels)')
    .addOption(new Option('--boots <n>', 'boots from nothing').argParser(wholeNumber(1, 1e6)).default(10))
    .addOption(new Option('--cases <n>', 'cases of the stock target').argParser(wholeNumber(0, 1e9)).default(200))
    .addOption(new Option('--qemu <which>', 'rather than the one that the lab takes').choices(['machine', 'backports']))
    .option('--afresh', 'forget what was found of these pairs before')
    .action(async (options) => exit(await (await import('./commands/lab.ts')).labSoak(options, signal)));

  columns(lab.command('cycle')
    .description('make and remove devices thousands of times, and see whether the kernel gives everything back; then reload the module'),
  'of the module of the patch, rather than of the stock kernel,')
    .addOption(new Option('--iterations <n>', 'cycles of each kind of device').argParser(wholeNumber(8, 1e6)).default(2000))
    .option('--out <dir>', 'folder for run.jsonl, junit.xml and findings/ (default: reports/out/<time>)', once)
    .action(async (options) => exit(await (await import('./commands/cycle.ts')).labCycle(options, signal)));

  columns(ovbd.command('fs')
    .description('write a real directory tree into ext4, EROFS and squashfs, in layers, mount them in a VM, and compare every file'),
  'through the module of the patch, rather than the stock kernel,')
    .option('--tree <dir>', 'the tree', '/usr/share/doc')
    .addOption(new Option('--megabytes <n>', 'how much of it').argParser(wholeNumber(1, 200)).default(3))
    .addOption(new Option('--layers <n>', 'layers, 1 to 8; repeatable (default: 1 and 4)').argParser((text, before: string[] | undefined) => repeated(String(wholeNumber(1, 8)(text)), before)))
    .addOption(new Option('--type <name...>', 'file systems (default: all)').choices(['ext4', 'erofs', 'squashfs']))
    .option('--out <dir>', 'folder for run.jsonl, junit.xml and findings/ (default: reports/out/<time>)', once)
    .action(async (options) => exit(await (await import('./commands/fs.ts')).fs(options, signal)));

  ovbd.command('doctor')
    .description('say what is there for a run and what is missing')
    .action(async () => exit(await (await import('./commands/doctor.ts')).doctor()));

  return ovbd;
}

/** Prints what went wrong, and returns its exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    // It has printed its message already; help and version are what was asked for.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  const known = error instanceof UsageError || error instanceof EngineError;
  const message = error instanceof Error ? error.message : String(error);
  // An errno (no space, no permission) says enough by itself; anything else is a mistake of ours.
  const internal = !known && (error as NodeJS.ErrnoException | null)?.errno === undefined;
  process.stderr.write(`ovbd: ${internal ? `internal error: ${message} (OVBD_DEBUG=1 shows where)` : message}\n`);
  if (process.env['OVBD_DEBUG'] === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return error instanceof UsageError ? EXIT.usage : EXIT.engine;
}
