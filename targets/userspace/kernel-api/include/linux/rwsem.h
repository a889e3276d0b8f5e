/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_RWSEM_H
#define _LINUX_RWSEM_H

#include <linux/mutex.h>

#endif
