/* SPDX-License-Identifier: MIT */
/* Devices over the images of a case, as targets/kernel/deploy.ts makes them in the guest, and the reads of the last of them. */
#include "case.h"

#include <string.h>

#include "reader.h"

#include <sanitizer/asan_interface.h>

#define NO_DEVICE "/dev/no-such-device"
#define GARBAGE_BYTES (4 * PAGE_SIZE)
#define TOUCHED_BYTES (4ull << 20)
#define NUMBER_BYTES 24u
/* Of the stack, below run_case. */
#define STACK_BYTES (1u << 20)
/*
 * Reads, and bytes, of a crowd at the most: nothing here races, so that more rounds show
 * nothing that the first ones did not.
 */
#define CROWD_READS 256u
#define CROWD_BYTES (4u << 20)
#define MAX_READS 4096u

static char phase[32];

const char *case_phase(void)
{
	return phase;
}

void case_prepare(void)
{
	memory_prepare();
	reader_prepare();
	trouble_prepare();
	if (layer_module_init()) {
		fprintf(stderr, "the module cannot be loaded\n");
		exit(70);
	}
}

/* The same as in the guest's mailbox. */
static const uint8_t *garbage(void)
{
	static uint8_t bytes[GARBAGE_BYTES];
	static bool made;
	uint32_t x = 0x2545f491;
	size_t i;

	for (i = 0; !made && i < sizeof(bytes); i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (uint8_t)(x >> 24);
	}
	made = true;
	return bytes;
}

