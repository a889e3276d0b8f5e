#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// A target that speaks the protocol, as a process: fake.ts, from any working folder.
import { register } from 'tsx/esm/api';

register({ tsconfig: false });
const { main } = await import('./fake.ts');
await main(process.argv.slice(2));
