// SPDX-License-Identifier: MIT
/* Frames over a virtio-serial port, and parsing that cannot leave its buffer. */
#include "agent.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define FRAME_MAGIC 0x4442564fu /* "OVBD" */
#define HEADER 12

const uint8_t *take_bytes(struct cursor *c, size_t n)
{
	const uint8_t *p = c->at;

	if (c->bad || n > c->left) {
		c->bad = 1;
		return NULL;
	}
	c->at += n;
	c->left -= n;
	return p;
}

static uint64_t take(struct cursor *c, size_t n)
{
	const uint8_t *p = take_bytes(c, n);
	uint64_t v = 0;

	while (p && n--)
		v = v << 8 | p[n];
	return v;
}

uint8_t take_u8(struct cursor *c) { return take(c, 1); }
uint16_t take_u16(struct cursor *c) { return take(c, 2); }
uint32_t take_u32(struct cursor *c) { return take(c, 4); }
uint64_t take_u64(struct cursor *c) { return take(c, 8); }

static uint8_t *put(uint8_t *p, uint64_t v, int n)
{
	while (n--) {
		*p++ = v;
		v >>= 8;
	}
	return p;
}

uint8_t *put_u8(uint8_t *p, uint8_t v) { return put(p, v, 1); }
uint8_t *put_u16(uint8_t *p, uint16_t v) { return put(p, v, 2); }
uint8_t *put_u32(uint8_t *p, uint32_t v) { return put(p, v, 4); }
uint8_t *put_u64(uint8_t *p, uint64_t v) { return put(p, v, 8); }

/* A port without a host end answers 0 or an error; the host may come back, so wait. */
static void read_exactly(int port, uint8_t *p, size_t n)
{
	while (n) {
		ssize_t got = read(port, p, n);

		if (got <= 0) {
			usleep(1000);
			continue;
		}
		p += got;
		n -= got;
	}
}

int receive_frame(int port, uint8_t *buffer, size_t capacity, size_t *length)
{
	uint8_t header[HEADER];
	struct cursor c = { header, HEADER, 0 };
	uint32_t magic, bytes;
	uint8_t type;

	read_exactly(port, header, HEADER);
	magic = take_u32(&c);
	type = take_u8(&c);
	take_bytes(&c, 3);
	bytes = take_u32(&c);
	/* After a frame that is not one nothing can be trusted: the host will see silence. */
	if (magic != FRAME_MAGIC || bytes > capacity) {
		send_error(port, "malformed frame");
		for (;;)
			pause();
	}
	read_exactly(port, buffer, bytes);
	*length = bytes;
	return type;
}

void send_frame(int port, int type, const void *head, size_t head_bytes, const void *body, size_t body_bytes)
{
	/* Small frames leave in one write: each write is an exit from the guest. */
	static uint8_t small[8192];
	uint8_t header[HEADER], *p = header;
	struct iovec part[2];
	int parts = 1, i = 0;

	p = put_u32(p, FRAME_MAGIC);
	p = put_u8(p, type);
	p = put_u8(p, 0);
	p = put_u16(p, 0);
	put_u32(p, head_bytes + body_bytes);

	memcpy(small, header, HEADER);
	memcpy(small + HEADER, head, head_bytes);
	part[0].iov_base = small;
	part[0].iov_len = HEADER + head_bytes;
	if (body_bytes && part[0].iov_len + body_bytes <= sizeof(small)) {
		memcpy(small + part[0].iov_len, body, body_bytes);
		part[0].iov_len += body_bytes;
	} else if (body_bytes) {
		part[1].iov_base = (void *)body;
		part[1].iov_len = body_bytes;
		parts = 2;
	}
	for (i = 0; i < parts; i++) {
		const uint8_t *at = part[i].iov_base;
		size_t left = part[i].iov_len;

		while (left) {
			ssize_t put = write(port, at, left);

			if (put <= 0) {
				usleep(1000);
				continue;
			}
			at += put;
			left -= put;
		}
	}
}

void send_error(int port, const char *text)
{
	send_frame(port, MSG_ERROR, "", 0, text, strlen(text));
}
