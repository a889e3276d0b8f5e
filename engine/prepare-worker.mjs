// SPDX-License-Identifier: MIT
// A thread begins without what lets the program run as it is: TypeScript. Not the tsconfig.json of whatever folder we are called in.
import { register } from 'tsx/esm/api';

register({ tsconfig: false });
await import('./prepare-worker.ts');
