/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_DEVICE_MAPPER_H
#define _LINUX_DEVICE_MAPPER_H

#include <linux/bio.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>

struct dm_target;
struct dm_table;

struct dm_dev {
	struct block_device *bdev;
	fmode_t mode;
	char name[16];
};

struct dm_arg_set {
	unsigned int argc;
	char **argv;
};

struct dm_arg {
	unsigned int min, max;
	char *error;
};

typedef unsigned int status_type_t;
typedef int (*iterate_devices_callout_fn)(struct dm_target *ti, struct dm_dev *dev, sector_t start, sector_t len, void *data);

struct queue_limits { unsigned int logical_block_size, physical_block_size, io_min, io_opt, max_sectors, discard_granularity; };

struct target_type {
	u64 features;
	const char *name;
	struct module *module;
	unsigned int version[3];
	int (*ctr)(struct dm_target *ti, unsigned int argc, char **argv);
	void (*dtr)(struct dm_target *ti);
	int (*map)(struct dm_target *ti, struct bio *bio);
	int (*end_io)(struct dm_target *ti, struct bio *bio, blk_status_t *error);
	void (*presuspend)(struct dm_target *ti);
	void (*presuspend_undo)(struct dm_target *ti);
	void (*postsuspend)(struct dm_target *ti);
	int (*preresume)(struct dm_target *ti);
	void (*resume)(struct dm_target *ti);
	void (*status)(struct dm_target *ti, status_type_t type, unsigned int flags, char *result, unsigned int maxlen);
	int (*message)(struct dm_target *ti, unsigned int argc, char **argv, char *result, unsigned int maxlen);
	int (*prepare_ioctl)(struct dm_target *ti, struct block_device **bdev);
	int (*iterate_devices)(struct dm_target *ti, iterate_devices_callout_fn fn, void *data);
	void (*io_hints)(struct dm_target *ti, struct queue_limits *limits);
	struct target_type *registered;
};

struct dm_target {
	struct dm_table *table;
	struct target_type *type;
	sector_t begin;
	sector_t len;
	u32 max_io_len;
	unsigned int num_flush_bios, num_discard_bios, num_secure_erase_bios, num_write_zeroes_bios;
	unsigned int per_io_data_size;
	void *private;
	char *error;
	bool flush_supported : 1, discards_supported : 1, limit_swap_bios : 1, emulate_zone_append : 1, accounts_remapped_io : 1;
};

#define DM_ENDIO_DONE 0
#define DM_ENDIO_INCOMPLETE 1
#define DM_ENDIO_REQUEUE 2
#define DM_ENDIO_DELAY_REQUEUE 3
#define DM_MAPIO_SUBMITTED 0
#define DM_MAPIO_REMAPPED 1
#define DM_MAPIO_REQUEUE DM_ENDIO_REQUEUE
#define DM_MAPIO_DELAY_REQUEUE DM_ENDIO_DELAY_REQUEUE
#define DM_MAPIO_KILL 4
#define STATUSTYPE_INFO 0
#define STATUSTYPE_TABLE 1
#define STATUSTYPE_IMA 2
#define DM_TARGET_PASSES_INTEGRITY 0x20

#define DM_NAME_PREFIX "device-mapper: "
#ifndef DM_MSG_PREFIX
#define DM_MSG_PREFIX "target"
#endif
#define DMERR(format, ...) pr_err(DM_NAME_PREFIX DM_MSG_PREFIX ": " format "\n", ##__VA_ARGS__)
#define DMWARN(format, ...) pr_warn(DM_NAME_PREFIX DM_MSG_PREFIX ": " format "\n", ##__VA_ARGS__)
#define DMINFO(format, ...) pr_info(DM_NAME_PREFIX DM_MSG_PREFIX ": " format "\n", ##__VA_ARGS__)
#define DMCRIT(format, ...) pr_crit(DM_NAME_PREFIX DM_MSG_PREFIX ": " format "\n", ##__VA_ARGS__)
#define DMDEBUG(format, ...) pr_debug(DM_NAME_PREFIX DM_MSG_PREFIX ": " format "\n", ##__VA_ARGS__)
#define DMERR_LIMIT DMERR
#define DMWARN_LIMIT DMWARN
#define DMEMIT(...) do { if (sz < maxlen) sz += snprintf(result + sz, maxlen - sz, __VA_ARGS__); } while (0)

int dm_register_target(struct target_type *type);
void dm_unregister_target(struct target_type *type);
const char *dm_shift_arg(struct dm_arg_set *args);
void dm_consume_args(struct dm_arg_set *args, unsigned int count);
int dm_read_arg(const struct dm_arg *arg, struct dm_arg_set *args, unsigned int *value, char **error);
int dm_get_device(struct dm_target *ti, const char *path, fmode_t mode, struct dm_dev **result);
void dm_put_device(struct dm_target *ti, struct dm_dev *dev);
fmode_t dm_table_get_mode(struct dm_table *table);
sector_t dm_table_get_size(struct dm_table *table);
int dm_set_target_max_io_len(struct dm_target *ti, sector_t sectors);
void dm_accept_partial_bio(struct bio *bio, unsigned int sectors);
void *dm_per_bio_data(struct bio *bio, size_t bytes);
#define dm_target_offset(ti, sector) ((sector) - (ti)->begin)
#define to_sector(n) ((n) >> SECTOR_SHIFT)
#define to_bytes(n) ((n) << SECTOR_SHIFT)

#define module_dm(name) \
	static int dm_##name##_init(void) { return dm_register_target(&name##_target); } \
	module_init(dm_##name##_init); \
	static void dm_##name##_exit(void) { dm_unregister_target(&name##_target); } \
	module_exit(dm_##name##_exit)

#endif
