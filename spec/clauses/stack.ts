// SPDX-License-Identifier: MIT
/** Stacks of layers, and how layers travel. */
import { clause, contested } from '../clause.ts';

export const STACK_CLAUSES = [
  clause('ST-MRG-01', 'MUST', ['doc', 'ref'], 'Where layers overlap, the uppermost entry decides.'),
  clause('ST-MRG-02', 'MUST', ['doc', 'ref'], 'A gap in an upper layer shows the next lower layer.'),
  clause('ST-MRG-03', 'MUST', ['doc', 'ref'], 'A zeroed entry of an upper layer hides the layers below it.'),
  clause('ST-MRG-04', 'MUST', ['doc', 'ref'], 'What no layer maps reads as zeros.'),
  clause('ST-SIZE-01', 'MUST', 'ref', 'The virtual size is that of the topmost layer whose virtual_size is not 0.'),
  contested('ST-SIZE-02', 'MUST', 'suite', 'Mappings beyond the virtual size are never seen.', 'st.mapping-beyond-size-refused',
    'The reference does not clamp; a smaller upper layer is how a device shrinks.'),
  clause('ST-SIZE-03', 'MUST', 'suite', 'Reads are cut at the virtual size.'),
  contested('ST-CNT-01', 'MUST', 'ref', 'A stack has 1 to 255 layers.', 'st.256-layers', 'The kernel patches say 256.'),
  clause('ST-WRAP-01', 'MUST', ['doc', 'ref'],
    'A layer inside a ZFile maps sectors of the decoded file.'),
  clause('TR-TAR-01', 'MUST', ['ustar', 'ref'], 'A layer in a tar starts after its ustar header of 512 bytes, or 1536 with a pax header.'),
  clause('TR-TAR-02', 'MUST', ['ustar', 'ref'], 'Its length is that of the ustar header, or of the pax header’s size record.'),
] as const;
