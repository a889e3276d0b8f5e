// SPDX-License-Identifier: MIT
/* What the kernel holds after many devices came and went, and whether a module can go and come again. */
#define _GNU_SOURCE
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bytes of a line of /proc/meminfo, which counts in kB. */
static uint64_t meminfo(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

/*
 * Has every cache of the slab allocator give back what it only keeps in case:
 * empty pages, and with KASAN the freed objects that wait in its quarantine, up
 * to a 32nd of the memory (the kernel's mm/kasan/quarantine.c).
 */
static void shrink_caches(void)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char path[320];
		int fd;

		/* A link is another name of a cache that is there. */
		if (e->d_name[0] == '.' || e->d_type == DT_LNK)
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", e->d_name);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, "1", 1) != 1)
			usleep(1);
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
}

void send_census(int port, uint32_t done, uint32_t opened, uint32_t error)
{
	char text[4096], *slash;
	uint8_t head[64], *q = head;
	uint32_t tasks;

	/* What waits for a grace period or for somebody to need the memory is not lost. */
	usleep(100000);
	sync();
	drop_caches();
	shrink_caches();
	usleep(100000);
	slurp("/proc/loadavg", text, sizeof(text));
	slash = strchr(text, '/');
	tasks = slash ? strtoul(slash + 1, NULL, 10) : 0;
	slurp("/proc/meminfo", text, sizeof(text));
	q = put_u32(q, done);
	q = put_u32(q, opened);
	q = put_u32(q, error);
	q = put_u32(q, tasks);
	q = put_u64(q, meminfo(text, "MemAvailable:"));
	q = put_u64(q, meminfo(text, "SUnreclaim:"));
	q = put_u64(q, meminfo(text, "VmallocUsed:"));
	slurp("/sys/module/dm_bufio/parameters/current_allocated_bytes", text, sizeof(text));
	q = put_u64(q, strtoull(text, NULL, 10));
	send_frame(port, MSG_CENSUS, head, q - head, NULL, 0);
}

void run_reload(int port, struct cursor *c)
{
	char name[64] = "", path[160];
	uint8_t head[8], *q = head;
	uint32_t unload = 0, load = 0;
	uint8_t name_bytes = take_u8(c);
	const uint8_t *text = take_bytes(c, name_bytes);
	int fd;

	if (c->bad || c->left || name_bytes >= sizeof(name) || memchr(text, '/', name_bytes)) {
		send_error(port, "malformed reload");
		return;
	}
	memcpy(name, text, name_bytes);
	if (syscall(SYS_delete_module, name, O_NONBLOCK))
		unload = errno;
	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		/* The file's name may be written with dashes where the module's has none. */
		char *at;

		for (at = path + 9; *at; at++)
			if (*at == '_')
				*at = '-';
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 || (!unload && syscall(SYS_finit_module, fd, "", 0)))
		load = errno;
	if (fd >= 0)
		close(fd);
	q = put_u32(q, unload);
	q = put_u32(q, load);
	send_frame(port, MSG_RELOAD, head, q - head, NULL, 0);
}
