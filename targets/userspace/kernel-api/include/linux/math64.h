/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_MATH64_H
#define _LINUX_MATH64_H

#include <linux/kernel.h>

#define div_u64(a, b) ((u64)(a) / (u32)(b))
#define div64_u64(a, b) ((u64)(a) / (u64)(b))
static inline u64 div_u64_rem(u64 a, u32 b, u32 *rest)
{
	*rest = (u32)(a % b);
	return a / b;
}
#define do_div(n, base) ({ u32 do_div_rest = (u32)((n) % (base)); (n) /= (base); do_div_rest; })
#define sector_div(n, base) do_div(n, base)

#endif
