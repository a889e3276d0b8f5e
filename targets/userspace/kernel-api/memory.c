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
/* Forbidden bytes around each allocation, at least. */
#define RED_BYTES 64u
/* Above this the pages are given back after the case. */
#define KEPT_BYTES (16ull << 20)
#define MAX_ALLOCATIONS (1u << 20)
#define KMALLOC_MAX_BYTES (4ull << 20)

enum place { PLACE_SLAB, PLACE_VMALLOC, PLACE_PAGE };

struct allocation {
	uint8_t *start;
	size_t bytes;
	uint8_t place;
	uint8_t freed;
};

static uint8_t *region, *own;
static size_t used, forbidden, dirty, own_used, own_dirty;
static unsigned long long live;
static struct allocation *allocations;
static unsigned int count;
static unsigned long attempts;
long memory_fails_after = -1;

static void *reserve(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED) {
		perror("memory of the layer");
		exit(70);
	}
	return at;
}

static void forbid_ahead(size_t to)
{
	if (to + RED_BYTES <= forbidden)
		return;
	to = (to + AHEAD_BYTES + AHEAD_BYTES - 1) / AHEAD_BYTES * AHEAD_BYTES;
	__asan_poison_memory_region(region + forbidden, to - forbidden);
	forbidden = to;
}

void memory_prepare(void)
{
	region = reserve(REGION_BYTES + 2 * AHEAD_BYTES);
	own = reserve(OWN_BYTES);
	allocations = reserve(MAX_ALLOCATIONS * sizeof(*allocations));
	forbid_ahead(AHEAD_BYTES);
	used = PAGE_SIZE;
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
	__asan_poison_memory_region(region, used);
	forget(region, &used, &dirty);
	forget(own, &own_used, &own_dirty);
	used = PAGE_SIZE;
	count = 0;
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

static bool refused(void)
{
	return memory_fails_after >= 0 && attempts++ >= (unsigned long)memory_fails_after;
}

static void *take(size_t bytes, size_t alignment, enum place place)
{
	size_t red = bytes / 4 < RED_BYTES ? RED_BYTES : bytes / 4 > PAGE_SIZE ? PAGE_SIZE : (bytes / 4 + 15) & ~(size_t)15;
	size_t at = (used + alignment - 1) / alignment * alignment;
	struct allocation *a;

	if (count == MAX_ALLOCATIONS || at + bytes + red > REGION_BYTES || live + bytes > MEMORY_BYTES)
		return NULL;
	used = at + ((bytes + 15) & ~(size_t)15) + red;
	live += bytes;
	forbid_ahead(used);
	a = &allocations[count++];
	*a = (struct allocation){ region + at, bytes, place, 0 };
	__asan_unpoison_memory_region(a->start, bytes);
	clear(region, at, bytes, dirty);
	return a->start;
}

/* The last allocation that begins at or before the address. */
static struct allocation *before(uintptr_t address)
{
	unsigned int low = 0, high = count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if ((uintptr_t)allocations[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &allocations[low - 1] : NULL;
}

const char *memory_name(uintptr_t address)
{
	static const char *const out_of_bounds[] = { "slab-out-of-bounds", "vmalloc-out-of-bounds", "out-of-bounds" };
	struct allocation *a;
	uintptr_t behind;

	/* No address of an object: the stack's are told apart by AddressSanitizer's own name for it. */
	if (address < (uintptr_t)region || address >= (uintptr_t)region + REGION_BYTES) {
		char near;

		return address > (uintptr_t)&near && address - (uintptr_t)&near < 8u << 20 ? "stack-out-of-bounds" : "out-of-bounds";
	}
	a = before(address);
	if (!a)
		return "out-of-bounds";
	if (address < (uintptr_t)a->start + a->bytes)
		return "use-after-free";
	behind = address - (uintptr_t)a->start - a->bytes;
	/* Just before the next one is as near as just behind this one. */
	if (a + 1 < allocations + count && (uintptr_t)a[1].start - address < behind)
		a++;
	return out_of_bounds[a->place];
}

static void bad_free(const char *name)
{
	if (address_reports_wanted())
		complain(COMPLAINT_MEMORY, name, true);
}

static void give_back(const void *p, enum place place)
{
	struct allocation *a;

	a = (uintptr_t)p >= (uintptr_t)region && (uintptr_t)p < (uintptr_t)region + used ? before((uintptr_t)p) : NULL;
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
	return refused() ? NULL : take(bytes, 16, PLACE_SLAB);
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
	if (bytes > MEMORY_BYTES || refused())
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
	return refused() ? NULL : take(bytes, PAGE_SIZE, PLACE_PAGE);
}

void memory_free_page(void *p)
{
	give_back(p, PLACE_PAGE);
}

struct page *alloc_page(gfp_t flags)
{
	void *address = memory_page(PAGE_SIZE);
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
