/* SPDX-License-Identifier: MIT */
/*
 * Changes a case by what it means: a field of a header, an entry of an index, a
 * block, a layer, a read, the table. Checksums are made right again more often
 * than not, or nothing but checksums would ever be tested.
 */
#include <string.h>

#include "case-bytes.h"
#include "fields.h"
#include "reseal.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define SECTOR_BYTES 512u
#define PAGE_BYTES 4096u

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static uint64_t state;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t n)
{
	return n ? next() % n : 0;
}

/* Where things go wrong: around what they are, what others are, ends of types, sizes of things. */
static uint64_t value(uint64_t old, uint64_t other, unsigned int bits)
{
	static const uint64_t sizes[] = { 0, 1, 2, 3, 4, 8, 16, 96, 127, 128, 255, 256, 257, 390, 511, 512, 513, 4095, 4096, 4097, 8192, 16383, 16384, 65535, 65536, 1 << 20, 1ull << 31, 1ull << 32, 1ull << 50, 1ull << 55, 1ull << 63 };
	uint64_t all = bits < 64 ? (1ull << bits) - 1 : ~0ull, v;

	switch (below(8)) {
	case 0:
		v = old + 1 - 2 * below(2);
		break;
	case 1:
		v = other + 1 - below(3);
		break;
	case 2:
		v = all - below(3);
		break;
	case 3:
		v = (1ull << below(bits)) + 1 - below(3);
		break;
	case 4:
		v = old ^ 1ull << below(bits);
		break;
	case 5:
		v = old + other;
		break;
	case 6:
		v = below(2) ? old * 2 : old / 2;
		break;
	default:
		v = sizes[below(COUNT(sizes))] + below(2) * (below(3) - 1);
		break;
	}
	return v & all;
}

struct file {
	uint8_t *bytes;
	size_t length;
	enum layer_kind kind;
	bool last;
};

static void change_header(struct file *f)
{
	const struct field *fields = f->kind == LAYER_ZFILE ? zfile_fields : lsmt_fields;
	size_t count = f->kind == LAYER_ZFILE ? COUNT(zfile_fields) : COUNT(lsmt_fields);
	uint8_t *head = f->bytes + header_at(f->kind, f->length, f->last);
	const struct field *one = &fields[below(count)], *other = &fields[below(count)];
	uint64_t near = below(3) ? get_bytes(head + other->at, other->bytes) : f->length;

	put_bytes(head + one->at, one->bytes, value(get_bytes(head + one->at, one->bytes), near, one->bytes * 8));
	/* The other copy of it says the same, or not. */
	if (below(2))
		memcpy(f->bytes + header_at(f->kind, f->length, !f->last) + one->at, head + one->at, one->bytes);
}

static void change_segment(uint8_t *entry, uint64_t near)
{
	const struct bits *b = &segment_bits[below(COUNT(segment_bits))];
	uint64_t mask = ((b->width < 64 ? 1ull << b->width : 0) - 1) << b->shift, word = get_bytes(entry + b->word * 8, 8);

	word = (word & ~mask) | (value((word & mask) >> b->shift, near, b->width) << b->shift & mask);
	put_bytes(entry + b->word * 8, 8, word);
}

static void change_index(struct file *f)
{
	size_t size = f->kind == LAYER_ZFILE ? JUMP_ENTRY : SEGMENT_ENTRY, at = 0, count = index_of(f->bytes, f->length, f->kind, f->last, &at);
	uint8_t swap[SEGMENT_ENTRY], *one, *other;

	if (!count)
		return;
	one = f->bytes + at + below(count) * size;
	other = f->bytes + at + below(count) * size;
	switch (below(6)) {
	case 0:
		memcpy(swap, one, size);
		memmove(one, other, size);
		memcpy(other, swap, size);
		break;
	case 1:
		memmove(one, other, size);
		break;
	case 2:
		/* Nothing there. */
		memset(one, below(2) ? 0 : 255, size);
		break;
	default:
		if (f->kind == LAYER_ZFILE)
			put_bytes(one, JUMP_ENTRY, value(get_bytes(one, JUMP_ENTRY), get_bytes(other, JUMP_ENTRY), 32));
		else
			change_segment(one, below(2) ? get_bytes(other + 8, 8) & 0xffffffffff : f->length / SECTOR_BYTES);
		break;
	}
}

