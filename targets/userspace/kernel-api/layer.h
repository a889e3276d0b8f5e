/* SPDX-License-Identifier: MIT */
/*
 * The kernel-API layer from inside. All that a case makes is forgotten when it
 * ends, however it ends, so that one process runs any number of cases.
 */
#ifndef OVBD_LAYER_H
#define OVBD_LAYER_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <linux/bio.h>
#include <linux/device-mapper.h>

#include "trouble.h"

/* Bytes of the machine's memory that the module can have: the lab's guest has 256 MiB. */
#define MEMORY_BYTES (200ull << 20)
/* Steps without any progress after which there will be none: a work is 1000, a block of a prefetch one. */
#define MAX_STEPS 400000u

/* trouble.c. Where a death continues, while a case runs; the process is told by a signal of the processor's time. */
extern sigjmp_buf after_death;
void trouble_prepare(void);
void trouble_begin(void);
void trouble_end(void);
__attribute__((noreturn)) void die(enum death_kind kind, const char *name);
/* In a function that is not on the stack. */
__attribute__((noreturn)) void die_in(enum death_kind kind, const char *name, void *function);
void complain(enum complaint_kind kind, const char *name, bool with_frame);
void complain_at(enum complaint_kind kind, const char *name, uintptr_t address);
/* Whether a wrong access is still to be told: only the first of a case is. */
bool address_reports_wanted(void);
void count_steps(unsigned int steps);
/* Something has been read that had not been before: what came before has led somewhere. */
void made_progress(void);
/* The same, where it is known whose steps they are. */
void count_steps_of(unsigned int steps, void *function);

/* memory.c */
void memory_prepare(void);
void memory_begin(void);
void memory_end(void);
/* Memory of the layer itself, which the module never sees; given back with the case. */
void *layer_alloc(size_t bytes);
/* The same, with whatever was there before. */
void *layer_alloc_raw(size_t bytes);
/* A page of the module's memory that lies by itself. */
void *memory_page(size_t bytes);
void memory_free_page(void *p);
/* What the sanitizers of the kernel call an access to this address. */
const char *memory_name(uintptr_t address);
/* Whether an address of vmalloc's has no page under it: behind the last page of an area, or where one was. */
bool memory_is_unmapped(uintptr_t address);
/*
 * The allocation of the module's after which no more succeed, -1: all do. Only those count
 * that can fail: pools that have reserves, buffers of dm-bufio and what the layer needs cannot.
 */
extern long memory_fails_after;
/* Counts one; whether it fails. */
bool memory_refuses(void);
/* Memory of a kmalloc that cannot fail. */
void *memory_sure(size_t bytes);

/* block.c: a device that holds bytes, or a table. */
struct layer_device {
	struct block_device bdev;
	struct gendisk disk;
	unsigned int number;
	/* Bytes of a plain device; NULL: one with a table. */
	uint8_t *bytes;
	/* What they were, where that will be asked. */
	const uint8_t *before;
	/* Reads of sectors [from, to) fail while on. */
	sector_t fault_from, fault_to;
	bool faulty;
	/* Somebody else has it for himself. */
	bool held;
	struct dm_table *table;
};
void block_begin(void);
struct layer_device *block_add(uint8_t *bytes, sector_t sectors);
struct layer_device *block_device_of(unsigned int number);
struct layer_device *block_device_named(const char *path);
/* Runs what is under way until `done`; false where nothing is and it still is not. */
bool layer_wait(bool (*done)(void *data), void *data);
void block_wait_for(struct bio *bio);

/* work.c */
void work_begin(void);
bool work_run_one(void);


/* dm.c. Results are 0 or -errno. */
int dm_layer_create(struct layer_device *device, const char *type, const char *params, sector_t sectors, fmode_t mode);
void dm_layer_remove(struct layer_device *device);
void dm_layer_submit(struct layer_device *device, struct bio *bio);
/* Leaves the table to nobody and gives it to another device, as a reload does. */
void dm_layer_replace(struct layer_device *device, struct dm_table *old);
/* Waits until all that was submitted has ended, and lets it go on. */
int dm_layer_suspend(struct layer_device *device);
/* Makes another table and puts it in the old one's place as `dm_layer_suspend` would, which then goes; *loaded tells what failed. */
int dm_layer_reload(struct layer_device *device, const char *type, const char *params, sector_t sectors, fmode_t mode, bool *loaded);
/* Whether the target lets an ioctl through that is not the block layer's own. */
int dm_layer_ioctl(struct layer_device *device);

#endif
