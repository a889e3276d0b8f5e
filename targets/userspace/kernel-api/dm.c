/* SPDX-License-Identifier: MIT */
/*
 * Device-mapper: types of targets, tables of one line, and bios on their way
 * through a target (drivers/md/dm.c and dm-table.c of 6.1). A table that is
 * given up with devices that were not put back is complained of, as there.
 */
#include "layer.h"

#include <ctype.h>
#include <string.h>

#define MAX_TYPES 16u
#define MAX_WORDS 65536u

/* A device that a table has. */
struct taken {
	struct dm_dev dev;
	struct layer_device *device;
	unsigned int count;
	struct taken *next;
};

struct dm_table {
	fmode_t mode;
	sector_t sectors;
	struct dm_target target;
	struct taken *taken;
	struct layer_device *owner;
	/* Bios that came and have not ended. */
	unsigned int pending;
	bool suspended;
};

/* A bio that came to the device, while the target has its clone. */
struct dm_io {
	struct dm_table *table;
	struct bio *orig;
	unsigned int pending;
	blk_status_t status;
};

struct clone {
	struct dm_target *ti;
	struct dm_io *io;
	unsigned int sectors;
	struct bio bio;
};

static struct target_type *types[MAX_TYPES];
static unsigned int type_count;

int dm_register_target(struct target_type *type)
{
	if (type_count == MAX_TYPES)
		return -ENOMEM;
	types[type_count++] = type;
	return 0;
}

void dm_unregister_target(struct target_type *type)
{
	unsigned int i;

	for (i = 0; i < type_count; i++)
		if (types[i] == type)
			types[i] = types[--type_count];
}

static struct target_type *type_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < type_count; i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

const char *dm_shift_arg(struct dm_arg_set *args)
{
	if (!args->argc)
		return NULL;
	args->argc--;
	return *args->argv++;
}

void dm_consume_args(struct dm_arg_set *args, unsigned int count)
{
	BUG_ON(args->argc < count);
	args->argc -= count;
	args->argv += count;
}

int dm_read_arg(const struct dm_arg *arg, struct dm_arg_set *args, unsigned int *value, char **error)
{
	const char *text = dm_shift_arg(args);
	char rest;

	if (!text || sscanf(text, "%u%c", value, &rest) != 1 || *value < arg->min || *value > arg->max) {
		*error = arg->error;
		return -EINVAL;
	}
	return 0;
}

fmode_t dm_table_get_mode(struct dm_table *table)
{
	return table->mode;
}

sector_t dm_table_get_size(struct dm_table *table)
{
	return table->sectors;
}

int dm_set_target_max_io_len(struct dm_target *ti, sector_t sectors)
{
	if (sectors > UINT_MAX)
		return -EINVAL;
	ti->max_io_len = (u32)sectors;
	return 0;
}

int dm_get_device(struct dm_target *ti, const char *path, fmode_t mode, struct dm_dev **result)
{
	struct dm_table *t = ti->table;
	struct layer_device *d = block_device_named(path);
	struct taken *one;

	BUG_ON(!t);
	if (!d)
		return -ENODEV;
	if (d == t->owner)
		return -EINVAL;
	for (one = t->taken; one && one->device != d; one = one->next)
		;
	if (!one) {
		if (d->held)
			return -EBUSY;
		one = layer_alloc(sizeof(*one));
		one->device = d;
		one->dev.bdev = &d->bdev;
		one->dev.mode = mode;
		snprintf(one->dev.name, sizeof(one->dev.name), "%s", path);
		one->next = t->taken;
		t->taken = one;
	}
	one->count++;
	*result = &one->dev;
	return 0;
}

void dm_put_device(struct dm_target *ti, struct dm_dev *dev)
{
	struct taken **at;

	for (at = &ti->table->taken; *at && &(*at)->dev != dev; at = &(*at)->next)
		;
	if (!*at) {
		DMERR("%s: device %s not in table devices list", ti->table->owner->disk.disk_name, dev->name);
		return;
	}
	if (--(*at)->count == 0)
		*at = (*at)->next;
}

/* As dm_split_args: words between white space, a backslash takes the next character as it is. */
static unsigned int split(char *text, char **words)
{
	unsigned int count = 0;

	for (;;) {
		char *to;

		while (isspace((unsigned char)*text))
			text++;
		if (!*text || count == MAX_WORDS)
			return count;
		words[count++] = to = text;
		while (*text && !isspace((unsigned char)*text)) {
			if (*text == '\\' && text[1])
				text++;
			*to++ = *text++;
		}
		if (*text)
			text++;
		*to = 0;
	}
}

