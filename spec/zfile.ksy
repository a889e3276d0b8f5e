# SPDX-License-Identifier: MIT
meta:
  id: zfile
  title: ZFile, OverlayBD's seekable compressed file
  file-extension:
    - zf
    - ozf
  license: MIT
  ks-version: 0.9
  encoding: ASCII
  endian: le
doc: |
  A file compressed in blocks of one size, so that any byte of it can be had by
  decoding one block. Header and trailer have the same 512 bytes; flag bit 3 of
  the header says which of the two holds the fields that count. Between them
  stand room for a dictionary, the blocks, and the jump table with the stored
  size of each block.

  To browse a ZFile, open it with this file in Kaitai's Web IDE or visualizer.
  This description shows every file that has the room for a header, a damaged
  one too: each position and count that the file names is cut at its end. It
  judges nothing; the clauses whose numbers stand in `doc-ref` do.
doc-ref: spec/clauses/zfile.ts

instances:
  header:
    pos: 0
    size: 512
    type: header
    if: _io.size >= 512
    doc-ref: ZF-HDR-01
  trailer:
    pos: _io.size - 512
    size: 512
    type: header
    if: _io.size >= 1024
    doc: The last 512 bytes, whether they are a trailer or not.
    doc-ref: ZF-TRL-01
  is_header_mode:
    value: _io.size >= 512 and header.flag_header_overwrite
    doc: Whether the fields come from the header and the trailer is not consulted.
    doc-ref: ZF-TRL-06
  has_fields:
    value: is_header_mode or _io.size >= 1024
    doc: Whether the file is long enough for the header or trailer that counts.
  fields:
    value: 'is_header_mode ? header : trailer'
    if: has_fields
    doc: The header or the trailer, whichever counts.
    doc-ref: ZF-TRL-01
  space:
    value: 'is_header_mode ? _io.size : _io.size - 512'
    if: has_fields
    doc: Bytes before the trailer, or of the whole file where the header counts.
    doc-ref: ZF-IDX-02

  dictionary:
    pos: 512
    size: 'fields.dict_size > space - 512 ? space - 512 : fields.dict_size'
    if: has_fields and fields.dict_size != 0
    doc: Space between the header and the first block, as much of it as there is.
    doc-ref: ZF-OPT-04

  len_jump_table:
    value: >-
      fields.index_offset.value > space ? 0 :
      fields.index_size.value > (space - fields.index_offset.value) / 4 ? (space - fields.index_offset.value) / 4 :
      fields.index_size.value
    if: has_fields
    doc: Entries of the jump table that the file has room for.
    doc-ref: ZF-IDX-09
  is_jump_table_whole:
    value: len_jump_table == fields.index_size.value
    if: has_fields
    doc: Whether all entries that the file claims are there.
    doc-ref: ZF-IDX-02
  jump_table:
    pos: fields.index_offset.value
    type: u4
    repeat: expr
    repeat-expr: len_jump_table
    if: has_fields and fields.index_offset.value <= space
    doc: Stored bytes of each block, its checksum included.
    doc-ref: ZF-IDX-04
  jump_table_bytes:
    pos: fields.index_offset.value
    size: len_jump_table * 4
    if: has_fields and fields.index_offset.value <= space
    doc: The bytes of the jump table, which index_crc covers.
    doc-ref: ZF-IDX-03
  tail:
    pos: fields.index_offset.value + len_jump_table * 4
    size: space - fields.index_offset.value - len_jump_table * 4
    if: has_fields and fields.index_offset.value <= space
    doc: |
      What stands behind the jump table: nothing, or in a file whose header
      counts the trailer all the same.

  first_block:
    value: '512 + fields.dict_size > space ? space : 512 + fields.dict_size'
    if: has_fields
    doc: Where the first block starts, in bytes, cut at the end of the file.
    doc-ref: ZF-OPT-04
  blocks:
    pos: first_block
    type: block(_index)
    repeat: expr
    repeat-expr: len_jump_table
    if: has_fields and fields.index_offset.value <= space
    doc: The blocks, which follow each other without gaps.
    doc-ref: ZF-BLK-01

