/* SPDX-License-Identifier: MIT */
/*
 * What the compiler calls where behaviour is undefined: the checks that the lab's
 * sanitizer kernel has, named as that kernel names them. As there, the code goes on.
 */
#include "layer.h"

static void report(const char *name)
{
	complain(COMPLAINT_MEMORY, name, true);
}

void __ubsan_handle_out_of_bounds(void *data, void *index)
{
	(void)data;
	(void)index;
	report("ubsan-array-index-out-of-bounds");
}

void __ubsan_handle_shift_out_of_bounds(void *data, void *left, void *right)
{
	(void)data;
	(void)left;
	(void)right;
	report("ubsan-shift-out-of-bounds");
}

void __ubsan_handle_load_invalid_value(void *data, void *value)
{
	(void)data;
	(void)value;
	report("ubsan-invalid-load");
}
