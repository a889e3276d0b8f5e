// SPDX-License-Identifier: MIT
/** The 4096 bytes that begin an LSMT file and, with other flags, end it. */
import { LSMT_HEADER, LSMT_MAGIC0, LSMT_MAGIC1, LSMT_SPACE, setBytes, setInteger } from '../spec/index.ts';

/** What header and trailer of a layer say beside the layout. */
export interface LayerOptions {
  /** Bytes. */
  readonly virtualSize: number;
  /** 36 characters, written in upper case; absent: the all-zero UUID. */
  readonly uuid?: string;
  /** As `uuid`. */
  readonly parentUuid?: string;
  /** The commit message, at most 256 bytes of UTF-8. */
  readonly userTag?: string;
}

const NO_UUID = '00000000-0000-0000-0000-000000000000';
const USER_TAG_BYTES = 256;

/** Header or trailer, by its flags word. `indexOffset` is bytes, `indexSize` entries. */
export function lsmtHeader(flags: number, options: LayerOptions, indexOffset = 0, indexSize = 0): Uint8Array {
  const h = new Uint8Array(LSMT_SPACE);
  setBytes(h, LSMT_HEADER, 'magic0', LSMT_MAGIC0);
  setBytes(h, LSMT_HEADER, 'magic1', LSMT_MAGIC1);
  setInteger(h, LSMT_HEADER, 'size', 390);
  setInteger(h, LSMT_HEADER, 'flags', flags);
  setInteger(h, LSMT_HEADER, 'index_offset', indexOffset);
  setInteger(h, LSMT_HEADER, 'index_size', indexSize);
  setInteger(h, LSMT_HEADER, 'virtual_size', options.virtualSize);
  setBytes(h, LSMT_HEADER, 'uuid', uuidBytes(options.uuid));
  setBytes(h, LSMT_HEADER, 'parent_uuid', uuidBytes(options.parentUuid));
  setInteger(h, LSMT_HEADER, 'version', 1);
  setInteger(h, LSMT_HEADER, 'sub_version', 1);
  setBytes(h, LSMT_HEADER, 'user_tag', userTagBytes(options.userTag ?? ''));
  return h;
}

function uuidBytes(uuid = NO_UUID): Uint8Array {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) throw new RangeError(`no UUID: ${uuid}`);
  return Buffer.from(uuid.toUpperCase(), 'latin1');
}

function userTagBytes(tag: string): Uint8Array {
  const bytes = Buffer.from(tag, 'utf8');
  if (bytes.length > USER_TAG_BYTES) throw new RangeError(`a user tag of ${bytes.length} bytes, more than ${USER_TAG_BYTES}`);
  return bytes;
}
