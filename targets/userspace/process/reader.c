/* SPDX-License-Identifier: MIT */
/*
 * Reads as the kernel makes them of O_DIRECT and of the page cache (block/fops.c,
 * fs/mpage.c, mm/readahead.c of 6.1). Memory for direct reads holds known bytes
 * before, so that what is written beside the buffer, or never, is seen; each page
 * of it lies by itself, with forbidden ground all around.
 */
#include "reader.h"

#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD (2 * PAGE_SIZE)
#define GAP_DIRECT 512u
#define GAP_BUFFERED 77u
#define UNTOUCHED_RUN 64u
/* Far enough that no match of an LZ4 block reaches from one page into another. */
#define STRIDE (72u << 10)
#define MAX_PAGES ((MAX_READ_BYTES + MAX_PIECES * GAP_DIRECT) / PAGE_SIZE + 8)
#define HUGE_BYTES (2u << 20)
/* Pages that are read ahead: 128 KiB. */
#define AHEAD_PAGES 32u
/* The device's largest request, 1280 KiB. */
#define REQUEST_PAGES 320u

static struct page pages[MAX_PAGES];
static unsigned int ready_pages;
static uint8_t *islands;
/* One reader's read, its buffers as places in the arena: logical bytes, page after page. */
struct slot {
	struct layer_device *device;
	const struct case_read *read;
	/* Bytes that there are to be read. */
	uint64_t length, salt;
	struct direct *direct;
	struct { size_t at, bytes; } piece[MAX_PIECES];
	unsigned int pieces;
	size_t arena_from, arena_limit;
};

static struct slot slots[MAX_READERS];
/* Of the arena, what readers have that have begun. */
static size_t arena_used;
/* What the last read gave, and whose it was. */
static const struct slot *answerer = slots;
static uint64_t answered;
static const uint8_t *answer_linear;
static uint8_t *linear;

#define ISLAND_BASE (STRIDE - PAGE_SIZE)

/* Poisons from the end of what is poisoned to the next page, and gives that page. */
static void make_pages(unsigned int want)
{
	for (; ready_pages < want; ready_pages++) {
		uint8_t *at = islands + (size_t)ready_pages * STRIDE;

		__asan_poison_memory_region(at, 2 * STRIDE);
		pages[ready_pages].address = at + ISLAND_BASE;
		__asan_unpoison_memory_region(at + ISLAND_BASE, PAGE_SIZE);
	}
}

static void *map(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED) {
		perror("memory of the reader");
		exit(70);
	}
	return at;
}

void reader_prepare(void)
{
	islands = map((size_t)(MAX_PAGES + 2) * STRIDE);
	linear = map(MAX_READ_BYTES);
	make_pages(8);
}

static uint64_t canary(size_t word, uint64_t salt)
{
	return (word + 1) * 0x9e3779b97f4a7c15u ^ salt * 0xbf58476d1ce4e5b9u;
}

static uint8_t *byte_at(size_t at)
{
	return (uint8_t *)pages[at / PAGE_SIZE].address + at % PAGE_SIZE;
}

static void fill(size_t from, size_t to, uint64_t salt)
{
	while (from < to) {
		uint64_t *word = (uint64_t *)byte_at(from);
		size_t end = (from | (PAGE_SIZE - 1)) + 1;

		if (end > to)
			end = to;
		for (; from < end; from += 8)
			*word++ = canary(from / 8, salt);
	}
}

static uint32_t changed(size_t from, size_t to, uint64_t salt, int64_t *first)
{
	uint32_t count = 0;
	size_t at, i;

	for (at = from & ~(size_t)7; at < to; at += 8) {
		uint64_t want = canary(at / 8, salt), have = *(uint64_t *)byte_at(at);

		if (have == want)
			continue;
		for (i = at < from ? from - at : 0; i < 8 && at + i < to; i++)
			if ((uint8_t)(have >> 8 * i) != (uint8_t)(want >> 8 * i) && !count++)
				*first = (int64_t)(at + i);
	}
	return count;
}

static int64_t untouched(size_t from, size_t to, uint64_t salt)
{
	size_t at, run = 0;

	for (at = (from + 7) & ~(size_t)7; at + 8 <= to; at += 8) {
		run = *(uint64_t *)byte_at(at) == canary(at / 8, salt) ? run + 8 : 0;
		if (run == UNTOUCHED_RUN)
			return (int64_t)(at + 8 - run - from);
	}
	return -1;
}

