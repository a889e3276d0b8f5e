/* SPDX-License-Identifier: MIT */
/* LZ4 blocks. The decoder is ours; where it stops and what it returns is as in the kernel's lib/lz4 (1.8.3). */
#ifndef _LINUX_LZ4_H
#define _LINUX_LZ4_H

#define LZ4_MAX_INPUT_SIZE 0x7E000000
#define LZ4_COMPRESSBOUND(bytes) ((unsigned int)(bytes) > LZ4_MAX_INPUT_SIZE ? 0 : (bytes) + (bytes) / 255 + 16)

int LZ4_decompress_safe(const char *from, char *to, int from_bytes, int to_bytes);
int LZ4_decompress_safe_partial(const char *from, char *to, int from_bytes, int wanted, int to_bytes);
int LZ4_decompress_fast(const char *from, char *to, int bytes);

#endif
