/* SPDX-License-Identifier: MIT */
#ifndef _ASM_UNALIGNED_H
#define _ASM_UNALIGNED_H

#include <linux/kernel.h>

#define get_unaligned(p) ({ __typeof__(*(p)) unaligned_value; memcpy(&unaligned_value, p, sizeof(unaligned_value)); unaligned_value; })
#define get_unaligned_le16(p) get_unaligned((const u16 *)(p))
#define get_unaligned_le32(p) get_unaligned((const u32 *)(p))
#define get_unaligned_le64(p) get_unaligned((const u64 *)(p))

#endif