static bool lay_out(struct slot *s)
{
	const struct case_read *r = s->read;
	size_t at = arena_used + GUARD + r->buffer_offset;
	unsigned int i;

	s->arena_from = arena_used;
	s->pieces = r->pieces ? r->pieces : 1;
	for (i = 0; i < s->pieces; i++) {
		s->piece[i].at = at;
		s->piece[i].bytes = r->pieces ? r->piece[i] : r->length;
		at += s->piece[i].bytes + GAP_DIRECT;
	}
	at -= GAP_DIRECT;
	s->arena_limit = ((at + PAGE_SIZE - 1) & PAGE_MASK) + GUARD;
	if (s->arena_limit / PAGE_SIZE > MAX_PAGES)
		return false;
	make_pages((unsigned int)(s->arena_limit / PAGE_SIZE));
	arena_used = s->arena_limit;
	return true;
}

static void inspect(const struct slot *s, struct case_read_result *out)
{
	uint64_t salt = s->salt;
	uint64_t left = out->result > 0 ? (uint64_t)out->result : 0, done = 0;
	size_t ends = s->piece[0].at;
	int64_t first = 0;
	unsigned int i;

	out->before = changed(s->arena_from, s->piece[0].at, salt, &first);
	if (out->before)
		out->first = first - (int64_t)s->piece[0].at;
	for (i = 0; i <= s->pieces; i++) {
		size_t begins = i < s->pieces ? s->piece[i].at : s->arena_limit, n;
		uint32_t count = i ? changed(ends, begins, salt, &first) : 0;

		if (count && !out->before && !out->after)
			out->first = first - (int64_t)s->piece[0].at;
		out->after += count;
		if (i == s->pieces)
			break;
		n = s->piece[i].bytes < left ? s->piece[i].bytes : left;
		if (out->untouched < 0) {
			int64_t at = untouched(begins, begins + n, salt);

			out->untouched = at < 0 ? -1 : at + (int64_t)done;
		}
		ends = begins + s->piece[i].bytes;
		done += n;
		left -= n;
	}
}

struct direct {
	unsigned int pending;
	blk_status_t status;
};

static void end_direct(struct bio *bio)
{
	struct direct *d = bio->bi_private;

	if (bio->bi_status && !d->status)
		d->status = bio->bi_status;
	d->pending--;
	made_progress();
}

static bool direct_ended(void *data)
{
	return ((struct direct *)data)->pending == 0;
}

static void begin_direct(struct direct *direct, struct bio *bio)
{
	bio->bi_private = direct;
	bio->bi_end_io = end_direct;
	direct->pending++;
	submit_bio(bio);
}

static void wait_for_direct(struct direct *direct)
{
	if (!layer_wait(direct_ended, direct))
		die(DEATH_HANG, "hang");
}

/* Up to 256 vectors a bio; in huge pages one vector goes on to the page's border. */
static void submit_direct(struct slot *s)
{
	struct layer_device *device = s->device;
	const struct case_read *r = s->read;
	uint64_t done = 0, length = s->length;
	size_t in_piece = 0;
	unsigned int i = 0;
	struct direct *direct = s->direct = layer_alloc(sizeof(*direct));

	while (done < length) {
		struct bio *bio = layer_alloc(sizeof(*bio));
		struct bio_vec *vec = layer_alloc(BIO_MAX_VECS * sizeof(*vec));

		bio_init(bio, &device->bdev, vec, BIO_MAX_VECS, REQ_OP_READ | REQ_SYNC);
		bio->bi_iter.bi_sector = (r->offset + done) >> SECTOR_SHIFT;
		while (done < length && bio->bi_vcnt < BIO_MAX_VECS) {
			size_t at = s->piece[i].at + in_piece, unit = r->huge ? HUGE_BYTES : PAGE_SIZE;
			size_t n = unit - (r->huge ? at - s->arena_from - GUARD : at) % unit;

			if (n > s->piece[i].bytes - in_piece)
				n = s->piece[i].bytes - in_piece;
			if (n > length - done)
				n = length - done;
			vec[bio->bi_vcnt++] = (struct bio_vec){ &pages[at / PAGE_SIZE], (unsigned int)n, at % PAGE_SIZE };
			bio->bi_iter.bi_size += n;
			done += n;
			in_piece += n;
			if (in_piece == s->piece[i].bytes) {
				i++;
				in_piece = 0;
			}
		}
		begin_direct(direct, bio);
	}
}

struct cached {
	struct cached *next;
	const struct layer_device *device;
	uint64_t index;
	struct page page;
	bool uptodate;
};

#define CACHE_BUCKETS 1024u
static struct cached *cache[CACHE_BUCKETS];
static bool cache_used;

void reader_close(void)
{
	if (cache_used)
		memset(cache, 0, sizeof(cache));
	cache_used = false;
}

static struct cached *cached_page(const struct layer_device *device, uint64_t index, bool make)
{
	struct cached **bucket = &cache[(index + device->number * 131u) % CACHE_BUCKETS], *c;

