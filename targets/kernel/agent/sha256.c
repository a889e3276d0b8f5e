// SPDX-License-Identifier: MIT
/* SHA-256 as FIPS 180-4 gives it, for reads too long to be sent back whole. */
#include "agent.h"

#include <string.h>

static const uint32_t K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void block(uint32_t h[8], const uint8_t *p)
{
	uint32_t w[64], s[8];
	int i;

	for (i = 0; i < 16; i++, p += 4)
		w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	for (; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, h, sizeof(s));
	for (i = 0; i < 64; i++) {
		uint32_t e = s[4], a = s[0];
		uint32_t t1 = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + K[i] + w[i];
		uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		h[i] += s[i];
}

void sha256(const uint8_t *data, size_t length, uint8_t digest[32])
{
	uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	uint64_t bits = (uint64_t)length * 8;
	uint8_t last[128] = { 0 };
	size_t tail;
	int i;

	for (; length >= 64; length -= 64, data += 64)
		block(h, data);
	memcpy(last, data, length);
	last[length] = 0x80;
	tail = length < 56 ? 64 : 128;
	for (i = 0; i < 8; i++)
		last[tail - 1 - i] = bits >> (8 * i);
	block(h, last);
	if (tail == 128)
		block(h, last + 64);
	for (i = 0; i < 32; i++)
		digest[i] = h[i / 4] >> (24 - i % 4 * 8);
}

/* The standard's own vectors, one of them crossing a block border. */
int sha256_selftest(void)
{
	static const uint8_t abc[4] = { 0xba, 0x78, 0x16, 0xbf };
	static const uint8_t two[4] = { 0x24, 0x8d, 0x6a, 0x61 };
	static const uint8_t none[4] = { 0xe3, 0xb0, 0xc4, 0x42 };
	static const uint8_t abc_end[4] = { 0xf2, 0x00, 0x15, 0xad };
	static const uint8_t two_end[4] = { 0x19, 0xdb, 0x06, 0xc1 };
	static const uint8_t none_end[4] = { 0x78, 0x52, 0xb8, 0x55 };
	uint8_t d[32];

	sha256((const uint8_t *)"", 0, d);
	if (memcmp(d, none, 4) || memcmp(d + 28, none_end, 4))
		return -1;
	sha256((const uint8_t *)"abc", 3, d);
	if (memcmp(d, abc, 4) || memcmp(d + 28, abc_end, 4))
		return -1;
	sha256((const uint8_t *)"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, d);
	if (memcmp(d, two, 4) || memcmp(d + 28, two_end, 4))
		return -1;
	return 0;
}
