// SPDX-License-Identifier: MIT
/* A file system on a case's device: mounted read-only, every file of it sent to the host, twice. */
#define _GNU_SOURCE
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ROOT "/mnt"
#define MAX_DEPTH 64
#define MAX_ENTRIES 200000u

static uint8_t *content;
static char path[4096];
static unsigned entries;

static void send_entry(int port, uint8_t kind, uint8_t pass, int error, size_t length)
{
	uint8_t head[32 + sizeof(path)], *q = head;
	size_t name = strlen(path);

	q = put_u8(q, kind);
	q = put_u8(q, pass);
	q = put_u16(q, name);
	q = put_u32(q, error);
	memcpy(q, path, name);
	send_frame(port, MSG_ENTRY, head, q + name - head, content, length);
}

/* Sends one file, all of it in one frame; its kind is 0, of a link 2. */
static void send_file(int port, uint8_t pass, const struct stat *s)
{
	size_t length;
	int error;

	if (S_ISLNK(s->st_mode)) {
		ssize_t n = readlink(path, (char *)content, MAX_READ);

		send_entry(port, 2, pass, n < 0 ? errno : 0, n < 0 ? 0 : n);
		return;
	}
	if (!S_ISREG(s->st_mode)) {
		send_entry(port, 3, pass, 0, 0);
		return;
	}
	error = read_whole(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), content, MAX_READ, &length);
	send_entry(port, 0, pass, error, length);
}

static void walk(int port, uint8_t pass, unsigned depth)
{
	size_t end = strlen(path);
	struct dirent *e;
	DIR *dir = depth < MAX_DEPTH ? opendir(path) : NULL;

	send_entry(port, 1, pass, dir ? 0 : depth < MAX_DEPTH ? errno : ELOOP, 0);
	while (dir && entries < MAX_ENTRIES && (errno = 0, e = readdir(dir))) {
		struct stat s;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || end + strlen(e->d_name) + 2 > sizeof(path))
			continue;
		entries++;
		snprintf(path + end, sizeof(path) - end, "/%s", e->d_name);
		if (lstat(path, &s))
			send_entry(port, 3, pass, errno, 0);
		else if (S_ISDIR(s.st_mode))
			walk(port, pass, depth + 1);
		else
			send_file(port, pass, &s);
		path[end] = 0;
	}
	if (dir && errno)
		send_entry(port, 1, pass, errno, 0);
	if (dir)
		closedir(dir);
}

/* Mounts the device and sends its tree with a cold cache (pass 0) and with a warm one (pass 1). Returns an errno. */
int send_tree(int port, const struct device *d, const char *type)
{
	static const char node[] = "/run/tree";
	int error = 0;
	uint8_t pass;

	if (!content)
		content = malloc(MAX_READ);
	if (!content)
		return ENOMEM;
	mkdir(ROOT, 0755);
	unlink(node);
	if (mknod(node, S_IFBLK | 0600, d->dev))
		return errno;
	if (mount(node, ROOT, type, MS_RDONLY, NULL))
		error = errno;
	unlink(node);
	if (error)
		return error;
	for (pass = 0; pass < 2; pass++) {
		if (!pass)
			drop_caches();
		entries = 0;
		snprintf(path, sizeof(path), "%s", ROOT);
		walk(port, pass, 0);
	}
	return umount2(ROOT, 0) ? errno : 0;
}
