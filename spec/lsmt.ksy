# SPDX-License-Identifier: MIT
meta:
  id: lsmt
  title: LSMT, one layer of an OverlayBD block device
  file-extension:
    - lsmt
    - commit
  license: MIT
  ks-version: 0.9
  encoding: ASCII
  endian: le
doc: |
  One layer of a block device: which sectors of the device it has, and where in
  this file their bytes stand. A sector is 512 bytes.

  The same header begins files of five kinds. A sealed layer, and a warp file,
  has header, data, index and trailer, and the trailer holds the fields that
  count. A writable layer is a pair of a data file (header and data) and an
  index file (header and entries in the order in which they were written). A
  sparse writable layer is one file (header and data at the device's own
  positions) whose holes are its gaps: Kaitai cannot see holes.

  To browse a layer, open it with this file in Kaitai's Web IDE or visualizer.
  This description shows every file that has the room for a header, a damaged
  one too: each position and count that the file names is cut at its end. It
  judges nothing; the clauses whose numbers stand in `doc-ref` do.
doc-ref: spec/clauses/lsmt.ts

instances:
  header:
    pos: 0
    size: 4096
    type: header
    if: _io.size >= 4096
    doc-ref: LS-HDR-01
  last:
    pos: _io.size - 4096
    size: 4096
    type: header
    if: _io.size >= 8192
    doc: The last 4096 bytes, whether they are a trailer or not.
    doc-ref: LS-TRL-01
  kind:
    value: >-
      _io.size < 4096 ? kind::none :
      header.flag_data_file == false ? kind::index_file :
      _io.size >= 8192 and last.is_magic ? kind::sealed :
      header.flag_sparse ? kind::sparse : kind::data_file
    enum: kind
    doc: |
      What the flags of the header and the end of the file make it. A warp file
      cannot be told from another sealed layer by its bytes, nor a sealed layer
      from a writable one whose last sectors hold the trailer of another.
    doc-ref: LS-RW-01
  trailer:
    value: last
    if: kind == kind::sealed
    doc-ref: LS-TRL-01

  index_offset:
    value: 'kind == kind::sealed ? last.index_offset.value : 4096'
    if: has_index
    doc: Where the entries start, in bytes.
    doc-ref: LS-RW-02
  has_index:
    value: kind == kind::sealed or kind == kind::index_file
    doc: Whether entries stand in this file at all.
  space:
    value: 'kind == kind::sealed ? _io.size - 4096 : _io.size'
    doc: Bytes before the trailer, or of the whole file where there is none.
    doc-ref: LS-IDX-02
  is_index_inside:
    value: has_index and index_offset <= space
    doc: Whether the index starts before the trailer.
    doc-ref: LS-IDX-02
  room:
    value: 'is_index_inside ? (space - index_offset) / 16 : 0'
    doc: Entries that there is room for.
  len_entries:
    value: >-
      kind != kind::sealed ? room :
      last.index_size.value > room ? room : last.index_size.value
    doc: |
      Entries that are there. An index file does not count them: they go on to
      its end, and a last one that is cut short is none.
    doc-ref: LS-IDX-09
  entries:
    pos: index_offset
    type: entry
    repeat: expr
    repeat-expr: len_entries
    if: is_index_inside
    doc: |
      Of a sealed layer ascending and apart, INVALID ones anywhere; of an index
      file in write order, a later one hiding what it covers.
    doc-ref: LS-IDX-04
  padding:
    pos: index_offset + len_entries * 16
    size: space - index_offset - len_entries * 16
    if: is_index_inside
    doc: What stands between the last entry and the trailer; without a meaning.
    doc-ref: LS-PAD-01

  data:
    pos: 4096
    size: >-
      kind != kind::sealed ? _io.size - 4096 :
      is_index_inside == false ? space - 4096 :
      index_offset < 4096 ? 0 : index_offset - 4096
    if: kind == kind::sealed or kind == kind::data_file or kind == kind::sparse
    doc: The sectors that entries map; moffset counts from the start of the file, so that it is 8 for the first.
    doc-ref: LS-MAP-01

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
        doc: '"LSMT", then the bytes 0, 1, 2 and 0.'
        doc-ref: LS-HDR-02
      - id: magic1
        size: 16
        doc: A fixed UUID.
        doc-ref: LS-HDR-02
      - id: size
        type: u4
        doc: 390 in every known file.
        doc-ref: LS-HDR-05
      - id: flags
        type: u4
        doc: Bit 0 header, 1 data file, 2 sealed, 4 sparse; no other has a meaning.
        doc-ref: LS-FLG-01
      - id: index_offset
        type: u64
        doc: Where the index starts.
        doc-ref: LS-IDX-08
      - id: index_size
        type: u64
        doc: Number of entries, INVALID ones included.
        doc-ref: LS-IDX-09
      - id: virtual_size
        type: u64
        doc: Bytes of the device; 0 leaves it to the layer below.
        doc-ref: ST-SIZE-01
      - id: uuid
        type: strz
        size: 37
        doc: 36 characters and NUL.
        doc-ref: LS-RSV-01
      - id: parent_uuid
        type: strz
        size: 37
        doc: 36 characters and NUL.
        doc-ref: LS-RSV-01
      - id: reserved0
        size: 2
        doc-ref: LS-RSV-01
      - id: version
        type: u1
        doc-ref: LS-VER-01
      - id: sub_version
        type: u1
        doc-ref: LS-VER-01
      - id: user_tag
        type: strz
        size: 256
        doc: The message of the commit.
        doc-ref: LS-RSV-01
      - id: reserved1
        size: 3706
        doc-ref: LS-RSV-01
    instances:
      is_magic:
        value: >-
          magic0 == [0x4c, 0x53, 0x4d, 0x54, 0x00, 0x01, 0x02, 0x00] and
          magic1 == [0x65, 0x7e, 0x63, 0xd2, 0x94, 0x44, 0x08, 0x4c, 0xa2, 0xd2, 0xc8, 0xec, 0x4f, 0xcf, 0xae, 0x8a]
        doc: Whether both magic values are there.
        doc-ref: LS-HDR-02
      flag_header:
        value: (flags & 1) != 0
        doc: Bit 0, set in a header and clear in a trailer.
        doc-ref: LS-HDR-03
      flag_data_file:
        value: (flags & 2) != 0
        doc: Bit 1, clear in the index file of a writable pair.
        doc-ref: LS-HDR-04
      flag_sealed:
        value: (flags & 4) != 0
        doc-ref: LS-HDR-06
      flag_sparse:
        value: (flags & 16) != 0
        doc-ref: LS-SPR-01

  entry:
    doc: |
      One mapping: `length` sectors of the device from `offset`, found at sector
      `moffset` of the file. Two words of 64 bits, each read as two halves.
    seq:
      - id: w0_lo
        type: u4
      - id: w0_hi
        type: u4
      - id: w1_lo
        type: u4
      - id: w1_hi
        type: u4
    instances:
      offset_hi:
        value: w0_hi & 0x3_ffff
        doc: Upper 18 bits of the offset.
      offset:
        value: offset_hi * 0x1_0000_0000 + w0_lo
        doc: First sector of the device. Bits 0 to 49 of the first word.
        doc-ref: LS-IDX-04
      length:
        value: (w0_hi >> 18) & 0x3fff
        doc: Sectors. Bits 50 to 63 of the first word.
        doc-ref: LS-IDX-10
      moffset_hi:
        value: w1_hi & 0x7f_ffff
        doc: Upper 23 bits of moffset.
      moffset:
        value: moffset_hi * 0x1_0000_0000 + w1_lo
        doc: First sector of the file. Bits 0 to 54 of the second word; see `u64` for values from 2^53 on.
        doc-ref: LS-MAP-01
      zeroed:
        value: ((w1_hi >> 23) & 1) != 0
        doc: Whether the sectors read as zeros. Bit 55 of the second word.
        doc-ref: LS-MAP-02
      tag:
        value: (w1_hi >> 24) & 0xff
        doc: In a warp file 0 for this file and 1 for the remote one. Bits 56 to 63 of the second word.
        doc-ref: LS-WRP-01
      is_invalid:
        value: offset_hi == 0x3_ffff and w0_lo == 0xffff_ffff
        doc: Whether the entry is none at all and is passed over.
        doc-ref: LS-IDX-03
      has_data:
        value: _root.kind == kind::sealed and zeroed == false and is_invalid == false and length != 0
        doc: Whether the entry maps sectors of a file that may be this one.
      data:
        io: _root._io
        pos: moffset * 512
        size: 'length * 512 > _root._io.size - moffset * 512 ? _root._io.size - moffset * 512 : length * 512'
        if: has_data and moffset_hi == 0 and moffset * 512 <= _root._io.size
        doc: The bytes that the entry maps, where it maps this file.
        doc-ref: LS-MAP-01

enums:
  kind:
    0:
      id: none
      doc: Too short for a header.
    1:
      id: sealed
      doc: A sealed layer or a warp file.
      doc-ref: LS-TRL-01
    2:
      id: data_file
      doc: The data file of a writable pair.
      doc-ref: LS-RW-01
    3:
      id: index_file
      doc: The index file of a writable pair.
      doc-ref: LS-RW-02
    4:
      id: sparse
      doc: A sparse writable layer.
      doc-ref: LS-SPR-01
