/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 16u
#define CHUNK 4096u

/* Nodes are never freed: the next message uses them again. */
static struct chunk {
	struct chunk *next;
	struct json node[CHUNK];
} *chunks, *current;
static unsigned int used;

static struct json *node(void)
{
	if (!current || used == CHUNK) {
		struct chunk *next = current ? current->next : chunks;

		if (!next) {
			next = calloc(1, sizeof(*next));
			if (!next)
				return NULL;
			if (current)
				current->next = next;
			else
				chunks = next;
		}
		current = next;
		used = 0;
	}
	memset(&current->node[used], 0, sizeof(current->node[used]));
	return &current->node[used++];
}

static char *skip(char *at)
{
	while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
		at++;
	return at;
}

static int hex(const char *at)
{
	int value = 0, i;

	for (i = 0; i < 4; i++) {
		char c = at[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= c - '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			value |= (c | 32) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

/* Takes escapes out in place; characters beyond ASCII by number are put as UTF-8, halves of pairs each for themselves. */
static char *string(char *at, const char **text)
{
	char *to = at;

	for (*text = at; *at != '"'; at++) {
		int c;

		if (!*at)
			return NULL;
		if (*at != '\\') {
			*to++ = *at;
			continue;
		}
		switch (*++at) {
		case 'n': *to++ = '\n'; break;
		case 't': *to++ = '\t'; break;
		case 'r': *to++ = '\r'; break;
		case 'b': *to++ = '\b'; break;
		case 'f': *to++ = '\f'; break;
		case '"': case '\\': case '/': *to++ = *at; break;
		case 'u':
			c = hex(at + 1);
			if (c < 0)
				return NULL;
			at += 4;
			if (c < 0x80) {
				*to++ = (char)c;
			} else if (c < 0x800) {
				*to++ = (char)(0xc0 | c >> 6);
				*to++ = (char)(0x80 | (c & 0x3f));
			} else {
				*to++ = (char)(0xe0 | c >> 12);
				*to++ = (char)(0x80 | (c >> 6 & 0x3f));
				*to++ = (char)(0x80 | (c & 0x3f));
			}
			break;
		default:
			return NULL;
		}
	}
	*to = 0;
	return at + 1;
}

static char *word(char *at, const char *text, struct json *into, enum json_type type)
{
	into->type = type;
	return strncmp(at, text, strlen(text)) ? NULL : at + strlen(text);
}

static char *value(char *at, struct json *into, unsigned int depth)
{
	struct json **last = &into->first;
	char end;

	at = skip(at);
	switch (*at) {
	case 'n': return word(at, "null", into, JSON_NULL);
	case 'f': return word(at, "false", into, JSON_FALSE);
	case 't': return word(at, "true", into, JSON_TRUE);
	case '"':
		into->type = JSON_STRING;
		return string(at + 1, &into->text);
	case '[': case '{':
		break;
	default:
		into->type = JSON_NUMBER;
		into->text = at;
		while (*at && strchr("+-0123456789.eE", *at))
			at++;
		return at == into->text ? NULL : at;
	}
	if (!depth)
		return NULL;
	into->type = *at == '[' ? JSON_ARRAY : JSON_OBJECT;
	end = *at == '[' ? ']' : '}';
	at = skip(at + 1);
	if (*at == end)
		return at + 1;
	for (;;) {
		struct json *one = node();

		if (!one)
			return NULL;
		*last = one;
		last = &one->next;
		into->count++;
		if (end == '}') {
			at = skip(at);
			if (*at != '"' || !(at = string(at + 1, &one->key)))
				return NULL;
			at = skip(at);
			if (*at++ != ':')
				return NULL;
		}
		at = value(at, one, depth - 1);
		if (!at)
			return NULL;
		at = skip(at);
		if (*at == end)
			return at + 1;
		if (*at++ != ',')
			return NULL;
	}
}

struct json *json_parse(char *text)
{
	struct json *root;
	char *at;

	current = NULL;
	root = node();
	at = root ? value(text, root, DEPTH) : NULL;
	return at && !*skip(at) ? root : NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct json *one;

	for (one = object && object->type == JSON_OBJECT ? object->first : NULL; one; one = one->next)
		if (!strcmp(one->key, key))
			return one;
	return NULL;
}

long long json_integer(const struct json *object, const char *key, long long otherwise)
{
	const struct json *one = json_get(object, key);

	return one && one->type == JSON_NUMBER ? strtoll(one->text, NULL, 10) : otherwise;
}

const char *json_string(const struct json *object, const char *key, const char *otherwise)
{
	const struct json *one = json_get(object, key);

	return one && one->type == JSON_STRING ? one->text : otherwise;
}

bool json_is(const struct json *object, const char *key, const char *text)
{
	const char *have = json_string(object, key, NULL);

	return have && !strcmp(have, text);
}
