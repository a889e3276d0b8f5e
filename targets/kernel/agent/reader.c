// SPDX-License-Identifier: MIT
/*
 * Reads into buffers that lie in an arena of known bytes, so that a target
 * that writes outside what was asked for is seen doing it.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u
#define HUGE_PAGE (2u << 20)
#define GUARD (2 * PAGE)
/* Eight words of the canary do not come about by chance. */
#define UNTOUCHED_RUN 64u
/* Bytes between two buffers of one call. */
#define GAP_DIRECT 512u
#define GAP_BUFFERED 77u
/* A huge page in front, so that the buffer may begin at the border of one. */
#define ARENA (HUGE_PAGE + PAGE + MAX_READ + MAX_PIECES * GAP_DIRECT + PAGE + GUARD)

/* The buffers of one read, as places in the arena. */
struct layout {
	struct iovec piece[MAX_PIECES];
	unsigned pieces;
	size_t from, begin, end, limit; /* canary before, first buffer, its last end, end of the canary behind */
};

static int open_arena(uint8_t **arena, int advice)
{
	uint8_t *at = mmap(NULL, ARENA + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -1;
	*arena = (uint8_t *)(((uintptr_t)at + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	/* A kernel without huge pages says so, and then all pages are small. */
	madvise(*arena, ARENA, advice);
	return 0;
}

static __thread sigjmp_buf *bus_error;

/* A mapping of what cannot be read. Without anybody who waits for it the signal is a mistake of ours. */
static void on_bus_error(int number)
{
	if (bus_error)
		siglongjmp(*bus_error, 1);
	signal(number, SIG_DFL);
}

int reader_prepare(struct reader *r)
{
	struct sigaction action = { .sa_handler = on_bus_error, .sa_flags = SA_NODEFER };

	if (sigaction(SIGBUS, &action, NULL))
		return -1;
	return open_arena(&r->small, MADV_NOHUGEPAGE) || open_arena(&r->huge, MADV_HUGEPAGE) ? -1 : 0;
}

/* Depends on the position and the read, so that bytes moved about or left over are seen too. */
static uint64_t canary(size_t word, uint64_t salt)
{
	return (word + 1) * 0x9e3779b97f4a7c15u ^ salt * 0xbf58476d1ce4e5b9u;
}

/* Counts changed bytes of [from, to); *first gets the position of the first. */
static uint32_t changed(const uint8_t *arena, size_t from, size_t to, uint64_t salt, size_t *first)
{
	uint32_t count = 0;
	size_t at;

	for (at = from & ~(size_t)7; at < to; at += 8) {
		uint64_t want = canary(at / 8, salt), have;
		size_t i;

		memcpy(&have, arena + at, 8);
		if (have == want)
			continue;
		for (i = at < from ? from - at : 0; i < 8 && at + i < to; i++) {
			if ((uint8_t)(have >> 8 * i) == (uint8_t)(want >> 8 * i))
				continue;
			if (!count++)
				*first = at + i;
		}
	}
	return count;
}

/* Position, from `from`, of the first UNTOUCHED_RUN bytes of [from, to) that still hold the canary, or -1. */
static int64_t untouched(const uint8_t *arena, size_t from, size_t to, uint64_t salt)
{
	size_t at, run = 0;

	for (at = (from + 7) & ~(size_t)7; at + 8 <= to; at += 8) {
		uint64_t have;

		memcpy(&have, arena + at, 8);
		run = have == canary(at / 8, salt) ? run + 8 : 0;
		if (run == UNTOUCHED_RUN)
			return (int64_t)(at + 8 - run - from);
	}
	return -1;
}

static void lay_out(struct layout *l, const struct read_plan *p, uint8_t *arena)
{
	size_t at = HUGE_PAGE + p->buffer_offset;
	struct cursor lengths = { p->piece_lengths, p->pieces * 4, 0 };
	unsigned i;

	l->from = HUGE_PAGE - GUARD;
	l->begin = at;
	l->pieces = p->pieces ? p->pieces : 1;
	for (i = 0; i < l->pieces; i++) {
		size_t length = p->pieces ? take_u32(&lengths) : p->length;

		l->piece[i].iov_base = arena + at;
		l->piece[i].iov_len = length;
		l->end = at + length;
		at = l->end + (p->flags & READ_DIRECT ? GAP_DIRECT : GAP_BUFFERED);
	}
	l->limit = ((l->end + PAGE - 1) & ~(size_t)(PAGE - 1)) + GUARD;
}

/*
 * Bytes [offset, offset + length) of the device by touching its pages. As with
 * pread, fewer at the device's end, and an error where the first ones cannot be
 * had. What stands behind the end in the last page must be zeros and is counted
 * as changed where it is not.
 */
static void read_mapped(int fd, uint64_t device_bytes, const struct read_plan *p, uint8_t *to, struct read_result *out)
{
	uint64_t start = p->offset & ~(uint64_t)(PAGE - 1), end = p->offset + p->length;
	size_t skip = p->offset - start, length, done = 0, tail = 0;
	sigjmp_buf jump;
	volatile size_t copied = 0;
	uint8_t *map;

	out->result = 0;
	if (end > device_bytes)
		end = device_bytes;
	if (end <= p->offset)
		return;
	length = end - p->offset;
	map = mmap(NULL, skip + length, PROT_READ, MAP_SHARED, fd, start);
	if (map == MAP_FAILED) {
		out->result = -errno;
		return;
	}
	if (!sigsetjmp(jump, 0)) {
		bus_error = &jump;
		while (done < length) {
			size_t in_page = PAGE - (skip + done) % PAGE, n = length - done < in_page ? length - done : in_page;

			memcpy(to + done, map + skip + done, n);
			copied = done += n;
		}
		tail = end == device_bytes ? (PAGE - end % PAGE) % PAGE : 0;
		for (done = 0; done < tail; done++) {
			if (!map[skip + length + done])
				continue;
			if (!out->after++)
				out->first = length + done;
		}
	}
	bus_error = NULL;
	munmap(map, skip + length);
	out->result = copied ? (int64_t)copied : -EIO;
}

/* Brings the bytes of several buffers together where the first one begins. */
static void gather(const struct layout *l, size_t result)
{
	uint8_t *to = l->piece[0].iov_base;
	unsigned i;

	for (i = 0; i < l->pieces && result; i++) {
		size_t n = l->piece[i].iov_len < result ? l->piece[i].iov_len : result;

		memmove(to, l->piece[i].iov_base, n);
		to += n;
		result -= n;
	}
}

/* Looks at the buffers, and around and between them. */
static void inspect(const uint8_t *arena, const struct layout *l, uint64_t salt, struct read_result *out)
{
	size_t first = 0, left = out->result > 0 ? out->result : 0, done = 0, ends = l->begin;
	unsigned i;

	out->before = changed(arena, l->from, l->begin, salt, &first);
	if (out->before)
		out->first = (int64_t)first - (int64_t)l->begin;
	for (i = 0; i <= l->pieces; i++) {
		size_t begins = i < l->pieces ? (size_t)((uint8_t *)l->piece[i].iov_base - arena) : l->limit;
		size_t n;
		uint32_t count = i ? changed(arena, ends, begins, salt, &first) : 0;

		if (count && !out->before && !out->after)
			out->first = (int64_t)first - (int64_t)l->begin;
		out->after += count;
		if (i == l->pieces)
			break;
		n = l->piece[i].iov_len < left ? l->piece[i].iov_len : left;
		if (out->untouched < 0) {
			int64_t at = untouched(arena, begins, begins + n, salt);

			out->untouched = at < 0 ? -1 : at + (int64_t)done;
		}
		ends = begins + l->piece[i].iov_len;
		done += n;
		left -= n;
	}
}

void read_as_planned(struct reader *r, int fd, uint64_t device_bytes, const struct read_plan *p, uint64_t salt, struct read_result *out)
{
	uint8_t *arena = p->flags & READ_HUGE ? r->huge : r->small;
	struct layout l;
	size_t at;

	lay_out(&l, p, arena);
	memset(out, 0, sizeof(*out));
	out->untouched = -1;
	out->bytes = arena + l.begin;
	if (p->flags & READ_MAPPED) {
		read_mapped(fd, device_bytes, p, arena + l.begin, out);
		return;
	}
	for (at = l.from; at < l.limit; at += 8) {
		uint64_t v = canary(at / 8, salt);

		memcpy(arena + at, &v, 8);
	}
	if (p->pieces)
		out->result = preadv(fd, l.piece, l.pieces, p->offset);
	else
		out->result = pread(fd, arena + l.begin, p->length, p->offset);
	if (out->result < 0)
		out->result = -errno;
	inspect(arena, &l, salt, out);
	if (p->pieces)
		gather(&l, out->result > 0 ? out->result : 0);
}

void reader_forget(struct reader *r)
{
	madvise(r->small, ARENA, MADV_DONTNEED);
	madvise(r->huge, ARENA, MADV_DONTNEED);
}

ssize_t read_plainly(struct reader *r, int fd, uint64_t offset)
{
	ssize_t n = pread(fd, r->small + HUGE_PAGE, 1u << 20, offset);

	return n < 0 ? -errno : n;
}
