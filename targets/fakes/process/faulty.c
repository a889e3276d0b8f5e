/* SPDX-License-Identifier: MIT */
/* A program that does one thing wrong, by name: what sanitizers really say of it is read by targets/process/errors.ts. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define OWN __attribute__((noinline)) static

OWN int decode_entry(const char *entries, int n)
{
	return entries[n];
}

OWN int block_bits(int n)
{
	return 1 << n;
}

OWN void copy_name(char *to, const char *from, int n)
{
	memcpy(to, from, n);
}

OWN void *read_index(int n)
{
	return malloc(n);
}

OWN int merge_layers(int n)
{
	volatile char big[4096];

	big[0] = n;
	return n == -1 ? 0 : merge_layers(n + 1) + big[0];
}

OWN void close_layer(char *layer)
{
	free(layer);
}

OWN void check_magic(int n)
{
	assert(n == 0);
}

OWN int sum_of(const char *bytes)
{
	if (bytes[3])
		exit(3);
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 0;
	volatile int got = 0;
	char *volatile layer = malloc(8);

	if (strcmp(what, "uninitialised"))
		memset(layer, 0, 8);
	if (!strcmp(what, "overflow"))
		got = decode_entry(layer, n);
	if (!strcmp(what, "null"))
		got = decode_entry(NULL, n);
	if (!strcmp(what, "shift"))
		got = block_bits(n);
	if (!strcmp(what, "copy")) {
		char from[64] = { 0 };

		copy_name(layer, from, n);
	}
	if (!strcmp(what, "leak")) {
		char *volatile index = read_index(n);

		index = NULL;
		(void)index;
	}
	if (!strcmp(what, "deep"))
		got = merge_layers(0);
	if (!strcmp(what, "twice"))
		close_layer(layer);
	if (!strcmp(what, "assert"))
		check_magic(n);
	if (!strcmp(what, "uninitialised"))
		got = sum_of(layer);
	close_layer(layer);
	return got == 99;
}