static uint64_t up(uint64_t bytes, uint64_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

/* The device under a layer's file, with what is wrong with it. */
static struct layer_device *slice(const struct case_plan *p, unsigned int index, bool table_is_of_file)
{
	const struct case_layer *l = &p->layer[index];
	uint64_t sectors = up(l->length ? l->length : 1, 512), bytes, shown = l->length, i;
	struct layer_device *d;
	uint8_t *memory;
	bool wrong = table_is_of_file && p->table.layer == index;

	bytes = p->slack == SLACK_EXACT ? sectors : up(sectors, PAGE_SIZE);
	if (wrong && p->table.kind == TABLE_SHORT) {
		bytes = (uint64_t)p->table.delta * 512 < sectors ? sectors - (uint64_t)p->table.delta * 512 : 512;
		shown = shown < bytes ? shown : bytes;
		memory = layer_alloc_raw(bytes);
	} else if (p->slack == SLACK_GARBAGE) {
		memory = layer_alloc_raw(bytes + GARBAGE_BYTES);
		memcpy(memory + bytes, garbage(), GARBAGE_BYTES);
	} else {
		memory = layer_alloc_raw(bytes);
	}
	memcpy(memory, l->bytes, shown);
	for (i = shown; i < bytes; i++)
		memory[i] = 0;
	if (p->slack == SLACK_GARBAGE && !(wrong && p->table.kind == TABLE_SHORT))
		bytes += GARBAGE_BYTES;
	d = block_add(memory, bytes / 512);
	if (d && p->attempts) {
		uint8_t *before = layer_alloc_raw(bytes);

		memcpy(before, memory, bytes);
		d->before = before;
	}
	if (d && wrong && p->table.kind == TABLE_BUSY)
		d->held = true;
	if (d && p->fault.there && p->fault.layer == index) {
		d->fault_from = p->fault.from / 512;
		d->fault_to = p->fault.to / 512;
		d->faulty = p->fault.since < 0;
	}
	return d;
}

static const char *name_of(int error)
{
	switch (-error) {
	case EINVAL: return "EINVAL";
	case ENOMEM: return "ENOMEM";
	case ENODEV: return "ENODEV";
	case EBUSY: return "EBUSY";
	case EIO: return "EIO";
	default: return NULL;
	}
}

static fmode_t mode_of(const struct case_plan *p)
{
	return p->writable ? FMODE_READ | FMODE_WRITE : FMODE_READ;
}

/* A device with a table over another one or several; NULL: refused, and said so. */
static struct layer_device *make(const struct case_plan *p, const struct case_answers *a, const char *type, const char *params, uint64_t sectors, const char *before)
{
	struct layer_device *d = block_add(NULL, sectors);
	struct dm_table *old = NULL;
	char reason[128];
	int error;

	if (before && d && !dm_layer_create(d, type, before, sectors, mode_of(p))) {
		reader_touch(d, TOUCHED_BYTES);
		reader_close();
		old = d->table;
	}
	error = d ? dm_layer_create(d, type, params, sectors, mode_of(p)) : -ENOMEM;
	if (error) {
		if (name_of(error))
			snprintf(reason, sizeof(reason), "%s (device %u): table load: %s", type, d ? d->number : 0, name_of(error));
		else
			snprintf(reason, sizeof(reason), "%s (device %u): table load: errno %d", type, d ? d->number : 0, -error);
		a->refused(a->data, reason);
	}
	if (d && error)
		d->table = NULL;
	if (d)
		dm_layer_replace(d, old);
	return error ? NULL : d;
}

struct word {
	unsigned int device;
	uint64_t bytes;
};

/* `major:minor bytes` for each image, with the fault in it; only the first `count` words' worth of it where arguments are missing. */
static char *params_of(const struct case_plan *p, const struct word *word, unsigned int count, bool faulty)
{
	size_t room = (count + 2) * 2 * NUMBER_BYTES + (p->table.text ? strlen(p->table.text) : 0) + sizeof(NO_DEVICE) + 1, at = 0;
	long long words = 2ll * count, i;
	char *text;

	if (faulty && p->table.kind == TABLE_COUNT) {
		words += p->table.delta;
		if (words < 0)
			words = 0;
		if (p->table.delta > 0)
			room += (size_t)p->table.delta * NUMBER_BYTES;
	}
	text = layer_alloc(room);
	for (i = 0; i < words; i++) {
		/* More arguments are the first ones again. */
		const struct word *w = &word[i / 2 % count];
		bool mine = faulty && p->table.layer == i / 2;
		const char *gap = i ? " " : "";

		if (i % 2 == 0 && mine && p->table.kind == TABLE_DEVICE)
			at += (size_t)snprintf(text + at, room - at, "%s" NO_DEVICE, gap);
		else if (i % 2 == 0)
			at += (size_t)snprintf(text + at, room - at, "%s253:%u", gap, w->device);
		else if (mine && p->table.kind == TABLE_TEXT)
			at += (size_t)snprintf(text + at, room - at, "%s%s", gap, p->table.text);
		else
			at += (size_t)snprintf(text + at, room - at, "%s%lld", gap, (long long)w->bytes + (mine && p->table.kind == TABLE_BYTES ? p->table.delta : 0));
	}
	return text;
}

/* The last device; with a twin also the one before it. NULL: refused. */
static struct layer_device *deploy(const struct case_plan *p, const struct case_answers *a, struct layer_device **twin, const char **table)
{
	struct word *words = layer_alloc((p->layers + 1) * sizeof(*words));
	const char *type = p->zfile ? "zfile_target" : "lsmt_target";
	uint64_t sectors = p->device_bytes / 512;
	char *params, *before = NULL;
	unsigned int i;

	for (i = 0; i < p->layers; i++) {
		const struct case_layer *l = &p->layer[i];
		struct layer_device *d;
		bool wrapped = p->zfile ? l->zfiles > 1 : l->zfiles > 0;

		if (!p->zfile && l->same_as >= 0 && (unsigned int)l->same_as < i) {
			words[i] = words[l->same_as];
			continue;
		}
		d = slice(p, i, p->zfile || !wrapped);
		words[i] = (struct word){ d ? d->number : 0, l->length };
		if (!wrapped)
			continue;
		{
			uint64_t inner = l->exposed / 512;
			char *one = layer_alloc(2 * NUMBER_BYTES);

			/* Of such a layer the table is about the device over the ZFile. */
			if (!p->zfile && p->table.kind == TABLE_SHORT && p->table.layer == i)
				inner = up(l->exposed, 512) / 512 - (uint64_t)p->table.delta;
			snprintf(one, 2 * NUMBER_BYTES, "253:%u %llu", words[i].device, (unsigned long long)l->length);
			d = make(p, a, "zfile_target", one, inner, NULL);
			if (!d)
				return NULL;
			if (!p->zfile && p->table.kind == TABLE_BUSY && p->table.layer == i)
				d->held = true;
			words[i] = (struct word){ d->number, l->exposed };
		}
	}
	params = params_of(p, words, p->layers, true);
	*table = params;
	if (p->replaces && !p->zfile)
		before = params_of(p, words, p->replaces < p->layers ? p->replaces : p->layers, false);
	if (p->twin) {
		*twin = make(p, a, type, params, sectors, NULL);
		if (!*twin)
			return NULL;
	}
	return make(p, a, type, params, sectors, before);
}

/* What the block layer would let through to the target; what came of it is nobody's business. */
static void attempt(const struct case_plan *p, const struct case_attempt *one, struct layer_device *d)
{
	/* A device of a table that was loaded for reading takes no writes: bdev_read_only in block/fops.c and ioctl.c. */
	if (one->kind == ATTEMPT_WRITE && p->writable)
		reader_write(d, one->offset, one->length, 0xa5);
	/* Of targets that take no zeroes there are writes of zeros (block/blk-lib.c); past the end it is an error of the ioctl's. */
	else if (one->kind == ATTEMPT_ZERO_OUT && p->writable && one->length && one->offset + one->length <= (uint64_t)d->disk.capacity << SECTOR_SHIFT)
		reader_write(d, one->offset, one->length, 0);
	else if (one->kind == ATTEMPT_IOCTLS)
		dm_layer_ioctl(d);
}

static uint64_t digests[MAX_READS];
static bool differs[MAX_READS];

/* Of all that is told of a read, its bytes included. */
static uint64_t digest_of(const struct case_read_result *r)
{
	uint64_t h = (uint64_t)r->result * 0x9e3779b97f4a7c15u ^ (uint64_t)r->first ^ (uint64_t)r->before << 40 ^ (uint64_t)r->after << 20 ^ (uint64_t)r->untouched << 8;
	const uint8_t *from;
	uint64_t at = 0;
	size_t n, i;

	for (; (n = case_bytes(at, &from)) != 0; at += n)
		for (i = 0; i < n; i++)
			h = (h ^ from[i]) * 0x100000001b3u;
	return h;
}

/* The end of one reader's read number n. */
static void end_of(const struct case_answers *a, unsigned int reader, unsigned int n)
{
	struct case_read_result result;

	reader_end(reader, &result);
	if (digest_of(&result) == digests[n] || differs[n])
		return;
	differs[n] = true;
	result.reader = reader + 1;
	a->read(a->data, n, &result);
}

/* One thing done to the device; 0 or -errno, what it was in *what. Removing an open device fails before any target hears of it. */
static int disturb(const struct case_plan *p, struct layer_device *d, const char *params, const char **what)
{
	bool loaded = true;
	int error = 0;

	*what = "resume";
	if (p->crowd.meanwhile == MEANWHILE_SUSPEND)
		error = dm_layer_suspend(d);
	if (p->crowd.meanwhile == MEANWHILE_RELOAD)
		error = dm_layer_reload(d, p->zfile ? "zfile_target" : "lsmt_target", params, p->device_bytes / 512, mode_of(p), &loaded);
	if (!loaded)
		*what = "table load";
	return error;
}

/*
 * Readers in turn, in one thread: each begins its read, something is done to the device, each
 * ends its read. So direct reads of all are under way at once, and what a device is asked for
 * comes in an order of ours.
 */
static void run_crowd(const struct case_plan *p, const struct case_answers *a, struct layer_device *d, const char *params)
{
	unsigned int readers = p->crowd.readers < MAX_READERS ? p->crowd.readers : MAX_READERS, rounds = p->crowd.rounds, round, step, k, times = 0;
	bool late[MAX_READERS];
	uint64_t bytes = 0;
	char failed[64];
	int error = 0;

	strcpy(phase, "read together");
	for (k = 0; k < p->reads; k++) {
		bytes += p->read[k].length;
		differs[k] = false;
	}
	if (rounds > CROWD_READS / (readers * p->reads))
		rounds = CROWD_READS / (readers * p->reads);
	if (bytes && rounds > CROWD_BYTES / (readers * bytes))
		rounds = (unsigned int)(CROWD_BYTES / (readers * bytes));
	for (round = 0; round < (rounds ? rounds : 1); round++) {
		reader_close();
		for (step = 0; step < p->reads; step++) {
			for (k = 0; k < readers; k++)
				late[k] = !reader_begin(k, k == 0, d, &p->read[(step + k + round) % p->reads], (uint64_t)(k + 1) << 56 ^ (uint64_t)round << 40 ^ step);
			if (p->crowd.meanwhile && !error) {
				const char *what;

				times++;
				error = disturb(p, d, params, &what);
				if (error && name_of(error))
					snprintf(failed, sizeof(failed), "%s: %s", what, name_of(error));
				else if (error)
					snprintf(failed, sizeof(failed), "%s: errno %d", what, -error);
			}
			for (k = 0; k < readers; k++)
				if (!late[k])
					end_of(a, k, (step + k + round) % p->reads);
			for (k = 0; k < readers; k++) {
				if (!late[k])
					continue;
				reader_begin(k, true, d, &p->read[(step + k + round) % p->reads], (uint64_t)(k + 1) << 56 ^ (uint64_t)round << 40 ^ step);
				end_of(a, k, (step + k + round) % p->reads);
			}
		}
	}
	if (p->crowd.meanwhile && a->meanwhile)
		a->meanwhile(a->data, times, error ? failed : NULL);
}

/* The first byte under a layer that is not what it was. */
static void tell_change(const struct case_plan *p, const struct case_answers *a)
{
	unsigned int n, layer = 0;
	struct layer_device *d;

	for (n = 0; (d = block_device_of(n)) != NULL; n++) {
		uint64_t at, bytes = (uint64_t)d->disk.capacity << SECTOR_SHIFT;

		if (!d->before)
			continue;
		/* Devices of layers come in their order; one that stands on another's has none. */
		while (layer < p->layers && p->layer[layer].same_as >= 0)
			layer++;
		for (at = 0; at < bytes; at++) {
			if (d->bytes[at] != d->before[at]) {
				a->changed(a->data, layer, at);
				return;
			}
		}
		layer++;
	}
}

static void run(const struct case_plan *p, const struct case_answers *a)
{
	struct layer_device *twin = NULL, *d;
	const char *params = NULL;
	unsigned int i, n;

	d = deploy(p, a, &twin, &params);
	if (d) {
		a->opened(a->data, (uint64_t)d->disk.capacity << SECTOR_SHIFT);
		for (i = 0; i < p->attempts; i++) {
			strcpy(phase, "read 0");
			attempt(p, &p->attempt[i], d);
		}
		for (i = 0; i < p->reads; i++) {
			struct case_read_result result;

			snprintf(phase, sizeof(phase), "read %u", i);
			if (p->fault.there && (p->fault.since == (int)i || p->fault.until == (int)i)) {
				for (n = 0; block_device_of(n); n++)
					if (block_device_of(n)->fault_to)
						block_device_of(n)->faulty = p->fault.since == (int)i;
			}
			reader_read(twin && i % 2 ? twin : d, &p->read[i], i + 1, &result);
			if (p->crowd.readers)
				digests[i] = digest_of(&result);
			a->read(a->data, i, &result);
		}
		if (p->crowd.readers && p->reads && p->reads <= MAX_READS)
			run_crowd(p, a, d, params);
	}
	strcpy(phase, "close");
	reader_close();
	for (n = 0; block_device_of(n); n++)
		;
	while (n--)
		dm_layer_remove(block_device_of(n));
	/* What nobody waited for. */
	while (work_run_one())
		;
	if (d && a->changed)
		tell_change(p, a);
}

void run_case(const struct case_plan *plan, const struct case_answers *answers)
{
	strcpy(phase, "open");
	reader_close();
	block_begin();
	work_begin();
	memory_begin();
	memory_fails_after = plan->fails_after;
	trouble_begin();
	if (!sigsetjmp(after_death, 0))
		run(plan, answers);
	else
		__asan_unpoison_memory_region((char *)__builtin_frame_address(0) - STACK_BYTES, STACK_BYTES);
	trouble_end();
	memory_end();
}
