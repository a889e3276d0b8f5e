/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_COMPLETION_H
#define _LINUX_COMPLETION_H

#include <linux/kernel.h>

struct completion { unsigned int done; };

#define init_completion(c) ((void)((c)->done = 0))
#define reinit_completion(c) init_completion(c)
#define DECLARE_COMPLETION_ONSTACK(name) struct completion name = { 0 }
#define complete(c) ((void)(c)->done++)
#define complete_all(c) ((void)((c)->done = ~0u / 2))
void wait_for_completion(struct completion *c);
#define wait_for_completion_io wait_for_completion

#endif
