/* SPDX-License-Identifier: MIT */
/* Numbers from text as lib/kstrtox.c reads them, and CRC-32C. */
#include "layer.h"

#include <ctype.h>
#include <linux/crc32c.h>

/* Digits, and one newline at the end; a sign only where `signs` has it. */
static int parse(const char *text, unsigned int base, const char *signs, bool *negative, unsigned long long *result)
{
	unsigned long long value = 0;
	unsigned int digits = 0;

	*negative = *text == '-';
	if (*text && strchr(signs, *text))
		text++;
	if (base == 0) {
		base = text[0] != '0' ? 10 : tolower((unsigned char)text[1]) == 'x' && isxdigit((unsigned char)text[2]) ? 16 : 8;
	}
	if (base == 16 && text[0] == '0' && tolower((unsigned char)text[1]) == 'x')
		text += 2;
	for (; isxdigit((unsigned char)*text); text++, digits++) {
		unsigned int digit = isdigit((unsigned char)*text) ? (unsigned int)(*text - '0') : (unsigned int)(tolower((unsigned char)*text) - 'a' + 10);

		if (digit >= base)
			break;
		if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
			return -ERANGE;
	}
	if (*text == '\n')
		text++;
	if (!digits || *text)
		return -EINVAL;
	*result = value;
	return 0;
}

int kstrtoull(const char *text, unsigned int base, unsigned long long *result)
{
	bool negative;

	return parse(text, base, "+", &negative, result);
}

int kstrtoll(const char *text, unsigned int base, long long *result)
{
	unsigned long long value;
	bool negative;
	int error = parse(text, base, "+-", &negative, &value);

	if (error)
		return error;
	if (value > (unsigned long long)S64_MAX + negative)
		return -ERANGE;
	*result = negative ? -(long long)value : (long long)value;
	return 0;
}

int kstrtoul(const char *text, unsigned int base, unsigned long *result)
{
	unsigned long long value;
	int error = kstrtoull(text, base, &value);

	if (!error)
		*result = value;
	return error;
}

int kstrtol(const char *text, unsigned int base, long *result)
{
	long long value;
	int error = kstrtoll(text, base, &value);

	if (!error)
		*result = value;
	return error;
}

int kstrtouint(const char *text, unsigned int base, unsigned int *result)
{
	unsigned long long value;
	int error = kstrtoull(text, base, &value);

	if (!error && value > UINT_MAX)
		return -ERANGE;
	if (!error)
		*result = (unsigned int)value;
	return error;
}

int kstrtoint(const char *text, unsigned int base, int *result)
{
	long long value;
	int error = kstrtoll(text, base, &value);

	if (!error && value != (int)value)
		return -ERANGE;
	if (!error)
		*result = (int)value;
	return error;
}

u32 crc32c(u32 crc, const void *bytes, unsigned int length)
{
	static u32 table[256];
	static bool made;
	const u8 *at = bytes;
	unsigned int i, bit;

	for (i = 0; !made && i < 256; i++) {
		table[i] = i;
		for (bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78u : 0);
	}
	made = true;
	while (length--)
		crc = table[(crc ^ *at++) & 255] ^ crc >> 8;
	return crc;
}
