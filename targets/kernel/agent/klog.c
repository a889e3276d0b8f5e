// SPDX-License-Identifier: MIT
/* The kernel log since the last case, bounded: its beginning and its end are kept. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A kernel that never stops printing must not keep us here. */
#define MAX_RECORDS 20000

/*
 * A line without its newline stays open for more and is shown to nobody until
 * another one begins; so we begin one, and leave it out.
 */
#define MARK "ovbd: mark"

int klog_open(void)
{
	int fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && write(fd, "<7>" MARK "\n", sizeof(MARK) + 3) > 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

void klog_reset(struct klog *k, char *text, size_t capacity)
{
	memset(k, 0, sizeof(*k));
	k->text = text;
	k->capacity = capacity - 64; /* room for the line that says how much is missing */
}

void klog_add(struct klog *k, const char *line, size_t length)
{
	size_t half = k->capacity / 2;
	char *tail = k->text + half;

	if (length > half)
		length = half;
	if (!k->full && k->head + length <= half) {
		memcpy(k->text + k->head, line, length);
		k->head += length;
		return;
	}
	k->full = 1;
	while (k->tail + length > half) {
		char *end = memchr(tail, '\n', k->tail);
		size_t drop = end ? (size_t)(end - tail) + 1 : k->tail;

		memmove(tail, tail + drop, k->tail - drop);
		k->tail -= drop;
		k->dropped++;
	}
	memcpy(tail + k->tail, line, length);
	k->tail += length;
}

size_t klog_finish(struct klog *k)
{
	size_t half = k->capacity / 2;
	char note[64];
	int n = 0;

	if (!k->full)
		return k->head;
	if (k->dropped)
		n = snprintf(note, sizeof(note), "<7>... %u lines left out\n", k->dropped);
	memmove(k->text + k->head + n, k->text + half, k->tail);
	memcpy(k->text + k->head, note, n);
	return k->head + n + k->tail;
}

void klog_drain(int fd, struct klog *k)
{
	static char record[8192], line[8192 + 16];
	int i;

	if (fd < 0 || write(fd, "<7>" MARK "\n", sizeof(MARK) + 3) < 0)
		return;
	for (i = 0; i < MAX_RECORDS; i++) {
		ssize_t n = read(fd, record, sizeof(record) - 1);
		char *text, *end;
		int length;

		if (n < 0 && errno == EPIPE) {
			klog_add(k, "<7>... overrun\n", 15);
			continue;
		}
		if (n <= 0)
			return;
		record[n] = 0;
		text = strchr(record, ';');
		if (!text)
			continue;
		text++;
		/* Lines that begin with a space are the record's dictionary, not its text. */
		end = strstr(text, "\n ");
		if (end)
			*end = 0;
		else if (text[0] && record[n - 1] == '\n')
			record[n - 1] = 0;
		if (!strcmp(text, MARK))
			continue;
		length = snprintf(line, sizeof(line), "<%ld>%s\n", strtol(record, NULL, 10) & 7, text);
		klog_add(k, line, length);
	}
}

uint64_t read_taint(void)
{
	static int fd = -1;
	char text[32];
	ssize_t n;

	if (fd < 0)
		fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = 0;
	return strtoull(text, NULL, 10);
}
