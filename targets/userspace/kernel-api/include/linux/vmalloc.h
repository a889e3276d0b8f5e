/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_VMALLOC_H
#define _LINUX_VMALLOC_H

#include <linux/slab.h>

void *vmalloc(unsigned long bytes);
void vfree(const void *p);
bool is_vmalloc_addr(const void *p);
#define vzalloc(bytes) vmalloc(bytes)
static inline void *vmalloc_array(size_t n, size_t size) { return vmalloc(array_size(n, size)); }
#define vcalloc vmalloc_array

#endif