static void give_up(struct dm_table *t)
{
	struct taken *one;

	for (one = t->taken; one; one = one->next) {
		DMWARN("%s: dm_put_device call missing for %s", t->owner->disk.disk_name, one->dev.name);
		complain(COMPLAINT_LEAK, "dm-device-not-put", false);
	}
}

/* A table that its constructor took; *result is 0 or -errno. */
static struct dm_table *load(struct layer_device *device, const char *type, const char *params, sector_t sectors, fmode_t mode, int *error)
{
	size_t length = strlen(params);
	struct dm_table *t = layer_alloc(sizeof(*t));
	/* The words are in the module's memory: who reads behind them is seen. */
	char *text = memory_sure(length + 1);
	char **words = layer_alloc((length / 2 + 2) * sizeof(*words)), **argv;
	unsigned int argc;
	int result;

	*error = -ENOMEM;
	if (!text)
		return NULL;
	memcpy(text, params, length + 1);
	argc = split(text, words);
	argv = memory_sure(max(argc, 1u) * sizeof(*argv));
	if (!argv)
		return NULL;
	memcpy(argv, words, argc * sizeof(*argv));
	t->mode = mode;
	t->sectors = sectors;
	t->owner = device;
	t->target = (struct dm_target){ .table = t, .type = type_named(type), .len = sectors, .error = "Unknown error" };
	*error = -EINVAL;
	if (!t->target.type || !sectors)
		return NULL;
	result = t->target.type->ctr(&t->target, argc, argv);
	kfree(argv);
	kfree(text);
	if (result) {
		DMERR("%s: %s: %s (%d)", device->disk.disk_name, type, t->target.error ? t->target.error : "(null)", result);
		give_up(t);
		*error = result;
		return NULL;
	}
	*error = 0;
	return t;
}

static int resume(struct dm_table *t)
{
	int result = t->target.type->preresume ? t->target.type->preresume(&t->target) : 0;

	if (result)
		return result;
	t->suspended = false;
	if (t->target.type->resume)
		t->target.type->resume(&t->target);
	return 0;
}

int dm_layer_create(struct layer_device *device, const char *type, const char *params, sector_t sectors, fmode_t mode)
{
	int error;
	struct dm_table *t = load(device, type, params, sectors, mode, &error);

	if (!t)
		return error;
	device->table = t;
	device->disk.capacity = sectors;
	return resume(t);
}

static bool is_idle(void *data)
{
	return ((struct dm_table *)data)->pending == 0;
}

static void suspend(struct dm_table *t)
{
	struct target_type *type = t->target.type;

	if (type->presuspend)
		type->presuspend(&t->target);
	if (!layer_wait(is_idle, t))
		die(DEATH_HANG, "hang");
	if (type->postsuspend)
		type->postsuspend(&t->target);
	t->suspended = true;
}

int dm_layer_suspend(struct layer_device *device)
{
	suspend(device->table);
	return resume(device->table);
}

static void destroy(struct dm_table *t)
{
	struct target_type *type = t->target.type;

	if (type->presuspend && !t->suspended)
		type->presuspend(&t->target);
	if (type->postsuspend && !t->suspended)
		type->postsuspend(&t->target);
	if (type->dtr)
		type->dtr(&t->target);
	give_up(t);
}

void dm_layer_remove(struct layer_device *device)
{
	struct dm_table *t = device->table;

	device->table = NULL;
	if (t)
		destroy(t);
}

void dm_layer_replace(struct layer_device *device, struct dm_table *old)
{
	(void)device;
	if (old)
		destroy(old);
}

int dm_layer_reload(struct layer_device *device, const char *type, const char *params, sector_t sectors, fmode_t mode, bool *loaded)
{
	struct dm_table *old = device->table, *t;
	int error;

	t = load(device, type, params, sectors, mode, &error);
	*loaded = t != NULL;
	if (!t)
		return error;
	suspend(old);
	device->table = t;
	device->disk.capacity = sectors;
	error = resume(t);
	destroy(old);
	return error;
}

int dm_layer_ioctl(struct layer_device *device)
{
	struct dm_target *ti = &device->table->target;
	struct block_device *bdev = NULL;

	return ti->type->prepare_ioctl ? ti->type->prepare_ioctl(ti, &bdev) : -ENOTTY;
}

