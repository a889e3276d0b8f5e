/* SPDX-License-Identifier: MIT */
/* Memory of the module: zeroed as with init_on_alloc, with forbidden ground around it, never handed out twice in a case. */
#ifndef _LINUX_SLAB_H
#define _LINUX_SLAB_H

#include <linux/kernel.h>

#define GFP_KERNEL 0x1u
#define GFP_NOIO 0x2u
#define GFP_NOFS 0x4u
#define GFP_ATOMIC 0x8u
#define GFP_NOWAIT 0x10u
#define __GFP_ZERO 0x20u
#define __GFP_NOWARN 0x40u
#define __GFP_NORETRY 0x80u
#define __GFP_NOFAIL 0x100u
#define __GFP_HIGHMEM 0x200u
#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(p) ((unsigned long)(p) <= (unsigned long)ZERO_SIZE_PTR)

void *kmalloc(size_t bytes, gfp_t flags);
void *krealloc(const void *old, size_t bytes, gfp_t flags);
void kfree(const void *p);
void *kvmalloc(size_t bytes, gfp_t flags);
void kvfree(const void *p);
#define kzalloc(bytes, flags) kmalloc(bytes, (flags) | __GFP_ZERO)
#define kvzalloc(bytes, flags) kvmalloc(bytes, (flags) | __GFP_ZERO)
#define kmalloc_node(bytes, flags, node) kmalloc(bytes, flags)
#define kzalloc_node(bytes, flags, node) kzalloc(bytes, flags)
#define kfree_sensitive kfree

/* As in the kernel: null where the product does not fit. */
static inline void *kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kmalloc(bytes, flags);
}
#define kcalloc(n, size, flags) kmalloc_array(n, size, (flags) | __GFP_ZERO)
static inline void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kvmalloc(bytes, flags);
}
#define kvcalloc(n, size, flags) kvmalloc_array(n, size, (flags) | __GFP_ZERO)
static inline size_t array_size(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_mul_overflow(a, b, &bytes) ? ~(size_t)0 : bytes;
}
#define struct_size(p, member, n) (sizeof(*(p)) + array_size(n, sizeof((p)->member[0])))
char *kstrdup(const char *text, gfp_t flags);

#endif
