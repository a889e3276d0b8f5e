// SPDX-License-Identifier: MIT
/* How often the module's lines ran, as a kernel with GCOV has it in debugfs (Documentation/dev-tools/gcov.rst). */
#define _GNU_SOURCE
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define DEBUGFS "/sys/kernel/debug"
#define GCOV DEBUGFS "/gcov"

static void send_part(int port, int last, int error, const char *name, const uint8_t *bytes, size_t length)
{
	uint8_t head[8 + 256], *q = head;
	size_t n = strnlen(name, 255);

	q = put_u8(q, last);
	q = put_u8(q, n);
	q = put_u16(q, 0);
	q = put_u32(q, error);
	memcpy(q, name, n);
	send_frame(port, MSG_COVERAGE, head, q + n - head, bytes, length);
}

static void send_counters(int port, int folder, const char *name)
{
	static uint8_t bytes[MAX_COUNTERS + 1];
	size_t length;
	int error = read_whole(openat(folder, name, O_RDONLY | O_CLOEXEC), bytes, sizeof(bytes), &length);

	if (length > MAX_COUNTERS)
		error = EFBIG;
	send_part(port, 0, error, name, bytes, error ? 0 : length);
}

static int send_folder(int port, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	unsigned sent = 0;
	int error = 0;

	if (!dir)
		return errno;
	while (!error && (e = readdir(dir))) {
		size_t n = strlen(e->d_name);

		if (n < 6 || strcmp(e->d_name + n - 5, ".gcda"))
			continue;
		if (sent++ == MAX_COUNTED)
			error = E2BIG;
		else
			send_counters(port, dirfd(dir), e->d_name);
	}
	closedir(dir);
	return error;
}

/* Of COVERAGE_OPENS; empty: none. */
static char opens[PATH_MAX];

void send_opened(int port)
{
	if (*opens)
		send_part(port, 1, send_folder(port, opens), "", NULL, 0);
}

/* Debugfs is mounted when it is first asked for: other runs are to see the kernel as it booted. */
void run_coverage(int port, struct cursor *c)
{
	static int mounted;
	uint8_t flags = take_u8(c);
	size_t length = take_u16(c);
	const uint8_t *name = take_bytes(c, length);
	char path[PATH_MAX];
	int error = 0;

	if (!name || c->left || sizeof(GCOV) + length > sizeof(path)) {
		send_error(port, "malformed COVERAGE");
		return;
	}
	memcpy(path, GCOV, sizeof(GCOV) - 1);
	memcpy(path + sizeof(GCOV) - 1, name, length);
	path[sizeof(GCOV) - 1 + length] = 0;
	if (!mounted) {
		if (mount("debug", DEBUGFS, "debugfs", 0, NULL) && errno != EBUSY)
			error = errno;
		else
			mounted = 1;
	}
	if (!error && (flags & COVERAGE_SEND))
		error = send_folder(port, path);
	if (!error && (flags & COVERAGE_RESET))
		error = write_text(GCOV "/reset", "1", 1);
	if (!error && (flags & COVERAGE_OPENS))
		memcpy(opens, path, sizeof(opens));
	send_part(port, 1, error, "", NULL, 0);
}
