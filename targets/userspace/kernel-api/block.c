/* SPDX-License-Identifier: MIT */
/*
 * Block devices and submit_bio. A bio that is submitted while another one is
 * being submitted waits its turn (block/blk-core.c of 6.1: what goes to other
 * devices comes first), and devices answer when somebody waits for them, never
 * before submit_bio has returned: both as seen on the real ones.
 */
#include "layer.h"

#include <string.h>
#include <linux/completion.h>

#define FIRST_MAJOR 253u
#define MAX_BLOCK_DEVICES 4200u

struct queue {
	struct bio *head, *tail;
};

static struct layer_device *devices[MAX_BLOCK_DEVICES];
static unsigned int count;
/* Lists of the submission that is going on: what it has submitted, and what was there before; NULL: none. */
static struct queue *submitting;
static struct queue under_way;

static void push(struct queue *q, struct bio *bio)
{
	bio->bi_next = NULL;
	if (q->tail)
		q->tail->bi_next = bio;
	else
		q->head = bio;
	q->tail = bio;
}

static struct bio *pop(struct queue *q)
{
	struct bio *bio = q->head;

	if (bio) {
		q->head = bio->bi_next;
		if (!q->head)
			q->tail = NULL;
		bio->bi_next = NULL;
	}
	return bio;
}

static void move(struct queue *to, struct queue *from)
{
	struct bio *bio;

	while ((bio = pop(from)) != NULL)
		push(to, bio);
}

void block_begin(void)
{
	count = 0;
	submitting = NULL;
	under_way = (struct queue){ 0 };
}

struct layer_device *block_add(uint8_t *bytes, sector_t sectors)
{
	struct layer_device *d;

	if (count == MAX_BLOCK_DEVICES)
		return NULL;
	d = layer_alloc(sizeof(*d));
	memset(d, 0, sizeof(*d));
	d->number = count;
	d->bytes = bytes;
	d->disk.capacity = sectors;
	d->bdev.bd_disk = &d->disk;
	d->bdev.bd_dev = FIRST_MAJOR << 20 | count;
	d->bdev.bd_device = d;
	snprintf(d->disk.disk_name, sizeof(d->disk.disk_name), "dm-%u", count);
	devices[count++] = d;
	return d;
}

struct layer_device *block_device_of(unsigned int number)
{
	return number < count ? devices[number] : NULL;
}

struct layer_device *block_device_named(const char *path)
{
	unsigned int major, minor;
	char rest;

	return sscanf(path, "%u:%u%c", &major, &minor, &rest) == 2 && major == FIRST_MAJOR ? block_device_of(minor) : NULL;
}

struct block_device *blkdev_get_by_path(const char *path, fmode_t mode, void *holder)
{
	struct layer_device *d = block_device_named(path);

	(void)mode;
	if (!d)
		return ERR_PTR(-ENOENT);
	return d->held && holder ? ERR_PTR(-EBUSY) : &d->bdev;
}

void blkdev_put(struct block_device *bdev, fmode_t mode)
{
	(void)bdev;
	(void)mode;
}

/* Bytes come even where others of the same bio fail, as from pieces of a table. */
static blk_status_t answer(const struct layer_device *d, struct bio *bio)
{
	struct bio_vec bv;
	struct bvec_iter iter;
	blk_status_t status = BLK_STS_OK;

	bool write = bio_op(bio) == REQ_OP_WRITE;

	if (bio_op(bio) != REQ_OP_READ && !write)
		return BLK_STS_NOTSUPP;
	bio_for_each_segment(bv, bio, iter) {
		unsigned int done = 0;

		while (done < bv.bv_len) {
			sector_t sector = iter.bi_sector + (done >> SECTOR_SHIFT);
			unsigned int bytes = bv.bv_len - done;

			if (d->faulty && sector < d->fault_to && sector + ((bytes + 511) >> SECTOR_SHIFT) > d->fault_from) {
				bytes = min_t(unsigned int, bytes, 512);
				if (sector >= d->fault_from) {
					status = BLK_STS_IOERR;
					done += bytes;
					continue;
				}
			}
			if (write)
				memcpy(d->bytes + (sector << SECTOR_SHIFT), (char *)bv.bv_page->address + bv.bv_offset + done, bytes);
			else
				memcpy((char *)bv.bv_page->address + bv.bv_offset + done, d->bytes + (sector << SECTOR_SHIFT), bytes);
			done += bytes;
		}
	}
	return status;
}

static void submit_one(struct bio *bio)
{
	struct layer_device *d = bio->bi_bdev->bd_device;

	if (d->bytes)
		push(&under_way, bio);
	else
		dm_layer_submit(d, bio);
}

void submit_bio_noacct(struct bio *bio)
{
	sector_t sectors = bio_sectors(bio), end = bdev_nr_sectors(bio->bi_bdev);
	struct queue lists[2] = { { 0 }, { 0 } };

	count_steps(1);
	if (sectors && end && (sectors > end || bio->bi_iter.bi_sector > end - sectors)) {
		printk(KERN_INFO "attempt to access beyond end of device\n%s: sector=%llu, nr_sectors = %llu limit=%llu\n",
		       bio->bi_bdev->bd_disk->disk_name, bio->bi_iter.bi_sector, sectors, end);
		bio_io_error(bio);
		return;
	}
	if (submitting) {
		push(&submitting[0], bio);
		return;
	}
	submitting = lists;
	do {
		struct block_device *bdev = bio->bi_bdev;
		struct queue lower = { 0 }, same = { 0 };

		lists[1] = lists[0];
		lists[0] = (struct queue){ 0 };
		submit_one(bio);
		while ((bio = pop(&lists[0])) != NULL)
			push(bio->bi_bdev == bdev ? &same : &lower, bio);
		move(&lists[0], &lower);
		move(&lists[0], &same);
		move(&lists[0], &lists[1]);
	} while ((bio = pop(&lists[0])) != NULL);
	submitting = NULL;
}

void submit_bio(struct bio *bio)
{
	submit_bio_noacct(bio);
}

static bool answer_one(void)
{
	struct bio *bio = pop(&under_way);

	if (!bio)
		return false;
	bio->bi_status = answer(bio->bi_bdev->bd_device, bio);
	bio_endio(bio);
	return true;
}

bool layer_wait(bool (*done)(void *data), void *data)
{
	/* Who waits in the middle of a submission waits for what he keeps from being submitted; the kernel gives that to a rescuer. */
	struct queue *interrupted = submitting;
	bool ended = true;

	submitting = NULL;
	while (!done(data)) {
		if (answer_one() || work_run_one())
			continue;
		ended = false;
		break;
	}
	submitting = interrupted;
	return ended;
}

struct waiting {
	bool ended;
};

static void wake(struct bio *bio)
{
	((struct waiting *)bio->bi_private)->ended = true;
}

static bool has_ended(void *data)
{
	return ((struct waiting *)data)->ended;
}

int submit_bio_wait(struct bio *bio)
{
	struct waiting waiting = { false };

	bio->bi_private = &waiting;
	bio->bi_end_io = wake;
	submit_bio(bio);
	if (!layer_wait(has_ended, &waiting))
		die(DEATH_HANG, "hang");
	return blk_status_to_errno(bio->bi_status);
}

static bool is_complete(void *data)
{
	return ((struct completion *)data)->done > 0;
}

void wait_for_completion(struct completion *c)
{
	if (!layer_wait(is_complete, c))
		die(DEATH_HANG, "hang");
	c->done--;
}
