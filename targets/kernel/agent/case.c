// SPDX-License-Identifier: MIT
/* One case: make the devices, read, remove them in reverse, tell the host each result as it comes. */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <unistd.h>

/* Closers may be asynchronous: a device that stays busy longer than this is held by a leak. */
#define REMOVE_TRIES 400
#define REMOVE_PAUSE_US 2500

static struct device devices[MAX_DEVICES];
/* Slices outlive their case: to make and remove a device takes longer than all else in a case. */
static struct device slices[MAX_DEVICES];
static char log_text[MAX_LOG];
static int kmsg = -1;
static struct reader reader;

int case_prepare(void)
{
	kmsg = klog_open();
	return reader_prepare(&reader);
}

struct plan {
	uint32_t number;
	unsigned devices, reads, target, actions, readers, meanwhile, rounds;
	uint64_t bytes; /* of the target device, once it is open */
	struct cursor tables, target_table;
	struct action action[MAX_ACTIONS];
};

static struct read_plan reads[MAX_READS];
static uint64_t digests[MAX_READS];
static uint8_t differs[MAX_READS];

/* Takes one read; -1 where it is malformed. */
static int take_read(struct cursor *c, struct read_plan *r)
{
	uint64_t sum = 0;
	unsigned i;

	r->device = take_u16(c);
	r->flags = take_u16(c);
	r->buffer_offset = take_u32(c);
	r->offset = take_u64(c);
	r->length = take_u32(c);
	r->pieces = r->flags & READ_PIECES ? take_u16(c) : 0;
	if (c->bad || r->buffer_offset >= 4096 || r->length > MAX_READ || r->offset >> 63 || r->pieces > MAX_PIECES)
		return -1;
	if (r->flags & ~(READ_DIRECT | READ_MAPPED | READ_PIECES | READ_HUGE) || (r->flags & READ_PIECES && !r->pieces))
		return -1;
	if (r->flags & READ_MAPPED && r->flags != READ_MAPPED)
		return -1;
	r->piece_lengths = take_bytes(c, r->pieces * 4);
	if (!r->piece_lengths)
		return -1;
	for (i = 0; i < r->pieces; i++) {
		struct cursor at = { r->piece_lengths + 4 * i, 4, 0 };

		sum += take_u32(&at);
	}
	return r->pieces && sum != r->length ? -1 : 0;
}

/* Tells a device's targets what the command says; with d == NULL that is only stepped over. Returns an errno. */
static int tell(struct cursor *c, const struct device *d)
{
	unsigned count = take_u16(c), i;
	int error = 0;

	if (count > MAX_MESSAGES)
		c->bad = 1;
	for (i = 0; i < count && !c->bad && !error; i++) {
		uint64_t sector = take_u64(c);
		uint16_t length = take_u16(c);
		const uint8_t *text = take_bytes(c, length);

		if (length > MAX_MESSAGE)
			c->bad = 1;
		else if (d && !c->bad)
			error = dm_message(d, sector, text, length);
	}
	return error;
}

/* Walks the whole command before anything is done, so that a malformed one does nothing. */
static int parse_plan(struct cursor *c, struct plan *p)
{
	unsigned i;

	p->number = take_u32(c);
	p->bytes = 0;
	p->devices = take_u16(c);
	p->reads = take_u16(c);
	p->target = take_u16(c);
	p->actions = take_u16(c);
	p->readers = take_u8(c);
	p->meanwhile = take_u8(c);
	p->rounds = take_u16(c);
	if (c->bad || !p->devices || p->devices > MAX_DEVICES || p->reads > MAX_READS || p->target >= p->devices ||
	    p->actions > MAX_ACTIONS)
		return -1;
	if (p->readers > MAX_READERS || p->meanwhile >= MEANWHILES || p->rounds > MAX_ROUNDS || (p->meanwhile && !p->readers))
		return -1;
	p->tables = *c;
	for (i = 0; i < p->devices && !c->bad; i++) {
		uint8_t flags = take_u8(c);

		if (flags & DEVICE_REPLACES)
			dm_skip_table(c);
		if (i == p->target)
			p->target_table = *c;
		dm_skip_table(c);
		if (flags & DEVICE_MESSAGES)
			tell(c, NULL);
	}
	for (i = 0; i < p->reads && !c->bad; i++)
		if (take_read(c, &reads[i]) || (p->readers && reads[i].device != p->target))
			c->bad = 1;
	for (i = 0; i < p->actions && !c->bad; i++) {
		take_action(c, &p->action[i]);
		if (p->action[i].device >= p->devices || p->action[i].before > p->reads)
			c->bad = 1;
	}
	return c->bad || c->left ? -1 : 0;
}

