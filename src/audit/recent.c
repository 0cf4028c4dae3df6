/*
 * Records of a moment ago, in a ring: see recent.h.
 */
#include "audit/recent.h"

#include <stdlib.h>

#include "lib/xalloc.h"

#define RECENT_RECORDS ((size_t)8192)
#define RECENT_SIZE ((size_t)4 * 1024 * 1024) /* of their lines */

struct place {
	uint64_t leaf;
	json_t *record;
	size_t len;
};

struct recent {
	struct place places[RECENT_RECORDS];
	size_t first, count;
	size_t size;
};

struct recent *
recent_new(void)
{
	return xcalloc(1, sizeof(struct recent));
}

/* The oldest one leaves. */
static json_t *
leave(struct recent *recent)
{
	struct place *place = &recent->places[recent->first];

	recent->first = (recent->first + 1) % RECENT_RECORDS;
	recent->count--;
	recent->size -= place->len;
	return place->record;
}

void
recent_clear(struct recent *recent)
{
	while (recent->count > 0)
		json_decref(leave(recent));
}

void
recent_free(struct recent *recent)
{
	if (recent == NULL)
		return;
	recent_clear(recent);
	free(recent);
}

void
recent_put(struct recent *recent, uint64_t leaf, json_t *record, size_t len)
{
	size_t at;

	while (recent->count == RECENT_RECORDS ||
	    (recent->count > 0 && recent->size + len > RECENT_SIZE))
		json_decref(leave(recent));
	at = (recent->first + recent->count++) % RECENT_RECORDS;
	recent->places[at] = (struct place){
		.leaf = leaf, .record = json_incref(record), .len = len
	};
	recent->size += len;
}

json_t *
recent_take(struct recent *recent, uint64_t leaf)
{
	while (recent->count > 0 && recent->places[recent->first].leaf < leaf)
		json_decref(leave(recent));
	if (recent->count == 0 || recent->places[recent->first].leaf != leaf)
		return NULL;
	return leave(recent);
}
