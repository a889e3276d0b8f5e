/* SPDX-License-Identifier: MIT */
/* dm-bufio as drivers/md/dm-bufio.c of 6.1 has it, for reading: what is returned, what is left alone on errors, what is asserted. */
#include "layer.h"

#include <linux/dm-bufio.h>

#define BUCKETS 256u

struct dm_buffer {
	struct dm_buffer *next;
	struct dm_bufio_client *client;
	sector_t block;
	void *data;
	struct page page;
	struct bio_vec vec;
	struct bio *bio;
	unsigned int held;
	bool reading;
	blk_status_t error;
};

struct dm_bufio_client {
	struct block_device *bdev;
	unsigned int block_bytes;
	sector_t start;
	struct dm_buffer *bucket[BUCKETS];
};


struct dm_bufio_client *dm_bufio_client_create(struct block_device *bdev, unsigned int block_size, unsigned int reserved,
					       unsigned int aux_size, void (*alloc_callback)(struct dm_buffer *),
					       void (*write_callback)(struct dm_buffer *), unsigned int flags)
{
	struct dm_bufio_client *c;

	(void)reserved;
	(void)aux_size;
	(void)alloc_callback;
	(void)write_callback;
	(void)flags;
	if (!block_size || block_size & ((1 << SECTOR_SHIFT) - 1)) {
		DMERR("block size not specified or is not multiple of 512b");
		return ERR_PTR(-EINVAL);
	}
	/* In the module's memory, so that its use after destruction is seen. */
	c = kmalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->bdev = bdev;
	c->block_bytes = block_size;
	return c;
}

static struct dm_buffer **slot_of(struct dm_bufio_client *c, sector_t block)
{
	struct dm_buffer **at = &c->bucket[block % BUCKETS];

	while (*at && (*at)->block != block)
		at = &(*at)->next;
	return at;
}

static void discard(struct dm_buffer *b)
{
	*slot_of(b->client, b->block) = b->next;
	memory_free_page(b->data);
}

static bool has_come(void *data)
{
	return !((struct dm_buffer *)data)->reading;
}

static void wait_for(struct dm_buffer *b)
{
	if (!layer_wait(has_come, b))
		die(DEATH_HANG, "hang");
}

void dm_bufio_client_destroy(struct dm_bufio_client *c)
{
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		while (c->bucket[i]) {
			struct dm_buffer *b = c->bucket[i];

			wait_for(b);
			if (b->held) {
				DMERR("leaked buffer %llx, hold count %u, list %d", b->block, b->held, 0);
				complain(COMPLAINT_LEAK, "bufio-buffer-leaked", false);
				layer_warn(__FILE__, __LINE__);
			}
			discard(b);
		}
	}
	kfree(c);
}

static void end_read(struct bio *bio)
{
	struct dm_buffer *b = bio->bi_private;

	b->error = bio->bi_status;
	b->reading = false;
	if (!b->error)
		made_progress();
}

static void submit(struct dm_buffer *b)
{
	struct dm_bufio_client *c = b->client;

	b->bio = layer_alloc(sizeof(*b->bio));
	b->vec = (struct bio_vec){ &b->page, c->block_bytes, 0 };
	bio_init(b->bio, c->bdev, &b->vec, 1, REQ_OP_READ);
	b->bio->bi_vcnt = 1;
	b->bio->bi_iter.bi_size = c->block_bytes;
	b->bio->bi_iter.bi_sector = b->block * (c->block_bytes >> SECTOR_SHIFT) + c->start;
	b->bio->bi_private = b;
	b->bio->bi_end_io = end_read;
	b->reading = true;
	submit_bio(b->bio);
}

static struct dm_buffer *add(struct dm_bufio_client *c, sector_t block)
{
	struct dm_buffer *b = layer_alloc(sizeof(*b));

	b->data = memory_page(c->block_bytes);
	/* The kernel waits until memory is free; here none ever will be. */
	if (!b->data)
		die(DEATH_HANG, "hang");
	b->client = c;
	b->block = block;
	b->page.address = b->data;
	b->next = c->bucket[block % BUCKETS];
	c->bucket[block % BUCKETS] = b;
	return b;
}