/* Devices of the case that are held against everybody else. */
static int held[MAX_HELD];
static unsigned holding;

static void let_go(void)
{
	while (holding)
		close(held[--holding]);
}

/* Opens the device so that nobody else can claim it; a positive errno where that fails. */
static int hold(const struct device *d)
{
	int fd = holding < MAX_HELD ? dm_open_node(d, O_EXCL) : -EMFILE;

	if (fd < 0)
		return -fd;
	held[holding++] = fd;
	return 0;
}

/* Bytes at the start of a device that fill the page cache before it gets its own table. */
#define SHOWN_BEFORE (4u << 20)

/*
 * Shows what another table says, and reads it through the page cache. Whatever
 * of that fails is no part of the case: the device then only never showed it.
 */
static void show_before(struct device *d, struct cursor *table)
{
	uint64_t at = 0;
	int fd;

	if (dm_load(d, table, devices) || dm_resume(d))
		return;
	fd = dm_open_node(d, 0);
	while (fd >= 0 && at < SHOWN_BEFORE) {
		ssize_t got = read_plainly(&reader, fd, at);

		if (got <= 0)
			break;
		at += got;
	}
	if (fd >= 0)
		close(fd);
}

/* Makes all devices; returns the stage that failed (STAGE_DONE: none), its errno and device. */
static int make_devices(struct plan *p, unsigned *made, int *error)
{
	unsigned i, used = 0;

	memset(devices, 0, sizeof(*devices) * p->devices);
	for (i = 0; i < p->devices; i++) {
		struct device *d = &devices[i];

		uint8_t flags = take_u8(&p->tables);

		*made = i;
		if (flags & DEVICE_SLICE) {
			if (!slices[used].made) {
				slices[used].slice = 1;
				snprintf(slices[used].name, sizeof(d->name), "slice%u", used);
				*error = dm_create(&slices[used]);
				if (*error)
					return STAGE_CREATE;
			}
			*d = slices[used++];
		} else {
			snprintf(d->name, sizeof(d->name), "c%u.%u", p->number, i);
			*error = dm_create(d);
			if (*error)
				return STAGE_CREATE;
		}
		d->writable = !!(flags & DEVICE_WRITABLE);
		if (flags & DEVICE_REPLACES)
			show_before(d, &p->tables);
		*error = dm_load(d, &p->tables, devices);
		if (*error)
			return STAGE_LOAD;
		*error = dm_resume(d);
		if (!*error && flags & DEVICE_MESSAGES)
			*error = tell(&p->tables, d);
		if (*error)
			return STAGE_RESUME;
		if (flags & DEVICE_HELD) {
			*error = hold(d);
			if (*error)
				return STAGE_OPEN;
		}
	}
	*made = p->devices;
	return STAGE_DONE;
}

static int remove_devices(struct plan *p)
{
	int leftover = 0;
	unsigned i, tries = 0;

	for (i = p->devices; i--;) {
		int error;

		if (!devices[i].made)
			continue;
		while ((error = devices[i].slice ? dm_idle(&devices[i]) : dm_remove(&devices[i])) == EBUSY && tries++ < REMOVE_TRIES)
			usleep(REMOVE_PAUSE_US);
		if (error == ENXIO && i == p->target && p->meanwhile == MEANWHILE_DEFER)
			error = 0;
		if (error)
			leftover = error;
	}
	return leftover;
}

/* File descriptors of one case, by device; two slots suffice for nearly all and bound the rest. */
static struct {
	int fd, device, direct;
} opened[8];

static void close_all(void)
{
	unsigned i;

	for (i = 0; i < sizeof(opened) / sizeof(*opened); i++)
		if (opened[i].fd > 0) {
			close(opened[i].fd);
			opened[i].fd = 0;
		}
}

