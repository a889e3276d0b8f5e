/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_KREF_H
#define _LINUX_KREF_H

#include <linux/atomic.h>

struct kref { atomic_t refcount; };

static inline void kref_init(struct kref *k) { k->refcount.counter = 1; }
static inline void kref_get(struct kref *k) { k->refcount.counter++; }
static inline int kref_put(struct kref *k, void (*release)(struct kref *k))
{
	if (--k->refcount.counter)
		return 0;
	release(k);
	return 1;
}

#endif