	for (c = *bucket; c && (c->index != index || c->device != device); c = c->next)
		;
	if (c || !make)
		return c;
	c = layer_alloc(sizeof(*c));
	c->page.address = memory_page(PAGE_SIZE);
	if (!c->page.address)
		return NULL;
	c->device = device;
	c->index = index;
	c->next = *bucket;
	cache_used = true;
	return *bucket = c;
}

/* As set_init_blocksize: the largest power of two, up to a page, that divides the size. */
static unsigned int block_bytes(uint64_t size)
{
	unsigned int bytes = 512;

	while (bytes < PAGE_SIZE && !(size & bytes))
		bytes <<= 1;
	return bytes;
}

struct ahead {
	struct direct waiting;
	unsigned int count;
	struct cached *page[BIO_MAX_VECS];
};

static void end_ahead(struct bio *bio)
{
	struct ahead *a = bio->bi_private;
	unsigned int i;

	for (i = 0; i < a->count; i++)
		a->page[i]->uptodate = bio->bi_status == BLK_STS_OK;
	a->waiting.pending--;
	made_progress();
}

/* Reads missing pages [index, index + count), whole ones, the last one as far as the device goes. */
static void read_ahead(struct layer_device *device, uint64_t size, uint64_t index, uint64_t count)
{
	uint64_t last = (size - 1) / PAGE_SIZE;
	struct ahead *open[64];
	unsigned int opened = 0, i;

	if (count > last - index + 1)
		count = last - index + 1;
	while (count) {
		struct ahead *a = layer_alloc(sizeof(*a));
		struct bio *bio = layer_alloc(sizeof(*bio));
		struct bio_vec *vec = layer_alloc(BIO_MAX_VECS * sizeof(*vec));

		bio_init(bio, &device->bdev, vec, BIO_MAX_VECS, REQ_OP_READ | REQ_RAHEAD);
		bio->bi_iter.bi_sector = index * PAGE_SECTORS;
		while (count && a->count < BIO_MAX_VECS && !cached_page(device, index, false)) {
			struct cached *c = cached_page(device, index, true);
			uint64_t left = size - index * PAGE_SIZE;

			if (!c) {
				count = 0;
				break;
			}
			vec[bio->bi_vcnt++] = (struct bio_vec){ &c->page, left < PAGE_SIZE ? (unsigned int)left : PAGE_SIZE, 0 };
			bio->bi_iter.bi_size += vec[bio->bi_vcnt - 1].bv_len;
			a->page[a->count++] = c;
			index++;
			count--;
		}
		while (count && cached_page(device, index, false)) {
			index++;
			count--;
		}
		if (!a->count)
			continue;
		bio->bi_private = a;
		bio->bi_end_io = end_ahead;
		a->waiting.pending = 1;
		submit_bio(bio);
		if (opened == 64)
			break;
		open[opened++] = a;
	}
	for (i = 0; i < opened; i++)
		if (!layer_wait(direct_ended, &open[i]->waiting))
			die(DEATH_HANG, "hang");
}

/* A page that could not be read ahead once more, block by block. */
static bool read_page(struct layer_device *device, uint64_t size, struct cached *c)
{
	unsigned int block = block_bytes(size), at;
	uint64_t start = c->index * PAGE_SIZE;
	struct direct *direct = layer_alloc(sizeof(*direct));

	for (at = 0; at < PAGE_SIZE && start + at < size; at += block) {
		struct bio *bio = layer_alloc(sizeof(*bio));
		struct bio_vec *vec = layer_alloc(sizeof(*vec));

		bio_init(bio, &device->bdev, vec, 1, REQ_OP_READ);
		*vec = (struct bio_vec){ &c->page, block, at };
		bio->bi_vcnt = 1;
		bio->bi_iter.bi_size = block;
		bio->bi_iter.bi_sector = (start + at) >> SECTOR_SHIFT;
		begin_direct(direct, bio);
	}
	wait_for_direct(direct);
	return c->uptodate = direct->status == BLK_STS_OK;
}

/* The first window, as get_init_ra_size. */
static uint64_t window(uint64_t wanted, uint64_t most)
{
	uint64_t pages_of_it = 1;

	while (pages_of_it < wanted)
		pages_of_it *= 2;
	return pages_of_it <= most / 32 ? pages_of_it * 4 : pages_of_it <= most / 4 ? pages_of_it * 2 : most;
}

