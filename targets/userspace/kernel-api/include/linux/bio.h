/* SPDX-License-Identifier: MIT */
/* Bios, with the assertions that the kernel's own functions make (6.1, block/bio.c). */
#ifndef _LINUX_BIO_H
#define _LINUX_BIO_H

#include <linux/blkdev.h>
#include <linux/mempool.h>

#define BIO_MAX_VECS 256U
#define BIO_POOL_SIZE 2
enum { BIOSET_NEED_BVECS = 1, BIOSET_NEED_RESCUER = 2, BIOSET_PERCPU_CACHE = 4 };

struct bio;
typedef void(bio_end_io_t)(struct bio *bio);

struct bio_set {
	int pool_size;
	unsigned int front_pad;
};

struct bio {
	struct bio *bi_next;
	struct block_device *bi_bdev;
	blk_opf_t bi_opf;
	unsigned short bi_flags;
	unsigned short bi_ioprio;
	blk_status_t bi_status;
	int remaining;
	struct bvec_iter bi_iter;
	bio_end_io_t *bi_end_io;
	void *bi_private;
	unsigned short bi_vcnt;
	unsigned short bi_max_vecs;
	int references;
	struct bio_vec *bi_io_vec;
	struct bio_set *bi_pool;
	/* Set where the memory of the bio is to be given back with its last reference. */
	void *memory;
};

enum { BIO_CHAIN = 1, BIO_CLONED = 2 };

#define bio_op(bio) ((enum req_op)((bio)->bi_opf & REQ_OP_MASK))
#define bio_data_dir(bio) (bio_op(bio) & 1)
#define bio_sectors(bio) ((bio)->bi_iter.bi_size >> SECTOR_SHIFT)
#define bio_end_sector(bio) ((bio)->bi_iter.bi_sector + bio_sectors(bio))
#define bio_set_dev(bio, bdev) ((void)((bio)->bi_bdev = (bdev)))
#define bio_iter_iovec(bio, iter) bvec_iter_bvec((bio)->bi_io_vec, (iter))
#define bio_flagged(bio, flag) (((bio)->bi_flags & (flag)) != 0)
#define bio_has_data(bio) ((bio)->bi_iter.bi_size != 0)

static inline void bio_advance_iter(const struct bio *bio, struct bvec_iter *iter, unsigned int bytes)
{
	iter->bi_sector += bytes >> SECTOR_SHIFT;
	bvec_iter_advance(bio->bi_io_vec, iter, bytes);
}
#define bio_advance_iter_single bio_advance_iter

#define bio_for_each_segment(bv, bio, iter) \
	for (iter = (bio)->bi_iter; iter.bi_size && ((bv = bio_iter_iovec(bio, iter)), 1); \
	     bio_advance_iter_single(bio, &(iter), (bv).bv_len))

int bioset_init(struct bio_set *set, unsigned int pool_size, unsigned int front_pad, int flags);
void bioset_exit(struct bio_set *set);
void bio_init(struct bio *bio, struct block_device *bdev, struct bio_vec *table, unsigned short max_vecs, blk_opf_t opf);
void bio_uninit(struct bio *bio);
struct bio *bio_alloc_bioset(struct block_device *bdev, unsigned short vecs, blk_opf_t opf, gfp_t flags, struct bio_set *set);
struct bio *bio_alloc(struct block_device *bdev, unsigned short vecs, blk_opf_t opf, gfp_t flags);
struct bio *bio_alloc_clone(struct block_device *bdev, struct bio *from, gfp_t flags, struct bio_set *set);
int bio_add_page(struct bio *bio, struct page *page, unsigned int bytes, unsigned int offset);
struct bio *bio_split(struct bio *bio, int sectors, gfp_t flags, struct bio_set *set);
void bio_chain(struct bio *bio, struct bio *parent);
void bio_advance(struct bio *bio, unsigned int bytes);
void bio_trim(struct bio *bio, sector_t offset, sector_t size);
void bio_get(struct bio *bio);
void bio_put(struct bio *bio);
void bio_endio(struct bio *bio);
void bio_inc_remaining(struct bio *bio);
void zero_fill_bio_iter(struct bio *bio, struct bvec_iter start);
#define zero_fill_bio(bio) zero_fill_bio_iter(bio, (bio)->bi_iter)
void submit_bio(struct bio *bio);
void submit_bio_noacct(struct bio *bio);
int submit_bio_wait(struct bio *bio);

static inline void bio_io_error(struct bio *bio)
{
	bio->bi_status = BLK_STS_IOERR;
	bio_endio(bio);
}

#endif
