// SPDX-License-Identifier: MIT
/** Stacks of layers, and how layers travel. The order is the one in which a reader meets the clauses. */
import { clause, contested, settled } from '../clause.ts';

/** What is met before any layer is. */
export const COUNT_CLAUSES = [
  contested('ST-CNT-01', 'MUST', 'ref', 'image', 'A stack has 1 to 255 layers.', 'st.256-layers', 'The kernel patches say 256.'),
] as const;

/** What is outside of ZFile and LSMT. */
export const TRANSPORT_CLAUSES = [
  clause('TR-TAR-01', 'MUST', ['ustar', 'ref'], 'image', 'A layer in a tar starts after its ustar header of 512 bytes, or after a pax header, its records and a ustar header (1536).'),
  contested('TR-TAR-03', 'MUST', ['ustar', 'ref'], 'image', 'The version of a ustar header is 00 and its checksum is right.', 'tr.tar-header-lax',
    'The reference takes a file whose header fails either for no tar at all; a reader may also not look.'),
  clause('TR-TAR-02', 'MUST', ['ustar', 'ref'], 'image', 'Its length is that of the pax header’s size record, else of the ustar header; it lies inside the file.'),
  clause('TR-TAR-04', 'MUST', 'ref', 'reader', 'What follows the layer in the tar has no meaning.'),
] as const;

export const STACK_CLAUSES = [
  clause('ST-WRAP-01', 'MUST', ['doc', 'ref'], 'reader',
    'A layer inside a ZFile maps sectors of the decoded file.'),
  clause('ST-WRAP-02', 'MUST', ['doc', 'ref'], 'reader', 'Layers of a stack may be raw, in ZFiles and in tars, each as it is.'),
  clause('ST-SIZE-01', 'MUST', 'ref', 'reader', 'The virtual size is that of the topmost layer whose virtual_size is not 0.'),
  contested('ST-SIZE-04', 'MUST', 'suite', 'reader', 'A stack whose layers all have virtual_size 0 is a device of 0 bytes.', 'st.no-size-refused',
    'The reference leaves the size undefined; there is nothing to deploy either way.'),
  contested('ST-SIZE-02', 'MUST', 'suite', 'reader', 'Mappings beyond the virtual size are never seen.', 'st.mapping-beyond-size-refused',
    'The reference does not clamp; a smaller upper layer is how a device shrinks.'),
  settled('ST-SIZE-03', 'MUST', 'suite', 'reader', 'Reads are cut at the virtual size.', 'io.past-end-error',
    'A block device cuts; a reader behind an interface without short reads may fail a read that crosses the end.'),
  clause('ST-MRG-01', 'MUST', ['doc', 'ref'], 'reader', 'Where layers overlap, the uppermost entry decides.'),
  clause('ST-MRG-02', 'MUST', ['doc', 'ref'], 'reader', 'A gap in an upper layer shows the next lower layer.'),
  clause('ST-MRG-03', 'MUST', ['doc', 'ref'], 'reader', 'A zeroed entry of an upper layer hides the layers below it.'),
  clause('ST-MRG-04', 'MUST', ['doc', 'ref'], 'reader', 'What no layer maps reads as zeros.'),
  clause('ST-MRG-05', 'MUST', 'ref', 'reader', 'An entry that an upper layer covers in part maps with what is left of it the same sectors as before.'),
  clause('ST-DUP-01', 'MUST', 'suite', 'reader', 'The same file may stand in a stack more than once.'),
] as const;
