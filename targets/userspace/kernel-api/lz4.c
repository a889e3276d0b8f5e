/* SPDX-License-Identifier: MIT */
/*
 * LZ4 blocks, decoded byte by byte. Facts of lib/lz4 1.8.3, which the kernel has:
 * the last 5 bytes must be literals and a match must end 5 bytes before the end;
 * literals that end within 8 (fast) or 12 (safe) bytes of the end must be the
 * last ones; the fast decoder knows neither where its input ends nor where its
 * output begins, so that it may read before and behind both; an offset of 0 gives zeros.
 */
#include <linux/kernel.h>
#include <linux/lz4.h>

#define LAST_LITERALS 5
#define FAST_END 8
#define SAFE_OUT_END 12
#define SAFE_IN_END 8
#define RUN_MASK 15

int LZ4_decompress_fast(const char *from, char *to, int bytes)
{
	const u8 *in = (const u8 *)from;
	u8 *out = (u8 *)to, *const end = out + bytes;

	if (!bytes)
		return *in == 0 ? 1 : -1;
	for (;;) {
		unsigned int token = *in++;
		size_t length = token >> 4, offset, i;
		u8 s;

		if (length == RUN_MASK) {
			do
				length += s = *in++;
			while (s == 255);
		}
		if (length > (size_t)(end - out) || (size_t)(end - out) - length < FAST_END) {
			if (length != (size_t)(end - out))
				return (int)-((const char *)in - from) - 1;
			memcpy(out, in, length);
			return (int)((const char *)in + length - from);
		}
		memcpy(out, in, length);
		in += length;
		out += length;
		offset = in[0] | (size_t)in[1] << 8;
		in += 2;
		length = token & RUN_MASK;
		if (length == RUN_MASK) {
			do
				length += s = *in++;
			while (s == 255);
		}
		length += 4;
		if (length > (size_t)(end - out) || (size_t)(end - out) - length < LAST_LITERALS)
			return (int)-((const char *)in - from) - 1;
		for (i = 0; i < length; i++)
			out[i] = offset ? out[(ssize_t)i - (ssize_t)offset] : 0;
		out += length;
	}
}

int LZ4_decompress_safe(const char *from, char *to, int from_bytes, int to_bytes)
{
	const u8 *in = (const u8 *)from, *const in_end = in + from_bytes;
	u8 *out = (u8 *)to, *const end = out + to_bytes;

	if (!to_bytes)
		return from_bytes == 1 && *in == 0 ? 0 : -1;
	if (from_bytes <= 0)
		return -1;
	for (;;) {
		unsigned int token = *in++;
		size_t length = token >> 4, offset, i;
		u8 s;

		if (length == RUN_MASK) {
			if (in_end - in <= RUN_MASK)
				goto error;
			do
				length += s = *in++;
			while (s == 255 && in < in_end - RUN_MASK);
		}
		if ((ssize_t)length > end - out - SAFE_OUT_END || (ssize_t)length > in_end - in - SAFE_IN_END) {
			if (length != (size_t)(in_end - in) || length > (size_t)(end - out))
				goto error;
			memmove(out, in, length);
			return (int)(out + length - (u8 *)to);
		}
		memcpy(out, in, length);
		in += length;
		out += length;
		offset = in[0] | (size_t)in[1] << 8;
		in += 2;
		if (offset > (size_t)(out - (u8 *)to))
			goto error;
		length = token & RUN_MASK;
		if (length == RUN_MASK) {
			do {
				s = *in++;
				if (in > in_end - LAST_LITERALS)
					goto error;
				length += s;
			} while (s == 255);
		}
		length += 4;
		if (length > (size_t)(end - out) || (size_t)(end - out) - length < LAST_LITERALS)
			goto error;
		for (i = 0; i < length; i++)
			out[i] = offset ? out[(ssize_t)i - (ssize_t)offset] : 0;
		out += length;
	}
error:
	return (int)-((const char *)in - from) - 1;
}

int LZ4_decompress_safe_partial(const char *from, char *to, int from_bytes, int wanted, int to_bytes)
{
	int got = LZ4_decompress_safe(from, to, from_bytes, to_bytes);

	return got > wanted ? wanted : got;
}
