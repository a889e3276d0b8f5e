/* SPDX-License-Identifier: MIT */
/*
 * What libFuzzer calls. A death or a complaint does not end the process: each new
 * title is written down with its input, and again where a smaller input shows it,
 * so that one run finds all there is to find. OVBD_FOUND names the folder.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../kernel-api/trouble.h"
#include "case-bytes.h"

#define MOST_TITLES 1024u
#define FUZZ_CASE_MS 100u

static struct {
	uint64_t digest;
	size_t bytes;
} seen[MOST_TITLES];
static unsigned int titles;
static unsigned long long executions;
static struct timespec began;
static int folder = -1, list = -1;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began.tv_sec) + (double)(now.tv_nsec - began.tv_nsec) / 1e9;
}

static uint64_t digest_of(const char *text)
{
	uint64_t digest = 0xcbf29ce484222325u;

	while (*text)
		digest = (digest ^ (uint8_t)*text++) * 0x100000001b3u;
	return digest;
}

static void fail(const char *what)
{
	fprintf(stderr, "cannot write %s: %s\n", what, strerror(errno));
	_exit(70);
}

static void keep(const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(folder, ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t done = 0;

	while (fd >= 0 && done < size) {
		ssize_t n = write(fd, data + done, size - done);

		if (n <= 0)
			fail(name);
		done += (size_t)n;
	}
	if (fd < 0 || close(fd) || renameat(folder, ".new", folder, name))
		fail(name);
}

/* Titles are words of ours and names of C functions: nothing that JSON would have escaped. */
static void note(const char *kind, const char *title, const uint8_t *data, size_t size)
{
	uint64_t digest = digest_of(title);
	char name[32], line[512];
	unsigned int i;
	int n;

	for (i = 0; i < titles && seen[i].digest != digest; i++)
		;
	if (i == MOST_TITLES || (i < titles && seen[i].bytes <= size))
		return;
	seen[i].digest = digest;
	seen[i].bytes = size;
	snprintf(name, sizeof(name), "%016llx.case", (unsigned long long)digest);
	keep(name, data, size);
	n = snprintf(line, sizeof(line), "{\"kind\":\"%s\",\"title\":\"%s\",\"input\":\"%s\",\"bytes\":%zu,\"first\":%s,\"seconds\":%.3f,\"executions\":%llu}\n",
		     kind, title, name, size, i == titles ? "true" : "false", seconds(), executions);
	if (n <= 0 || write(list, line, (size_t)n) != n)
		fail("found.jsonl");
	titles += i == titles;
}

static void nothing(void *data, uint64_t bytes)
{
	(void)data;
	(void)bytes;
}

static void no_reason(void *data, const char *reason)
{
	(void)data;
	(void)reason;
}

/* The harness sees by itself what memory around and in the buffer tells; what the bytes should be, only the oracle knows. */
static void look(void *data, unsigned int index, const struct case_read_result *r)
{
	(void)index;
	if (r->before || r->after)
		*(const char **)data = "spill outside of the buffer";
	else if (r->untouched >= 0)
		*(const char **)data = "bytes of the buffer that were never written";
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *path = getenv("OVBD_FOUND");

	(void)argc;
	(void)argv;
	if (path) {
		folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		list = folder < 0 ? -1 : openat(folder, "found.jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (list < 0)
			fail(path);
	}
	clock_gettime(CLOCK_MONOTONIC, &began);
	/* What never ends is tried again and again here; whether it ends after all, the suite's own target says. */
	case_ms = FUZZ_CASE_MS;
	case_prepare();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const kinds[] = { "crash", "memory", "leak" };
	const char *bytes_wrong = NULL;
	struct case_answers answers = { &bytes_wrong, nothing, no_reason, look };
	const struct case_plan *plan = size <= CASE_MOST ? case_decode(data, size) : NULL;
	unsigned int i;

	executions++;
	if (!plan)
		return -1;
	run_case(plan, &answers);
	if (list < 0)
		return 0;
	for (i = 0; i < trouble.complaints; i++)
		note(kinds[trouble.complaint[i].kind], trouble.complaint[i].title, data, size);
	if (trouble.death != DEATH_NONE)
		note(trouble.death == DEATH_HANG ? "hang" : "crash", trouble.title, data, size);
	if (bytes_wrong)
		note("memory", bytes_wrong, data, size);
	return 0;
}
