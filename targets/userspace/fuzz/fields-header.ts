// SPDX-License-Identifier: MIT
/** The field tables as a C header, so that the mutator has no offsets of its own. */
import {
  BLOCK_CRC_SEED, JUMP_ENTRY, LSMT_HEADER, LSMT_MAGIC0, LSMT_SPACE, SEGMENT_BITS, SEGMENT_ENTRY, ZFILE_FLAG, ZFILE_HEADER, ZFILE_MAGIC0, ZFILE_SPACE,
  type Structure,
} from '../../../spec/fields.ts';

/** Text of `fields.h`: a row for each field that is a number, and the names that the mutator needs. */
export function fieldsHeader(): string {
  return [
    '/* Made from spec/fields.ts. */',
    '#ifndef OVBD_FIELDS_H',
    '#define OVBD_FIELDS_H',
    'struct field { unsigned short at; unsigned char bytes; };',
    rows('zfile_fields', ZFILE_HEADER),
    rows('lsmt_fields', LSMT_HEADER),
    ...places('ZFILE', ZFILE_HEADER),
    ...places('LSMT', LSMT_HEADER),
    `#define ZFILE_SPACE ${ZFILE_SPACE}u`,
    `#define LSMT_SPACE ${LSMT_SPACE}u`,
    `#define JUMP_ENTRY ${JUMP_ENTRY}u`,
    `#define SEGMENT_ENTRY ${SEGMENT_ENTRY}u`,
    `#define BLOCK_CRC_SEED ${BLOCK_CRC_SEED}u`,
    `#define ZFILE_DIGEST_BIT ${ZFILE_FLAG.digest}u`,
    `#define ZFILE_MAGIC { ${[...ZFILE_MAGIC0].join(', ')} }`,
    `#define LSMT_MAGIC { ${[...LSMT_MAGIC0].join(', ')} }`,
    'struct bits { unsigned char word, shift, width; };',
    `static const struct bits segment_bits[] = { ${Object.values(SEGMENT_BITS).map((b) => `{ ${b.word}, ${b.shift}, ${b.width} }`).join(', ')} };`,
    '#endif',
    '',
  ].join('\n');
}

function rows(name: string, s: Structure): string {
  const numbers = s.fields.filter((f) => f.type !== 'bytes' && f.type !== 'ascii');
  return `static const struct field ${name}[] = { ${numbers.map((f) => `{ ${f.offset}, ${f.size} }`).join(', ')} };`;
}

function places(prefix: string, s: Structure): string[] {
  return s.fields.map((f) => `#define ${prefix}_${f.name.toUpperCase()}_AT ${f.offset}u`);
}
