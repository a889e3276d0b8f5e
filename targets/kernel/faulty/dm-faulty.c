// SPDX-License-Identifier: MIT
/*
 * A module that is wrong on purpose, in one of many ways: what the lab says of
 * each is tested with it, without anybody's patch. Its two targets map to the
 * first device of their table, sector by sector. What they do wrong is told by
 * the size of that layer's image: an image of N sectors makes fault N when the
 * device is made, one of more sectors none.
 */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/device-mapper.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/reboot.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

struct faulty {
	struct dm_dev *dev;
	unsigned int fault;
};

enum { READS_NEXT_SECTOR = 40, KEEPS_DEVICE };

static volatile int zero;
static volatile int hundred = 100;
static DEFINE_SPINLOCK(lock);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static volatile char *kept;
static struct rcu_head readers;

static void readers_gone(struct rcu_head *head)
{
}

static noinline int recurse(int depth)
{
	volatile char room[512];

	room[depth & 511] = depth;
	return recurse(depth + 1) + room[depth & 255];
}

static noinline void smash(int n)
{
	char room[16];
	volatile char *at = room;
	int i;

	for (i = 0; i < n; i++)
		at[i] = 0x41;
}

static void in_work(struct work_struct *work)
{
	*(volatile int *)(long)(zero + 8) = 1;
}

static void spin_in_work(struct work_struct *work)
{
	for (;;)
		cpu_relax();
}

static DECLARE_WORK(bad_work, in_work);
static DECLARE_WORK(endless_work, spin_in_work);

/* An inlined access: the frame in a trace is its caller's. */
static __always_inline int peek(volatile char *p, int at)
{
	return p[at];
}

static noinline void corrupt_list(void)
{
	struct list_head head, one;

	INIT_LIST_HEAD(&head);
	list_add(&one, &head);
	one.next = (void *)&lock;
	list_del(&one);
}

static noinline void lock_in_two_orders(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static noinline void damage_memory(unsigned int fault)
{
	volatile char *p = kmalloc(64, GFP_KERNEL);
	volatile char *v;

	if (!p)
		return;
	switch (fault) {
	case 16:
		zero += peek(p, 64) & 0;
		break;
	case 17:
		p[64 + zero] = 1;
		break;
	case 18:
		kfree((void *)p);
		zero += peek(p, 8) & 0;
		return;
	case 19:
		kfree((void *)p);
		p[8] = 1;
		return;
	case 20:
		kfree((void *)p);
		kfree((void *)p);
		return;
	case 21:
		v = vmalloc(100);
		zero += v[4096 + zero] & 0;
		vfree((void *)v);
		break;
	}
	kfree((void *)p);
}

static noinline void do_fault(unsigned int fault)
{
	int table[4] = { 1, 2, 3, 4 };
	refcount_t count = REFCOUNT_INIT(1);
	unsigned long flags;

	switch (fault) {
	case 1:
		*(volatile int *)(long)zero = 1;
		break;
	case 2:
		*(volatile int *)(0xffffc90012345000ul + zero) = 1;
		break;
	case 3:
		*(volatile int *)(0x6b6b6b6b6b6b6b6bul + zero) = 1;
		break;
	case 4:
		BUG_ON(!zero);
		break;
	case 5:
		WARN(!zero, "made on purpose\n");
		break;
	case 6:
		zero = 100 / zero;
		break;
	case 7:
		corrupt_list();
		break;
	case 8:
		refcount_dec(&count);
		refcount_dec(&count);
		break;
	case 9:
		spin_lock(&lock);
		msleep(1);
		spin_unlock(&lock);
		break;
	case 10:
		spin_lock(&lock);
		might_sleep();
		spin_unlock(&lock);
		break;
	case 11:
		zero = recurse(0) & 0;
		break;
	case 12:
		smash(hundred);
		break;
	case 13:
		for (;;)
			cpu_relax();
	case 14:
		for (;;) {
			set_current_state(TASK_UNINTERRUPTIBLE);
			schedule();
		}
	case 15:
		local_irq_save(flags);
		for (;;)
			cpu_relax();
	case 16 ... 21:
		damage_memory(fault);
		break;
	case 22:
		zero = (1 << hundred) & 0;
		break;
	case 23:
		zero = table[hundred / 20] & 0;
		break;
	case 24:
		lock_in_two_orders();
		break;
	case 25:
		kept = kmalloc(64, GFP_KERNEL);
		kept = NULL;
		break;
	case 26:
		schedule_work(&bad_work);
		flush_work(&bad_work);
		break;
	case 27:
		schedule_work(&endless_work);
		flush_work(&endless_work);
		break;
	case 28:
		emergency_restart();
		break;
	case 29:
		mutex_lock(&first);
		mutex_lock(&first);
		break;
	case 30:
		/* Somebody waits for readers, which this processor cannot be told from. */
		call_rcu(&readers, readers_gone);
		for (;;)
			cpu_relax();
	}
}

static int faulty_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct faulty *f;
	unsigned long long bytes;
	int error;

	if (argc < 2 || kstrtoull(argv[1], 10, &bytes)) {
		ti->error = "a device and its bytes are wanted";
		return -EINVAL;
	}
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->fault = bytes / 512;
	error = dm_get_device(ti, argv[0], FMODE_READ, &f->dev);
	if (error) {
		kfree(f);
		return error;
	}
	ti->private = f;
	do_fault(f->fault);
	return 0;
}

static void faulty_dtr(struct dm_target *ti)
{
	struct faulty *f = ti->private;

	if (f->fault != KEEPS_DEVICE)
		dm_put_device(ti, f->dev);
	kfree(f);
}

static int faulty_map(struct dm_target *ti, struct bio *bio)
{
	struct faulty *f = ti->private;

	bio_set_dev(bio, f->dev->bdev);
	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	if (f->fault == READS_NEXT_SECTOR)
		bio->bi_iter.bi_sector++;
	return DM_MAPIO_REMAPPED;
}

static struct target_type faulty_types[] = {
	{ .name = "lsmt_target", .version = { 1, 0, 0 }, .module = THIS_MODULE, .ctr = faulty_ctr, .dtr = faulty_dtr, .map = faulty_map },
	{ .name = "zfile_target", .version = { 1, 0, 0 }, .module = THIS_MODULE, .ctr = faulty_ctr, .dtr = faulty_dtr, .map = faulty_map },
};

static int __init faulty_init(void)
{
	int error = dm_register_target(&faulty_types[0]);

	return error ? error : dm_register_target(&faulty_types[1]);
}

static void __exit faulty_exit(void)
{
	dm_unregister_target(&faulty_types[1]);
	dm_unregister_target(&faulty_types[0]);
}

module_init(faulty_init);
module_exit(faulty_exit);
MODULE_DESCRIPTION("targets that are wrong on purpose");
MODULE_LICENSE("Dual MIT/GPL");
