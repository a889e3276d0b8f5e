// SPDX-License-Identifier: MIT
/** Block devices over images: tables and reads. The order is the one in which a driver meets the clauses. */
import { clause, contested, settled } from '../clause.ts';

/** What is judged before any image is looked at. */
export const TABLE_CLAUSES = [
  clause('DM-TBL-05', 'MUST', 'rfc', 'table', 'A zfile table has two arguments, an lsmt table two a layer and at least two; any other number is refused.'),
  clause('DM-TBL-06', 'MUST', 'rfc', 'table', 'Each second argument is the image’s bytes, a positive decimal number; anything else is refused.'),
  clause('DM-TBL-07', 'MUST', 'suite', 'table', 'Each first argument names a block device that is there; otherwise the table is refused.'),
  clause('DM-TBL-10', 'MUST', 'kernel', 'table', 'A device that somebody holds for himself alone is not taken: the table is refused.'),
  clause('DM-TBL-08', 'MUST', 'suite', 'table', 'An image of more bytes than its device has is refused.'),
  clause('DM-TBL-09', 'MUST', 'rfc', 'reader', 'An image ends with the bytes that its argument says, whatever the device holds behind them.'),
] as const;

export const DEVICE_CLAUSES = [
  clause('DM-TBL-01', 'MUST', 'rfc', 'reader', 'A zfile device is given its backing device and the ZFile’s bytes; its table covers the whole sectors of the decoded file.'),
  clause('DM-TBL-02', 'MUST', 'rfc', 'reader', 'An lsmt device is given each layer’s device and bytes, bottom first; its table covers the virtual size.'),
  clause('DM-TBL-03', 'MUST', 'suite', 'reader', 'A table over an image that must be refused fails to load, and every device it took is free again.'),
  settled('DM-TBL-04', 'MUST', 'suite', 'reader', 'The last sector of a ZFile that ends inside a sector is not part of the device: a table of whole sectors is right.',
    'dm.ceil-size', 'Neither document says; a device has whole sectors and the tail is not a layer’s. A driver that wants a table with the last sector must say so.'),
  contested('DM-TBL-11', 'MUST', 'suite', 'reader',
    'A table need not be as long as the image: of a shorter one the device ends there, of a longer one all that the image has is right.',
    'dm.length-refused', 'No document says who must see to it; behind the image’s end nothing is said of the bytes, nor that a read succeeds.'),
  clause('DM-TBL-12', 'MUST', 'suite', 'reader', 'A table may name a device more than once, and several devices may stand over the same ones at a time.'),
  clause('DM-TBL-13', 'MUST', 'kernel', 'reader', 'A zfile device may stand over a zfile device.'),
  clause('DM-BACK-01', 'MUST', 'suite', 'reader', 'A backing device may end with the image’s last sector.'),
  clause('DM-RD-01', 'MUST', 'kernel', 'reader', 'A read of whole pages gives the device’s bytes.'),
  clause('DM-RD-02', 'MUST', 'kernel', 'reader', 'A read may start, end and land in memory at any sector inside a page.'),
  clause('DM-RD-03', 'MUST', 'kernel', 'reader', 'A read writes nothing outside the memory it was given.'),
  clause('DM-RD-04', 'MUST', 'kernel', 'reader', 'A read through the page cache gives the same bytes as a direct one.'),
  clause('DM-RD-05', 'MUST', 'kernel', 'reader', 'Every byte of a completed read was written.'),
  clause('DM-RD-06', 'MUST', 'kernel', 'reader', 'A mapping of the device shows the same bytes as a direct read, and zeros behind the device’s end in its last page.'),
  clause('DM-RD-07', 'MUST', 'kernel', 'reader', 'A read may fill several buffers, of any sizes that its way of reading allows and anywhere in memory, as if they were one.'),
  clause('DM-RD-08', 'MUST', 'kernel', 'reader', 'A read may be as long as one request can be made, and longer: where it is cut for the layers below it does not show.'),
  clause('DM-RD-09', 'MUST', 'kernel', 'reader', 'Readers that read at the same time get each what one alone would.'),
  clause('DM-LIVE-01', 'MUST', 'kernel', 'reader', 'A device may be suspended and resumed while it is read: each read waits, ends in bounded time and is right.'),
  clause('DM-LIVE-02', 'MUST', 'kernel', 'reader', 'A device may be given its table again while it is read, and no read shows it.'),
  clause('DM-LIVE-03', 'MUST', 'kernel', 'reader', 'Trying to remove a device that is open changes nothing about it; where it is to be removed later, nothing until the last one closes it.'),
  clause('DM-LIVE-04', 'MUST', 'kernel', 'reader', 'A device that is given the table of another image shows nothing of the one before, through the page cache neither.'),
  clause('DM-FLT-01', 'MUST', 'kernel', 'reader',
    'Where a device under an image cannot be read, now or before, a table is refused or a read gives the right bytes or an error, soon; never other bytes. Which bytes a reader fetches, and when, is its own affair: any read may fail.'),
  clause('DM-FLT-02', 'MUST', 'kernel', 'reader', 'A device under an image that answers late changes no byte and fails no read.'),
  clause('DM-WR-01', 'MUST', 'suite', 'reader', 'Whatever is tried on a device, of writes, discards, zeroing, flushes and ioctls, the images’ bytes and the device’s stay what they are.'),
  contested('DM-WR-02', 'MUST', 'suite', 'reader', 'A table that is loaded for reading and writing is taken; its device just cannot be written.',
    'dm.writable-refused', 'The kernel patches say nothing; a read-only target may also insist on a read-only table, as some of the kernel’s do.'),
  clause('DM-SAFE-01', 'MUST', 'suite', 'reader', 'No image, table or read crashes the kernel, corrupts its memory or leaves a task waiting for ever.'),
  clause('DM-FREE-01', 'MUST', 'kernel', 'reader', 'A removed or refused device leaves nothing behind.'),
] as const;
