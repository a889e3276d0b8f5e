// SPDX-License-Identifier: MIT
/** What a kernel module says of itself in its `.modinfo` section (elf(5); the kernel's include/linux/moduleparam.h). */

export interface ModuleInfo {
  /** The kernel's name for it, `dm_overlaybd`. */
  readonly name: string;
  /** Kernel release and build options; must equal the kernel's own. */
  readonly vermagic: string;
  /** Names of the modules that must be inserted before. */
  readonly depends: readonly string[];
}

const ELF64_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const ET_REL = 1;
const EM_X86_64 = 62;

/** Reads a module's description; undefined for what is not an x86-64 kernel module. */
export function readModuleInfo(bytes: Buffer): ModuleInfo | undefined {
  const section = findSection(bytes, '.modinfo');
  if (section === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const entry of section.toString('latin1').split('\0')) {
    const at = entry.indexOf('=');
    if (at > 0 && !fields.has(entry.slice(0, at))) fields.set(entry.slice(0, at), entry.slice(at + 1));
  }
  const vermagic = fields.get('vermagic');
  if (vermagic === undefined) return undefined;
  return {
    name: fields.get('name') ?? '',
    vermagic: vermagic.trim(),
    depends: (fields.get('depends') ?? '').split(',').filter((name) => name !== ''),
  };
}

function findSection(bytes: Buffer, wanted: string): Buffer | undefined {
  if (bytes.length < 64 || !bytes.subarray(0, 6).equals(ELF64_LITTLE_ENDIAN)) return undefined;
  if (bytes.readUInt16LE(16) !== ET_REL || bytes.readUInt16LE(18) !== EM_X86_64) return undefined;
  const table = Number(bytes.readBigUInt64LE(40));
  const entrySize = bytes.readUInt16LE(58);
  const count = bytes.readUInt16LE(60);
  if (entrySize < 64 || table + entrySize * count > bytes.length) return undefined;
  const part = (index: number): { name: number; data: Buffer } => {
    const at = table + index * entrySize;
    const offset = Number(bytes.readBigUInt64LE(at + 24));
    return { name: bytes.readUInt32LE(at), data: bytes.subarray(offset, offset + Number(bytes.readBigUInt64LE(at + 32))) };
  };
  const namesAt = bytes.readUInt16LE(62);
  if (namesAt >= count) return undefined;
  const names = part(namesAt).data;
  for (let i = 0; i < count; i++) {
    const section = part(i);
    const end = names.indexOf(0, section.name);
    if (end >= 0 && names.toString('latin1', section.name, end) === wanted) return section.data;
  }
  return undefined;
}
