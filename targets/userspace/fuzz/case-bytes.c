/* SPDX-License-Identifier: MIT */
/* From bytes to a case; see case-bytes.h. */
#include "case-bytes.h"

#include <string.h>

#define SECTOR_BYTES 512u
#define PAGE_BYTES 4096u
/* Faults of the table that a number tells whole; the others are drawn, not mutated. */
static const enum table_fault faults[] = { TABLE_RIGHT, TABLE_BYTES, TABLE_COUNT, TABLE_DEVICE, TABLE_BUSY, TABLE_SHORT, TABLE_LENGTH };
/* A table of that many arguments or sectors more or less is enough to be wrong. */
#define MOST_DELTA 4096

bool case_view(const uint8_t *bytes, size_t length, struct case_view *v)
{
	if (length < CASE_HEAD)
		return false;
	v->layers = bytes[1] % CASE_MOST_LAYERS + 1;
	v->reads = bytes[2] % (CASE_MOST_READS + 1);
	v->layer_at = CASE_HEAD;
	v->read_at = v->layer_at + v->layers * CASE_LAYER;
	v->file_at = v->read_at + v->reads * CASE_READ;
	return v->file_at <= length;
}

size_t case_file(const uint8_t *bytes, size_t length, const struct case_view *v, unsigned int index, size_t *at)
{
	size_t from = v->file_at, own = 0;
	unsigned int i;

	for (i = 0; i <= index; i++) {
		from += own;
		own = (size_t)get_bytes(bytes + v->layer_at + i * CASE_LAYER, 4);
		if (own > length - from)
			own = length - from;
	}
	*at = from;
	return own;
}

static int64_t bounded(int64_t value, int64_t most)
{
	return value > most || value < -most ? value % (most + 1) : value;
}

static void take_read(const uint8_t *p, struct case_read *r, uint32_t *pieces)
{
	unsigned int unit = SECTOR_BYTES, left, piece;

	*r = (struct case_read){ .offset = get_bytes(p, 8) & INT64_MAX, .length = (uint32_t)get_bytes(p + 8, 4) % (CASE_MOST_READ + 1) };
	r->buffer_offset = (uint32_t)get_bytes(p + 12, 2) % PAGE_BYTES;
	r->mode = p[14] % 3 == 0 ? READ_DIRECT : p[14] % 3 == 1 ? READ_BUFFERED : READ_MAPPED;
	if (r->mode == READ_DIRECT) {
		r->offset -= r->offset % unit;
		r->length -= r->length % unit;
		r->buffer_offset -= r->buffer_offset % unit;
	}
	/* Numbers that the suite's own are exact in. */
	if (r->offset >= 1ull << 52)
		r->offset &= ~(uint64_t)(SECTOR_BYTES * 8 - 1);
	if (r->offset >= 1ull << 52 && r->mode != READ_DIRECT)
		r->offset = r->offset % (1ull << 52);
	if (r->length < unit)
		r->length = unit;
	piece = p[15] * SECTOR_BYTES;
	if (!piece || r->mode == READ_MAPPED || r->length <= piece || (r->length + piece - 1) / piece > MAX_PIECES)
		return;
	r->piece = pieces;
	for (left = r->length; left; left -= piece) {
		if (piece > left)
			piece = left;
		pieces[r->pieces++] = piece;
	}
}

const struct case_plan *case_decode(const uint8_t *bytes, size_t length)
{
	static struct case_layer layers[CASE_MOST_LAYERS];
	static struct case_read reads[CASE_MOST_READS];
	static uint32_t pieces[CASE_MOST_READS][MAX_PIECES];
	static struct case_plan plan;
	struct case_view v;
	unsigned int i, k;
	size_t at = 0;

	if (!case_view(bytes, length, &v))
		return NULL;
	plan = (struct case_plan){ .zfile = bytes[0] & 1, .layer = layers, .read = reads, .fails_after = -1 };
	plan.layers = plan.zfile ? 1 : v.layers;
	plan.reads = v.reads;
	plan.slack = (bytes[0] >> 1 & 3) % 3;
	plan.twin = bytes[0] >> 3 & 1;
	plan.device_bytes = get_bytes(bytes + 8, 8) % (1ull << 52);
	plan.device_bytes -= plan.device_bytes % SECTOR_BYTES;
	if (!plan.device_bytes)
		plan.device_bytes = SECTOR_BYTES;
	plan.replaces = plan.zfile || plan.layers < 2 ? 0 : bytes[5] % plan.layers;
	for (i = 0; i < plan.layers; i++) {
		const uint8_t *p = bytes + v.layer_at + i * CASE_LAYER;
		struct case_layer *l = &layers[i];

		*l = (struct case_layer){ .zfiles = plan.zfile ? 1 : p[4] % 2, .same_as = -1 };
		l->length = case_file(bytes, length, &v, i, &at);
		l->bytes = bytes + at;
		l->exposed = get_bytes(p + 8, 8) % (1ull << 52);
		l->exposed = l->exposed < SECTOR_BYTES ? SECTOR_BYTES : l->exposed;
		for (k = 0; bytes[0] >> 4 & 1 && k < i && l->same_as < 0; k++)
			if (layers[k].zfiles == l->zfiles && layers[k].length == l->length && !memcmp(layers[k].bytes, l->bytes, l->length))
				l->same_as = (int)k;
	}
	plan.table.kind = faults[bytes[3] % (sizeof(faults) / sizeof(*faults))];
	plan.table.layer = bytes[4] % plan.layers;
	plan.table.delta = bounded((int64_t)get_bytes(bytes + 16, 8), MOST_DELTA);
	/* Nothing is no fault, and a device cannot be longer than it is. */
	if (!plan.table.delta || (plan.table.kind == TABLE_SHORT && plan.table.delta < 0))
		plan.table.delta = 1;
	if (plan.table.kind == TABLE_LENGTH && plan.table.delta * (int64_t)SECTOR_BYTES + (int64_t)plan.device_bytes < (int64_t)SECTOR_BYTES)
		plan.table.delta = 1;
	/* A whole layer's arguments more or less are another stack. */
	if (plan.table.kind == TABLE_COUNT)
		plan.table.delta = plan.table.delta < 0 || (bytes[16] & 1) ? -1 : 1;
	for (i = 0; i < plan.reads; i++)
		take_read(bytes + v.read_at + i * CASE_READ, &reads[i], pieces[i]);
	return &plan;
}
