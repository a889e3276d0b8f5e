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

/* A device with a table over another one or several; NULL: refused, and said so. */
static struct layer_device *make(const struct case_answers *a, const char *type, const char *params, uint64_t sectors, const char *before)
{
	struct layer_device *d = block_add(NULL, sectors);
	struct dm_table *old = NULL;
	char reason[128];
	int error;

	if (before && d && !dm_layer_create(d, type, before, sectors, FMODE_READ)) {
		reader_touch(d, TOUCHED_BYTES);
		reader_close();
		old = d->table;
	}
	error = d ? dm_layer_create(d, type, params, sectors, FMODE_READ) : -ENOMEM;
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
static struct layer_device *deploy(const struct case_plan *p, const struct case_answers *a, struct layer_device **twin)
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
			d = make(a, "zfile_target", one, inner, NULL);
			if (!d)
				return NULL;
			if (!p->zfile && p->table.kind == TABLE_BUSY && p->table.layer == i)
				d->held = true;
			words[i] = (struct word){ d->number, l->exposed };
		}
	}
	params = params_of(p, words, p->layers, true);
	if (p->replaces && !p->zfile)
		before = params_of(p, words, p->replaces < p->layers ? p->replaces : p->layers, false);
	if (p->twin) {
		*twin = make(a, type, params, sectors, NULL);
		if (!*twin)
			return NULL;
	}
	return make(a, type, params, sectors, before);
}

static void run(const struct case_plan *p, const struct case_answers *a)
{
	struct layer_device *twin = NULL, *d;
	unsigned int i, n;

	d = deploy(p, a, &twin);
	if (d) {
		a->opened(a->data, (uint64_t)d->disk.capacity << SECTOR_SHIFT);
		for (i = 0; i < p->reads; i++) {
			struct case_read_result result;

			snprintf(phase, sizeof(phase), "read %u", i);
			if (p->fault.there && (p->fault.since == (int)i || p->fault.until == (int)i)) {
				for (n = 0; block_device_of(n); n++)
					if (block_device_of(n)->fault_to)
						block_device_of(n)->faulty = p->fault.since == (int)i;
			}
			reader_read(twin && i % 2 ? twin : d, &p->read[i], i + 1, &result);
			a->read(a->data, i, &result);
		}
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