static void io_ended(struct dm_io *io, blk_status_t error)
{
	struct bio *orig = io->orig;

	if (error)
		io->status = error;
	if (--io->pending)
		return;
	io->table->pending--;
	/* Nobody suspends it, so that what is to be done again fails. */
	if (io->status == BLK_STS_DM_REQUEUE)
		io->status = BLK_STS_IOERR;
	if (io->status)
		orig->bi_status = io->status;
	bio_endio(orig);
}

static void clone_ended(struct bio *bio)
{
	struct clone *clone = container_of(bio, struct clone, bio);
	struct dm_io *io = clone->io;
	blk_status_t error = bio->bi_status;

	if (clone->ti->type->end_io) {
		int result = clone->ti->type->end_io(clone->ti, bio, &error);

		switch (result) {
		case DM_ENDIO_REQUEUE:
			error = BLK_STS_DM_REQUEUE;
			break;
		case DM_ENDIO_DONE:
			break;
		case DM_ENDIO_INCOMPLETE:
			return;
		default:
			DMCRIT("unimplemented target endio return value: %d", result);
			BUG();
		}
	}
	kfree((char *)clone - clone->ti->per_io_data_size);
	io_ended(io, error);
}

/* One clone of at most so many sectors; gives how many it took. */
static sector_t map_part(struct dm_table *t, struct dm_io *io, struct bio *orig, struct bvec_iter at, sector_t sectors)
{
	struct dm_target *ti = &t->target;
	sector_t offset = at.bi_sector - ti->begin, most = min_t(sector_t, sectors, ti->len - offset);
	struct clone *clone;
	char *memory;
	int result;

	if (ti->max_io_len)
		most = min_t(sector_t, most, ti->max_io_len - offset % ti->max_io_len);
	memory = memory_sure(ti->per_io_data_size + sizeof(*clone));
	if (!memory) {
		io->status = BLK_STS_RESOURCE;
		return sectors;
	}
	clone = (struct clone *)(memory + ti->per_io_data_size);
	clone->ti = ti;
	clone->io = io;
	bio_init(&clone->bio, &t->owner->bdev, orig->bi_io_vec, 0, orig->bi_opf);
	clone->bio.bi_flags = BIO_CLONED;
	clone->bio.bi_iter = at;
	clone->bio.bi_iter.bi_size = (unsigned int)(most << SECTOR_SHIFT);
	clone->bio.bi_end_io = clone_ended;
	clone->sectors = (unsigned int)most;
	io->pending++;
	result = ti->type->map(ti, &clone->bio);
	switch (result) {
	case DM_MAPIO_SUBMITTED:
		break;
	case DM_MAPIO_REMAPPED:
		most = clone->sectors;
		submit_bio_noacct(&clone->bio);
		break;
	case DM_MAPIO_KILL:
	case DM_MAPIO_REQUEUE:
		kfree(memory);
		io_ended(io, result == DM_MAPIO_KILL ? BLK_STS_IOERR : BLK_STS_DM_REQUEUE);
		break;
	default:
		DMCRIT("unimplemented target map return value: %d", result);
		BUG();
	}
	return most;
}

void dm_accept_partial_bio(struct bio *bio, unsigned int sectors)
{
	struct clone *clone = container_of(bio, struct clone, bio);

	BUG_ON(sectors > bio_sectors(bio));
	clone->sectors = sectors;
	bio->bi_iter.bi_size = sectors << SECTOR_SHIFT;
}

void *dm_per_bio_data(struct bio *bio, size_t bytes)
{
	return (char *)container_of(bio, struct clone, bio) - bytes;
}

void dm_layer_submit(struct layer_device *device, struct bio *bio)
{
	struct dm_table *t = device->table;
	struct bvec_iter at = bio->bi_iter;
	sector_t left = bio_sectors(bio);
	struct dm_io *io;

	if (!t || at.bi_sector >= t->target.len) {
		bio_io_error(bio);
		return;
	}
	io = layer_alloc(sizeof(*io));
	io->table = t;
	io->orig = bio;
	io->pending = 1;
	t->pending++;
	do {
		sector_t took = map_part(t, io, bio, at, left);

		if (took > left)
			took = left;
		bio_advance_iter(bio, &at, (unsigned int)(took << SECTOR_SHIFT));
		left -= took;
	} while (left && !io->status);
	io_ended(io, 0);
}
