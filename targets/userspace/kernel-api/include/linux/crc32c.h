/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_CRC32C_H
#define _LINUX_CRC32C_H

#include <linux/types.h>

/* As in the kernel nothing is inverted, before or after. */
u32 crc32c(u32 crc, const void *bytes, unsigned int length);

#endif
