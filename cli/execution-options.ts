// SPDX-License-Identifier: MIT
/** Options that several commands have: what is tested, on what, and how it is reported. */
import { Option, type Command } from 'commander';
import { once, repeated, wholeNumber } from './options.ts';

/** The options that say which sources run on which kernels; `what` begins what --patch does. */
export function columns(command: Command, what: string): Command {
  return command
    .option('--patch <file>', `${what} in this mail, thread, diff, page, folder of mails, address, or - (standard input); FILE#v2 takes one version of a thread; repeatable`, repeated)
    .option('--source <dir>', 'the same, from a folder with the module\'s sources; with --patch: what that patch changes', once)
    .option('--module <file.ko>', 'the same, as a module built for the lab\'s kernel', once)
    .option('--kernel <kernel>', 'Debian\'s 6.1 (default) or 6.12, or a bzImage of yours; repeatable', repeated)
    .option('--kernel-build <dir>', 'the folder in which that bzImage was built; one for each', repeated)
    .addOption(new Option('--sanitize [which]', 'each of Debian\'s kernels with sanitizers too, or only so').choices(['both', 'only']).preset('both'))
    .addOption(new Option('--qemu <which>', 'this emulator, unless it is known to fail by itself with the kernel (default: one that holds)').choices(['machine', 'backports']));
}

/** The options that name targets. */
export function targets(command: Command): Command {
  return command
    .option('--target <name>', 'oracle, canary, fake-lies, fake-crashes, stock, patch, userspace, patch:v2 and userspace:v2 (one version of several), process:COMMAND (a program that speaks the target protocol); repeatable (default: oracle, and stock or patch)', repeated)
    .option('--targets-file <file>', 'readers of yours, known by their command line (docs/readers.md); their names are for --target; repeatable', repeated);
}

/** The options that say how cases run, and what is said of it. `store`: whether what is found can be kept. */
export function reports(command: Command, store = true): Command {
  if (store) command.option('--store <dir>', 'keep what is found in this failure store too (ovbd failures)', once);
  return instances(command
    .option('--quarantine <file>', 'keep what does not show each time it is tried in this file: it does not fail later runs, until it expires', once)
    .option('--embargo <dir>', 'put images, seeds and replays into this private folder only: report and output have nothing from which an image could be made again', once)
    .option('--out <dir>', 'folder for run.jsonl, junit.xml and findings/ (default: reports/out/<time>)', once))
    .option('--coverage', 'count which lines and branches of the patch are reached, on kernels that can: with --sanitize, or of yours with GCOV')
    .option('--json', 'events as JSON Lines on stdout, everything else on stderr')
    .addOption(new Option('--format <form>', 'what stdout has; everything else goes to stderr where it is for tools').choices(['text', 'json', 'ktap']));
}

/** The options that say where cases run. */
export function instances(command: Command): Command {
  return command
    .option('--known <file>', 'failures that are known, with the reason of each: they do not fail the run (ovbd triage proposes the file); repeatable', repeated)
    .option('--no-vm', 'leave out what needs a virtual machine')
    .option('--fast', 'the patch\'s code in userspace, under sanitizers, in place of virtual machines: many times as fast; what it finds a machine has to confirm')
    .option('--jobs <n>', 'instances of a target at the same time (default: one a processor); results do not depend on it', wholeNumber(1, 64))
    .option('--quiet', 'no progress');
}
