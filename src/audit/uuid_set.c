/*
 * A set of UUIDs: see uuid_set.h.
 */
#include "audit/uuid_set.h"

#include <stdlib.h>
#include <string.h>

#include "lib/uuid.h"
#include "lib/xalloc.h"

/* Open addressing, a power of two of places, at most half of them taken. */
struct uuid_set {
	struct uuid *places;
	bool *taken;
	size_t size, count;
};

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
uuid_parse(const char *text, size_t len, struct uuid *uuid)
{
	size_t i, digits = 0;
	int value;

	if (len != UUID_LEN - 1)
		return -1;
	memset(uuid, 0, sizeof(*uuid));
	for (i = 0; i < len; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return -1;
			continue;
		}
		if ((value = hex_value(text[i])) == -1)
			return -1;
		uuid->bytes[digits / 2] =
		    (uint8_t)((uuid->bytes[digits / 2] << 4 | value) & 0xff);
		digits++;
	}
	return 0;
}

void
uuid_set_free(struct uuid_set *set)
{
	if (set == NULL)
		return;
	free(set->places);
	free(set->taken);
	free(set);
}

struct uuid_set *
uuid_set_new(size_t size)
{
	struct uuid_set *set;

	set = xcalloc(1, sizeof(*set));
	set->size = size;
	set->places = xcalloc(size, sizeof(*set->places));
	set->taken = xcalloc(size, sizeof(*set->taken));
	return set;
}

/* The place of an id, or the free one where it belongs. */
static size_t
uuid_set_place(const struct uuid_set *set, const struct uuid *uuid)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	size_t i, at;

	for (i = 0; i < sizeof(uuid->bytes); i++)
		hash = (hash ^ uuid->bytes[i]) * UINT64_C(0x100000001b3);
	at = (size_t)hash & (set->size - 1);
	while (set->taken[at] &&
	    memcmp(&set->places[at], uuid, sizeof(*uuid)) != 0)
		at = (at + 1) & (set->size - 1);
	return at;
}

void
uuid_set_insert(struct uuid_set *set, const struct uuid *uuid)
{
	struct uuid_set *bigger, swap;
	size_t i, at;

	if (2 * (set->count + 1) > set->size) {
		bigger = uuid_set_new(2 * set->size);
		for (i = 0; i < set->size; i++)
			if (set->taken[i])
				uuid_set_insert(bigger, &set->places[i]);
		swap = *set;
		*set = *bigger;
		*bigger = swap;
		uuid_set_free(bigger);
	}
	at = uuid_set_place(set, uuid);
	if (set->taken[at])
		return;
	set->places[at] = *uuid;
	set->taken[at] = true;
	set->count++;
}

bool
uuid_set_has(const struct uuid_set *set, const struct uuid *uuid)
{
	return set->taken[uuid_set_place(set, uuid)];
}
