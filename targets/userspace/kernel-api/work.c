/* SPDX-License-Identifier: MIT */
/* Workqueues and pools. */
#include "layer.h"

#include <linux/workqueue.h>

/* A work's part of the steps of a case: it may queue itself again for ever. */
#define WORK_STEPS 1000u

struct workqueue_struct {
	unsigned int flags;
};

static struct workqueue_struct shared;
struct workqueue_struct *system_wq = &shared, *system_unbound_wq = &shared, *system_long_wq = &shared;
static struct work_struct *first, **last = &first;

void work_begin(void)
{
	first = NULL;
	last = &first;
}

/* Of the process, not of a case: a module makes them when it is loaded. */
struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max_active, ...)
{
	struct workqueue_struct *wq = malloc(sizeof(*wq));

	(void)name;
	(void)max_active;
	if (wq)
		wq->flags = flags;
	return wq;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	flush_workqueue(wq);
	if (wq != &shared)
		free(wq);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	if (work->pending)
		return false;
	work->pending = 1;
	work->wq = wq;
	work->next = NULL;
	*last = work;
	last = &work->next;
	return true;
}

bool work_run_one(void)
{
	struct work_struct *work = first;

	if (!work)
		return false;
	count_steps_of(WORK_STEPS, (void *)work->func);
	first = work->next;
	if (!first)
		last = &first;
	/* Before it runs, for it may queue itself again, or be freed by itself. */
	work->pending = 0;
	work->func(work);
	return true;
}

static bool is_idle(void *data)
{
	struct work_struct *w;

	for (w = first; w; w = w->next)
		if (w->wq == data)
			return false;
	return true;
}

void flush_workqueue(struct workqueue_struct *wq)
{
	layer_wait(is_idle, wq);
}

static bool is_not_pending(void *data)
{
	return !((struct work_struct *)data)->pending;
}

bool flush_work(struct work_struct *work)
{
	bool was = work->pending;

	layer_wait(is_not_pending, work);
	return was;
}

bool cancel_work_sync(struct work_struct *work)
{
	struct work_struct **at;

	for (at = &first; *at; at = &(*at)->next) {
		if (*at != work)
			continue;
		*at = work->next;
		if (last == &work->next)
			last = at;
		work->pending = 0;
		return true;
	}
	return false;
}

int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc, mempool_free_t *give, void *data)
{
	*pool = (mempool_t){ .min_nr = min_nr, .alloc = alloc, .free = give, .pool_data = data };
	return 0;
}

int mempool_init_kmalloc_pool(mempool_t *pool, int min_nr, size_t bytes)
{
	void *one = kmalloc(bytes, GFP_KERNEL);

	/* Where memory is short the reserve is what cannot be had. */
	if (!one)
		return -ENOMEM;
	kfree(one);
	*pool = (mempool_t){ .min_nr = min_nr, .bytes = bytes };
	return 0;
}

void mempool_exit(mempool_t *pool)
{
	*pool = (mempool_t){ 0 };
}

mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t bytes)
{
	mempool_t *pool = kmalloc(sizeof(*pool), GFP_KERNEL);

	if (pool && mempool_init_kmalloc_pool(pool, min_nr, bytes)) {
		kfree(pool);
		pool = NULL;
	}
	return pool;
}

void mempool_destroy(mempool_t *pool)
{
	kfree(pool);
}

void *mempool_alloc(mempool_t *pool, gfp_t flags)
{
	/* Who may wait is given one that somebody gives back. */
	return pool->alloc ? pool->alloc(flags, pool->pool_data) : flags & (GFP_ATOMIC | GFP_NOWAIT) ? kmalloc(pool->bytes, flags) : memory_sure(pool->bytes);
}

void mempool_free(void *element, mempool_t *pool)
{
	if (!element)
		return;
	if (pool->free)
		pool->free(element, pool->pool_data);
	else
		kfree(element);
}
