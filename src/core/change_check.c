/*
 * What the tables forbid, for every resource alike: a field without effect
 * that would be changed, a name that another entry has, a reference to what
 * does not exist, and the removal of what is referred to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/change_internal.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/resource.h"
#include "core/schema_internal.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* A field whose effect is not built is returned, but not changed. */
static void
check_unbuilt(struct change *c, const struct field *f)
{
	const json_t *after = json_object_get(c->after, f->name);
	json_t *before;

	if (c->before != NULL)
		before = json_incref(json_object_get(c->before, f->name));
	else
		before = schema_default_full(f);
	if (!json_equal(before, after))
		verr_add(c->errors, f->name,
		    "This setting has no effect in this version of Holdfast "
		    "and cannot be changed yet");
	json_decref(before);
}

/* The call's own entry, whose fields the caller knows by name. */
static bool
is_own(const struct change *c, const struct edit *e)
{
	return e->resource == c->resource && e->id == c->id;
}

static bool
has(const struct edit *e, const struct field *f, const json_t *value)
{
	return e->after != NULL &&
	    json_equal(json_object_get(e->after, f->name), value);
}

static char *
value_key(const struct resource *r, const struct field *f, const json_t *value)
{
	char *text = json_text(value);
	char *key = xasprintf("%s.%s=%s", r->name, f->name, text);

	free(text);
	return key;
}

/* Of thousands of edits at once: the first one of each value. */
static void
make_values(struct change *c)
{
	const struct field *f;
	const json_t *value;
	size_t i;
	char *key;

	c->values = json_object();
	for (i = 0; i < c->nedits; i++)
		for (f = c->edits[i].resource->fields; f->name != NULL; f++) {
			value = json_object_get(c->edits[i].after, f->name);
			if (!(f->flags & FF_UNIQUE) || value == NULL)
				continue;
			key = value_key(c->edits[i].resource, f, value);
			if (json_object_get(c->values, key) == NULL)
				json_object_set_new(c->values, key,
				    json_integer(c->edits[i].id));
			free(key);
		}
}

static int64_t
first_with(struct change *c, const struct edit *e, const struct field *f,
    const json_t *value)
{
	char *key = value_key(e->resource, f, value);
	int64_t id;

	if (c->values == NULL)
		make_values(c);
	id = json_int(c->values, key, e->id);
	free(key);
	return id;
}

/* The id of another entry with that value once all is done, or -1. */
static int64_t
other_with(struct change *c, const struct edit *e, const struct field *f,
    const json_t *value)
{
	int64_t stored = entry_by(e->resource, f->name, value);
	size_t i;

	if (c->own > 0 && first_with(c, e, f, value) != e->id)
		return first_with(c, e, f, value);
	for (i = 0; i < c->nedits && c->own == 0; i++)
		if (c->edits[i].resource == e->resource &&
		    c->edits[i].id != e->id && has(&c->edits[i], f, value))
			return c->edits[i].id;
	if (stored == e->id || change_find(c, e->resource, stored) != NULL)
		return -1;
	return stored;
}

static void
check_unique(struct change *c, const struct edit *e, const struct field *f)
{
	const json_t *value = json_object_get(e->after, f->name);
	const char *attribute = is_own(c, e) ? f->name : NULL;
	const char *kind = e->resource->verbose_name;

	if (value == NULL || json_is_null(value) ||
	    other_with(c, e, f, value) == -1)
		return;
	if (json_is_string(value))
		verr_add_errno(c->errors, EEXIST, attribute,
		    "A %s with the %s \"%s\" already exists.", kind, f->name,
		    json_string_value(value));
	else
		verr_add_errno(c->errors, EEXIST, attribute,
		    "%s %lld is already used", f->name,
		    (long long)json_integer_value(value));
}

static bool
refers_to(const struct field *f, const struct resource *resource)
{
	return f->refers != NULL && strcmp(f->refers, resource->name) == 0;
}

char *
change_missing(
    const struct change *c, const struct resource *r, const json_t *ids)
{
	const json_t *item = ids;
	char *missing = NULL, *longer;
	size_t i, count = 1;

	if (json_is_array(ids))
		count = json_array_size(ids);
	for (i = 0; i < count; i++) {
		if (json_is_array(ids))
			item = json_array_get(ids, i);
		if (!json_is_integer(item) ||
		    change_view(c, r, json_integer_value(item)) != NULL)
			continue;
		longer = xasprintf("%s%s%lld", missing == NULL ? "" : missing,
		    missing == NULL ? "" : ", ",
		    (long long)json_integer_value(item));
		free(missing);
		missing = longer;
	}
	return missing;
}