/* What is to be done before read `index`, told to the host one by one. */
static void do_actions(int port, struct plan *p, unsigned index)
{
	unsigned i;

	for (i = 0; i < p->actions; i++) {
		uint8_t head[16], *q = head;

		if (p->action[i].before != index)
			continue;
		q = put_u32(q, p->number);
		q = put_u16(q, i);
		q = put_u16(q, 0);
		q = put_u32(q, do_action(&p->action[i], devices));
		send_frame(port, MSG_ACTION, head, q - head, NULL, 0);
	}
}

static int open_for(unsigned device, int direct)
{
	unsigned i;
	int fd;

	for (i = 0; i < sizeof(opened) / sizeof(*opened) && opened[i].fd > 0; i++)
		if (opened[i].device == (int)device && opened[i].direct == direct)
			return opened[i].fd;
	if (i == sizeof(opened) / sizeof(*opened)) {
		close_all();
		i = 0;
	}
	fd = dm_open_node(&devices[device], direct ? O_DIRECT : 0);
	if (fd >= 0) {
		opened[i].fd = fd;
		opened[i].device = device;
		opened[i].direct = direct;
	}
	return fd;
}

void send_read(int port, uint32_t number, unsigned index, unsigned by, const struct read_result *r)
{
	uint8_t head[64], *q = head;

	q = put_u32(q, number);
	q = put_u16(q, index);
	q = put_u16(q, by);
	q = put_u64(q, r->result);
	q = put_u32(q, r->before);
	q = put_u32(q, r->after);
	q = put_u64(q, r->first);
	q = put_u64(q, r->untouched);
	/* All bytes, no digest: an emulated processor hashes far slower than the port moves bytes. */
	send_frame(port, MSG_READ, head, q - head, r->bytes, r->result > 0 ? r->result : 0);
}

static uint64_t salt_of(const struct plan *p, unsigned index)
{
	return (uint64_t)p->number << 16 | index;
}

static void do_read(int port, const struct plan *p, unsigned index)
{
	const struct read_plan *read = &reads[index];
	struct read_result r = { .untouched = -1 };
	int fd = read->device < p->devices ? open_for(read->device, read->flags & READ_DIRECT) : -EINVAL;

	if (fd < 0)
		r.result = fd;
	else
		read_as_planned(&reader, fd, p->bytes, read, salt_of(p, index), &r);
	if (p->readers)
		digests[index] = digest_of(&r);
	send_read(port, p->number, index, 0, &r);
}

/* The reads once more, by many; the page cache is empty again, since the device was closed. */
static void do_crowd(int port, const struct plan *p)
{
	struct crowd_plan crowd = {
		.port = port, .number = p->number, .salt = salt_of(p, 0), .bytes = p->bytes,
		.readers = p->readers, .rounds = p->rounds, .meanwhile = p->meanwhile, .count = p->reads,
		.reads = reads, .digests = digests, .differs = differs, .direct = -1, .buffered = -1,
		.target = &devices[p->target], .devices = devices, .table = p->target_table,
	};
	unsigned i;

	close_all();
	memset(differs, 0, p->reads);
	for (i = 0; i < p->reads; i++) {
		int direct = reads[i].flags & READ_DIRECT;

		*(direct ? &crowd.direct : &crowd.buffered) = open_for(p->target, direct);
	}
	run_crowd(&crowd);
}

void run_case(int port, struct cursor *c)
{
	static struct plan p; /* too large for a stack */
	struct klog log;
	uint8_t head[64], *q = head;
	unsigned made = 0, i;
	int stage, error = 0, leftover;

	if (parse_plan(c, &p)) {
		send_error(port, "malformed case");
		return;
	}
	q = put_u32(q, p.number);
	q = put_u64(q, read_taint());
	send_frame(port, MSG_BEGIN, head, q - head, NULL, 0);
	/* Whoever reads the log after a hang sees this case's lines only. */
	klogctl(5, NULL, 0);

	stage = make_devices(&p, &made, &error);
	if (stage == STAGE_DONE) {
		int fd = open_for(p.target, READ_DIRECT);

		if (fd < 0) {
			stage = STAGE_OPEN;
			error = -fd;
			made = p.target;
		} else if (ioctl(fd, BLKGETSIZE64, &p.bytes)) {
			stage = STAGE_OPEN;
			error = errno;
			made = p.target;
		}
	}
	q = put_u32(head, p.number);
	q = put_u16(q, made);
	q = put_u16(q, stage);
	q = put_u32(q, error);
	q = put_u64(q, p.bytes);
	send_frame(port, MSG_OPEN, head, q - head, NULL, 0);
	/* Before the reads, of which the machine may die. */
	send_opened(port);

	for (i = 0; stage == STAGE_DONE && i < p.reads; i++) {
		do_actions(port, &p, i);
		do_read(port, &p, i);
	}
	if (stage == STAGE_DONE)
		do_actions(port, &p, p.reads);
	if (stage == STAGE_DONE && p.readers)
		do_crowd(port, &p);

	close_all();
	let_go();
	leftover = remove_devices(&p);
	klog_reset(&log, log_text, sizeof(log_text));
	klog_drain(kmsg, &log);
	q = put_u32(head, p.number);
	q = put_u64(q, read_taint());
	q = put_u32(q, leftover);
	send_frame(port, MSG_END, head, q - head, log_text, klog_finish(&log));
}