enum way { WAY_READ, WAY_GET, WAY_NEW };

static void *find(struct dm_bufio_client *c, sector_t block, enum way way, struct dm_buffer **buffer)
{
	struct dm_buffer *b = *slot_of(c, block);

	count_steps(1);
	if (!b) {
		if (way == WAY_GET)
			return NULL;
		b = add(c, block);
		b->held = 1;
		if (way == WAY_READ)
			submit(b);
	} else {
		/* Who only looks is not to wait. */
		if (way == WAY_GET && b->reading)
			return NULL;
		b->held++;
	}
	wait_for(b);
	if (b->error) {
		int error = blk_status_to_errno(b->error);

		/* *buffer stays as it was. */
		dm_bufio_release(b);
		return ERR_PTR(error);
	}
	*buffer = b;
	return b->data;
}

void *dm_bufio_read(struct dm_bufio_client *c, sector_t block, struct dm_buffer **buffer)
{
	return find(c, block, WAY_READ, buffer);
}

void *dm_bufio_get(struct dm_bufio_client *c, sector_t block, struct dm_buffer **buffer)
{
	return find(c, block, WAY_GET, buffer);
}

void *dm_bufio_new(struct dm_bufio_client *c, sector_t block, struct dm_buffer **buffer)
{
	return find(c, block, WAY_NEW, buffer);
}

/* A read ahead that fails is thrown away when it has come back; the kernel does so when the last one lets go. */
static void end_prefetch(struct bio *bio)
{
	struct dm_buffer *b = bio->bi_private;

	end_read(bio);
	if (b->error && !b->held)
		discard(b);
}

void dm_bufio_prefetch(struct dm_bufio_client *c, sector_t block, unsigned int blocks)
{
	sector_t sectors = c->block_bytes >> SECTOR_SHIFT, end = DIV_ROUND_UP_ULL(bdev_nr_sectors(c->bdev), sectors);
	sector_t inside = block >= end ? 0 : min_t(sector_t, blocks, end - block);

	for (; inside; inside--, blocks--, block++) {
		struct dm_buffer *b;

		count_steps(1);
		if (*slot_of(c, block))
			continue;
		b = add(c, block);
		submit(b);
		if (b->reading)
			b->bio->bi_end_io = end_prefetch;
		else if (b->error)
			discard(b);
	}
	/* Behind the end each block is tried in turn and fails, which comes to nothing but the time that it takes. */
	if (blocks) {
		printk(KERN_INFO "attempt to access beyond end of device\n");
		count_steps(blocks);
	}
}

void dm_bufio_release(struct dm_buffer *b)
{
	BUG_ON(!b->held);
	if (--b->held == 0 && b->error && !b->reading)
		discard(b);
}

void dm_bufio_forget(struct dm_bufio_client *c, sector_t block)
{
	struct dm_buffer *b = *slot_of(c, block);

	if (b && !b->held && !b->reading)
		discard(b);
}

void dm_bufio_forget_buffers(struct dm_bufio_client *c, sector_t block, sector_t blocks)
{
	for (; blocks--; block++) {
		count_steps(1);
		dm_bufio_forget(c, block);
	}
}

void dm_bufio_set_sector_offset(struct dm_bufio_client *c, sector_t start)
{
	c->start = start;
}

void dm_bufio_set_minimum_buffers(struct dm_bufio_client *c, unsigned int buffers)
{
	(void)c;
	(void)buffers;
}

unsigned int dm_bufio_get_block_size(struct dm_bufio_client *c)
{
	return c->block_bytes;
}

sector_t dm_bufio_get_device_size(struct dm_bufio_client *c)
{
	sector_t sectors = bdev_nr_sectors(c->bdev);

	return (sectors >= c->start ? sectors - c->start : 0) / (c->block_bytes >> SECTOR_SHIFT);
}

void *dm_bufio_get_block_data(struct dm_buffer *b)
{
	return b->data;
}

sector_t dm_bufio_get_block_number(struct dm_buffer *b)
{
	return b->block;
}

void *dm_bufio_get_aux_data(struct dm_buffer *b)
{
	return b + 1;
}

struct dm_bufio_client *dm_bufio_get_client(struct dm_buffer *b)
{
	return b->client;
}
