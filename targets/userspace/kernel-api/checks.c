/* SPDX-License-Identifier: MIT */
/*
 * What the compiler's checks in the module's code call: of addresses (the build
 * gives AddressSanitizer's functions these names in the module's objects), and of
 * undefined behaviour. Named as the lab's sanitizer kernel names them. As there
 * the code goes on, and only the first wrong access is told.
 */
#include "layer.h"

#include <sanitizer/asan_interface.h>

/* Nothing copies more than the machine has. */
#define MOST_BYTES (1ull << 30)

/* Told or not, where there is no page the access itself faults. */
static void report(uintptr_t address, const char *what)
{
	char name[96];

	if (address_reports_wanted()) {
		snprintf(name, sizeof(name), "kasan-%s-%s", memory_name(address), what);
		complain(COMPLAINT_MEMORY, name, true);
	}
	if (memory_is_unmapped(address))
		die(DEATH_CRASH, "page-fault");
}

#define REPORTS(bytes) \
	void layer_load##bytes(uintptr_t address) { report(address, "read"); } \
	void layer_store##bytes(uintptr_t address) { report(address, "write"); }
REPORTS(1)
REPORTS(2)
REPORTS(4)
REPORTS(8)
REPORTS(16)

void layer_loadn(uintptr_t address, size_t bytes)
{
	(void)bytes;
	report(address, "read");
}

void layer_storen(uintptr_t address, size_t bytes)
{
	(void)bytes;
	report(address, "write");
}

/* As kasan_check_range and get_wild_bug_type say; NULL: what lies there must be looked up. */
static const char *wild(uintptr_t address, size_t bytes)
{
	if (address + bytes < address)
		return "out-of-bounds";
	if (address < PAGE_SIZE)
		return "null-ptr-deref";
	return address < 1ull << 47 ? NULL : "wild-memory-access";
}

/* False where a wrong access was told: then the kernel's function does nothing. Without a telling it does what it is asked. */
static bool check(const void *p, size_t bytes, const char *what)
{
	uintptr_t address = (uintptr_t)p, bad;
	const char *name;
	char title[96];

	if (!bytes)
		return true;
	name = wild(address, bytes);
	if (!name && bytes <= MOST_BYTES) {
		bad = (uintptr_t)__asan_region_is_poisoned((void *)address, bytes);
		if (!bad)
			return true;
		name = memory_name(bad);
	}
	if (!address_reports_wanted()) {
		if (bytes > MOST_BYTES || memory_is_unmapped(address) || memory_is_unmapped(address + bytes - 1))
			die(DEATH_CRASH, "page-fault");
		return true;
	}
	snprintf(title, sizeof(title), "kasan-%s-%s", name ? name : "out-of-bounds", what);
	complain(COMPLAINT_MEMORY, title, true);
	return false;
}

void *layer_memcpy(void *to, const void *from, size_t bytes)
{
	void *at = to;

	if (!check(from, bytes, "read") || !check(to, bytes, "write"))
		return NULL;
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}

void *layer_memmove(void *to, const void *from, size_t bytes)
{
	char *at = (char *)to + bytes - 1;
	const char *last = (const char *)from + bytes - 1;

	if (!check(from, bytes, "read") || !check(to, bytes, "write"))
		return NULL;
	if ((uintptr_t)to - (uintptr_t)from >= bytes)
		__asm__ volatile("rep movsb" : "=D"(at), "=S"(last), "+c"(bytes) : "0"(to), "1"(from) : "memory");
	else
		__asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(at), "+S"(last), "+c"(bytes) : : "memory");
	return to;
}

void *layer_memset(void *to, int value, size_t bytes)
{
	void *at = to;

	if (!check(to, bytes, "write"))
		return NULL;
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
	return to;
}

static void undefined(const char *name)
{
	complain(COMPLAINT_MEMORY, name, true);
}

void layer_ubsan_out_of_bounds(void *data, void *index)
{
	(void)data;
	(void)index;
	undefined("ubsan-array-index-out-of-bounds");
}

void layer_ubsan_shift_out_of_bounds(void *data, void *left, void *right)
{
	(void)data;
	(void)left;
	(void)right;
	undefined("ubsan-shift-out-of-bounds");
}

void layer_ubsan_load_invalid_value(void *data, void *value)
{
	(void)data;
	(void)value;
	undefined("ubsan-invalid-load");
}
