// SPDX-License-Identifier: MIT
/** What the process fake can do wrong, each at a point of a case, and what becomes of it. */

export const FAULTS = {
  'hangs': 'says nothing more, at open',
  'hangs-reading': 'says nothing more, at a read',
  'spins': 'computes without end, at open',
  'hangs-at-bye': 'does not end',
  'ignores-signals': 'hangs, and no signal but SIGKILL ends it',
  'sleeps': 'answers late, but in time',
  'segfaults': 'dies of SIGSEGV at open',
  'is-killed': 'is killed by somebody else, at open',
  'aborts': 'dies of SIGABRT at a read',
  'exits': 'ends with exit code 0 at open, without a word',
  'exits-with-3': 'ends with exit code 3 at a read',
  'half-a-message': 'ends in the middle of an answer',
  'half-and-hangs': 'says half an answer and nothing more',
  'wrong-id': 'answers another case',
  'no-json': 'says what is no JSON',
  'wrong-order': 'says done before its reads',
  'answers-twice': 'says done twice',
  'floods-stdout': 'writes to standard output without end or line end',
  'floods-lines': 'writes lines to standard output without end',
  'floods-stderr': 'writes to standard error without end',
  'much-stderr': 'writes 8 MiB to standard error and goes on as it should',
  'eats-memory': 'takes memory without end',
  'forks': 'starts processes without end',
  'wrong-bytes': 'reads as much as it should, and one byte is another',
  'repeats-want': 'says that it read what was wanted, whatever that is',
  'stale-bytes': 'gives the bytes of the case before in place of the last read’s',
  'no-output': 'says another digest and writes nothing',
  'output-too-short': 'writes fewer bytes than it says',
  'leaves-a-child': 'starts a process that holds its output, and ends with exit code 0',
  'leaves-a-stranger': 'the same in a session of its own, and hangs',
  'reports-asan': 'ends with what AddressSanitizer says',
  'reports-ubsan': 'goes on after what UBSan says',
  'reports-leak': 'ends after bye with what LeakSanitizer says',
  'panics-go': 'ends as Go does',
  'reader-crashed': 'says that the reader behind it crashed',
  'mute': 'does not describe itself',
  'describes-nonsense': 'describes itself wrongly',
} as const;
export type Fault = keyof typeof FAULTS;

export function isFault(name: string): name is Fault {
  return Object.hasOwn(FAULTS, name);
}
