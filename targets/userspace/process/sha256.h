/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4). */
#ifndef OVBD_SHA256_H
#define OVBD_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
};

void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const uint8_t *from, size_t bytes);
/* 64 digits and a zero byte. */
void sha256_end(struct sha256 *s, char *hex);

#endif
