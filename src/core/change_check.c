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

static void
check_unique(struct change *c, const struct field *f)
{
	const json_t *value = json_object_get(c->after, f->name);
	int64_t other;

	if (value == NULL || json_is_null(value))
		return;
	other = entry_by(c->resource, f->name, value);
	if (other == -1 || other == c->id)
		return;
	if (json_is_string(value))
		verr_add_errno(c->errors, EEXIST, f->name,
		    "A %s with the %s \"%s\" already exists.",
		    c->resource->verbose_name, f->name,
		    json_string_value(value));
	else
		verr_add_errno(c->errors, EEXIST, f->name,
		    "%s %lld is already used", f->name,
		    (long long)json_integer_value(value));
}

static bool
refers_to(const struct field *f, const struct resource *resource)
{
	return f->refers != NULL && strcmp(f->refers, resource->name) == 0;
}

/* "1, 2", malloc'd: the ids that are no entry's; NULL: all are. */
static char *
missing_of(struct change *c, const struct field *f, const json_t *value)
{
	const struct resource *target = resource_find(f->refers);
	const json_t *item = value;
	char *missing = NULL, *longer;
	size_t i, count = 1;

	if (json_is_array(value))
		count = json_array_size(value);
	for (i = 0; i < count; i++) {
		if (json_is_array(value))
			item = json_array_get(value, i);
		if (!json_is_integer(item) ||
		    change_view(c, target, json_integer_value(item)) != NULL)
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
check_reference(struct change *c, const struct field *f)
{
	const json_t *value = json_object_get(c->after, f->name);
	char *missing;

	if (value == NULL)
		return;
	missing = missing_of(c, f, value);
	if (missing != NULL)
		verr_add(c->errors, f->name, "Following %ss do not exist: %s",
		    f->refers, missing);
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

/* A list forgets what goes; who needs it keeps it from going. */
static void
release(struct change *c, const struct resource *r, const struct field *f,
    const json_t *entry)
{
	const json_t *value = json_object_get(entry, f->name);
	int64_t id = json_int(entry, "id", 0);
	struct edit *e;
	int at = index_of(value, c->id);

	if (at == -1)
		return;
	if (!(f->flags & FF_RELEASES)) {
		verr_add_errno(c->errors, EBUSY, NULL,
		    "%s %lld is in use by %s %lld", c->resource->verbose_name,
		    (long long)c->id, r->verbose_name, (long long)id);
		return;
	}
	e = change_edit(c, r, id);
	if (e == NULL || e->after == NULL)
		return;
	if (json_is_integer(value))
		json_object_set_new(e->after, f->name, json_null());
	else
		json_array_remove(
		    json_object_get(e->after, f->name), (size_t)at);
}

static void
check_users_of(struct change *c, const struct resource *r)
{
	const struct field *f;
	json_t *all = NULL, *entry;
	size_t i;

	for (f = r->fields; f != NULL && f->name != NULL; f++) {
		if (!refers_to(f, c->resource))
			continue;
		if (all == NULL)
			all = change_view_all(c, r);
		json_array_foreach(all, i, entry)
			release(c, r, f, entry);
	}
	json_decref(all);
}

void
change_check(struct change *c)
{
	const struct resource *const *r;
	const struct field *f;

	if (c->verb == CHANGE_DELETE) {
		for (r = resources; *r != NULL; r++)
			check_users_of(c, *r);
		return;
	}
	for (f = c->resource->fields; f->name != NULL; f++) {
		if (f->flags & FF_UNBUILT)
			check_unbuilt(c, f);
		if (f->flags & FF_UNIQUE)
			check_unique(c, f);
		if (f->refers != NULL)
			check_reference(c, f);
	}
}
