/* SPDX-License-Identifier: MIT */
/*
 * kmalloc, vmalloc and pages. Addresses only go up during a case and are the
 * same in each run of it; what is freed stays forbidden until the case ends.
 * Our own table says what lies where, so that a module that writes over
 * everything of its own cannot take this bookkeeping with it.
 */
#include "layer.h"

#include <linux/vmalloc.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#define REGION_BYTES (4ull << 30)
#define OWN_BYTES (1ull << 30)
#define AHEAD_BYTES (1ull << 20)
/* What is there at the beginning of a case. */
#define FIRST_BYTES (16 * AHEAD_BYTES)
/* Forbidden bytes around each allocation, at least. */
#define RED_BYTES 64u
/* Above this the pages are given back after the case. */
#define KEPT_BYTES (64ull << 20)
#define MAX_ALLOCATIONS (1u << 20)
#define KMALLOC_MAX_BYTES (4ull << 20)

enum place { PLACE_SLAB, PLACE_VMALLOC, PLACE_PAGE };

struct allocation {
	uint8_t *start;
	size_t bytes;
	uint8_t place;
	uint8_t freed;
};

/* As in the kernel vmalloc has addresses of its own, so that far behind one of its areas there is another one or nothing. */
static struct pool {
	uint8_t *base;
	size_t used, forbidden, dirty;
	struct allocation *allocations;
	unsigned int count;
} pools[2];

static uint8_t *own;
static size_t own_used, own_dirty;
static unsigned long long live;
static unsigned long attempts;
long memory_fails_after = -1;

static void *reserve(size_t bytes, int access)
{
	void *at = mmap(NULL, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED) {
		perror("memory of the layer");
		exit(70);
	}
	return at;
}

static struct pool *pool_of(enum place place)
{
	return &pools[place == PLACE_VMALLOC];
}

static void forbid_ahead(struct pool *pool, size_t to)
{
	if (to + RED_BYTES <= pool->forbidden)
		return;
	to = (to + 2 * AHEAD_BYTES - 1) / AHEAD_BYTES * AHEAD_BYTES;
	to = to < FIRST_BYTES ? FIRST_BYTES : to;
	/* What lies further is no memory at all. */
	if (to > pool->forbidden && mprotect(pool->base + pool->forbidden, to - pool->forbidden, PROT_READ | PROT_WRITE))
		die(DEATH_HANG, "out of the layer's memory");
	__asan_poison_memory_region(pool->base + pool->forbidden, to - pool->forbidden);
	pool->forbidden = to;
}

void memory_prepare(void)
{
	unsigned int i;

	own = reserve(OWN_BYTES, PROT_READ | PROT_WRITE);
	for (i = 0; i < 2; i++) {
		pools[i].base = reserve(REGION_BYTES + 2 * AHEAD_BYTES, PROT_NONE);
		pools[i].allocations = reserve(MAX_ALLOCATIONS * sizeof(struct allocation), PROT_READ | PROT_WRITE);
		forbid_ahead(&pools[i], AHEAD_BYTES);
		pools[i].used = PAGE_SIZE;
	}
}

static void forget(uint8_t *from, size_t *bytes, size_t *touched)
{
	if (*bytes > *touched)
		*touched = *bytes;
	if (*touched > KEPT_BYTES) {
		madvise(from, (*touched + PAGE_SIZE - 1) & PAGE_MASK, MADV_DONTNEED);
		*touched = 0;
	}
	*bytes = 0;
}

void memory_end(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		__asan_poison_memory_region(pools[i].base, pools[i].used);
		forget(pools[i].base, &pools[i].used, &pools[i].dirty);
		pools[i].used = PAGE_SIZE;
		pools[i].count = 0;
		/* The same for the next case, whatever this one needed. */
		if (pools[i].forbidden > FIRST_BYTES) {
			madvise(pools[i].base + FIRST_BYTES, pools[i].forbidden - FIRST_BYTES, MADV_DONTNEED);
			mprotect(pools[i].base + FIRST_BYTES, pools[i].forbidden - FIRST_BYTES, PROT_NONE);
			pools[i].forbidden = FIRST_BYTES;
			if (pools[i].dirty > FIRST_BYTES)
				pools[i].dirty = FIRST_BYTES;
		}
	}
	forget(own, &own_used, &own_dirty);
	live = 0;
}

