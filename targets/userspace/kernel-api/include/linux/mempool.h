/* SPDX-License-Identifier: MIT */
/* A pool takes from the allocator first and from its reserve only where that fails, as in the kernel; the reserve is counted, not held. */
#ifndef _LINUX_MEMPOOL_H
#define _LINUX_MEMPOOL_H

#include <linux/slab.h>

typedef void *(mempool_alloc_t)(gfp_t flags, void *data);
typedef void (mempool_free_t)(void *element, void *data);

typedef struct mempool_s {
	int min_nr;
	size_t bytes;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
	void *pool_data;
} mempool_t;

int mempool_init_kmalloc_pool(mempool_t *pool, int min_nr, size_t bytes);
int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc, mempool_free_t *free, void *data);
void mempool_exit(mempool_t *pool);
mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t bytes);
void mempool_destroy(mempool_t *pool);
void *mempool_alloc(mempool_t *pool, gfp_t flags);
void mempool_free(void *element, mempool_t *pool);

#endif
