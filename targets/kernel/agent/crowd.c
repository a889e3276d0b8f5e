// SPDX-License-Identifier: MIT
/*
 * Readers that do a case's reads at the same time, while something is done to
 * the device. What one reader alone got was sent before; of the crowd only what
 * differs from that is.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Longest pause between two things done to the device. */
#define PAUSE_US 2000u
/* Most of them, so that a case ends however slowly it is read. */
#define MAX_TIMES 2000u

static struct reader crew[MAX_READERS];
static int crew_ready[MAX_READERS];

struct crowd {
	const struct crowd_plan *plan;
	pthread_mutex_t sending;
	pthread_barrier_t start;
	atomic_uint reading;
	/* What was done to the device, and what of it failed first. */
	uint32_t times;
	uint16_t stage;
	int error;
};

struct member {
	struct crowd *crowd;
	unsigned number;
	pthread_t thread;
};

uint64_t digest_of(const struct read_result *r)
{
	uint64_t h = r->result * 0x9e3779b97f4a7c15u ^ r->first ^ (uint64_t)r->before << 40 ^ (uint64_t)r->after << 20 ^ (uint64_t)r->untouched << 8;
	size_t left = r->result > 0 ? r->result : 0, at = 0;

	while (left) {
		size_t n = left < 8 ? left : 8;
		uint64_t word = 0;

		memcpy(&word, r->bytes + at, n);
		h = (h ^ word) * 0xbf58476d1ce4e5b9u;
		h ^= h >> 29;
		at += n;
		left -= n;
	}
	return h;
}

static void *read_in_crowd(void *argument)
{
	struct member *me = argument;
	struct crowd *crowd = me->crowd;
	const struct crowd_plan *plan = crowd->plan;
	unsigned round, i;

	pthread_barrier_wait(&crowd->start);
	for (round = 0; round < plan->rounds; round++) {
		/* Pages that nobody uses go, so that they are read again, by several at once. */
		if (me->number == 0 && plan->buffered >= 0)
			posix_fadvise(plan->buffered, 0, 0, POSIX_FADV_DONTNEED);
		for (i = 0; i < plan->count; i++) {
			unsigned n = (i + me->number + round) % plan->count;
			const struct read_plan *read = &plan->reads[n];
			struct read_result r;

			read_as_planned(&crew[me->number], read->flags & READ_DIRECT ? plan->direct : plan->buffered, plan->bytes, read,
					plan->salt ^ n ^ (uint64_t)(me->number + 1) << 56 ^ (uint64_t)round << 48, &r);
			if (digest_of(&r) == plan->digests[n])
				continue;
			pthread_mutex_lock(&crowd->sending);
			if (!plan->differs[n]++)
				send_read(plan->port, plan->number, n, me->number + 1, &r);
			pthread_mutex_unlock(&crowd->sending);
		}
	}
	atomic_fetch_sub(&crowd->reading, 1);
	return NULL;
}

/* One thing done to the device; the errno of what failed, its stage in *stage. */
static int disturb(struct crowd *crowd, uint32_t time)
{
	const struct crowd_plan *plan = crowd->plan;
	const struct device *d = plan->target;
	struct cursor table = plan->table;
	int error = 0;

	switch (plan->meanwhile) {
	case MEANWHILE_SUSPEND:
		crowd->stage = STAGE_SUSPEND;
		error = dm_suspend(d, time & 1);
		if (error)
			return error;
		usleep(time * 509 % PAUSE_US);
		crowd->stage = STAGE_RESUME;
		return dm_resume(d);
	case MEANWHILE_RELOAD:
		crowd->stage = STAGE_LOAD;
		error = dm_load(d, &table, plan->devices);
		if (error)
			return error;
		crowd->stage = STAGE_RESUME;
		error = dm_resume(d);
		/* It may be suspended still, with the table that it had. */
		if (error)
			dm_resume(d);
		return error;
	case MEANWHILE_REMOVE:
		crowd->stage = STAGE_REMOVE;
		error = dm_remove(d);
		return error == EBUSY ? 0 : error ? error : EEXIST;
	case MEANWHILE_DEFER:
		crowd->stage = STAGE_REMOVE;
		return time & 1 ? dm_cancel_removal(d) : dm_remove_later(d);
	}
	return 0;
}

static void disturb_until_read(struct crowd *crowd)
{
	while (crowd->plan->meanwhile && atomic_load(&crowd->reading) && crowd->times < MAX_TIMES && !crowd->error) {
		crowd->error = disturb(crowd, crowd->times++);
		usleep(crowd->times * 307 % PAUSE_US);
	}
	if (!crowd->error)
		crowd->stage = STAGE_DONE;
}

void run_crowd(const struct crowd_plan *plan)
{
	struct crowd crowd = { .plan = plan, .sending = PTHREAD_MUTEX_INITIALIZER };
	struct member members[MAX_READERS] = { 0 };
	uint8_t head[32], *q = head;
	unsigned i, count = 0;

	for (i = 0; i < plan->readers && i < MAX_READERS; i++) {
		if (!crew_ready[i] && reader_prepare(&crew[i]))
			break;
		crew_ready[i] = 1;
		count++;
	}
	if (count < plan->readers) {
		crowd.stage = STAGE_OPEN;
		crowd.error = ENOMEM;
		count = 0;
	}
	atomic_store(&crowd.reading, count);
	if (count)
		pthread_barrier_init(&crowd.start, NULL, count + 1);
	for (i = 0; i < count; i++) {
		members[i] = (struct member){ .crowd = &crowd, .number = i };
		/* Without its threads the agent can only stop: the host sees silence. */
		while (pthread_create(&members[i].thread, NULL, read_in_crowd, &members[i]))
			usleep(1000);
	}
	if (count) {
		pthread_barrier_wait(&crowd.start);
		disturb_until_read(&crowd);
	}
	for (i = 0; i < count; i++)
		pthread_join(members[i].thread, NULL);
	for (i = 0; i < count; i++)
		reader_forget(&crew[i]);
	if (count)
		pthread_barrier_destroy(&crowd.start);
	q = put_u32(q, plan->number);
	q = put_u32(q, crowd.times);
	q = put_u16(q, crowd.stage);
	q = put_u16(q, 0);
	q = put_u32(q, crowd.error);
	send_frame(plan->port, MSG_CROWD, head, q - head, NULL, 0);
}
