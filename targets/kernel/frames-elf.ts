// SPDX-License-Identifier: MIT
/** Where a module's functions are, from its symbol table (elf(5)): a relocatable object has an address only within each section. */

export interface ModuleFunction {
  /** As the kernel prints it, `zfile_open.cold`. */
  readonly symbol: string;
  readonly section: string;
  /** Bytes from the section's start. */
  readonly at: number;
  /** Bytes. */
  readonly size: number;
}

const ELF64_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const SHT_SYMTAB = 2;
const STT_FUNC = 2;
/** Bytes of a section header and of a symbol in 64-bit files. */
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;

interface Section {
  readonly name: number;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** All functions of the object; none where the bytes are no such file. Every field is checked against the file's size. */
export function moduleFunctions(bytes: Buffer): ModuleFunction[] {
  const sections = sectionsOf(bytes);
  const nameOf = (table: Section | undefined, at: number): string => {
    if (table === undefined || at >= table.size) return '';
    const end = bytes.indexOf(0, table.offset + at);
    return end < 0 || end > table.offset + table.size ? '' : bytes.toString('latin1', table.offset + at, end);
  };
  const headers = sections.length === 0 ? undefined : sections[bytes.readUInt16LE(62)];
  const found: ModuleFunction[] = [];
  for (const table of sections.filter((section) => section.type === SHT_SYMTAB)) {
    for (let at = table.offset; at + SYMBOL_BYTES <= table.offset + table.size; at += SYMBOL_BYTES) {
      const section = sections[bytes.readUInt16LE(at + 6)];
      if ((bytes[at + 4]! & 15) !== STT_FUNC || section === undefined) continue;
      const symbol = nameOf(sections[table.link], bytes.readUInt32LE(at));
      const place = { at: Number(bytes.readBigUInt64LE(at + 8)), size: Number(bytes.readBigUInt64LE(at + 16)) };
      if (symbol !== '') found.push({ symbol, section: nameOf(headers, section.name), ...place });
    }
  }
  return found;
}

function sectionsOf(bytes: Buffer): Section[] {
  if (bytes.length < 64 || !bytes.subarray(0, 6).equals(ELF64_LITTLE_ENDIAN)) return [];
  const table = Number(bytes.readBigUInt64LE(40));
  const count = bytes.readUInt16LE(60);
  if (bytes.readUInt16LE(58) !== SECTION_BYTES || table + SECTION_BYTES * count > bytes.length) return [];
  return Array.from({ length: count }, (_, i): Section => {
    const at = table + i * SECTION_BYTES;
    const section = {
      name: bytes.readUInt32LE(at), type: bytes.readUInt32LE(at + 4), link: bytes.readUInt32LE(at + 40),
      offset: Number(bytes.readBigUInt64LE(at + 24)), size: Number(bytes.readBigUInt64LE(at + 32)),
    };
    return section.offset + section.size <= bytes.length ? section : { ...section, type: 0, offset: 0, size: 0 };
  });
}
