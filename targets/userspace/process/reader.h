/* SPDX-License-Identifier: MIT */
#ifndef OVBD_READER_H
#define OVBD_READER_H

#include "../kernel-api/layer.h"
#include "case.h"

void reader_prepare(void);
/* Forgets what is cached of all devices. */
void reader_close(void);
void reader_read(struct layer_device *device, const struct case_read *read, uint64_t salt, struct case_read_result *out);
/* Through the page cache, without looking at it. */
void reader_touch(struct layer_device *device, uint64_t bytes);

#endif
