// SPDX-License-Identifier: MIT
/* Device-mapper devices, by the ioctls of <linux/dm-ioctl.h>. */
#include "agent.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TABLE_BYTES (MAX_COMMAND * 2)

char mailbox[32]; /* "major:minor" of the mailbox disk */

static int control = -1;
static union {
	struct dm_ioctl io;
	uint8_t bytes[TABLE_BYTES];
} table;

int dm_open_control(void)
{
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	return control;
}

static void begin(struct dm_ioctl *io, size_t size, const struct device *d)
{
	memset(io, 0, sizeof(*io));
	io->version[0] = 4;
	io->data_size = size;
	io->data_start = sizeof(*io);
	snprintf(io->name, sizeof(io->name), "%s", d->name);
}

static unsigned major_of(uint64_t dev) { return (dev & 0xfff00) >> 8; }
static unsigned minor_of(uint64_t dev) { return (dev & 0xff) | (dev >> 12 & 0xfff00); }

int dm_create(struct device *d)
{
	struct dm_ioctl io;

	begin(&io, sizeof(io), d);
	if (ioctl(control, DM_DEV_CREATE, &io))
		return errno;
	d->dev = io.dev;
	d->made = 1;
	return 0;
}

/* Copies params, putting device numbers where @m and @K stand. Returns the length, or -1. */
static long substitute(char *out, size_t room, const char *in, size_t n, const struct device *all, unsigned known)
{
	size_t i = 0, o = 0;

	while (i < n) {
		if (in[i] == '@' && (i == 0 || in[i - 1] == ' ')) {
			char text[32];
			size_t length;

			i++;
			if (i < n && in[i] == 'm') {
				i++;
				snprintf(text, sizeof(text), "%s", mailbox);
			} else {
				unsigned k = 0, digits = 0;

				for (; i < n && isdigit((unsigned char)in[i]) && digits < 5; i++, digits++)
					k = k * 10 + (in[i] - '0');
				if (!digits || k >= known)
					return -1;
				snprintf(text, sizeof(text), "%u:%u", major_of(all[k].dev), minor_of(all[k].dev));
			}
			length = strlen(text);
			if (o + length >= room)
				return -1;
			memcpy(out + o, text, length);
			o += length;
		} else {
			if (!in[i] || o + 1 >= room)
				return -1;
			out[o++] = in[i++];
		}
	}
	out[o] = 0;
	return o;
}

/* With all == NULL the table is only stepped over. */
static int parse_table(struct cursor *c, const struct device *all, unsigned known, size_t *used, unsigned *lines)
{
	uint32_t n = take_u32(c), i;
	size_t at = sizeof(struct dm_ioctl);

	if (n > MAX_LINES)
		c->bad = 1;
	for (i = 0; i < n && !c->bad; i++) {
		struct dm_target_spec spec = { 0 };
		uint8_t type_bytes;
		uint16_t params_bytes;
		const uint8_t *type, *params;
		long length;

		spec.sector_start = take_u64(c);
		spec.length = take_u64(c);
		type_bytes = take_u8(c);
		params_bytes = take_u16(c);
		type = take_bytes(c, type_bytes);
		params = take_bytes(c, params_bytes);
		if (c->bad || type_bytes >= sizeof(spec.target_type)) {
			c->bad = 1;
			break;
		}
		if (!all)
			continue;
		memcpy(spec.target_type, type, type_bytes);
		if (at + sizeof(spec) + MAX_PARAMS + 16 > TABLE_BYTES) {
			c->bad = 1;
			break;
		}
		length = substitute((char *)table.bytes + at + sizeof(spec), MAX_PARAMS, (const char *)params,
				    params_bytes, all, known);
		if (length < 0) {
			c->bad = 1;
			break;
		}
		spec.next = (sizeof(spec) + length + 1 + 7) & ~7u;
		memcpy(table.bytes + at, &spec, sizeof(spec));
		at += spec.next;
	}
	if (used)
		*used = at;
	if (lines)
		*lines = n;
	return c->bad ? -1 : 0;
}

void dm_skip_table(struct cursor *c)
{
	parse_table(c, NULL, 0, NULL, NULL);
}