types:
  u64:
    doc: |
      64 bits as two halves: `value` is rounded above 2^53 where a language
      counts in doubles, as JavaScript does; the halves are exact everywhere.
    seq:
      - id: lo
        type: u4
      - id: hi
        type: u4
    instances:
      value:
        value: hi * 0x1_0000_0000 + lo

  header:
    doc: Header and trailer. Sizes and offsets are bytes unless another unit is named.
    seq:
      - id: magic0
        size: 8
        doc: '"ZFile", then the bytes 0, 1 and 0.'
        doc-ref: ZF-HDR-02
      - id: magic1
        size: 16
        doc: '"tuji.yyf@Alibaba"'
        doc-ref: ZF-HDR-02
      - id: size
        type: u4
        doc: 96 in every known file.
        doc-ref: ZF-HDR-05
      - id: digest
        type: u4
        doc: Raw CRC-32C, seed 0, of these 512 bytes with the digest zero; where flag bit 4 is set.
        doc-ref: ZF-HDR-04
      - id: flags
        type: u64
        doc: Bit 0 header, 1 data file, 2 sealed, 3 the header counts, 4 digests recorded; none has a meaning above.
        doc-ref: ZF-FLG-01
      - id: index_offset
        type: u64
        doc: Where the jump table starts.
        doc-ref: ZF-IDX-08
      - id: index_size
        type: u64
        doc: Number of entries in the jump table.
        doc-ref: ZF-IDX-09
      - id: original_file_size
        type: u64
        doc: Bytes of the decoded file.
        doc-ref: ZF-SIZE-01
      - id: index_crc
        type: u4
        doc: Raw CRC-32C, seed 0, of the jump table; where flag bit 4 is set.
        doc-ref: ZF-IDX-03
      - id: reserved0
        type: u4
        doc-ref: ZF-RSV-01
      - id: block_size
        type: u4
        doc: Decoded bytes of every block but the last, which may have fewer.
        doc-ref: ZF-OPT-01
      - id: algo
        type: u1
        enum: algorithm
        doc-ref: ZF-OPT-02
      - id: level
        type: u1
        doc: 0; without a meaning for readers.
        doc-ref: ZF-RSV-01
      - id: use_dict
        type: u1
        doc: Not 0 where blocks need the dictionary.
        doc-ref: ZF-OPT-03
      - id: reserved1
        size: 5
        doc-ref: ZF-RSV-01
      - id: dict_size
        type: u4
        doc: Bytes between the header and the first block.
        doc-ref: ZF-OPT-04
      - id: verify
        type: u1
        doc: Not 0 where 4 checksum bytes follow each block.
        doc-ref: ZF-BLK-03
      - id: reserved2
        size: 423
        doc-ref: ZF-RSV-01
    instances:
      is_magic:
        value: >-
          magic0 == [0x5a, 0x46, 0x69, 0x6c, 0x65, 0x00, 0x01, 0x00] and
          magic1 == [0x74, 0x75, 0x6a, 0x69, 0x2e, 0x79, 0x79, 0x66, 0x40, 0x41, 0x6c, 0x69, 0x62, 0x61, 0x62, 0x61]
        doc: Whether both magic values are there.
        doc-ref: ZF-HDR-02
      flag_header:
        value: (flags.lo & 1) != 0
        doc: Bit 0, set in a header and clear in a trailer.
        doc-ref: ZF-HDR-03
      flag_data_file:
        value: (flags.lo & 2) != 0
        doc-ref: ZF-TRL-03
      flag_sealed:
        value: (flags.lo & 4) != 0
        doc-ref: ZF-TRL-04
      flag_header_overwrite:
        value: (flags.lo & 8) != 0
        doc: In a header, that its own fields count.
        doc-ref: ZF-TRL-06
      flag_digest:
        value: (flags.lo & 16) != 0
        doc: Whether digest and index_crc are recorded.
        doc-ref: ZF-HDR-04
      has_block_crc:
        value: verify != 0
        doc-ref: ZF-BLK-03

  block:
    doc: |
      One block as it is stored. What the jump table says of it is cut at the
      end of the file.
    params:
      - id: number
        type: u4
    seq:
      - id: stored
        size: 'len_stored > _io.size - _io.pos ? _io.size - _io.pos : len_stored'
        doc: The compressed bytes, for an algorithm of this format a raw LZ4 block or a ZSTD frame.
        doc-ref: ZF-LZ4-06
      - id: crc
        type: u4
        if: _root.fields.has_block_crc and _io.size - _io.pos >= 4
        doc: Raw CRC-32C, seed 100007, of the stored bytes.
        doc-ref: ZF-CRC-02
    instances:
      len_stored:
        value: >-
          _root.fields.has_block_crc == false ? _root.jump_table[number] :
          _root.jump_table[number] < 4 ? 0 :
          _root.jump_table[number] - 4
        doc: Bytes that the jump table gives to the block, its checksum not counted.
        doc-ref: ZF-IDX-04
      is_whole:
        value: stored.size == len_stored
        doc: Whether the stored bytes lie inside the file.
        doc-ref: ZF-BLK-04

enums:
  algorithm:
    1:
      id: lz4
      doc: Raw LZ4 blocks.
      doc-ref: ZF-LZ4-06
    2:
      id: zstd
      doc: One ZSTD frame a block.
      doc-ref: ZF-ZST-01
