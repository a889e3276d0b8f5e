/* SPDX-License-Identifier: MIT */
/*
 * One case: images in memory, a table over them, reads. No JSON and no files, so
 * that a fuzzer calls it on the same objects. Call case_prepare once, then
 * run_case as often as wanted; afterwards `trouble` (kernel-api/layer.h) says
 * what went wrong, until the next case.
 */
#ifndef OVBD_CASE_H
#define OVBD_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_READ_BYTES (16u << 20)
#define MAX_PIECES 1024u
#define MAX_CASE_LAYERS 2048u
#define MAX_READERS 8u
#define MAX_ATTEMPTS 256u

struct case_layer {
	const uint8_t *bytes;
	size_t length;
	/* Envelopes: 0 a raw image, 1 a ZFile (of a zfile device: what is to be read), 2 a ZFile in a ZFile. */
	unsigned int zfiles;
	/* Bytes of the image inside the outermost ZFile, as its manifest has it. */
	uint64_t exposed;
	/* The first layer below that is the same file and stands on the same device; -1: none. */
	int same_as;
};

enum slack { SLACK_EXACT, SLACK_PAGE, SLACK_GARBAGE };
enum table_fault { TABLE_RIGHT, TABLE_BYTES, TABLE_TEXT, TABLE_COUNT, TABLE_DEVICE, TABLE_BUSY, TABLE_SHORT, TABLE_LENGTH };
enum read_mode { READ_DIRECT, READ_BUFFERED, READ_MAPPED };

struct case_read {
	uint64_t offset;
	uint32_t length;
	uint32_t buffer_offset;
	enum read_mode mode;
	bool huge;
	/* Bytes of each buffer; 0 pieces: one buffer. */
	uint32_t pieces;
	const uint32_t *piece;
};

/* What is tried to change what is on the device, before the first read. */
enum attempt_kind { ATTEMPT_WRITE, ATTEMPT_DISCARD, ATTEMPT_SECURE_DISCARD, ATTEMPT_ZERO_OUT, ATTEMPT_FLUSH, ATTEMPT_IOCTLS };
struct case_attempt {
	enum attempt_kind kind;
	uint64_t offset;
	uint32_t length;
};

/* What is done to the device between the beginnings and the ends of a crowd's reads. */
enum meanwhile { MEANWHILE_NOTHING, MEANWHILE_SUSPEND, MEANWHILE_RELOAD, MEANWHILE_REMOVE, MEANWHILE_DEFER };

struct case_plan {
	bool zfile;
	unsigned int layers;
	const struct case_layer *layer;
	uint64_t device_bytes;
	enum slack slack;
	/* What is wrong with the table, and with which layer. */
	struct {
		enum table_fault kind;
		unsigned int layer;
		long long delta;
		const char *text;
	} table;
	/* Bytes [from, to) of the device under a layer cannot be read from before one read (-1: from the beginning) until before another. */
	struct {
		bool there;
		unsigned int layer;
		uint64_t from, to;
		int since, until;
	} fault;
	/* Every other read is of a second device over the same ones. */
	bool twin;
	/* The device shows the lowest so many layers first; 0: it does not. */
	unsigned int replaces;
	unsigned int reads;
	const struct case_read *read;
	/* The tables are loaded for writing, too. */
	bool writable;
	unsigned int attempts;
	const struct case_attempt *attempt;
	/* Readers that do all reads again, so many times; 0: none. */
	struct {
		unsigned int readers, rounds;
		enum meanwhile meanwhile;
	} crowd;
	/* The allocation of the module after which all fail; -1: none does. */
	long fails_after;
};

struct case_read_result {
	/* Bytes, or -errno. */
	int64_t result;
	uint32_t before, after;
	int64_t first, untouched;
	/* Of a crowd, which one, from 1; 0: the one that reads alone. */
	unsigned int reader;
};

struct case_answers {
	void *data;
	void (*opened)(void *data, uint64_t bytes);
	void (*refused)(void *data, const char *reason);
	void (*read)(void *data, unsigned int index, const struct case_read_result *result);
	/* The first byte of a layer that an attempt changed. NULL: nobody asks. */
	void (*changed)(void *data, unsigned int layer, uint64_t at);
	/* What was done to the device while a crowd read, and what of it failed (NULL: nothing). NULL: nobody asks. */
	void (*meanwhile)(void *data, unsigned int times, const char *failed);
};

void case_prepare(void);
void run_case(const struct case_plan *plan, const struct case_answers *answers);
/* `open`, `read 3`, `close`: what the last case was doing. */
const char *case_phase(void);

/* The bytes of the read that was just answered, in pieces: gives how many are at *from, 0 at their end. */
size_t case_bytes(uint64_t at, const uint8_t **from);

#endif