/* A token of an LZ4 block, an offset, or a length: whatever lies there. */
static void change_block(struct file *f)
{
	size_t at = 0, index = 0, count = index_of(f->bytes, f->length, LAYER_ZFILE, f->last, &index), bytes = block_of(f->bytes, f->length, f->last, below(count), &at), changes;
	static const uint8_t telling[] = { 0x00, 0x0f, 0xf0, 0xff, 0x1f, 0xf1, 0x01, 0x10 };

	if (f->kind != LAYER_ZFILE || bytes == 0)
		return;
	for (changes = 1 + below(3); changes; changes--) {
		/* The first token decides most. */
		uint8_t *p = f->bytes + at + (below(3) ? below(bytes) : 0);

		*p = below(2) ? telling[below(COUNT(telling))] : (uint8_t)next();
	}
	if (below(5))
		seal_block(f->bytes, f->length, at, bytes);
}

static void change_read(uint8_t *read, const uint8_t *head)
{
	uint64_t end = get_bytes(head + 8, 8), near = below(2) ? end : get_bytes(read, 8);

	switch (below(4)) {
	case 0:
		put_bytes(read, 8, value(get_bytes(read, 8), end, 52));
		break;
	case 1:
		/* Around an end, with a length that goes over it or not. */
		near = near / SECTOR_BYTES * SECTOR_BYTES;
		put_bytes(read, 8, near - (near >= PAGE_BYTES ? below(9) * SECTOR_BYTES : 0));
		put_bytes(read + 8, 4, (1 + below(16)) * SECTOR_BYTES);
		break;
	case 2:
		put_bytes(read + 8, 4, value(get_bytes(read + 8, 4), PAGE_BYTES, 21));
		break;
	default:
		read[12 + below(4)] = (uint8_t)next();
		break;
	}
}

/* Makes room for `more` bytes at `at`, or takes them away where negative; gives the new length, the old one where it cannot be. */
static size_t resize(uint8_t *data, size_t length, size_t most, size_t at, long more)
{
	if (more >= 0 ? length + (size_t)more > most : at + (size_t)-more > length)
		return length;
	if (more >= 0)
		memmove(data + at + more, data + at, length - at);
	else
		memmove(data + at, data + at - more, length - at + (size_t)more);
	return length + (size_t)more;
}

/* Puts a copy of a layer above it, or takes one away. */
static size_t change_stack(uint8_t *data, size_t length, size_t most, const struct case_view *v)
{
	unsigned int which = (unsigned int)below(v->layers);
	size_t at = 0, bytes = case_file(data, length, v, which, &at), longer;
	uint8_t head[CASE_LAYER];

	if (data[0] & 1)
		return length;
	memcpy(head, data + v->layer_at + which * CASE_LAYER, CASE_LAYER);
	if (v->layers > 1 && below(2)) {
		length = resize(data, length, most, at, -(long)bytes);
		data[1] = (uint8_t)(v->layers - 2);
		return resize(data, length, most, v->layer_at + which * CASE_LAYER, -(long)CASE_LAYER);
	}
	if (v->layers == CASE_MOST_LAYERS || length + bytes + CASE_LAYER > most)
		return length;
	longer = resize(data, length, most, at, (long)bytes);
	memcpy(data + at, data + at + bytes, bytes);
	length = resize(data, longer, most, v->layer_at + which * CASE_LAYER, CASE_LAYER);
	memcpy(data + v->layer_at + which * CASE_LAYER, head, CASE_LAYER);
	data[1] = (uint8_t)v->layers;
	return length;
}

