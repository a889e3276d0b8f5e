/* SPDX-License-Identifier: MIT */
/* Bios: splitting, chaining, ending. What is asserted, and in which order things happen, is as in block/bio.c of 6.1. */
#include "layer.h"

void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *table, unsigned short max_vecs, blk_opf_t opf)
{
	*bio = (struct bio){ .bi_bdev = bdev, .bi_opf = opf, .remaining = 1, .references = 1, .bi_io_vec = table, .bi_max_vecs = max_vecs };
}

void bio_uninit(struct bio *bio)
{
	(void)bio;
}

int bioset_init(struct bio_set *set, unsigned int pool_size, unsigned int front_pad, int flags)
{
	(void)flags;
	if (memory_refuses())
		return -ENOMEM;
	set->pool_size = (int)pool_size;
	set->front_pad = front_pad;
	return 0;
}

void bioset_exit(struct bio_set *set)
{
	set->pool_size = 0;
}

/* In memory that is forbidden again after the last reference, so that late uses are seen. */
/* From a pool with reserves: whoever may wait is given one. */
static struct bio *bio_new(struct block_device *bdev, unsigned short vecs, blk_opf_t opf, gfp_t flags, unsigned int front_pad)
{
	size_t at = (front_pad + 15u) & ~15u;
	size_t bytes = at + sizeof(struct bio) + vecs * sizeof(struct bio_vec);
	char *memory = flags & (GFP_ATOMIC | GFP_NOWAIT) ? kmalloc(bytes, flags) : memory_sure(bytes);
	struct bio *bio;

	if (!memory)
		return NULL;
	bio = (struct bio *)(memory + at);
	bio_init(bio, bdev, vecs ? (struct bio_vec *)(bio + 1) : NULL, vecs, opf);
	bio->memory = memory;
	return bio;
}

struct bio *bio_alloc_bioset(struct block_device *bdev, unsigned short vecs, blk_opf_t opf, gfp_t flags, struct bio_set *set)
{
	struct bio *bio = vecs > BIO_MAX_VECS ? NULL : bio_new(bdev, vecs, opf, flags, set ? set->front_pad : 0);

	if (bio)
		bio->bi_pool = set;
	return bio;
}

struct bio *bio_alloc(struct block_device *bdev, unsigned short vecs, blk_opf_t opf, gfp_t flags)
{
	return bio_alloc_bioset(bdev, vecs, opf, flags, NULL);
}

struct bio *bio_alloc_clone(struct block_device *bdev, struct bio *from, gfp_t flags, struct bio_set *set)
{
	struct bio *bio = bio_alloc_bioset(bdev, 0, from->bi_opf, flags, set);

	if (!bio)
		return NULL;
	bio->bi_flags |= BIO_CLONED;
	bio->bi_iter = from->bi_iter;
	bio->bi_io_vec = from->bi_io_vec;
	return bio;
}

int bio_add_page(struct bio *bio, struct page *page, unsigned int bytes, unsigned int offset)
{
	struct bio_vec *last = bio->bi_vcnt ? &bio->bi_io_vec[bio->bi_vcnt - 1] : NULL;

	if (WARN_ON_ONCE(bio_flagged(bio, BIO_CLONED)) || bio->bi_iter.bi_size > UINT_MAX - bytes)
		return 0;
	if (last && last->bv_page == page && last->bv_offset + last->bv_len == offset) {
		last->bv_len += bytes;
	} else {
		if (bio->bi_vcnt >= bio->bi_max_vecs)
			return 0;
		bio->bi_io_vec[bio->bi_vcnt++] = (struct bio_vec){ page, bytes, offset };
	}
	bio->bi_iter.bi_size += bytes;
	return (int)bytes;
}

struct bio *bio_split(struct bio *bio, int sectors, gfp_t flags, struct bio_set *set)
{
	struct bio *split;

