/* SPDX-License-Identifier: MIT */
#ifndef _LINUX_DM_BUFIO_H
#define _LINUX_DM_BUFIO_H

#include <linux/blkdev.h>

struct dm_bufio_client;
struct dm_buffer;
#define DM_BUFIO_CLIENT_NO_SLEEP 1u

struct dm_bufio_client *dm_bufio_client_create(struct block_device *bdev, unsigned int block_size, unsigned int reserved,
					       unsigned int aux_size, void (*alloc_callback)(struct dm_buffer *),
					       void (*write_callback)(struct dm_buffer *), unsigned int flags);
void dm_bufio_client_destroy(struct dm_bufio_client *client);
void dm_bufio_set_sector_offset(struct dm_bufio_client *client, sector_t start);
void *dm_bufio_read(struct dm_bufio_client *client, sector_t block, struct dm_buffer **buffer);
void *dm_bufio_get(struct dm_bufio_client *client, sector_t block, struct dm_buffer **buffer);
void *dm_bufio_new(struct dm_bufio_client *client, sector_t block, struct dm_buffer **buffer);
void dm_bufio_prefetch(struct dm_bufio_client *client, sector_t block, unsigned int blocks);
void dm_bufio_release(struct dm_buffer *buffer);
void dm_bufio_forget(struct dm_bufio_client *client, sector_t block);
void dm_bufio_forget_buffers(struct dm_bufio_client *client, sector_t block, sector_t blocks);
void dm_bufio_set_minimum_buffers(struct dm_bufio_client *client, unsigned int buffers);
unsigned int dm_bufio_get_block_size(struct dm_bufio_client *client);
sector_t dm_bufio_get_device_size(struct dm_bufio_client *client);
void *dm_bufio_get_block_data(struct dm_buffer *buffer);
sector_t dm_bufio_get_block_number(struct dm_buffer *buffer);
void *dm_bufio_get_aux_data(struct dm_buffer *buffer);
struct dm_bufio_client *dm_bufio_get_client(struct dm_buffer *buffer);

#endif
