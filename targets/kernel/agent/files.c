// SPDX-License-Identifier: MIT
/* Files of the guest's kernel, read and written whole. */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int read_whole(int fd, uint8_t *bytes, size_t capacity, size_t *length)
{
	int error = fd < 0 ? errno : 0;
	size_t done = 0;

	while (!error && done < capacity) {
		ssize_t n = read(fd, bytes + done, capacity - done);

		if (n < 0)
			error = errno;
		if (n <= 0)
			break;
		done += n;
	}
	if (fd >= 0)
		close(fd);
	*length = error ? 0 : done;
	return error;
}

void slurp(const char *path, char *text, size_t size)
{
	size_t length;

	read_whole(open(path, O_RDONLY | O_CLOEXEC), (uint8_t *)text, size - 1, &length);
	text[length] = 0;
}

int write_text(const char *path, const char *text, size_t length)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = fd < 0 || write(fd, text, length) != (ssize_t)length ? errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

void drop_caches(void)
{
	write_text("/proc/sys/vm/drop_caches", "3", 1);
}
