/* SPDX-License-Identifier: MIT */
/* JSON, as far as the target protocol needs it: one message is read into nodes that live until the next one. */
#ifndef OVBD_JSON_H
#define OVBD_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	/* Of a member. */
	const char *key;
	/* A string without its escapes, or a number as it stands. */
	const char *text;
	struct json *first, *next;
	unsigned int count;
};

/* The text is changed. NULL: no JSON, or nested too deeply, or out of memory. */
struct json *json_parse(char *text);
const struct json *json_get(const struct json *object, const char *key);
/* What is absent or of another type gives the default. */
long long json_integer(const struct json *object, const char *key, long long otherwise);
const char *json_string(const struct json *object, const char *key, const char *otherwise);
bool json_is(const struct json *object, const char *key, const char *text);

#endif
