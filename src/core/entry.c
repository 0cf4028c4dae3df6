/*
 * Entries as the API shows them: see entry.h.
 */
#include "core/entry.h"

#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/event.h"
#include "core/resource.h"
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

/*
 * All entries as they are shown, kept until one is changed: then the others
 * stay as they were made, unless what extends them has changed.
 */
struct all_shown {
	uint64_t own, others; /* generations */
	json_t *stored; /* arrays, in the same order */
	json_t *shown;
};

static struct all_shown *
all_shown_of(const struct resource *r, bool secrets)
{
	static struct all_shown(*all)[2];
	size_t n = resource_index(r);

	if (all == NULL)
		all = xcalloc(resource_count(), sizeof(*all));
	return &all[n][secrets];
}

static uint64_t
others_of(const struct resource *r)
{
	const struct resource *const *from;
	uint64_t generation = 0;

	for (from = r->extended_from; from != NULL && *from != NULL; from++)
		generation += store_generation(core_store(), (*from)->name);
	return generation;
}

/* What was made of the same stored object before, or NULL. */
static json_t *
made_before(const struct all_shown *all, const json_t *stored, size_t *at)
{
	int64_t id = json_int(stored, "id", -1);
	json_t *old;

	for (; *at < json_array_size(all->stored); (*at)++) {
		old = json_array_get(all->stored, *at);
		if (old == stored)
			return json_array_get(all->shown, (*at)++);
		if (json_int(old, "id", -1) > id)
			break;
	}
	return NULL;
}

static void
make_all(struct all_shown *all, const struct resource *r, bool secrets)
{
	json_t *stored = store_list(core_store(), r->name);
	json_t *made = json_array(), *entry, *old;
	size_t i, at = 0;

	json_array_foreach(stored, i, entry) {
		old = made_before(all, entry, &at);
		if (old != NULL)
			json_array_append(made, old);
		else
			json_array_append_new(made, shown(r, entry, secrets));
	}
	json_decref(all->stored);
	json_decref(all->shown);
	all->stored = stored;
	all->shown = made;
}

json_t *
entry_shown_all(const struct resource *r, bool secrets)
{
	struct all_shown *all;
	uint64_t own = store_generation(core_store(), r->name);
	uint64_t others = others_of(r);

	/* Nothing to add and nothing to hide: as they are. */
	if (r->extend == NULL && (secrets || !schema_secrets(r->fields)))
		return store_list(core_store(), r->name);
	secrets = secrets || !schema_secrets(r->fields);
	all = all_shown_of(r, secrets);
	if (all->shown != NULL && all->others != others) {
		json_decref(all->stored);
		all->stored = NULL;
	}
	if (all->stored == NULL || all->own != own)
		make_all(all, r, secrets);
	all->own = own;
	all->others = others;
	return json_incref(all->shown);
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

	if (all == NULL)
		all = xcalloc(resource_count(), sizeof(*all));
	return &all[resource_index(r)];
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
	uint64_t generation =
	    store_generation(core_store(), r->name) + others_of(r);

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
