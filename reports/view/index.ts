// SPDX-License-Identifier: MIT
export * from './view.ts';
export { viewOf, worstFirst } from './build.ts';
export { feed } from './feed.ts';
