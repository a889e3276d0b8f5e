/* SPDX-License-Identifier: MIT */
/*
 * For tests: changes an input again and again, writes each to a folder, and prints
 * how case-bytes.c reads it. Usage: program INPUT TIMES FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case-bytes.h"

#define MOST (64u << 10)
/* Changes before the input is taken as it was again. */
#define IN_A_ROW 12u

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);

/* In the place of libFuzzer's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most)
{
	(void)most;
	if (size)
		data[size / 2] ^= 0x55;
	return size;
}

static void print(const struct case_plan *p)
{
	unsigned int i, k;

	if (!p) {
		puts("null");
		return;
	}
	printf("{\"zfile\":%d,\"deviceBytes\":%llu,\"slack\":%d,\"twin\":%d,\"replaces\":%u,\"table\":[%d,%u,%lld],\"layers\":[", p->zfile, (unsigned long long)p->device_bytes, p->slack, p->twin,
	       p->replaces, p->table.kind, p->table.layer, p->table.delta);
	for (i = 0; i < p->layers; i++) {
		unsigned long sum = 0;
		size_t n;

		for (n = 0; n < p->layer[i].length; n++)
			sum += (n + 1) * p->layer[i].bytes[n] % 65521;
		printf("%s[%zu,%u,%llu,%lu]", i ? "," : "", p->layer[i].length, p->layer[i].zfiles, (unsigned long long)p->layer[i].exposed, sum);
	}
	printf("],\"reads\":[");
	for (i = 0; i < p->reads; i++) {
		const struct case_read *r = &p->read[i];

		printf("%s[%llu,%u,%u,%d", i ? "," : "", (unsigned long long)r->offset, r->length, r->buffer_offset, r->mode);
		for (k = 0; k < r->pieces; k++)
			printf(",%u", r->piece[k]);
		printf("]");
	}
	printf("]}\n");
}

int main(int argc, char **argv)
{
	/* From malloc, so that a sanitizer sees what goes beyond. */
	uint8_t *data = malloc(MOST), *first = malloc(MOST);
	unsigned int times, i;
	size_t size, began;
	FILE *f;

	if (argc != 4 || !data || !first || !(f = fopen(argv[1], "rb")))
		return 2;
	began = fread(first, 1, MOST, f);
	fclose(f);
	memcpy(data, first, began);
	size = began;
	times = (unsigned int)strtoul(argv[2], NULL, 10);
	for (i = 0; i < times; i++) {
		char path[4096];

		if (i % IN_A_ROW == 0) {
			memcpy(data, first, began);
			size = began;
		}
		size = LLVMFuzzerCustomMutator(data, size, MOST, i);
		if (size > MOST)
			return 3;
		snprintf(path, sizeof(path), "%s/%u", argv[3], i);
		f = fopen(path, "wb");
		if (!f || fwrite(data, 1, size, f) != size || fclose(f))
			return 2;
		print(case_decode(data, size));
	}
	return 0;
}
