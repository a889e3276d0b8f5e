/* SPDX-License-Identifier: MIT */
/*
 * A target around a reader command, in C: copy it and change `run_reader`. It
 * speaks the protocol of targets/process/PROTOCOL.md and needs nothing but a C
 * library. The words after its name are the reader, `ovbd read` for instance.
 *
 *     cc -O2 -Wall -o adapter adapter.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_LAYERS 255
#define MAX_WORDS 64
#define PIECE (1 << 20)

/* What the reader supports; what is left out has the defaults of the protocol. */
static const char capabilities[] = "{\"wrappings\":[\"zfile\",\"tar\"],\"algorithms\":[\"lz4\",\"zstd\"],\"maxLayers\":255,"
	"\"deviceBytes\":67108864,\"whole\":true}";

static char **reader_words;
static int reader_count;
static char device_path[PATH_MAX];
static char errors_path[PATH_MAX];

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- SHA-256 (FIPS 180-4) ---- */

struct sha256 {
	uint32_t h[8];
	uint8_t block[64];
	size_t waiting;
	uint64_t bytes;
};

static const uint32_t K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
	0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
	0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void sha256_block(struct sha256 *s)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)s->block[4 * i] << 24 | s->block[4 * i + 1] << 16 | s->block[4 * i + 2] << 8 | s->block[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] + (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, s->h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t a = v[0], e = v[4];
		uint32_t t = v[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + K[i] + w[i];
		uint32_t u = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t;
		v[0] = t + u;
	}
	for (int i = 0; i < 8; i++)
		s->h[i] += v[i];
}

static void sha256_begin(struct sha256 *s)
{
	static const uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memset(s, 0, sizeof(*s));
	memcpy(s->h, h, sizeof(h));
}

static void sha256_add(struct sha256 *s, const uint8_t *data, size_t n)
{
	s->bytes += n;
	while (n > 0) {
		size_t part = 64 - s->waiting < n ? 64 - s->waiting : n;

		memcpy(s->block + s->waiting, data, part);
		s->waiting += part;
		data += part;
		n -= part;
		if (s->waiting == 64) {
			sha256_block(s);
			s->waiting = 0;
		}
	}
}

static void sha256_end(struct sha256 *s, char hex[65])
{
	uint64_t bits = s->bytes * 8;
	uint8_t one = 0x80, zero = 0, length[8];

	for (int i = 0; i < 8; i++)
		length[i] = bits >> (56 - 8 * i);
	sha256_add(s, &one, 1);
	while (s->waiting != 56)
		sha256_add(s, &zero, 1);
	sha256_add(s, length, 8);
	for (int i = 0; i < 8; i++)
		sprintf(hex + 8 * i, "%08x", s->h[i]);
}

/* ---- JSON: the runner sends one sound object a line; nothing is copied but strings ---- */

static const char *blanks(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* The end of the string that begins at p. */
static const char *string_end(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

/* The end of the value that begins at p. */
static const char *value_end(const char *p)
{
	int depth = 0;

	do {
		if (*p == '"') {
			p = string_end(p);
			continue;
		}
		depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
		p++;
	} while (*p && (depth > 0 || (depth == 0 && !strchr(",]} \t\r\n", *p) && p[-1] != '}' && p[-1] != ']')));
	return p;
}

/* The value of a key of the object at p; NULL where it has none. */
static const char *member(const char *p, const char *key)
{
	size_t n = strlen(key);

	if (!p || *p != '{')
		return NULL;
	for (p = blanks(p + 1); *p == '"'; p = blanks(p + 1)) {
		const char *end = string_end(p);
		const char *value = blanks(blanks(end) + 1);

		if ((size_t)(end - p) == n + 2 && !strncmp(p + 1, key, n))
			return value;
		p = blanks(value_end(value));
		if (*p != ',')
			break;
	}
	return NULL;
}

/* The first item of the list at p, and the one after an item; NULL where there is none. */
static const char *first_item(const char *p)
{
	p = p && *p == '[' ? blanks(p + 1) : NULL;
	return p && *p != ']' ? p : NULL;
}

static const char *next_item(const char *p)
{
	p = blanks(value_end(p));
	return *p == ',' ? blanks(p + 1) : NULL;
}

/* A copy of the string at p, to be freed; NULL where there is no string. Paths and digests have no escapes but these. */
static char *string_at(const char *p)
{
	const char *end = p && *p == '"' ? string_end(p) - 1 : NULL;
	char *copy = end ? malloc(end - p) : NULL, *to = copy;

	if (!copy)
		return NULL;
	for (p++; p < end; p++)
		*to++ = *p == '\\' ? *++p : *p;
	*to = 0;
	return copy;
}

static int is(const char *p, const char *text)
{
	return p && *p == '"' && !strncmp(p + 1, text, strlen(text)) && p[1 + strlen(text)] == '"';
}

static unsigned long long number(const char *p)
{
	return p ? strtoull(p, NULL, 10) : 0;
}

/* Prints a string of a message: the reader's words may hold anything. */
static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++)
		putchar((unsigned char)*text < 32 || (unsigned char)*text > 126 || *text == '"' || *text == '\\' ? '?' : *text);
	putchar('"');
}

/* ---- the adapter ---- */

/*
 * Runs the command that writes the device over the case's layers to
 * device_path. It ends with exit code 0, or with 1 and its reason on standard
 * error where it refuses the image. Returns what waitpid says of it.
 */