void memory_begin(void)
{
	attempts = 0;
	memory_fails_after = -1;
}

/* Zeros a new piece of a region, of which the first `touched` bytes have been used before. */
static void clear(uint8_t *base, size_t at, size_t bytes, size_t touched)
{
	if (at < touched)
		memset(base + at, 0, at + bytes <= touched ? bytes : touched - at);
}

void *layer_alloc_raw(size_t bytes)
{
	size_t at = own_used;

	bytes = (bytes + 15) & ~(size_t)15;
	if (bytes > OWN_BYTES || at + bytes > OWN_BYTES)
		die(DEATH_HANG, "out of the layer's memory");
	own_used += bytes;
	return own + at;
}

void *layer_alloc(size_t bytes)
{
	uint8_t *p = layer_alloc_raw(bytes);

	clear(own, (size_t)(p - own), bytes, own_dirty);
	return p;
}

bool memory_refuses(void)
{
	return memory_fails_after >= 0 && attempts++ >= (unsigned long)memory_fails_after;
}

static void *take(size_t bytes, size_t alignment, enum place place)
{
	size_t red = bytes / 4 < RED_BYTES ? RED_BYTES : bytes / 4 > PAGE_SIZE ? PAGE_SIZE : (bytes / 4 + 15) & ~(size_t)15;
	struct pool *pool = pool_of(place);
	size_t at = (pool->used + alignment - 1) / alignment * alignment;
	struct allocation *a;

	if (pool->count == MAX_ALLOCATIONS || at + bytes + red > REGION_BYTES || live + bytes > MEMORY_BYTES)
		return NULL;
	pool->used = at + ((bytes + 15) & ~(size_t)15) + red;
	live += bytes;
	forbid_ahead(pool, pool->used);
	a = &pool->allocations[pool->count++];
	*a = (struct allocation){ pool->base + at, bytes, place, 0 };
	__asan_unpoison_memory_region(a->start, bytes);
	clear(pool->base, at, bytes, pool->dirty);
	return a->start;
}

static struct pool *pool_at(uintptr_t address)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (address >= (uintptr_t)pools[i].base && address < (uintptr_t)pools[i].base + REGION_BYTES)
			return &pools[i];
	return NULL;
}

