// SPDX-License-Identifier: MIT
/** The bytes of a dump as `qemu-io -c 'read -v'` prints it: `00000000:  xx xx …  text` lines on standard input, bytes on standard output. */
import { createInterface } from 'node:readline';

const bytes = [];
for await (const line of createInterface({ input: process.stdin })) {
  const found = /^[0-9a-f]{8,16}: {2}((?:[0-9a-f]{2} ){1,16})/.exec(line);
  if (found) bytes.push(Buffer.from(found[1].replaceAll(' ', ''), 'hex'));
}
process.stdout.write(Buffer.concat(bytes));