static void
check_reference(struct change *c, const struct edit *e, const struct field *f)
{
	const json_t *value = json_object_get(e->after, f->name);
	char *missing;

	if (value == NULL)
		return;
	missing = change_missing(c, resource_find(f->refers), value);
	if (missing != NULL)
		verr_add(c->errors, is_own(c, e) ? f->name : NULL,
		    "Following %ss do not exist: %s", f->refers, missing);
	free(missing);
}

/* Where the id stands in the value; -1: nowhere, otherwise its index. */
static int
index_of(const json_t *value, int64_t id)
{
	size_t i;

	if (json_is_integer(value))
		return json_integer_value(value) == id ? 0 : -1;
	for (i = 0; i < json_array_size(value); i++)
		if (json_integer_value(json_array_get(value, i)) == id)
			return (int)i;
	return -1;
}

/* Where the store does not hold what goes, nothing else is changed with it. */
static bool
may_release(const struct change *c, const struct field *f)
{
	return (f->flags & FF_RELEASES) && c->resource->apply == NULL;
}

/* What goes: an entry of resource. */
struct going {
	const struct resource *resource;
	int64_t id;
};

/*
 * A list forgets what goes, who follows goes as well, and who needs it keeps
 * it from going.
 */
static void
release(struct change *c, const struct going *g, const struct resource *r,
    const struct field *f, const json_t *entry)
{
	int64_t id = json_int(entry, "id", 0);
	struct edit *e;
	json_t *value;
	int at;

	if (index_of(json_object_get(entry, f->name), g->id) == -1)
		return;
	if ((f->flags & FF_FOLLOWS) && c->resource->apply == NULL) {
		change_remove(c, r, id);
		return;
	}
	if (!may_release(c, f)) {
		verr_add_errno(c->errors, EBUSY, NULL,
		    "%s %lld is in use by %s %lld", g->resource->verbose_name,
		    (long long)g->id, r->verbose_name, (long long)id);
		return;
	}
	e = change_edit(c, r, id);
	if (e == NULL)
		return;
	value = json_object_get(e->after, f->name);
	if (json_is_integer(value))
		json_object_set_new(e->after, f->name, json_null());
	else
		while ((at = index_of(value, g->id)) != -1)
			json_array_remove(value, (size_t)at);
}

static void
check_users_of(
    struct change *c, const struct going *g, const struct resource *r)
{
	const struct field *f;
	json_t *all = NULL, *entry;
	size_t i;

	for (f = r->fields; f != NULL && f->name != NULL; f++) {
		if (!refers_to(f, g->resource))
			continue;
		if (all == NULL)
			all = change_view_all(c, r);
		json_array_foreach(all, i, entry)
			release(c, g, r, f, entry);
	}
	json_decref(all);
}

/*
 * The call's own entry as a whole; of those that are edited along with it what
 * becomes different.
 */
static void
check_entry(struct change *c, const struct edit *e)
{
	const struct field *f;

	for (f = e->resource->fields; f->name != NULL; f++) {
		if (is_own(c, e) && (f->flags & FF_UNBUILT))
			check_unbuilt(c, f);
		if (!is_own(c, e) && e->before != NULL &&
		    has(e, f, json_object_get(e->before, f->name)))
			continue;
		if (f->flags & FF_UNIQUE)
			check_unique(c, e, f);
		if (f->refers != NULL)
			check_reference(c, e, f);
	}
}

void
change_check_one(struct change *c, size_t edit)
{
	const struct resource *const *r;
	struct going going;

	if (c->edits[edit].after != NULL) {
		check_entry(c, &c->edits[edit]);
		return;
	}
	going.resource = c->edits[edit].resource;
	going.id = c->edits[edit].id;
	for (r = resources; *r != NULL; r++)
		check_users_of(c, &going, *r);
}

/* Releasing adds edits; what these say was right before. */
void
change_check(struct change *c)
{
	size_t i, count = c->nedits;

	for (i = 0; i < count; i++)
		change_check_one(c, i);
}

void
change_check_along(struct change *c)
{
	size_t i, count = c->nedits;

	if (c->items == NULL)
		return;
	verr_prefix(c->errors, NULL);
	for (i = c->own; i < count; i++)
		change_check_one(c, i);
}
