// SPDX-License-Identifier: MIT
export * from './read.ts';
export * from './crowd.ts';
export * from './case.ts';
export * from './expectation.ts';
export * from './observation.ts';
export * from './verdict.ts';
export * from './stance.ts';
export * from './finding.ts';
export * from './identity.ts';
export * from './events.ts';
export * from './errors.ts';
export * from './lowered.ts';
export * from './table.ts';
export * from './fault.ts';
export * from './view.ts';
export * from './coverage.ts';
export * from './comparison.ts';
