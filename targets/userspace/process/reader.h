/* SPDX-License-Identifier: MIT */
#ifndef OVBD_READER_H
#define OVBD_READER_H

#include "../kernel-api/layer.h"
#include "case.h"

void reader_prepare(void);
/* Forgets what is cached of all devices. */
void reader_close(void);
void reader_read(struct layer_device *device, const struct case_read *read, uint64_t salt, struct case_read_result *out);
/*
 * The same in two steps, so that reads of several readers are under way at a time: what is
 * direct is submitted by the first, all else is done by the second. False: there is no room
 * beside the reads of the readers that have begun. "alone": nobody else reads.
 */
bool reader_begin(unsigned int reader, bool alone, struct layer_device *device, const struct case_read *read, uint64_t salt);
void reader_end(unsigned int reader, struct case_read_result *out);
/* Bytes that are all alike, by O_DIRECT. Gives 0 or -errno. */
int reader_write(struct layer_device *device, uint64_t offset, uint64_t length, uint8_t byte);
/* Through the page cache, without looking at it. */
void reader_touch(struct layer_device *device, uint64_t bytes);

#endif