static int64_t read_cached(struct layer_device *device, uint64_t offset, uint64_t length, uint8_t *to)
{
	uint64_t size = device->disk.capacity << SECTOR_SHIFT, done = 0, previous = ~0ull;

	while (done < length) {
		uint64_t index = (offset + done) / PAGE_SIZE, skip = (offset + done) % PAGE_SIZE, n = PAGE_SIZE - skip;
		struct cached *c = cached_page(device, index, false);

		if (n > length - done)
			n = length - done;
		if (!c) {
			uint64_t wanted = (offset + length + PAGE_SIZE - 1) / PAGE_SIZE - index, most = AHEAD_PAGES;

			if (wanted > most)
				most = wanted < REQUEST_PAGES ? wanted : REQUEST_PAGES;
			read_ahead(device, size, index, index == 0 || wanted > most || index - previous <= 1 ? window(wanted, most) : wanted);
			c = cached_page(device, index, false);
		}
		previous = index;
		if (!c || (!c->uptodate && !read_page(device, size, c)))
			return done ? (int64_t)done : -EIO;
		if (to)
			memcpy(to + done, (uint8_t *)c->page.address + skip, n);
		done += n;
	}
	return (int64_t)done;
}

void reader_touch(struct layer_device *device, uint64_t bytes)
{
	uint64_t size = device->disk.capacity << SECTOR_SHIFT;

	read_cached(device, 0, bytes < size ? bytes : size, NULL);
}

bool reader_begin(unsigned int reader, bool alone, struct layer_device *device, const struct case_read *r, uint64_t salt)
{
	uint64_t size = device->disk.capacity << SECTOR_SHIFT;
	struct slot *s = &slots[reader];

	if (alone)
		arena_used = 0;
	s->device = device;
	s->read = r;
	s->salt = salt;
	s->direct = NULL;
	s->length = r->offset >= size ? 0 : r->length > size - r->offset ? size - r->offset : r->length;
	if (r->mode != READ_DIRECT)
		return true;
	if (!lay_out(s))
		return false;
	fill(s->arena_from, s->arena_limit, salt);
	if (s->length)
		submit_direct(s);
	return true;
}

void reader_end(unsigned int reader, struct case_read_result *out)
{
	struct slot *s = &slots[reader];

	*out = (struct case_read_result){ .untouched = -1 };
	answerer = s;
	answer_linear = NULL;
	if (s->read->mode != READ_DIRECT) {
		out->result = s->length ? read_cached(s->device, s->read->offset, s->length, linear) : 0;
		answer_linear = linear;
	} else {
		if (s->direct) {
			wait_for_direct(s->direct);
			out->result = s->direct->status ? blk_status_to_errno(s->direct->status) : (int64_t)s->length;
		}
		inspect(s, out);
	}
	answered = out->result > 0 ? (uint64_t)out->result : 0;
}

void reader_read(struct layer_device *device, const struct case_read *r, uint64_t salt, struct case_read_result *out)
{
	reader_begin(0, true, device, r, salt);
	reader_end(0, out);
}

int reader_write(struct layer_device *device, uint64_t offset, uint64_t length, uint8_t byte)
{
	uint64_t size = device->disk.capacity << SECTOR_SHIFT, done = 0;
	struct direct *direct = layer_alloc(sizeof(*direct));
	unsigned int i;

	if (offset >= size)
		return -ENOSPC;
	if (length > size - offset)
		length = size - offset;
	/* Each page is the same one: who writes into it is seen by nobody, but nobody is to. */
	make_pages(1);
	memset((void *)pages[0].address, byte, PAGE_SIZE);
	while (done < length) {
		struct bio *bio = layer_alloc(sizeof(*bio));
		struct bio_vec *vec = layer_alloc(BIO_MAX_VECS * sizeof(*vec));

		bio_init(bio, &device->bdev, vec, BIO_MAX_VECS, REQ_OP_WRITE | REQ_SYNC);
		bio->bi_iter.bi_sector = (offset + done) >> SECTOR_SHIFT;
		for (i = 0; i < BIO_MAX_VECS && done < length; i++) {
			unsigned int n = length - done < PAGE_SIZE ? (unsigned int)(length - done) : PAGE_SIZE;

			vec[bio->bi_vcnt++] = (struct bio_vec){ &pages[0], n, 0 };
			bio->bi_iter.bi_size += n;
			done += n;
		}
		begin_direct(direct, bio);
	}
	wait_for_direct(direct);
	return direct->status ? blk_status_to_errno(direct->status) : 0;
}

size_t case_bytes(uint64_t at, const uint8_t **from)
{
	unsigned int i;

	if (at >= answered)
		return 0;
	if (answer_linear) {
		*from = answer_linear + at;
		return answered - at;
	}
	{
		uint64_t left = answered - at;

		for (i = 0; i < answerer->pieces && at >= answerer->piece[i].bytes; i++)
			at -= answerer->piece[i].bytes;
		{
			size_t place = answerer->piece[i].at + at, n = PAGE_SIZE - place % PAGE_SIZE;

			if (n > answerer->piece[i].bytes - at)
				n = answerer->piece[i].bytes - at;
			*from = byte_at(place);
			return n < left ? n : left;
		}
	}
}