static int run_reader(const char *message)
{
	char *words[MAX_WORDS + MAX_LAYERS + 8];
	int n = 0, status;
	pid_t pid;

	for (int i = 0; i < reader_count; i++)
		words[n++] = reader_words[i];
	words[n++] = "--as";
	words[n++] = is(member(message, "device"), "zfile") ? "zfile" : "device";
	words[n++] = "-o";
	words[n++] = device_path;
	for (const char *l = first_item(member(message, "layers")); l && n < MAX_WORDS + MAX_LAYERS + 6; l = next_item(l))
		words[n++] = string_at(member(l, "path"));
	words[n] = NULL;

	unlink(device_path); /* Nothing of an earlier case may be read. */
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		int none = open("/dev/null", O_RDWR);
		int errors = open(errors_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		/* The reader's standard output is not ours: that one carries messages. */
		dup2(none, 0);
		dup2(none, 1);
		dup2(errors, 2);
		execvp(words[0], words);
		perror(words[0]);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		;
	for (int i = reader_count + 4; words[i]; i++)
		free(words[i]);
	return status;
}

/* Passes on what the reader said to the runner, who knows the reports of sanitizers; keeps the last line. */
static void pass_errors(char *last, size_t size)
{
	FILE *errors = fopen(errors_path, "r");
	char line[4096];

	*last = 0;
	while (errors && fgets(line, sizeof(line), errors)) {
		fputs(line, stderr);
		line[strcspn(line, "\n")] = 0;
		if (*line)
			snprintf(last, size, "%.*s", (int)size - 1, line);
	}
	if (errors)
		fclose(errors);
}

static void copy(int from, const char *path, unsigned long long offset, unsigned long long length)
{
	static uint8_t piece[PIECE];
	FILE *to = fopen(path, "wb");

	if (!to)
		fail(path);
	while (length > 0) {
		ssize_t n = pread(from, piece, length < PIECE ? length : PIECE, offset);

		if (n <= 0 || fwrite(piece, 1, n, to) != (size_t)n)
			fail(path);
		offset += n;
		length -= n;
	}
	if (fclose(to))
		fail(path);
}

static void answer_read(unsigned long long id, int i, const char *read, int device)
{
	static uint8_t piece[PIECE];
	unsigned long long offset = number(member(read, "offset")), length = number(member(read, "length")), done = 0;
	struct sha256 sum;
	char hex[65], *output = string_at(member(read, "output"));

	sha256_begin(&sum);
	while (done < length && offset + done <= INT64_MAX) {
		ssize_t n = pread(device, piece, length - done < PIECE ? length - done : PIECE, offset + done);

		if (n < 0)
			fail("pread");
		if (n == 0)
			break; /* Fewer bytes at the end of the device, none past it. */
		sha256_add(&sum, piece, n);
		done += n;
	}
	sha256_end(&sum, hex);
	if (!is(member(read, "want"), hex))
		copy(device, output, offset, done);
	printf("{\"type\":\"read\",\"id\":%llu,\"read\":%d,\"result\":%llu,\"sha256\":\"%s\"}\n", id, i, done, hex);
	free(output);
}

static void answer_case(const char *message)
{
	unsigned long long id = number(member(message, "id"));
	int status = run_reader(message), i = 0;
	char last[1000];

	pass_errors(last, sizeof(last));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		printf("{\"type\":\"refused\",\"id\":%llu,\"reason\":", id);
		print_string(*last ? last : "exit code 1");
		printf("}\n");
	} else if (WIFSIGNALED(status)) {
		printf("{\"type\":\"crashed\",\"id\":%llu,\"title\":\"SIG%s\"}\n", id, sigabbrev_np(WTERMSIG(status)));
		return;
	} else if (WEXITSTATUS(status) != 0) {
		printf("{\"type\":\"crashed\",\"id\":%llu,\"title\":\"exit code %d\"}\n", id, WEXITSTATUS(status));
		return;
	} else {
		int device = open(device_path, O_RDONLY);
		struct stat stat;

		if (device < 0 || fstat(device, &stat))
			fail(device_path);
		printf("{\"type\":\"opened\",\"id\":%llu,\"size\":%lld}\n", id, (long long)stat.st_size);
		for (const char *r = first_item(member(message, "reads")); r; r = next_item(r))
			answer_read(id, i++, r, device);
		close(device);
	}
	printf("{\"type\":\"done\",\"id\":%llu}\n", id);
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/adapter-XXXXXX", *line = NULL;
	size_t size = 0;

	reader_words = argv + 1;
	reader_count = argc - 1;
	if (reader_count < 1 || reader_count > MAX_WORDS || !mkdtemp(folder)) {
		fprintf(stderr, "usage: %s READER [WORD...]\n", argv[0]);
		return 2;
	}
	snprintf(device_path, sizeof(device_path), "%s/device", folder);
	snprintf(errors_path, sizeof(errors_path), "%s/errors", folder);
	while (getline(&line, &size, stdin) > 0) {
		const char *message = blanks(line), *type = member(message, "type");

		if (is(type, "describe"))
			printf("{\"type\":\"describe\",\"id\":0,\"protocol\":1,\"name\":\"example in C\",\"version\":\"1\",\"capabilities\":%s}\n", capabilities);
		else if (is(type, "case"))
			answer_case(message);
		else if (is(type, "bye"))
			break;
		/* Whoever waits for an answer must not wait for the buffer to fill. */
		fflush(stdout);
	}
	free(line);
	unlink(device_path);
	unlink(errors_path);
	rmdir(folder);
	return 0;
}
