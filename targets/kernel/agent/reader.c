// SPDX-License-Identifier: MIT
/*
 * Reads into a buffer that lies in an arena of known bytes, so that a target
 * that writes outside what was asked for is seen doing it.
 */
#include "agent.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define GUARD (2 * PAGE)
/* Eight words of the canary do not come about by chance. */
#define UNTOUCHED_RUN 64u
#define ARENA (GUARD + PAGE + MAX_READ + PAGE + GUARD)

static uint8_t *arena;

int reader_prepare(void)
{
	arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return arena == MAP_FAILED ? -1 : 0;
}

/* Depends on the position and the read, so that bytes moved about or left over are seen too. */
static uint64_t canary(size_t word, uint64_t salt)
{
	return (word + 1) * 0x9e3779b97f4a7c15u ^ salt * 0xbf58476d1ce4e5b9u;
}

/* Counts changed bytes of [from, to), both multiples of 8; *first gets the position of the first. */
static uint32_t changed(size_t from, size_t to, uint64_t salt, size_t *first)
{
	uint32_t count = 0;
	size_t at;

	for (at = from; at < to; at += 8) {
		uint64_t want = canary(at / 8, salt), have;
		int i;

		memcpy(&have, arena + at, 8);
		if (have == want)
			continue;
		for (i = 0; i < 8; i++) {
			if ((uint8_t)(have >> 8 * i) == (uint8_t)(want >> 8 * i))
				continue;
			if (!count++)
				*first = at + i;
		}
	}
	return count;
}

/*
 * Position of the first UNTOUCHED_RUN bytes of [from, to) that still hold the canary, or -1.
 * `from` is a multiple of 8.
 */
static int64_t untouched(size_t from, size_t to, uint64_t salt)
{
	size_t at, run = 0;

	for (at = from; at + 8 <= to; at += 8) {
		uint64_t have;

		memcpy(&have, arena + at, 8);
		run = have == canary(at / 8, salt) ? run + 8 : 0;
		if (run == UNTOUCHED_RUN)
			return (int64_t)(at + 8 - run - from);
	}
	return -1;
}

void read_into_arena(int fd, uint64_t offset, uint32_t length, uint32_t buffer_offset, uint64_t salt,
		     struct read_result *out)
{
	size_t begin = GUARD + buffer_offset;
	size_t end = begin + length;
	size_t limit = ((end + PAGE - 1) & ~(size_t)(PAGE - 1)) + GUARD;
	size_t at, first = 0;

	for (at = 0; at < limit; at += 8) {
		uint64_t v = canary(at / 8, salt);

		memcpy(arena + at, &v, 8);
	}
	out->result = pread(fd, arena + begin, length, offset);
	if (out->result < 0)
		out->result = -errno;
	out->untouched = out->result > 0 ? untouched(begin, begin + out->result, salt) : -1;
	out->bytes = arena + begin;
	out->first = 0;
	out->after = changed(end, limit, salt, &first);
	if (out->after)
		out->first = (int64_t)first - (int64_t)begin;
	out->before = changed(0, begin, salt, &first);
	if (out->before)
		out->first = (int64_t)first - (int64_t)begin;
}

ssize_t read_plainly(int fd, uint64_t offset)
{
	ssize_t n = pread(fd, arena + GUARD, 1u << 20, offset);

	return n < 0 ? -errno : n;
}
