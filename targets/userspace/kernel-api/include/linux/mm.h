/* SPDX-License-Identifier: MIT */
/* Pages: each lies by itself, so that what runs over a page's border is seen. */
#ifndef _LINUX_MM_H
#define _LINUX_MM_H

#include <linux/slab.h>

struct page {
	void *address;
};

#define page_address(page) ((page)->address)
#define kmap(page) ((page)->address)
#define kunmap(page) ((void)(page))
#define kmap_atomic(page) ((page)->address)
#define kunmap_atomic(p) ((void)(p))
#define kmap_local_page(page) ((page)->address)
#define kunmap_local(p) ((void)(p))
#define flush_dcache_page(page) ((void)(page))
#define PageHighMem(page) 0

struct page *alloc_page(gfp_t flags);
void __free_page(struct page *page);

static inline void memcpy_to_page(struct page *page, size_t at, const char *from, size_t bytes)
{
	memcpy((char *)page->address + at, from, bytes);
}

static inline void memcpy_from_page(char *to, struct page *page, size_t at, size_t bytes)
{
	memcpy(to, (char *)page->address + at, bytes);
}

static inline void memzero_page(struct page *page, size_t at, size_t bytes)
{
	memset((char *)page->address + at, 0, bytes);
}
#define zero_user(page, at, bytes) memzero_page(page, at, bytes)

#endif