int dm_load(const struct device *d, struct cursor *c, const struct device *all)
{
	size_t used;
	unsigned lines;

	if (parse_table(c, all, d - all, &used, &lines))
		return EINVAL;
	begin(&table.io, used, d);
	table.io.target_count = lines;
	table.io.flags = d->writable ? 0 : DM_READONLY_FLAG;
	return ioctl(control, DM_TABLE_LOAD, &table) ? errno : 0;
}

int dm_resume(const struct device *d)
{
	struct dm_ioctl io;

	begin(&io, sizeof(io), d);
	/* A slice that had another table is swapped to the new one: nothing is in flight, nothing to flush. */
	io.flags = DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG;
	return ioctl(control, DM_DEV_SUSPEND, &io) ? errno : 0;
}

int dm_suspend(const struct device *d, int noflush)
{
	struct dm_ioctl io;

	begin(&io, sizeof(io), d);
	io.flags = DM_SUSPEND_FLAG | (noflush ? DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG : 0);
	return ioctl(control, DM_DEV_SUSPEND, &io) ? errno : 0;
}

int dm_remove_later(const struct device *d)
{
	struct dm_ioctl io;

	begin(&io, sizeof(io), d);
	io.flags = DM_DEFERRED_REMOVE;
	return ioctl(control, DM_DEV_REMOVE, &io) ? errno : 0;
}

int dm_message(const struct device *d, uint64_t sector, const uint8_t *text, size_t length)
{
	union {
		struct dm_ioctl io;
		uint8_t bytes[sizeof(struct dm_ioctl) + sizeof(struct dm_target_msg) + MAX_MESSAGE + 1];
	} message = { 0 };
	struct dm_target_msg *at = (void *)(message.bytes + sizeof(struct dm_ioctl));

	if (length > MAX_MESSAGE)
		return EINVAL;
	begin(&message.io, sizeof(message), d);
	at->sector = sector;
	memcpy(at->message, text, length);
	return ioctl(control, DM_TARGET_MSG, &message) ? errno : 0;
}

int dm_cancel_removal(const struct device *d)
{
	static const char text[] = "@cancel_deferred_remove";

	return dm_message(d, 0, (const uint8_t *)text, sizeof(text) - 1);
}

void dm_list_targets(char *text, size_t size)
{
	static union {
		struct dm_ioctl io;
		uint8_t bytes[8192];
	} list;
	const struct dm_target_versions *v;
	uint32_t at, limit;
	size_t used = 0;

	text[0] = 0;
	memset(&list.io, 0, sizeof(list.io));
	list.io.version[0] = 4;
	list.io.data_size = sizeof(list);
	list.io.data_start = sizeof(list.io);
	if (ioctl(control, DM_LIST_VERSIONS, &list) || list.io.flags & DM_BUFFER_FULL_FLAG)
		return;
	limit = list.io.data_size < sizeof(list) ? list.io.data_size : sizeof(list);
	for (at = list.io.data_start; at + sizeof(*v) < limit; at += v->next) {
		int n;

		v = (const void *)(list.bytes + at);
		n = snprintf(text + used, size - used, "%s%.*s", used ? " " : "", (int)(limit - at - sizeof(*v)), v->name);
		if (n < 0 || (size_t)n >= size - used) {
			text[used] = 0;
			return;
		}
		used += n;
		if (!v->next)
			return;
	}
}

int dm_remove(const struct device *d)
{
	struct dm_ioctl io;

	begin(&io, sizeof(io), d);
	return ioctl(control, DM_DEV_REMOVE, &io) ? errno : 0;
}

int dm_idle(const struct device *d)
{
	struct dm_ioctl io;

	begin(&io, sizeof(io), d);
	if (ioctl(control, DM_DEV_STATUS, &io))
		return errno;
	return io.open_count ? EBUSY : 0;
}

/* A node of our own: no wait for devtmpfs, and no name that a later device could take over. */
int dm_open_node(const struct device *d, int flags)
{
	static const char path[] = "/run/device";
	int fd, error;

	unlink(path);
	if (mknod(path, S_IFBLK | 0600, makedev(major_of(d->dev), minor_of(d->dev))))
		return -errno;
	fd = open(path, flags | O_CLOEXEC);
	error = errno;
	unlink(path);
	return fd < 0 ? -error : fd;
}
