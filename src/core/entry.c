/*
 * Entries as the API shows them: see entry.h.
 */
#include "core/entry.h"

#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/event.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* A stored object as one shows it who may, or may not, see secrets. */
static json_t *
shown(const struct resource *r, const json_t *stored, bool secrets)
{
	json_t *entry, *redacted;

	if (r->kind == RESOURCE_CONFIG) {
		/* What an older version stored may lack members. */
		entry = schema_defaults(r->fields);
		json_object_update(entry, (json_t *)(uintptr_t)stored);
	} else
		entry = json_copy((json_t *)(uintptr_t)stored);
	if (r->extend != NULL)
		r->extend(entry);
	if (secrets || !schema_secrets(r->fields))
		return entry;
	redacted = schema_redact(r->fields, entry);
	json_decref(entry);
	return redacted;
}

json_t *
entry_shown(const struct resource *r, int64_t id, bool secrets)
{
	const json_t *stored = store_get(core_store(), r->name, id);

	return stored != NULL ? shown(r, stored, secrets) : NULL;
}

json_t *
entry_shown_all(const struct resource *r, bool secrets)
{
	json_t *stored = store_list(core_store(), r->name), *entry, *all;
	size_t i;

	/* Nothing to add and nothing to hide: as they are. */
	if (r->extend == NULL && (secrets || !schema_secrets(r->fields)))
		return stored;
	all = json_array();
	json_array_foreach(stored, i, entry)
		json_array_append_new(all, shown(r, entry, secrets));
	json_decref(stored);
	return all;
}

/* A config's entry: the text is made once for each document there was. */
struct text {
	uint64_t generation;
	char *whole, *redacted;
};

static struct text *
text_of(const struct resource *r)
{
	static struct text *all;
	size_t n = 0, count = 0;

	while (resources[n] != r)
		n++;
	if (all == NULL) {
		while (resources[count] != NULL)
			count++;
		all = xcalloc(count, sizeof(*all));
	}
	return &all[n];
}

static uint64_t
generation_of(const struct resource *r)
{
	uint64_t generation = store_generation(core_store(), r->name);
	const struct resource *const *from;

	for (from = r->extended_from; from != NULL && *from != NULL; from++)
		generation += store_generation(core_store(), (*from)->name);
	return generation;
}

static char *
make_text(const struct resource *r, bool secrets)
{
	json_t *entry = entry_shown(r, r->entry, secrets);
	char *text = json_text(entry);

	json_decref(entry);
	return text;
}

const char *
entry_text(const struct resource *r, bool secrets)
{
	struct text *text = text_of(r);
	uint64_t generation = generation_of(r);

	if (text->whole == NULL || text->generation != generation) {
		freezero_str(text->whole);
		free(text->redacted);
		text->whole = make_text(r, true);
		text->redacted = make_text(r, false);
		text->generation = generation;
	}
	return secrets ? text->whole : text->redacted;
}

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
	char *collection = xasprintf(
	    "%s.%s", r->name, r->kind == RESOURCE_CONFIG ? "config" : "query");
	enum event_kind kind = EVENT_CHANGED;
	json_t *fields = NULL;

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
