/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_BLKDEV_H
#define _LINUX_BLKDEV_H

#include <linux/bvec.h>
#include <linux/workqueue.h>

enum {
	BLK_STS_OK = 0, BLK_STS_NOTSUPP = 1, BLK_STS_TIMEOUT = 2, BLK_STS_NOSPC = 3, BLK_STS_MEDIUM = 7,
	BLK_STS_PROTECTION = 8, BLK_STS_RESOURCE = 9, BLK_STS_IOERR = 10, BLK_STS_DM_REQUEUE = 11, BLK_STS_AGAIN = 12,
};

enum req_op { REQ_OP_READ = 0, REQ_OP_WRITE = 1, REQ_OP_FLUSH = 2, REQ_OP_DISCARD = 3, REQ_OP_SECURE_ERASE = 5, REQ_OP_WRITE_ZEROES = 9 };
#define REQ_OP_MASK 0xffu
#define REQ_SYNC (1u << 11)
#define REQ_META (1u << 12)
#define REQ_PREFLUSH (1u << 18)
#define REQ_RAHEAD (1u << 19)

#define FMODE_READ 1u
#define FMODE_WRITE 2u
#define FMODE_EXCL 0x80u
typedef fmode_t blk_mode_t;
#define BLK_OPEN_READ FMODE_READ
#define BLK_OPEN_WRITE FMODE_WRITE
#define BDEVNAME_SIZE 32

struct layer_device;

struct gendisk {
	sector_t capacity;
	char disk_name[32];
};

struct block_device {
	struct gendisk *bd_disk;
	u32 bd_dev;
	struct layer_device *bd_device;
};

blk_status_t errno_to_blk_status(int error);
int blk_status_to_errno(blk_status_t status);
#define get_capacity(disk) ((disk)->capacity)
#define bdev_nr_sectors(bdev) ((bdev)->bd_disk->capacity)
#define bdev_nr_bytes(bdev) ((loff_t)bdev_nr_sectors(bdev) << SECTOR_SHIFT)
#define bdev_logical_block_size(bdev) ((void)(bdev), 512u)

struct block_device *blkdev_get_by_path(const char *path, fmode_t mode, void *holder);
void blkdev_put(struct block_device *bdev, fmode_t mode);

struct blk_plug { int unused; };
#define blk_start_plug(plug) ((void)(plug))
#define blk_finish_plug(plug) ((void)(plug))

#endif
