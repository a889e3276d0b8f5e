// SPDX-License-Identifier: MIT
/*
 * What happens between the reads of a case: a device under it gets another
 * table, or somebody tries to change what is on the device that is read.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkzoned.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/pr.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Aligned for O_DIRECT; the pattern is none that an image is likely to hold. */
static uint8_t scribble[MAX_WRITE] __attribute__((aligned(4096)));

int take_action(struct cursor *c, struct action *a)
{
	memset(a, 0, sizeof(*a));
	a->before = take_u16(c);
	a->kind = take_u8(c);
	take_u8(c);
	a->device = take_u16(c);
	take_u16(c);
	a->offset = take_u64(c);
	a->length = take_u32(c);
	a->table = *c;
	if (a->kind == ACT_RELOAD)
		dm_skip_table(c);
	if (a->kind == ACT_MESSAGE)
		a->text = take_bytes(c, a->length <= MAX_MESSAGE ? a->length : 0);
	if (a->kind > ACT_MESSAGE || a->length > MAX_WRITE || a->offset % 512)
		c->bad = 1;
	if (a->kind == ACT_MESSAGE ? a->length > MAX_MESSAGE : a->length % 512)
		c->bad = 1;
	return c->bad ? -1 : 0;
}

static int write_all(int fd, uint64_t offset, uint32_t length)
{
	memset(scribble, 0xa5, length);
	return pwrite(fd, scribble, length, offset) < 0 ? errno : 0;
}

/* Questions and requests that no image may suffer from. Their answers are their own affair. */
static int ask_everything(int fd)
{
	static const unsigned long plain[] = {
		BLKFLSBUF, BLKRRPART, BLKGETSIZE, BLKSSZGET, BLKPBSZGET, BLKIOMIN, BLKIOOPT, BLKALIGNOFF, BLKROGET,
		BLKRAGET, BLKBSZGET, BLKSECTGET, BLKDISCARDZEROES, BLKROTATIONAL, HDIO_GETGEO, SG_GET_VERSION_NUM,
		BLKGETZONESZ, BLKGETNRZONES, FIGETBSZ, 0x00005331 /* eject of a drive */, 0x0000125f, 0xdeadbeef,
	};
	struct pr_registration key = { .old_key = 0, .new_key = 1, .flags = 0 };
	struct pr_clear clear = { .key = 1 };
	uint8_t answer[4096] = { 0 };
	unsigned i;

	for (i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		ioctl(fd, plain[i], answer);
	ioctl(fd, IOC_PR_REGISTER, &key);
	ioctl(fd, IOC_PR_CLEAR, &clear);
	return 0;
}

int do_action(const struct action *a, const struct device *all)
{
	const struct device *d = &all[a->device];
	uint64_t range[2] = { a->offset, a->length };
	int fd, error = 0;

	if (a->kind == ACT_RELOAD) {
		struct cursor table = a->table;

		error = dm_load(d, &table, all);
		return error ? error : dm_resume(d);
	}
	if (a->kind == ACT_MESSAGE)
		return dm_message(d, a->offset / 512, a->text, a->length);
	fd = dm_open_node(d, O_DIRECT | O_RDWR);
	if (fd < 0)
		fd = dm_open_node(d, O_DIRECT);
	if (fd < 0)
		return -fd;
	switch (a->kind) {
	case ACT_WRITE:
		error = write_all(fd, a->offset, a->length);
		break;
	case ACT_DISCARD:
		error = ioctl(fd, BLKDISCARD, range) ? errno : 0;
		break;
	case ACT_SECURE_DISCARD:
		error = ioctl(fd, BLKSECDISCARD, range) ? errno : 0;
		break;
	case ACT_ZERO_OUT:
		error = ioctl(fd, BLKZEROOUT, range) ? errno : 0;
		break;
	case ACT_FLUSH:
		error = fsync(fd) ? errno : 0;
		break;
	case ACT_IOCTLS:
		error = ask_everything(fd);
		break;
	}
	close(fd);
	return error;
}
