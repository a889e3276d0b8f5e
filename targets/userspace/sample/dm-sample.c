// SPDX-License-Identifier: MIT
/*
 * A module of ours that uses the kernel's interfaces as the patch does, and is
 * wrong in one of many ways: what the layer says of each is tested with it. Both
 * targets show the first device of their table. What they do wrong is told by the
 * size of that layer's image: an image of N sectors makes fault N when the device
 * is made, or read where N is 20 or more; one of 60 sectors and more none.
 */
#include <linux/device-mapper.h>
#include <linux/dm-bufio.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

struct sample {
	struct dm_dev *dev;
	struct dm_bufio_client *client;
	struct bio_set set;
	unsigned int fault;
	/* Reads under way, and where the first of them was. */
	unsigned int under_way;
	sector_t first;
};

struct job {
	struct work_struct work;
	struct sample *sample;
	struct bio *bio;
};

static struct workqueue_struct *wq;
static volatile int zero;
static volatile int hundred = 100;
static volatile char sink;
/* Devices with fault 42. */
static unsigned int made;

static noinline void fault_at_ctr(unsigned int fault)
{
	char *p;
	int table[4] = { 0 };

	switch (fault) {
	case 1:
		*(volatile int *)(long)(zero + 8) = 1;
		break;
	case 2:
		BUG();
	case 3:
		sink = hundred / zero;
		break;
	case 4:
		p = kmalloc(24, GFP_KERNEL);
		sink = p[24 + zero];
		kfree(p);
		break;
	case 5:
		WARN_ON(1);
		break;
	case 6:
		p = vmalloc(100);
		p[100 + zero] = 1;
		vfree(p);
		break;
	case 7:
		p = kmalloc(24, GFP_KERNEL);
		kfree(p);
		sink = p[8];
		break;
	case 8:
		p = kmalloc(24, GFP_KERNEL);
		kfree(p);
		kfree(p);
		break;
	case 9:
		sink = table[4 + zero];
		break;
	case 10:
		sink = 1 << (40 + zero);
		break;
	case 12:
		/* The guard page. */
		p = vmalloc(PAGE_SIZE);
		sink = p[PAGE_SIZE + zero];
		vfree(p);
		break;
	case 13:
		/* The first one is told and not done. */
		memcpy(table, (void *)(long)(zero + 8), sizeof(table) + zero);
		memcpy(table, (void *)(long)(zero + 8), sizeof(table) + zero);
		break;
	case 11:
		for (;;)
			sink = zero;
	}
}

/* Copies what the device below has, as a decompressor would, from a worker. */
static void do_job(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);
	struct bio_vec bv;
	struct bvec_iter iter;

	if (job->sample->fault == 20) {
		queue_work(wq, work);
		return;
	}
	bio_for_each_segment(bv, job->bio, iter) {
		unsigned int done = 0;

		while (done < bv.bv_len) {
			sector_t sector = iter.bi_sector + (done >> SECTOR_SHIFT);
			unsigned int at = (sector % PAGE_SECTORS) << SECTOR_SHIFT, n = min_t(unsigned int, PAGE_SIZE - at, bv.bv_len - done);
			struct dm_buffer *buffer;
			char *from = dm_bufio_read(job->sample->client, sector / PAGE_SECTORS, &buffer);

			if (IS_ERR(from)) {
				bio_io_error(job->bio);
				kfree(job);
				return;
			}
			/* The whole page in place of the piece. */
			memcpy(bvec_kmap_local(&bv) + done - (job->sample->fault == 21 ? bv.bv_offset : 0), from + at, n);
			dm_bufio_release(buffer);
			done += n;
		}
	}
	bio_endio(job->bio);
	kfree(job);
}

static int sample_map(struct dm_target *ti, struct bio *bio)
{
	struct sample *s = ti->private;
	struct job *job;
	struct bio *front;

	switch (s->fault) {
	case 22:
		/* Nobody ever ends it. */
		return DM_MAPIO_SUBMITTED;
	case 23:
		bio_split(bio, bio_sectors(bio), GFP_NOIO, &s->set);
		break;
	case 24:
		bio_endio(bio);
		bio_endio(bio);
		return DM_MAPIO_SUBMITTED;
	case 26:
		/* Who comes while another reads is given what that one asked for. */
		if (!s->under_way++)
			s->first = bio->bi_iter.bi_sector;
		else
			bio->bi_iter.bi_sector = s->first;
		break;
	case 25:
		bio->bi_iter.bi_sector += 8;
		break;
	}
	if (!strcmp(ti->type->name, "zfile_target")) {
		job = kmalloc(sizeof(*job), GFP_NOIO);
		INIT_WORK(&job->work, do_job);
		job->sample = s;
		job->bio = bio;
		queue_work(wq, &job->work);
		return DM_MAPIO_SUBMITTED;
	}
	bio_set_dev(bio, s->dev->bdev);
	if (bio_sectors(bio) > 1) {
		front = bio_split(bio, 1, GFP_NOIO, &s->set);
		bio_chain(front, bio);
		submit_bio(front);
	}
	return DM_MAPIO_REMAPPED;
}

static int sample_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct sample *s = ti->private;

	if (s->fault == 26)
		s->under_way--;
	return DM_ENDIO_DONE;
}

static int sample_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct sample *s;
	unsigned long bytes;
	int error;

	if (argc < 2 || kstrtoul(argv[1], 10, &bytes))
		return -EINVAL;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->fault = bytes / 512;
	error = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table), &s->dev);
	if (error) {
		kfree(s);
		return error;
	}
	if (s->fault == 42 && made) {
		dm_put_device(ti, s->dev);
		kfree(s);
		return -EBUSY;
	}
	made += s->fault == 42;
	fault_at_ctr(s->fault);
	s->client = dm_bufio_client_create(s->dev->bdev, PAGE_SIZE, 1, 0, NULL, NULL, 0);
	bioset_init(&s->set, BIO_POOL_SIZE, 0, 0);
	ti->private = s;
	return 0;
}

static void sample_dtr(struct dm_target *ti)
{
	struct sample *s = ti->private;

	dm_bufio_client_destroy(s->client);
	bioset_exit(&s->set);
	made -= s->fault == 42;
	if (s->fault != 41)
		dm_put_device(ti, s->dev);
	kfree(s);
}

static struct target_type types[] = {
	{ .name = "lsmt_target", .module = THIS_MODULE, .ctr = sample_ctr, .dtr = sample_dtr, .map = sample_map, .end_io = sample_end_io },
	{ .name = "zfile_target", .module = THIS_MODULE, .ctr = sample_ctr, .dtr = sample_dtr, .map = sample_map },
};

static int __init sample_init(void)
{
	wq = alloc_workqueue("sample", WQ_UNBOUND, 0);
	return dm_register_target(&types[0]) ?: dm_register_target(&types[1]);
}

static void __exit sample_exit(void)
{
	dm_unregister_target(&types[1]);
	dm_unregister_target(&types[0]);
	destroy_workqueue(wq);
}

module_init(sample_init);
module_exit(sample_exit);
MODULE_LICENSE("Dual MIT/GPL");