static size_t change_reads(uint8_t *data, size_t length, size_t most, const struct case_view *v)
{
	size_t at = v->read_at + below(v->reads) * CASE_READ;

	if (v->reads && below(4)) {
		change_read(data + at, data);
		return length;
	}
	if (v->reads > 1 && below(2)) {
		data[2] = (uint8_t)(v->reads - 1);
		return resize(data, length, most, at, -(long)CASE_READ);
	}
	if (v->reads == CASE_MOST_READS || length + CASE_READ > most)
		return length;
	length = resize(data, length, most, v->read_at, CASE_READ);
	memset(data + v->read_at, 0, CASE_READ);
	put_bytes(data + v->read_at + 8, 4, PAGE_BYTES);
	change_read(data + v->read_at, data);
	data[2] = (uint8_t)(v->reads + 1);
	return length;
}

/* The file ends earlier or goes on. */
static size_t change_length(uint8_t *data, size_t length, size_t most, const struct case_view *v, unsigned int which)
{
	size_t at = 0, bytes = case_file(data, length, v, which, &at), longer;
	static const long steps[] = { -1, 1, -4, 4, -512, 512, -4096, 4096 };
	long more = steps[below(COUNT(steps))];

	if (more < 0 && (size_t)-more >= bytes)
		return length;
	longer = resize(data, length, most, more < 0 ? at + bytes - (size_t)-more : at + bytes, more);
	if (longer == length)
		return length;
	if (more > 0)
		memset(data + at + bytes, 0, (size_t)more);
	put_bytes(data + v->layer_at + which * CASE_LAYER, 4, bytes + (size_t)more);
	return longer;
}

static void change_head(uint8_t *data, const struct case_view *v)
{
	uint8_t *layer = data + v->layer_at + below(v->layers) * CASE_LAYER;

	switch (below(5)) {
	case 0:
		data[0] ^= (uint8_t)(1u << (1 + below(4)));
		break;
	case 1:
		put_bytes(data + 8, 8, value(get_bytes(data + 8, 8), PAGE_BYTES, 52));
		break;
	case 2:
		put_bytes(layer + 8, 8, value(get_bytes(layer + 8, 8), PAGE_BYTES, 52));
		break;
	case 3:
		data[3] = below(2) ? (uint8_t)next() : 0;
		data[4] = (uint8_t)next();
		put_bytes(data + 16, 8, value(get_bytes(data + 16, 8), SECTOR_BYTES, 64));
		break;
	default:
		data[5] = (uint8_t)below(CASE_MOST_LAYERS);
		break;
	}
}

static void change_file(uint8_t *data, size_t length, const struct case_view *v, unsigned int which)
{
	size_t at = 0;
	struct file f = { .length = case_file(data, length, v, which, &at), .last = below(4) != 0 };

	f.bytes = data + at;
	f.kind = kind_of(f.bytes, f.length);
	if (f.length == 0)
		return;
	if (f.kind == LAYER_OTHER || below(12) == 0) {
		size_t from = below(f.length), bytes = f.length - from < 64 ? f.length - from : 64;

		LLVMFuzzerMutate(f.bytes + from, bytes, bytes);
	} else {
		switch (below(f.kind == LAYER_ZFILE ? 4 : 3)) {
		case 0:
			change_header(&f);
			break;
		case 1:
		case 2:
			change_index(&f);
			break;
		default:
			change_block(&f);
			break;
		}
	}
	if (below(8))
		seal_headers(f.bytes, f.length);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed)
{
	struct case_view v;
	unsigned int changes;

	state = ((uint64_t)seed + 1) * 0x9e3779b97f4a7c15u;
	for (changes = 1 + (unsigned int)below(3); changes; changes--) {
		if (!case_view(data, size, &v))
			return LLVMFuzzerMutate(data, size, most);
		switch (below(16)) {
		case 0:
			size = change_stack(data, size, most, &v);
			break;
		case 1:
		case 2:
			size = change_reads(data, size, most, &v);
			break;
		case 3:
			size = change_length(data, size, most, &v, (unsigned int)below(v.layers));
			break;
		case 4:
		case 5:
			change_head(data, &v);
			break;
		default:
			change_file(data, size, &v, (unsigned int)below(v.layers));
			break;
		}
	}
	return size;
}