/* The last allocation that begins at or before the address; NULL: none, or no memory of the module's. */
static struct allocation *before(uintptr_t address)
{
	struct pool *pool = pool_at(address);
	unsigned int low = 0, high = pool ? pool->count : 0;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if ((uintptr_t)pool->allocations[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &pool->allocations[low - 1] : NULL;
}

const char *memory_name(uintptr_t address)
{
	/* Beside a page lies most often one that nobody has, and KASAN does not tell freed vmalloc memory from what never was any. */
	static const char *const out_of_bounds[] = { "slab-out-of-bounds", "vmalloc-out-of-bounds", "use-after-free" };
	struct pool *pool = pool_at(address);
	struct allocation *a;
	uintptr_t behind;
	char near;

	if (!pool)
		return address > (uintptr_t)&near && address - (uintptr_t)&near < 8u << 20 ? "stack-out-of-bounds" : "use-after-free";
	a = before(address);
	if (pool == &pools[1])
		return "vmalloc-out-of-bounds";
	if (!a || address < (uintptr_t)a->start + a->bytes)
		return "use-after-free";
	behind = address - (uintptr_t)a->start - a->bytes;
	/* Just before the next one is as near as just behind this one. */
	if (a + 1 < pool->allocations + pool->count && (uintptr_t)a[1].start - address < behind)
		a++;
	return out_of_bounds[a->place];
}

bool memory_is_unmapped(uintptr_t address)
{
	struct allocation *a;

	if (pool_at(address) != &pools[1])
		return false;
	a = before(address);
	return !a || a->freed || address >= (uintptr_t)a->start + PAGE_ALIGN(a->bytes);
}

static void bad_free(const char *name)
{
	if (address_reports_wanted())
		complain(COMPLAINT_MEMORY, name, true);
}

static void give_back(const void *p, enum place place)
{
	struct allocation *a;

	a = before((uintptr_t)p);
	if (!a || a->start != p || a->place != place) {
		if (place == PLACE_VMALLOC)
			complain(COMPLAINT_CRASH, "warning", true);
		else
			bad_free("kasan-invalid-free");
		return;
	}
	if (a->freed) {
		if (place == PLACE_VMALLOC)
			complain(COMPLAINT_CRASH, "warning", true);
		else
			bad_free("kasan-double-free");
		return;
	}
	a->freed = 1;
	live -= a->bytes;
	__asan_poison_memory_region(a->start, a->bytes);
}

void *kmalloc(size_t bytes, gfp_t flags)
{
	if (!bytes)
		return ZERO_SIZE_PTR;
	if (bytes > KMALLOC_MAX_BYTES) {
		if (!(flags & __GFP_NOWARN))
			layer_warn(__FILE__, __LINE__);
		return NULL;
	}
	return memory_refuses() ? NULL : take(bytes, 16, PLACE_SLAB);
}

void *memory_sure(size_t bytes)
{
	return take(bytes, 16, PLACE_SLAB);
}

void kfree(const void *p)
{
	if (!ZERO_OR_NULL_PTR(p))
		give_back(p, PLACE_SLAB);
}

void *krealloc(const void *old, size_t bytes, gfp_t flags)
{
	struct allocation *a = ZERO_OR_NULL_PTR(old) ? NULL : before((uintptr_t)old);
	void *p = kmalloc(bytes, flags);

	if (p && a && !ZERO_OR_NULL_PTR(p)) {
		memcpy(p, old, a->bytes < bytes ? a->bytes : bytes);
		kfree(old);
	}
	return p;
}

char *kstrdup(const char *text, gfp_t flags)
{
	size_t bytes = text ? strlen(text) + 1 : 0;
	char *copy = text ? kmalloc(bytes, flags) : NULL;

	return copy ? memcpy(copy, text, bytes) : NULL;
}

void *vmalloc(unsigned long bytes)
{
	if (!bytes) {
		layer_warn(__FILE__, __LINE__);
		return NULL;
	}
	/* The kernel says that it exceeds all pages; nobody is blamed for that. */
	if (bytes > MEMORY_BYTES || memory_refuses())
		return NULL;
	/* Pages of its own and a guard page. */
	return take(bytes, PAGE_SIZE, PLACE_VMALLOC);
}

void vfree(const void *p)
{
	if (p)
		give_back(p, PLACE_VMALLOC);
}

bool is_vmalloc_addr(const void *p)
{
	struct allocation *a = before((uintptr_t)p);

	return a && a->place == PLACE_VMALLOC;
}

void *kvmalloc(size_t bytes, gfp_t flags)
{
	return bytes > KMALLOC_MAX_BYTES ? vmalloc(bytes) : kmalloc(bytes, flags);
}

void kvfree(const void *p)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else
		kfree(p);
}

void *memory_page(size_t bytes)
{
	return take(bytes, PAGE_SIZE, PLACE_PAGE);
}

void memory_free_page(void *p)
{
	give_back(p, PLACE_PAGE);
}

struct page *alloc_page(gfp_t flags)
{
	void *address = memory_refuses() ? NULL : memory_page(PAGE_SIZE);
	struct page *page = address ? layer_alloc(sizeof(*page)) : NULL;

	(void)flags;
	if (page)
		page->address = address;
	return page;
}

void __free_page(struct page *page)
{
	memory_free_page(page->address);
}
