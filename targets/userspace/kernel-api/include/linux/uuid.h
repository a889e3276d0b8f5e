/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_UUID_H
#define _LINUX_UUID_H

#include <linux/kernel.h>

typedef struct { __u8 b[16]; } guid_t;
typedef struct { __u8 b[16]; } uuid_t;

/* RFC 4122: the first fields of a UUID are big-endian, of a GUID little-endian. */
#define UUID_INIT(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7) ((uuid_t){ { \
	((a) >> 24) & 0xff, ((a) >> 16) & 0xff, ((a) >> 8) & 0xff, (a) & 0xff, \
	((b) >> 8) & 0xff, (b) & 0xff, ((c) >> 8) & 0xff, (c) & 0xff, d0, d1, d2, d3, d4, d5, d6, d7 } })
#define GUID_INIT(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7) ((guid_t){ { \
	(a) & 0xff, ((a) >> 8) & 0xff, ((a) >> 16) & 0xff, ((a) >> 24) & 0xff, \
	(b) & 0xff, ((b) >> 8) & 0xff, (c) & 0xff, ((c) >> 8) & 0xff, d0, d1, d2, d3, d4, d5, d6, d7 } })

static inline bool uuid_equal(const uuid_t *a, const uuid_t *b) { return memcmp(a, b, sizeof(*a)) == 0; }
static inline bool guid_equal(const guid_t *a, const guid_t *b) { return memcmp(a, b, sizeof(*a)) == 0; }

#endif
