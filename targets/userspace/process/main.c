/* SPDX-License-Identifier: MIT */
/* The target protocol (targets/process/PROTOCOL.md) around run_case. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "case.h"
#include "json.h"
#include "sha256.h"
#include "../kernel-api/trouble.h"

#define MAX_LINE (16u << 20)
#define MAX_READS 4096u
#define MAX_PIECES_ALL 65536u

static const char capabilities[] =
	"{\"devices\":[\"lsmt\",\"zfile\"],\"wrappings\":[\"zfile\"],\"forms\":[],\"algorithms\":[\"lz4\"],\"blockSizes\":[4096],"
	"\"maxLayers\":256,\"sizeUnit\":512,\"access\":[\"table\",\"fault\",\"shared\",\"replaces\",\"attempts\",\"crowd\",\"failsAfter\"]}";

static char *out;
static size_t out_bytes, out_room;
static long long id;
static const struct json *reads_of_case;

static void flush(void)
{
	size_t done = 0;

	while (done < out_bytes) {
		ssize_t n = write(1, out + done, out_bytes - done);

		if (n <= 0)
			_exit(0);
		done += (size_t)n;
	}
	out_bytes = 0;
}

static void say(const char *format, ...)
{
	va_list values;
	int n;

	if (out_room - out_bytes < 4096) {
		out_room = out_room ? out_room * 2 : 64u << 10;
		out = realloc(out, out_room);
		if (!out)
			_exit(70);
	}
	va_start(values, format);
	n = vsnprintf(out + out_bytes, out_room - out_bytes, format, values);
	va_end(values);
	if (n > 0)
		out_bytes += (size_t)n < out_room - out_bytes ? (size_t)n : out_room - out_bytes - 1;
}

/* At most so many bytes, with what JSON wants escaped. */
static void say_text(const char *text, size_t most)
{
	size_t i;

	say("\"");
	for (i = 0; i < most && text[i]; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			say("\\%c", c);
		else if (c < ' ' || c > '~')
			say("\\u%04x", c);
		else
			say("%c", c);
	}
	say("\"");
}

static void on_opened(void *data, uint64_t bytes)
{
	(void)data;
	say("{\"type\":\"opened\",\"id\":%lld,\"size\":%llu}\n", id, (unsigned long long)bytes);
}

static void on_refused(void *data, const char *reason)
{
	(void)data;
	say("{\"type\":\"refused\",\"id\":%lld,\"reason\":", id);
	say_text(reason, 200);
	say("}\n");
}