/* The bare loop that the suite's speed is compared with: the same ioctls and reads, nothing else. */
void run_bench(int port, struct cursor *c)
{
	uint32_t iterations = take_u32(c), n;
	uint64_t start = now_ns(), bytes = 0;
	uint8_t head[64], *q = head;
	struct cursor body = *c;
	int failed = 0;

	for (n = 0; n < iterations && !failed; n++) {
		static struct plan p;
		unsigned made;
		uint64_t at = 0;
		int fd;

		*c = body;
		if (parse_plan(c, &p)) {
			send_error(port, "malformed bench");
			return;
		}
		p.number = n;
		if (make_devices(&p, &made, &failed) == STAGE_DONE) {
			fd = open_for(p.target, READ_DIRECT);
			while (fd >= 0) {
				ssize_t got = read_plainly(&reader, fd, at);

				if (got < 0)
					failed = -got;
				if (got <= 0)
					break;
				at += got;
			}
			if (fd < 0)
				failed = -fd;
		}
		bytes += at;
		close_all();
		if (!failed)
			failed = remove_devices(&p);
		else
			remove_devices(&p);
	}
	q = put_u32(q, n);
	q = put_u32(q, failed);
	q = put_u64(q, now_ns() - start);
	q = put_u64(q, bytes);
	send_frame(port, MSG_BENCH, head, q - head, NULL, 0);
}

/* Devices that come, are read where they can be opened, and go, over and over; a census now and then. */
void run_cycle(int port, struct cursor *c)
{
	static struct plan p;
	uint32_t iterations = take_u32(c), every = take_u32(c), n, opened = 0;
	struct cursor body = *c;
	int leftover = 0;

	for (n = 0; n < iterations && !leftover; n++) {
		unsigned made;
		int error;

		*c = body;
		if (!every || parse_plan(c, &p)) {
			send_error(port, "malformed cycle");
			return;
		}
		p.number = n;
		if (n && n % every == 0)
			send_census(port, n, opened, 0);
		if (make_devices(&p, &made, &error) == STAGE_DONE) {
			int fd = open_for(p.target, READ_DIRECT);
			uint64_t at = 0;
			ssize_t got;

			while (fd >= 0 && (got = read_plainly(&reader, fd, at)) > 0)
				at += got;
			opened += fd >= 0;
		}
		close_all();
		let_go();
		leftover = remove_devices(&p);
	}
	/* The last one ends it. */
	send_census(port, iterations, opened, leftover);
}

/* A case's devices with a file system on the last of them. */
void run_mount(int port, struct cursor *c)
{
	static struct plan p;
	char type[32] = "";
	uint8_t bytes = take_u8(c), head[16], *q = head;
	const uint8_t *text = take_bytes(c, bytes);
	unsigned made = 0;
	int stage, error = 0, leftover;

	if (c->bad || bytes >= sizeof(type) || (memcpy(type, text, bytes), parse_plan(c, &p))) {
		send_error(port, "malformed mount");
		return;
	}
	stage = make_devices(&p, &made, &error);
	if (stage == STAGE_DONE) {
		stage = STAGE_OPEN;
		error = send_tree(port, &devices[p.target], type);
		if (!error)
			stage = STAGE_DONE;
	}
	let_go();
	leftover = remove_devices(&p);
	q = put_u16(q, stage);
	q = put_u16(q, made);
	q = put_u32(q, error);
	q = put_u32(q, leftover);
	send_frame(port, MSG_MOUNT, head, q - head, NULL, 0);
}
