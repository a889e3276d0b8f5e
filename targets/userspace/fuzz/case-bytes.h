/* SPDX-License-Identifier: MIT */
/*
 * A case as bytes, for a fuzzer: case-bytes.ts writes and reads the same. Little-endian.
 *
 *   32 bytes   0 flags: bit 0 a zfile device, bits 1-2 slack, bit 3 twin, bit 4 the same files share a device
 *              1 layers - 1 (modulo 16)   2 reads (modulo 17)   3 kind of table fault   4 its layer   5 replaces
 *              8 device bytes (u64)   16 delta of the table fault (i64)
 *   16 each    layers: 0 length (u32)   4 ZFiles around it   8 exposed bytes (u64)
 *   24 each    reads: 0 offset (u64)   8 length (u32)   12 buffer offset (u16)   14 mode   15 sectors a piece, 0 for one buffer
 *   the rest   the layers' files, one after another; a length that is more than there is, is what there is
 *
 * Any bytes are a case, but those too short for their own tables.
 */
#ifndef OVBD_CASE_BYTES_H
#define OVBD_CASE_BYTES_H

#include "../process/case.h"

#define CASE_HEAD 32u
#define CASE_LAYER 16u
#define CASE_READ 24u
#define CASE_MOST_LAYERS 16u
#define CASE_MOST_READS 16u
/* Bytes of one read. */
#define CASE_MOST_READ (1u << 20)
/* Bytes of a whole case. */
#define CASE_MOST (1u << 20)

struct case_view {
	unsigned int layers, reads;
	/* Where things begin. */
	size_t layer_at, read_at, file_at;
};

static inline uint64_t get_bytes(const uint8_t *p, unsigned int n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | p[n];
	return value;
}

static inline void put_bytes(uint8_t *p, unsigned int n, uint64_t value)
{
	for (; n--; value >>= 8)
		*p++ = (uint8_t)value;
}

/* False where the bytes are too short. */
bool case_view(const uint8_t *bytes, size_t length, struct case_view *v);
/* The bytes of layer `index`: gives how many, at *at. */
size_t case_file(const uint8_t *bytes, size_t length, const struct case_view *v, unsigned int index, size_t *at);
/* The plan keeps pointers into `bytes` and into memory that the next call reuses. NULL: too short. */
const struct case_plan *case_decode(const uint8_t *bytes, size_t length);

#endif