/* A crowd's reader has a file of its own. */
static int write_out(const char *output, unsigned int reader)
{
	char own[4096];
	const uint8_t *from;
	uint64_t at = 0;
	size_t n;
	int fd;

	if (reader)
		snprintf(own, sizeof(own), "%s.%u", output, reader);
	fd = open(reader ? own : output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	while ((n = case_bytes(at, &from)) != 0) {
		ssize_t done = write(fd, from, n);

		if (done <= 0)
			break;
		at += (uint64_t)done;
	}
	close(fd);
	return 0;
}

static void on_read(void *data, unsigned int index, const struct case_read_result *r)
{
	const struct json *plan = reads_of_case;
	unsigned int i;

	(void)data;
	for (i = 0; i < index; i++)
		plan = plan->next;
	say("{\"type\":\"read\",\"id\":%lld,\"read\":%u,\"result\":%lld", id, index, (long long)r->result);
	if (r->result >= 0) {
		struct sha256 sha;
		char hex[65];
		const uint8_t *from;
		uint64_t at = 0;
		size_t n;

		sha256_begin(&sha);
		for (; (n = case_bytes(at, &from)) != 0; at += n)
			sha256_add(&sha, from, n);
		sha256_end(&sha, hex);
		if (!json_is(plan, "want", hex))
			write_out(json_string(plan, "output", "/dev/null"), r->reader);
		say(",\"sha256\":\"%s\"", hex);
	}
	if (r->before || r->after)
		say(",\"spill\":{\"before\":%u,\"after\":%u,\"first\":%lld}", r->before, r->after, (long long)r->first);
	if (r->untouched >= 0)
		say(",\"untouched\":%lld", (long long)r->untouched);
	if (r->reader)
		say(",\"reader\":%u", r->reader);
	say("}\n");
}

static char unusual[256];

static void on_changed(void *data, unsigned int layer, uint64_t at)
{
	size_t n = strlen(unusual);

	(void)data;
	snprintf(unusual + n, sizeof(unusual) - n, ",\"changed\":{\"layer\":%u,\"at\":%llu}", layer, (unsigned long long)at);
}

static void on_meanwhile(void *data, unsigned int times, const char *failed)
{
	size_t n = strlen(unusual);

	(void)data;
	if (failed)
		snprintf(unusual + n, sizeof(unusual) - n, ",\"meanwhile\":{\"times\":%u,\"failed\":\"%s\"}", times, failed);
	else
		snprintf(unusual + n, sizeof(unusual) - n, ",\"meanwhile\":{\"times\":%u}", times);
}

static struct case_layer layers[MAX_CASE_LAYERS];
static struct case_read reads[MAX_READS];
static uint32_t all_pieces[MAX_PIECES_ALL];
static struct case_attempt attempts[MAX_ATTEMPTS];

static void let_go(struct case_plan *p)
{
	unsigned int i;

	for (i = 0; i < p->layers; i++)
		if (layers[i].length)
			munmap((void *)(uintptr_t)layers[i].bytes, layers[i].length);
	p->layers = 0;
}

static const char *take_layers(const struct json *m, struct case_plan *p)
{
	const struct json *list = json_get(m, "layers"), *one;
	bool shared = json_is(m, "shared", "device");

	p->layer = layers;
	for (one = list ? list->first : NULL; one; one = one->next) {
		const struct json *wrapping = json_get(one, "wrapping"), *w;
		struct case_layer *l = &layers[p->layers];
		int fd = open(json_string(one, "path", ""), O_RDONLY | O_CLOEXEC);
		struct stat about;
		unsigned int i;

		if (p->layers == MAX_CASE_LAYERS)
			return "too many layers";
		*l = (struct case_layer){ .exposed = (uint64_t)json_integer(one, "exposedBytes", 0), .same_as = -1 };
		if (json_get(one, "index") || json_get(one, "remote") || json_get(one, "extents"))
			return "a layer that is no sealed one";
		for (w = wrapping ? wrapping->first : NULL; w; w = w->next) {
			if (!w->text || strcmp(w->text, "zfile"))
				return "a layer in another envelope than a ZFile";
			l->zfiles++;
		}
		if (fd < 0 || fstat(fd, &about))
			return "a layer's file cannot be opened";
		l->length = (size_t)about.st_size;
		if (l->length) {
			l->bytes = mmap(NULL, l->length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
			if (l->bytes == MAP_FAILED) {
				close(fd);
				l->length = 0;
				return "a layer's file cannot be mapped";
			}
		}
		close(fd);
		for (i = 0; shared && i < p->layers && l->same_as < 0; i++)
			if (layers[i].zfiles == l->zfiles && layers[i].length == l->length && !memcmp(layers[i].bytes, l->bytes, l->length))
				l->same_as = (int)i;
		p->layers++;
	}
	return p->layers ? NULL : "no layers";
}

static const char *take_table(const struct json *table, struct case_plan *p)
{
	static const char *const kinds[] = { "", "bytes", "text", "count", "device", "busy", "short", "length" };
	unsigned int i;

	if (!table || table->type == JSON_NULL)
		return NULL;
	for (i = 1; i < sizeof(kinds) / sizeof(*kinds) && !json_is(table, "kind", kinds[i]); i++)
		;
	if (i == sizeof(kinds) / sizeof(*kinds))
		return "an unknown fault of the table";
	p->table.kind = i;
	p->table.layer = (unsigned int)json_integer(table, "layer", 0);
	p->table.delta = json_integer(table, i == TABLE_SHORT ? "sectors" : "delta", 0);
	p->table.text = json_string(table, "text", "");
	return NULL;
}

static const char *take_reads(const struct json *list, struct case_plan *p)
{
	const struct json *one;
	size_t pieces = 0;

	p->read = reads;
	reads_of_case = list ? list->first : NULL;
	for (one = reads_of_case; one; one = one->next) {
		const struct json *cut = json_get(one, "pieces"), *c, *huge = json_get(one, "huge");
		struct case_read *r = &reads[p->reads];
		long long length = json_integer(one, "length", 0);

		if (p->reads == MAX_READS)
			return "too many reads";
		if (length <= 0 || length > MAX_READ_BYTES)
			return "a read of a length that there is no memory for";
		*r = (struct case_read){ .offset = (uint64_t)json_integer(one, "offset", 0), .length = (uint32_t)length };
		r->buffer_offset = (uint32_t)json_integer(one, "bufferOffset", 0) & 4095;
		r->mode = json_is(one, "mode", "direct") ? READ_DIRECT : json_is(one, "mode", "mmap") ? READ_MAPPED : READ_BUFFERED;
		r->huge = huge && huge->type == JSON_TRUE;
		if (r->mode == READ_DIRECT && (r->offset | r->length | r->buffer_offset) % 512)
			return "a direct read that is not of sectors";
		if (cut && cut->type == JSON_ARRAY && cut->count) {
			uint64_t sum = 0;

			if (cut->count > MAX_PIECES || pieces + cut->count > MAX_PIECES_ALL)
				return "a read in too many pieces";
			r->piece = &all_pieces[pieces];
			for (c = cut->first; c; c = c->next) {
				uint32_t bytes = (uint32_t)(c->text ? strtoul(c->text, NULL, 10) : 0);

				all_pieces[pieces++] = bytes;
				sum += bytes;
				r->pieces++;
				if (r->mode == READ_DIRECT && (bytes == 0 || bytes % 512))
					return "a piece that is not of sectors";
			}
			if (sum != r->length)
				return "pieces of another sum than the read";
		}
		p->reads++;
	}
	return NULL;
}

static int named(const struct json *m, const char *key, const char *const *names)
{
	int i;

	for (i = 0; names[i]; i++)
		if (json_is(m, key, names[i]))
			return i;
	return -1;
}

static const char *take_attempts(const struct json *m, struct case_plan *p)
{
	static const char *const kinds[] = { "write", "discard", "secure-discard", "zero-out", "flush", "ioctls", NULL };
	const struct json *list = m ? json_get(m, "list") : NULL, *writable = m ? json_get(m, "writable") : NULL, *one;

	p->writable = writable && writable->type == JSON_TRUE;
	p->attempt = attempts;
	for (one = list ? list->first : NULL; one; one = one->next) {
		int kind = named(one, "kind", kinds);
		long long offset = json_integer(one, "offset", 0), length = json_integer(one, "length", 0);

		if (kind < 0 || offset < 0 || length < 0 || length > MAX_READ_BYTES || (offset | length) % 512 || p->attempts == MAX_ATTEMPTS)
			return "an attempt that cannot be made";
		attempts[p->attempts++] = (struct case_attempt){ (enum attempt_kind)kind, (uint64_t)offset, (uint32_t)length };
	}
	return NULL;
}

static const char *take_crowd(const struct json *m, struct case_plan *p)
{
	static const char *const kinds[] = { "suspend", "reload", "remove", "deferred-remove", NULL };
	long long readers = m ? json_integer(m, "readers", 1) : 0, rounds = m ? json_integer(m, "rounds", 1) : 0;
	const struct json *meanwhile = m ? json_get(m, "meanwhile") : NULL;

	if (readers < 0 || readers > MAX_READERS || rounds < 0 || rounds > 1024)
		return "a crowd that is too large";
	p->crowd.readers = (unsigned int)readers;
	p->crowd.rounds = (unsigned int)rounds;
	if (!meanwhile || meanwhile->type == JSON_NULL)
		return NULL;
	p->crowd.meanwhile = (enum meanwhile)(named(m, "meanwhile", kinds) + 1);
	return p->crowd.meanwhile ? NULL : "a crowd with an unknown thing done meanwhile";
}

static const char *take_case(const struct json *m, struct case_plan *p)
{
	const struct json *fault = json_get(m, "fault");
	const char *problem;

	*p = (struct case_plan){ .fails_after = json_integer(m, "failsAfter", -1) };
	p->zfile = json_is(m, "device", "zfile");
	p->device_bytes = (uint64_t)json_integer(m, "deviceBytes", 0);
	p->slack = json_is(m, "slack", "exact") ? SLACK_EXACT : json_is(m, "slack", "garbage") ? SLACK_GARBAGE : SLACK_PAGE;
	p->replaces = (unsigned int)json_integer(m, "replaces", 0);
	p->twin = json_is(m, "shared", "twin");
	if (fault && fault->type == JSON_OBJECT && !json_is(fault, "kind", "delay")) {
		p->fault.there = true;
		p->fault.layer = (unsigned int)json_integer(fault, "layer", 0);
		p->fault.from = (uint64_t)json_integer(fault, "from", 0);
		p->fault.to = (uint64_t)json_integer(fault, "to", 0);
		p->fault.since = (int)json_integer(fault, "since", -1);
		p->fault.until = (int)json_integer(fault, "until", -2);
	}
	problem = take_layers(m, p);
	if (!problem)
		problem = take_table(json_get(m, "table"), p);
	if (!problem)
		problem = take_reads(json_get(m, "reads"), p);
	if (!problem)
		problem = take_attempts(json_get(m, "attempts"), p);
	if (!problem)
		problem = take_crowd(json_get(m, "crowd"), p);
	return problem;
}

static void finish(void)
{
	static const char *const kinds[] = { "crash", "memory", "leak" };
	unsigned int i;

	/* A sanitizer's report and then a crash: the report is what tells more, and a crash has no room for both. */
	if (trouble.death != DEATH_NONE) {
		say("{\"type\":\"crashed\",\"id\":%lld,\"kind\":\"%s\",\"title\":", id, trouble.death == DEATH_HANG ? "hang" : "crash");
		say_text(trouble.title, sizeof(trouble.title));
	} else {
		say("{\"type\":\"done\",\"id\":%lld%s", id, unusual);
	}
	if (trouble.complaints) {
		say(",\"complaints\":[");
		for (i = 0; i < trouble.complaints; i++) {
			say("%s{\"kind\":\"%s\",\"title\":", i ? "," : "", kinds[trouble.complaint[i].kind]);
			say_text(trouble.complaint[i].title, sizeof(trouble.complaint[i].title));
			say("}");
		}
		say("]");
	}
	if (trouble.death != DEATH_NONE || trouble.complaints) {
		char log[sizeof(trouble.text) + 4096];

		snprintf(log, sizeof(log), "%s%.*s", trouble.text, (int)(trouble.log_bytes < 4000 ? trouble.log_bytes : 4000), trouble.log);
		say(",\"log\":");
		say_text(log, sizeof(log));
	}
	say("}\n");
}

static uint64_t now(void)
{
	struct timespec t;

	/* Of the processor: a busy machine is not slower. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t spent, done_cases;

static void do_case(const struct json *m)
{
	static struct case_plan plan;
	struct case_answers answers = { NULL, on_opened, on_refused, on_read, on_changed, on_meanwhile };
	uint64_t began = now();
	const char *problem = take_case(m, &plan);

	if (problem) {
		/* Our own limits: never a refusal of the reader. */
		fprintf(stderr, "case %s cannot be run: %s\n", json_string(m, "case", "?"), problem);
		flush();
		exit(70);
	}
	unusual[0] = 0;
	run_case(&plan, &answers);
	finish();
	let_go(&plan);
	spent += now() - began;
	done_cases++;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	case_prepare();
	while ((n = getline(&line, &room, stdin)) > 0) {
		struct json *m;

		if (n > (ssize_t)MAX_LINE || !(m = json_parse(line)))
			return 70;
		id = json_integer(m, "id", 0);
		if (json_is(m, "type", "describe")) {
			say("{\"type\":\"describe\",\"id\":%lld,\"protocol\":1,\"name\":", id);
			say_text(argc > 1 ? argv[1] : "dm-overlaybd in userspace", 100);
			say(",\"version\":");
			say_text(argc > 2 ? argv[2] : "0", 100);
			say(",\"capabilities\":%s}\n", capabilities);
		} else if (json_is(m, "type", "case")) {
			do_case(m);
		} else if (json_is(m, "type", "bye")) {
			break;
		}
		flush();
	}
	if (getenv("OVBD_TIMES"))
		fprintf(stderr, "%llu cases in %llu microseconds\n", (unsigned long long)done_cases, (unsigned long long)(spent / 1000));
	return 0;
}
