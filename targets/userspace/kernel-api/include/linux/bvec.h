/* SPDX-License-Identifier: MIT */
/* A bio's memory as pieces of pages. A piece may span pages; iterating by segments gives parts of one page. */
#ifndef _LINUX_BVEC_H
#define _LINUX_BVEC_H

#include <linux/mm.h>

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct bvec_iter {
	sector_t bi_sector;
	unsigned int bi_size;
	unsigned int bi_idx;
	unsigned int bi_bvec_done;
} __packed;

/* What the iterator stands on, cut to one page. */
static inline struct bio_vec bvec_iter_bvec(const struct bio_vec *vecs, struct bvec_iter iter)
{
	const struct bio_vec *at = &vecs[iter.bi_idx];
	unsigned int from = at->bv_offset + iter.bi_bvec_done;
	unsigned int length = min(at->bv_len - iter.bi_bvec_done, iter.bi_size);
	unsigned int in_page = from % PAGE_SIZE;

	return (struct bio_vec){ at->bv_page + from / PAGE_SIZE, min_t(unsigned int, length, PAGE_SIZE - in_page), in_page };
}

static inline bool bvec_iter_advance(const struct bio_vec *vecs, struct bvec_iter *iter, unsigned int bytes)
{
	if (WARN_ON(bytes > iter->bi_size)) {
		iter->bi_size = 0;
		return false;
	}
	iter->bi_size -= bytes;
	bytes += iter->bi_bvec_done;
	while (bytes && bytes >= vecs[iter->bi_idx].bv_len)
		bytes -= vecs[iter->bi_idx++].bv_len;
	iter->bi_bvec_done = bytes;
	return true;
}

#define bvec_kmap_local(bvec) ((void *)((char *)(bvec)->bv_page->address + (bvec)->bv_offset))

static inline void memzero_bvec(struct bio_vec *v) { memset(bvec_kmap_local(v), 0, v->bv_len); }
static inline void memcpy_to_bvec(struct bio_vec *v, const char *from) { memcpy(bvec_kmap_local(v), from, v->bv_len); }
static inline void memcpy_from_bvec(char *to, struct bio_vec *v) { memcpy(to, bvec_kmap_local(v), v->bv_len); }

#endif
