/* SPDX-License-Identifier: MIT */
/* See reseal.h. The offsets are those of spec/fields.ts. */
#include "reseal.h"

#include <string.h>

#include "case-bytes.h"
#include "fields.h"

/* Blocks that are walked over, at most. */
#define MOST_BLOCKS 65536u

/* Of the kernel interfaces (kernel-api/text.c), whose headers are not for libc's files. */
uint32_t crc32c(uint32_t crc, const void *bytes, unsigned int length);

enum layer_kind kind_of(const uint8_t *file, size_t length)
{
	static const uint8_t zfile[] = ZFILE_MAGIC, lsmt[] = LSMT_MAGIC;

	if (length >= ZFILE_SPACE && !memcmp(file, zfile, sizeof(zfile)))
		return LAYER_ZFILE;
	if (length >= LSMT_SPACE && !memcmp(file, lsmt, sizeof(lsmt)))
		return LAYER_LSMT;
	return LAYER_OTHER;
}

size_t header_at(enum layer_kind kind, size_t length, bool last)
{
	size_t space = kind == LAYER_ZFILE ? ZFILE_SPACE : LSMT_SPACE;

	return last && length >= 2 * space ? length - space : 0;
}

size_t index_of(const uint8_t *file, size_t length, enum layer_kind kind, bool last, size_t *at)
{
	const uint8_t *head = file + header_at(kind, length, last);
	bool zfile = kind == LAYER_ZFILE;
	uint64_t offset = get_bytes(head + (zfile ? ZFILE_INDEX_OFFSET_AT : LSMT_INDEX_OFFSET_AT), 8);
	uint64_t entries = get_bytes(head + (zfile ? ZFILE_INDEX_SIZE_AT : LSMT_INDEX_SIZE_AT), 8);
	size_t size = zfile ? JUMP_ENTRY : SEGMENT_ENTRY;

	if (offset >= length)
		return 0;
	*at = (size_t)offset;
	return entries > (length - offset) / size ? (length - (size_t)offset) / size : (size_t)entries;
}

size_t block_of(const uint8_t *file, size_t length, bool last, size_t number, size_t *at)
{
	size_t index = 0, entries = index_of(file, length, LAYER_ZFILE, last, &index), i;
	uint64_t from = ZFILE_SPACE + get_bytes(file + header_at(LAYER_ZFILE, length, last) + ZFILE_DICT_SIZE_AT, 4), bytes;

	if (number >= entries || entries > MOST_BLOCKS)
		return 0;
	for (i = 0; i < number; i++)
		from += get_bytes(file + index + i * JUMP_ENTRY, JUMP_ENTRY);
	bytes = get_bytes(file + index + number * JUMP_ENTRY, JUMP_ENTRY);
	if (from >= length || bytes > length - from)
		return 0;
	*at = (size_t)from;
	return (size_t)bytes;
}

void seal_block(uint8_t *file, size_t length, size_t at, size_t bytes)
{
	if (bytes >= 4 && bytes <= length && at <= length - bytes)
		put_bytes(file + at + bytes - 4, 4, crc32c(BLOCK_CRC_SEED, file + at, (unsigned int)bytes - 4));
}

void seal_headers(uint8_t *file, size_t length)
{
	unsigned int last;

	if (kind_of(file, length) != LAYER_ZFILE)
		return;
	for (last = 0; last < 2; last++) {
		uint8_t *head = file + header_at(LAYER_ZFILE, length, last);
		size_t index = 0, entries = index_of(file, length, LAYER_ZFILE, last, &index);

		put_bytes(head + ZFILE_INDEX_CRC_AT, 4, crc32c(0, file + index, (unsigned int)(entries * JUMP_ENTRY)));
		if (!(get_bytes(head + ZFILE_FLAGS_AT, 8) >> ZFILE_DIGEST_BIT & 1))
			continue;
		put_bytes(head + ZFILE_DIGEST_AT, 4, 0);
		put_bytes(head + ZFILE_DIGEST_AT, 4, crc32c(0, head, ZFILE_SPACE));
	}
}
