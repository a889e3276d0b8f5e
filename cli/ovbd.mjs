#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// The program is TypeScript and runs as it is: tsx loads it, from any working folder.
let tsx;
try {
  tsx = await import('tsx/esm/api');
} catch {
  process.stderr.write('ovbd: its packages are not installed: run "npm ci" in its folder first\n');
  process.exit(2);
}
// Not the tsconfig.json of whatever folder we are called in.
tsx.register({ tsconfig: false });
const { main } = await import('./main.ts');
process.exit(await main(process.argv.slice(2)));