	count_steps(1);
	BUG_ON(sectors <= 0);
	BUG_ON(sectors >= (int)bio_sectors(bio));
	split = bio_alloc_clone(bio->bi_bdev, bio, flags, set);
	if (!split)
		return NULL;
	split->bi_iter.bi_size = (unsigned int)sectors << SECTOR_SHIFT;
	bio_advance(bio, split->bi_iter.bi_size);
	return split;
}

static void chained_end(struct bio *bio)
{
	(void)bio;
	/* bio_endio never calls it. */
	BUG();
}

void bio_inc_remaining(struct bio *bio)
{
	bio->bi_flags |= BIO_CHAIN;
	bio->remaining++;
}

void bio_chain(struct bio *bio, struct bio *parent)
{
	BUG_ON(bio->bi_private || bio->bi_end_io);
	bio->bi_private = parent;
	bio->bi_end_io = chained_end;
	bio_inc_remaining(parent);
}

void bio_advance(struct bio *bio, unsigned int bytes)
{
	bio_advance_iter(bio, &bio->bi_iter, bytes);
}

void bio_trim(struct bio *bio, sector_t offset, sector_t size)
{
	if (WARN_ON_ONCE(offset > UINT_MAX >> SECTOR_SHIFT || size > UINT_MAX >> SECTOR_SHIFT || offset + size > bio_sectors(bio)))
		return;
	if (!offset && size << SECTOR_SHIFT == bio->bi_iter.bi_size)
		return;
	bio_advance(bio, (unsigned int)(offset << SECTOR_SHIFT));
	bio->bi_iter.bi_size = (unsigned int)(size << SECTOR_SHIFT);
}

void bio_get(struct bio *bio)
{
	bio->references++;
}

void bio_put(struct bio *bio)
{
	if (--bio->references == 0 && bio->memory)
		kfree(bio->memory);
}

void bio_endio(struct bio *bio)
{
	count_steps(1);
	for (;;) {
		struct bio *parent;

		/* Only where something hangs on it is it counted how often it ends. */
		if (bio_flagged(bio, BIO_CHAIN)) {
			BUG_ON(bio->remaining <= 0);
			if (--bio->remaining)
				return;
			bio->bi_flags &= (unsigned short)~BIO_CHAIN;
		}
		if (bio->bi_end_io != chained_end)
			break;
		parent = bio->bi_private;
		if (bio->bi_status && !parent->bi_status)
			parent->bi_status = bio->bi_status;
		bio_put(bio);
		bio = parent;
	}
	if (bio->bi_end_io)
		bio->bi_end_io(bio);
}

void zero_fill_bio_iter(struct bio *bio, struct bvec_iter start)
{
	struct bio_vec bv;
	struct bvec_iter iter = start;

	for (; iter.bi_size && ((bv = bio_iter_iovec(bio, iter)), 1); bio_advance_iter(bio, &iter, bv.bv_len))
		memzero_bvec(&bv);
}

blk_status_t errno_to_blk_status(int error)
{
	switch (error) {
	case 0: return BLK_STS_OK;
	case -EOPNOTSUPP: return BLK_STS_NOTSUPP;
	case -ENOSPC: return BLK_STS_NOSPC;
	case -ENODATA: return BLK_STS_MEDIUM;
	case -ENOMEM: return BLK_STS_RESOURCE;
	case -EAGAIN: return BLK_STS_AGAIN;
	default: return BLK_STS_IOERR;
	}
}

int blk_status_to_errno(blk_status_t status)
{
	switch (status) {
	case BLK_STS_OK: return 0;
	case BLK_STS_NOTSUPP: return -EOPNOTSUPP;
	case BLK_STS_TIMEOUT: return -ETIMEDOUT;
	case BLK_STS_NOSPC: return -ENOSPC;
	case BLK_STS_MEDIUM: return -ENODATA;
	case BLK_STS_RESOURCE: return -ENOMEM;
	case BLK_STS_AGAIN: return -EAGAIN;
	default: return -EIO;
	}
}
