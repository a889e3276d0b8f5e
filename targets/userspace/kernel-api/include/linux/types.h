/* SPDX-License-Identifier: MIT */
/* The kernel's integer types. A file that needs libc includes its headers before these. */
#ifndef _LINUX_TYPES_H
#define _LINUX_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef signed char s8;
typedef unsigned short u16;
typedef short s16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;
typedef u8 __u8;
typedef s8 __s8;
typedef u16 __u16;
typedef s16 __s16;
typedef u32 __u32;
typedef s32 __s32;
typedef u64 __u64;
typedef s64 __s64;
typedef u16 __le16;
typedef u32 __le32;
typedef u64 __le64;

#ifndef _BITS_STDINT_UINTN_H
typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
#endif
#ifndef _BITS_STDINT_INTN_H
typedef s8 int8_t;
typedef s16 int16_t;
typedef s32 int32_t;
typedef s64 int64_t;
#endif
#ifndef _STDINT_H
typedef unsigned long uintptr_t;
#endif
#ifndef _SYS_TYPES_H
typedef long ssize_t;
typedef long off_t;
typedef long long loff_t;
typedef u32 dev_t;
typedef unsigned int uint;
#endif

typedef u64 sector_t;
typedef unsigned int gfp_t;
typedef unsigned int fmode_t;
typedef u8 blk_status_t;
typedef unsigned int blk_opf_t;

typedef struct { int counter; } atomic_t;
typedef struct { long long counter; } atomic64_t;

struct list_head {
	struct list_head *next, *prev;
};

#endif
