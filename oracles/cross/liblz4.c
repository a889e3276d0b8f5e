/* SPDX-License-Identifier: MIT */
/*
 * Decodes LZ4 blocks by the machine's liblz4. Standard input: for each block
 * its stored length and the room for its output (u32 each, at most 1 MiB), and
 * its bytes. Standard output: for each block the i32 that liblz4 returned, and
 * where that is positive so many bytes. Numbers in the machine's byte order.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Declared here: the header comes with a development package, the library with the system. */
extern int LZ4_decompress_safe(const char *src, char *dst, int stored, int room);

#define LIMIT (1u << 20)

int main(void)
{
	uint32_t head[2];

	while (fread(head, sizeof(head[0]), 2, stdin) == 2) {
		if (head[0] > LIMIT || head[1] > LIMIT)
			return 2;
		/* Exact allocations, filled the same way: nothing of one block is seen in another's output. */
		char *src = malloc(head[0] + 1);
		char *dst = calloc(head[1] + 1, 1);
		int32_t got;

		if (!src || !dst || fread(src, 1, head[0], stdin) != head[0])
			return 2;
		got = LZ4_decompress_safe(src, dst, (int)head[0], (int)head[1]);
		fwrite(&got, sizeof(got), 1, stdout);
		if (got > 0)
			fwrite(dst, 1, (size_t)got, stdout);
		free(src);
		free(dst);
	}
	return 0;
}
