/*
 * config.history, config.diff: the revisions of the store.  Secrets are never
 * shown; those that were replaced are not there any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/query.h"
#include "core/resource.h"
#include "core/sealed.h"
#include "core/schema.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/config.h"

#define HIDDEN "********"
#define GONE "(erased)"

/* clang-format off */
const struct field config_diff_params[] = {
	{ .name = "from", .type = F_INT, .flags = FF_REQUIRED, .min = 1,
	  .max = INT64_MAX, .doc = "Number of a revision: as it left things." },
	{ .name = "to", .type = F_INT, .flags = FF_NULL, .def = "null",
	  .min = 1, .max = INT64_MAX,
	  .doc = "Number of a later revision; null: now." },
	FIELD_END
};

static const char *const states[] = {
	[REVISION_PENDING] = "PENDING", [REVISION_COMMITTED] = "COMMITTED",
	[REVISION_UNDONE] = "UNDONE"
};
/* clang-format on */

bool
config_usable(struct call *call)
{
	if (core_store() != NULL)
		return true;
	call_fail(call, EIO, "%s", core_store_refused());
	return false;
}

void
config_unreadable(struct call *call)
{
	call_fail(
	    call, EIO, "The revisions cannot be read: %s", strerror(errno));
}

/* Whether it is one that was replaced can be told, on disk and revealed. */
static json_t *
hide(const struct schema_place *at, const struct field *row,
    const json_t *value, void *arg)
{
	const char *text = json_string_value(value);

	(void)at;
	(void)row;
	(void)arg;
	if ((text != NULL && strcmp(text, SEALED_ERASED) == 0) ||
	    json_object_get(value, SEALED_ERASED_MEMBER) != NULL)
		return json_string(GONE);
	return json_string(HIDDEN);
}

/* Of what has no table nobody knows what is secret. */
static json_t *
shown(const struct resource *r, const json_t *document)
{
	if (document == NULL)
		return json_null();
	if (r == NULL || r->fields == NULL)
		return json_string(HIDDEN);
	return schema_map_secrets(r->fields, document, hide, NULL);
}

json_t *
config_changed(
    const struct resource *r, const json_t *before, const json_t *after)
{
	if (r == NULL || r->fields == NULL || before == NULL || after == NULL)
		return json_array();
	return schema_changed(r->fields, before, after);
}

static bool
list_revision(const struct revision *r, void *arg)
{
	const struct resource *resource = resource_find(r->resource);
	json_t *before = store_reveal(core_store(), r, r->before);
	json_t *after = store_reveal(core_store(), r, r->after);

	/* clang-format off */
	json_array_append_new(arg, json_pack("{s:I, s:I, s:s, s:o, s:s, s:s, "
	    "s:s, s:I, s:o, s:o, s:o}",
	    "number", (json_int_t)r->number, "change", (json_int_t)r->change,
	    "state", states[r->state], "time", json_date(r->time),
	    "user", r->who, "origin", r->origin, "resource", r->resource,
	    "entry", (json_int_t)r->entry,
	    "changed", config_changed(resource, before, after),
	    "before", shown(resource, r->before),
	    "after", shown(resource, r->after)));
	/* clang-format on */
	json_decref(before);
	json_decref(after);
	return true;
}

void
config_history_run(struct call *call)
{
	json_t *list;

	if (!config_usable(call))
		return;
	list = json_array();
	if (store_history(core_store(), 0, list_revision, list) == -1) {
		json_decref(list);
		config_unreadable(call);
	} else
		query_reply(call, list);
}

/* What differs, by "resource/entry": {resource, entry, before, after}. */
struct comparison {
	int64_t from, to; /* to 0: now */
	bool from_seen, to_seen;
	json_t *entries;
};

static json_t *
or_null(json_t *value)
{
	return value != NULL ? value : json_null();
}

static bool
compare_revision(const struct revision *r, void *arg)
{
	struct comparison *c = arg;
	json_t *entry, *after;
	char *key;

	c->from_seen |= r->number == c->from;
	c->to_seen |= r->number == c->to;
	if (r->number <= c->from || r->state != REVISION_COMMITTED ||
	    (c->to != 0 && r->number > c->to))
		return true;
	key = xasprintf("%s/%lld", r->resource, (long long)r->entry);
	entry = json_object_get(c->entries, key);
	if (entry == NULL) {
		entry = json_pack("{s:s, s:I, s:o}", "resource", r->resource,
		    "entry", (json_int_t)r->entry, "before",
		    or_null(store_reveal(core_store(), r, r->before)));
		json_object_set_new(c->entries, key, entry);
	}
	after = store_reveal(core_store(), r, r->after);
	json_object_set_new(entry, "after", or_null(after));
	free(key);
	return true;
}

static const json_t *
member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

/* The entries that came out different, as they may be shown. */
static json_t *
differences(const struct comparison *c)
{
	json_t *list = json_array(), *entry;
	const json_t *before, *after;
	const struct resource *r;
	const char *key;

	json_object_foreach(c->entries, key, entry) {
		before = member(entry, "before");
		after = member(entry, "after");
		if (before == after ||
		    (before != NULL && after != NULL &&
			json_equal(before, after)))
			continue;
		r = resource_find(json_str(entry, "resource", ""));
		json_array_append_new(list,
		    json_pack("{s:O, s:O, s:o, s:o, s:o}", "resource",
			json_object_get(entry, "resource"), "entry",
			json_object_get(entry, "entry"), "changed",
			config_changed(r, before, after), "before",
			shown(r, before), "after", shown(r, after)));
	}
	return list;
}

void
config_diff_run(struct call *call)
{
	struct comparison c = { .from = json_integer_value(call_param(call, 0)),
		.to = json_integer_value(call_param(call, 1)) };

	if (!config_usable(call))
		return;
	c.entries = json_object();
	if (store_history(core_store(), c.from, compare_revision, &c) == -1)
		config_unreadable(call);
	else if (!c.from_seen || (c.to != 0 && !c.to_seen))
		call_fail_absent(call, "Revision %lld is not kept",
		    (long long)(c.from_seen ? c.to : c.from));
	else
		call_reply(call, differences(&c));
	json_decref(c.entries);
}
