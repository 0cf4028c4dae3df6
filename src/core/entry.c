/*
 * Entries found by a unique member, as edits will leave them, and the events
 * of their changes: see entry.h.  How they are shown: entry_shown.c.
 */
#include "core/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/event.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* An entry as it was when its value was noted. */
struct noted {
	int64_t id;
	json_t *stored;
};

/* Ids by the value of one member; only what was changed is noted anew. */
struct by_member {
	struct by_member *next;
	const struct resource *resource;
	const char *member;
	bool filled;
	uint64_t generation;
	json_t *ids; /* of the value's text */
	struct noted *noted; /* by id */
	size_t count;
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
note(struct by_member *by, const struct noted *n)
{
	char *key = key_of(json_object_get(n->stored, by->member));

	if (key != NULL)
		json_object_set_new(by->ids, key, json_integer(n->id));
	free(key);
}

/* Another one may have the value by now. */
static void
forget(struct by_member *by, const struct noted *n)
{
	char *key = key_of(json_object_get(n->stored, by->member));

	if (key != NULL && json_int(by->ids, key, -1) == n->id)
		json_object_del(by->ids, key);
	free(key);
}

/* What is being noted anew, and how far what was before is looked at. */
struct renewal {
	struct by_member *by;
	size_t at;
	struct noted *noted;
	size_t count, room;
};

static void
forget_below(struct renewal *to, int64_t id)
{
	struct by_member *by = to->by;

	for (; to->at < by->count && by->noted[to->at].id < id; to->at++) {
		forget(by, &by->noted[to->at]);
		json_decref(by->noted[to->at].stored);
	}
}

static void
renew(int64_t id, const json_t *stored, void *arg)
{
	struct renewal *to = arg;
	struct by_member *by = to->by;
	struct noted *n;

	if (to->count == to->room) {
		to->room = to->room == 0 ? 16 : 2 * to->room;
		to->noted = xreallocarray(to->noted, to->room, sizeof(*n));
	}
	n = &to->noted[to->count++];
	forget_below(to, id);
	if (to->at < by->count && by->noted[to->at].stored == stored) {
		*n = by->noted[to->at++]; /* transferred */
		return;
	}
	forget_below(to, id + 1);
	n->id = id;
	n->stored = json_incref((json_t *)(uintptr_t)stored);
	note(by, n);
}

static void
renew_all(struct by_member *by)
{
	struct renewal to = { .by = by };

	store_each(core_store(), by->resource->name, renew, &to);
	forget_below(&to, INT64_MAX);
	free(by->noted);
	by->noted = to.noted;
	by->count = to.count;
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
		by->ids = json_object();
		by->next = all;
		all = by;
	}
	if (!by->filled || by->generation != generation)
		renew_all(by);
	by->filled = true;
	by->generation = generation;
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

/* What edits make of each entry of the resource, by id; null: it goes. */
static json_t *
edited_by_id(const struct resource *r, const struct edit *edits, size_t count)
{
	json_t *edited = json_object();
	char id[24];
	size_t i;

	for (i = 0; i < count; i++) {
		if (edits[i].resource != r)
			continue;
		snprintf(id, sizeof(id), "%lld", (long long)edits[i].id);
		if (edits[i].after != NULL)
			json_object_set(edited, id, edits[i].after);
		else
			json_object_set_new(edited, id, json_null());
	}
	return edited;
}

json_t *
entry_all_with(const struct resource *r, const struct edit *edits, size_t count)
{
	json_t *stored = store_list(core_store(), r->name), *all, *entry;
	json_t *edited = edited_by_id(r, edits, count), *after;
	char id[24];
	size_t i, j;

	if (json_object_size(edited) == 0) {
		json_decref(edited);
		return stored;
	}
	all = json_array();
	json_array_foreach(stored, i, entry) {
		snprintf(id, sizeof(id), "%lld",
		    (long long)json_int(entry, "id", 0));
		after = json_object_get(edited, id);
		if (after == NULL)
			json_array_append(all, entry);
		else if (!json_is_null(after))
			json_array_append(all, after);
	}
	for (j = 0; j < count; j++)
		if (edits[j].resource == r && edits[j].before == NULL &&
		    edits[j].after != NULL)
			json_array_append(all, edits[j].after);
	json_decref(edited);
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
