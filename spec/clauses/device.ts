// SPDX-License-Identifier: MIT
/** Block devices over images: tables and reads. */
import { clause, contested } from '../clause.ts';

export const DEVICE_CLAUSES = [
  clause('DM-TBL-01', 'MUST', 'rfc', 'A zfile device is given its backing device and the ZFile’s bytes; its table covers the whole sectors of the decoded file.'),
  clause('DM-TBL-02', 'MUST', 'rfc', 'An lsmt device is given each layer’s device and bytes, bottom first; its table covers the virtual size.'),
  clause('DM-TBL-03', 'MUST', 'suite', 'A table over an image that must be refused fails to load, and every device it took is free again.'),
  clause('DM-BACK-01', 'MUST', 'suite', 'A backing device may end with the image’s last sector.'),
  clause('DM-RD-01', 'MUST', 'kernel', 'A read of whole pages gives the device’s bytes.'),
  clause('DM-RD-02', 'MUST', 'kernel', 'A read may start, end and land in memory at any sector inside a page.'),
  clause('DM-RD-03', 'MUST', 'kernel', 'A read writes nothing outside the memory it was given.'),
  clause('DM-RD-04', 'MUST', 'kernel', 'A read through the page cache gives the same bytes as a direct one.'),
  clause('DM-RD-05', 'MUST', 'kernel', 'Every byte of a completed read was written.'),
  contested('DM-TBL-04', 'MUST', 'suite', 'The last sector of a ZFile that ends inside a sector is not part of the device.',
    'dm.ceil-size', 'Neither document says; a device has whole sectors and the tail is not a layer’s.'),
  clause('DM-SAFE-01', 'MUST', 'suite', 'No image, table or read crashes the kernel, corrupts its memory or leaves a task waiting for ever.'),
  clause('DM-FREE-01', 'MUST', 'kernel', 'A removed or refused device leaves nothing behind.'),
] as const;
