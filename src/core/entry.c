/*
 * Entries found by a unique member, as edits will leave them, and the events
 * of their changes: see entry.h.  How they are shown: entry_shown.c.
 */
#include "core/entry.h"

#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/event.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* Ids by the value of one member; made anew when an entry was changed. */
struct by_member {
	struct by_member *next;
	const struct resource *resource;
	const char *member;
	uint64_t generation;
	json_t *ids; /* of the value's text */
};

/* A key that a string and a number never share; malloc'd. */
static char *
key_of(const json_t *value)
{
	if (json_is_string(value))
		return xasprintf("\"%s", json_string_value(value));
	if (json_is_integer(value))
		return xasprintf(
		    "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return NULL;
}

static void
make_ids(struct by_member *by)
{
	json_t *all = store_list(core_store(), by->resource->name), *entry;
	size_t i;
	char *key;

	json_decref(by->ids);
	by->ids = json_object();
	json_array_foreach(all, i, entry) {
		key = key_of(json_object_get(entry, by->member));
		if (key != NULL)
			json_object_set(
			    by->ids, key, json_object_get(entry, "id"));
		free(key);
	}
	json_decref(all);
}

static struct by_member *
by_member(const struct resource *r, const char *member)
{
	static struct by_member *all;
	uint64_t generation = store_generation(core_store(), r->name);
	struct by_member *by;

	for (by = all; by != NULL; by = by->next)
		if (by->resource == r && strcmp(by->member, member) == 0)
			break;
	if (by == NULL) {
		by = xcalloc(1, sizeof(*by));
		by->resource = r;
		by->member = member;
		by->next = all;
		all = by;
	}
	if (by->ids == NULL || by->generation != generation) {
		make_ids(by);
		by->generation = generation;
	}
	return by;
}

int64_t
entry_by(const struct resource *r, const char *member, const json_t *value)
{
	char *key = key_of(value);
	int64_t id = -1;

	if (key != NULL)
		id = json_int(by_member(r, member)->ids, key, -1);
	free(key);
	return id;
}

json_t *
entry_all_with(const struct resource *r, const struct edit *edits, size_t count)
{
	json_t *stored = store_list(core_store(), r->name), *all, *entry;
	size_t i, j;
	bool edited = false;

	for (j = 0; j < count; j++)
		edited = edited || edits[j].resource == r;
	if (!edited)
		return stored;
	all = json_array();
	json_array_foreach(stored, i, entry) {
		for (j = 0; j < count; j++)
			if (edits[j].resource == r &&
			    edits[j].id == json_int(entry, "id", 0))
				break;
		if (j == count)
			json_array_append(all, entry);
		else if (edits[j].after != NULL)
			json_array_append(all, edits[j].after);
	}
	for (j = 0; j < count; j++)
		if (edits[j].resource == r && edits[j].before == NULL &&
		    edits[j].after != NULL)
			json_array_append(all, edits[j].after);
	json_decref(stored);
	return all;
}

void
entry_changed(const struct resource *r, int64_t id, const json_t *before,
    const json_t *after)
{
	enum event_kind kind = EVENT_CHANGED;
	json_t *fields = NULL;
	char *collection;

	if (r->kind == RESOURCE_INNER)
		return;
	collection = xasprintf(
	    "%s.%s", r->name, r->kind == RESOURCE_CONFIG ? "config" : "query");

	if (before == NULL)
		kind = EVENT_ADDED;
	else if (after == NULL)
		kind = EVENT_REMOVED;
	if (after != NULL && r->ask == NULL)
		fields = entry_shown(r, id, true);
	else if (after != NULL)
		fields = json_deep_copy(after);
	event_send(collection, kind, json_integer(id), fields);
	free(collection);
}
