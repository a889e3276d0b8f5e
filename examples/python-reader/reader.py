#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small strict reader of OverlayBD images, standard library only.

  reader.py size [--zfile] LAYER...
  reader.py read [--zfile] --offset N --length N --out FILE LAYER...

LAYER is an image file, bottom to top; with --zfile the only one is read as a
ZFile whose content is the device. Exit code 0: done; 3: the image is refused;
4: that part of the device cannot be read; 2: wrong usage. Anything else is a
mistake in here.

It takes LZ4, LSMT layers that are sealed, ZFile and tar around them. It knows
the suite only by its command line: targets.json beside it says the rest.
"""
import argparse
import bisect
import os
import struct
import sys

SECTOR = 512
ZFILE_MAGIC = b"ZFile\x00\x01\x00tuji.yyf@Alibaba"
LSMT_MAGIC = bytes.fromhex("4c534d5400010200657e63d29444084ca2d2c8ec4fcfae8a")
BLOCK_SEED = 100007
REFUSED, UNREADABLE = 3, 4


class Refused(Exception):
    """The image is not one."""


class Unreadable(Exception):
    """A part of the device cannot be produced."""


def crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC = crc_table()


def checksum(data, seed):
    """CRC-32C without inversions."""
    table = CRC
    for byte in data:
        seed = table[(seed ^ byte) & 255] ^ seed >> 8
    return seed


class File:
    """Bytes of a file, read where they are asked for."""

    def __init__(self, path):
        self.handle = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.handle).st_size

    def read(self, at, length):
        parts = []
        while length > 0:
            part = os.pread(self.handle, min(length, 1 << 24), at)
            if not part:
                raise Unreadable("the file is shorter than it was")
            parts.append(part)
            at += len(part)
            length -= len(part)
        return b"".join(parts)


class Window:
    """A part of something else."""

    def __init__(self, whole, start, size):
        self.whole, self.start, self.size = whole, start, size

    def read(self, at, length):
        return self.whole.read(self.start + at, length)


# --- tar -------------------------------------------------------------------

def octal(field):
    digits = field.rstrip(b" \0").lstrip(b" ")
    if any(c not in b"01234567" for c in digits):
        raise Refused("a number of the tar header is none")
    return int(digits or b"0", 8)


def tar_header(source, at):
    if source.size < at + SECTOR:
        raise Refused("the tar ends in a header")
    header = source.read(at, SECTOR)
    if header[257:262] != b"ustar" or header[263:265] != b"00":
        raise Refused("no ustar header")
    if octal(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * 32:
        raise Refused("the checksum of the tar header is wrong")
    return header


def pax_size(records):
    size, at = None, 0
    while at < len(records):
        space = records.find(b" ", at)
        digits = records[at:space] if space >= 0 else b""
        if not digits.isdigit() or len(digits) > 8:
            return size
        length = int(digits)
        if length <= len(digits) + 1 or at + length > len(records):
            raise Refused("a pax record of that length")
        record = records[space + 1:at + length - 1]
        if record.startswith(b"size="):
            if not record[5:].isdigit() or len(record) > 20:
                raise Refused("a pax size that is no number")
            size = int(record[5:])
        at += length
    return size


def unwrap_tar(source):
    header, start = tar_header(source, 0), SECTOR
    size = octal(header[124:136])
    if header[156:157] == b"x":
        if size > 65536:
            raise Refused("a pax header of that length")
        following = SECTOR + (size + SECTOR - 1) // SECTOR * SECTOR
        if following + SECTOR > source.size:
            raise Refused("the tar ends in its pax header")
        said = pax_size(source.read(SECTOR, size))
        own = octal(tar_header(source, following)[124:136])
        start, size = following + SECTOR, own if said is None else said
    if start + size > source.size:
        raise Refused("the member ends behind the tar")
    return Window(source, start, size)


# --- ZFile -----------------------------------------------------------------

ZFILE = struct.Struct("<24sIIQQQQI4xIBBB5xIB")
ZNAMES = "magic size digest flags index_offset index_size content index_crc block algo level use_dict dict verify".split()


class ZFile:
    """What a ZFile decodes to."""

    def __init__(self, source):
        if source.size < 512:
            raise Refused("no room for a ZFile header")
        fields, end = self.fields(source.read(0, 512), True), source.size
        if not fields["flags"] & 8:
            if source.size < 1024:
                raise Refused("no room for a ZFile trailer")
            end -= 512
            fields = self.fields(source.read(end, 512), False)
        self.source, self.size, self.block = source, fields["content"], fields["block"]
        if self.size >= 1 << 63:
            raise Refused("a size of 2^63 and more")
        if not 512 <= self.block <= 65536 or self.block & self.block - 1:
            raise Refused("a block size that is none")
        if fields["algo"] != 1:
            raise Refused("not LZ4")
        if fields["use_dict"]:
            raise Refused("a dictionary")
        self.crc = 4 if fields["verify"] else 0
        self.starts = self.jump_table(fields, end)
        self.cached = (-1, b"")

    @staticmethod
    def fields(space, is_header):
        fields = dict(zip(ZNAMES, ZFILE.unpack_from(space)))
        flags = fields["flags"]
        if fields["magic"] != ZFILE_MAGIC:
            raise Refused("no ZFile magic")
        if bool(flags & 1) != is_header:
            raise Refused("a header for a trailer or the other way round")
        if not is_header and flags & 6 != 6:
            raise Refused("the trailer is of no sealed data file")
        if flags & 16 and checksum(space[:28] + bytes(4) + space[32:], 0) != fields["digest"]:
            raise Refused("the digest is wrong")
        if fields["size"] != 96 or flags >= 32:
            raise Refused("another size field, or flags that are reserved")
        return fields

    def jump_table(self, fields, end):
        count, offset, at = fields["index_size"], fields["index_offset"], 512 + fields["dict"]
        if count > 10 ** 9 or offset + 4 * count > end or offset < at:
            raise Refused("an index that is not inside of the file")
        raw = self.source.read(offset, 4 * count)
        if fields["flags"] & 16 and checksum(raw, 0) != fields["index_crc"]:
            raise Refused("the CRC of the index is wrong")
        if count != (self.size + self.block - 1) // self.block:
            raise Refused("another number of blocks than the size needs")
        starts = [at]
        for stored in struct.unpack("<%dI" % count, raw):
            if stored <= self.crc:
                raise Refused("an empty block")
            at += stored
            starts.append(at)
        if at != offset:
            raise Refused("the blocks do not end where the index starts")
        return starts

    def decode(self, number):
        if self.cached[0] == number:
            return self.cached[1]
        at, end = self.starts[number], self.starts[number + 1]
        if end > self.source.size:
            raise Unreadable("a block behind the end of the file")
        stored = self.source.read(at, end - at - self.crc)
        if self.crc and checksum(stored, BLOCK_SEED) != struct.unpack("<I", self.source.read(end - 4, 4))[0]:
            raise Unreadable("the CRC of a block is wrong")
        content = lz4_block(stored, min(self.block, self.size - number * self.block))
        self.cached = (number, content)
        return content

    def read(self, at, length):
        parts = []
        while length > 0:
            number, inside = divmod(at, self.block)
            part = self.decode(number)[inside:inside + length]
            parts.append(part)
            at += len(part)
            length -= len(part)
        return b"".join(parts)


def lz4_block(stored, size):
    """One raw LZ4 block that must decode to exactly `size` bytes."""
    out, at, last_match = bytearray(), 0, None

    def extended(length):
        nonlocal at
        while length >= 15:
            if at >= len(stored):
                raise Unreadable("a length does not end")
            byte = stored[at]
            at += 1
            length += byte
            if byte != 255:
                break
        return length

    while at < len(stored):
        token = stored[at]
        at += 1
        literals = extended(token >> 4)
        if literals > len(stored) - at or literals > size - len(out):
            raise Unreadable("literals that are not there or do not fit")
        out += stored[at:at + literals]
        at += literals
        if at == len(stored):
            # The rules of the end of a block, which every compressor keeps.
            if last_match is not None and (literals < 5 or len(out) - last_match < 12):
                raise Unreadable("a block that ends too soon behind a match")
            if len(out) != size:
                raise Unreadable("a block that is too short")
            return bytes(out)
        if len(stored) - at < 2:
            raise Unreadable("half an offset")
        offset = stored[at] | stored[at + 1] << 8
        at += 2
        length = extended(token & 15) + 4
        if not 0 < offset <= len(out) or length > size - len(out):
            raise Unreadable("a match that is not there or does not fit")
        last_match = len(out)
        pattern = bytes(out[-offset:] if offset <= length else out[-offset:len(out) - offset + length])
        out += (pattern * (length // len(pattern) + 1))[:length]
    raise Unreadable("a block that ends without literals")


# --- LSMT ------------------------------------------------------------------

LSMT = struct.Struct("<24sIIQQQ37s37s2xBB")
LNAMES = "magic size flags index_offset index_size virtual uuid parent version sub_version".split()
INVALID = (1 << 50) - 1


class Layer:
    """The live entries of a sealed layer, in sectors."""

    def __init__(self, source):
        if source.size < 8192:
            raise Refused("no room for header and trailer")
        end = source.size - 4096
        self.fields(source.read(0, 4096), True)
        fields = self.fields(source.read(end, 4096), False)
        self.source, self.virtual = source, fields["virtual"]
        count, offset = fields["index_size"], fields["index_offset"]
        if count > 1000000 or offset + 16 * count > end or offset < 4096:
            raise Refused("an index that is not inside of the file")
        if self.virtual > 1 << 59 or self.virtual % SECTOR:
            raise Refused("a virtual size that is none")
        self.starts, self.entries = [], []
        self.take(source.read(offset, 16 * count), offset // SECTOR)

    @staticmethod
    def fields(space, is_header):
        fields = dict(zip(LNAMES, LSMT.unpack_from(space)))
        flags = fields["flags"]
        if fields["magic"] != LSMT_MAGIC:
            raise Refused("no LSMT magic")
        if bool(flags & 1) != is_header or not flags & 2 or not (is_header or flags & 4):
            raise Refused("flags of something else")
        if fields["size"] != 390 or fields["version"] != 1 or fields["sub_version"] != 1:
            raise Refused("another size field or version")
        return fields

    def take(self, index, limit):
        before = 0
        for low, high in struct.iter_unpack("<QQ", index):
            start, length = low & INVALID, low >> 50
            if start == INVALID:
                continue
            mapped, zeroed = high & (1 << 55) - 1, bool(high >> 55 & 1)
            if start < before:
                raise Refused("entries that overlap or do not ascend")
            before = start + length
            if zeroed and not 8 <= mapped <= limit:
                raise Refused("zeros that lie outside of the data")
            if not zeroed and not (8 <= mapped < limit and 8 < mapped + length <= limit):
                raise Refused("data outside of the data")
            if length:
                self.starts.append(start)
                self.entries.append((start, start + length, None if zeroed else mapped))

    def covering(self, start, end):
        """The entries that lie in a range, ascending."""
        i = max(0, bisect.bisect_right(self.starts, start) - 1)
        while i < len(self.entries) and self.entries[i][0] < end:
            if self.entries[i][1] > start:
                yield self.entries[i]
            i += 1


class Stack:
    """Layers over each other, bottom to top."""

    def __init__(self, layers):
        if not 1 <= len(layers) <= 255:
            raise Refused("too many layers, or none")
        self.layers = layers
        self.size = next((l.virtual for l in reversed(layers) if l.virtual), 0)

    def read(self, at, length):
        first, last = at // SECTOR, (at + length + SECTOR - 1) // SECTOR
        out = bytearray((last - first) * SECTOR)
        self.fill(out, first, first, last, len(self.layers) - 1)
        skipped = at - first * SECTOR
        return bytes(out[skipped:skipped + length])

    def fill(self, out, base, start, end, top):
        """Fills sectors [start, end) from layer `top` downwards; `base` is the sector at which `out` begins."""
        todo = [(start, end, top)]
        while todo:
            start, end, top = todo.pop()
            if top < 0 or start >= end:
                continue
            at = start
            for begin, stop, mapped in self.layers[top].covering(start, end):
                todo.append((at, begin, top - 1))
                at, upto = max(at, begin), min(stop, end)
                if mapped is not None:
                    data = self.layers[top].source.read((mapped + at - begin) * SECTOR, (upto - at) * SECTOR)
                    out[(at - base) * SECTOR:(upto - base) * SECTOR] = data
                at = upto
            todo.append((at, end, top - 1))


# --- command line ------------------------------------------------------------

def open_layer(path):
    source = File(path)
    if source.size >= SECTOR and source.read(257, 5) == b"ustar":
        source = unwrap_tar(source)
    return source


def open_device(paths, zfile):
    if zfile:
        return ZFile(open_layer(paths[0]))
    layers = []
    for path in paths:
        source = open_layer(path)
        if source.size >= 24 and source.read(0, 24) == ZFILE_MAGIC:
            source = ZFile(source)
        layers.append(Layer(source))
    return Stack(layers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["size", "read"])
    parser.add_argument("--zfile", action="store_true")
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--length", type=int, default=0)
    parser.add_argument("--out")
    parser.add_argument("layers", nargs="+")
    args = parser.parse_args()
    if args.zfile and len(args.layers) > 1:
        parser.error("--zfile takes one file")
    try:
        device = open_device(args.layers, args.zfile)
    except (Refused, Unreadable) as why:
        print(f"refused: {why}", file=sys.stderr)
        return REFUSED
    if args.what == "size":
        print(device.size)
        return 0
    try:
        length = max(0, min(args.length, device.size - args.offset))
        data = device.read(args.offset, length) if length else b""
    except Unreadable as why:
        print(f"cannot be read: {why}", file=sys.stderr)
        return UNREADABLE
    with open(args.out, "wb") as file:
        file.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
