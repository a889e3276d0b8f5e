// SPDX-License-Identifier: MIT
/** Targets that are programs, and commands run under limits. */
export { openProcessTarget, describeTarget, type ProcessTargetOptions } from './process-target.ts';
export { Child, commandPath, type ChildEnd, type CommandLine, type Overrun } from './child.ts';
export { runCommand, type CommandBounds, type CommandResult } from './command.ts';
export { DEFAULT_LIMITS, type ChildLimits } from './limits.ts';
export { DEFAULT_DEADLINES, NoTarget, ProcessSession, type Deadlines } from './session.ts';
export { complaintsIn, diedOf, endingOf, type Ending } from './ending.ts';
export { errorReports, type ErrorReport } from './errors.ts';
export { splitWords } from './words.ts';
