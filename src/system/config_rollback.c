/*
 * config.rollback: the fields that one revision changed get their former
 * values, through the pipeline as if somebody had typed them in.  It stops at
 * a field that was changed since, and gives back no secret and, unless it is
 * named, no right (design section 4).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/core.h"
#include "core/resource.h"
#include "core/sealed.h"
#include "core/schema.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/config.h"

/* clang-format off */
static const struct field revive_row[] = {
	{ .name = "field", .type = F_STR, .max = 255,
	  .doc = "A member of the entry." },
	FIELD_END
};

static const struct field rollback_options[] = {
	{ .name = "revive", .type = F_ARRAY, .fields = revive_row, .def = "[]",
	  .doc = "Members that give rights or let somebody in: they are "
	  "reverted only when they are named here." },
	LOCKOUT_ROW,
	FIELD_END
};

const struct field config_rollback_params[] = {
	{ .name = "number", .type = F_INT, .flags = FF_REQUIRED, .min = 1,
	  .max = INT64_MAX, .doc = "Number of the revision." },
	{ .name = "options", .type = F_OBJECT, .fields = rollback_options,
	  .def = "{}", .model = "ConfigRollback", .doc = "More of it." },
	FIELD_END
};
/* clang-format on */

char *
config_rollback_suffix(const json_t *params)
{
	return json_text(json_array_get(params, 0));
}

/* A rollback in the making. */
struct rollback {
	struct call *call;
	int64_t number;
	struct revision found; /* its documents revealed */
	const struct resource *resource;
	json_t *later; /* field: [number, user] of who changed it since */
	struct verr *errors;
};

static void
note_later(struct rollback *b, const struct revision *r)
{
	json_t *before = store_reveal(core_store(), r, r->before);
	json_t *after = store_reveal(core_store(), r, r->after);
	json_t *names = config_changed(b->resource, before, after), *name;
	size_t i;

	json_array_foreach(names, i, name)
		if (json_object_get(b->later, json_string_value(name)) == NULL)
			json_object_set_new(b->later, json_string_value(name),
			    json_pack("[I, s]", (json_int_t)r->number, r->who));
	json_decref(names);
	json_decref(before);
	json_decref(after);
}

static bool
find_revision(const struct revision *r, void *arg)
{
	struct rollback *b = arg;

	if (r->number == b->number) {
		b->found = *r;
		b->found.resource = xstrdup(r->resource);
		b->found.before = store_reveal(core_store(), r, r->before);
		b->found.after = store_reveal(core_store(), r, r->after);
		b->resource = resource_find(r->resource);
	} else if (b->found.number != 0 && r->state == REVISION_COMMITTED &&
	    r->entry == b->found.entry &&
	    strcmp(r->resource, b->found.resource) == 0)
		note_later(b, r);
	return true;
}

static bool
holds_erased(const json_t *value)
{
	json_t *item;
	const char *key;
	size_t i;

	if (json_object_get(value, SEALED_ERASED_MEMBER) != NULL)
		return true;
	json_array_foreach(value, i, item)
		if (holds_erased(item))
			return true;
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
		if (holds_erased(item))
			return true;
	return false;
}

static bool
is_named(const struct rollback *b, const char *name)
{
	json_t *named = json_object_get(call_param(b->call, 1), "revive");
	json_t *item;
	size_t i;

	json_array_foreach(named, i, item)
		if (strcmp(json_string_value(item), name) == 0)
			return true;
	return false;
}

static bool
contains(const json_t *list, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_equal(item, value))
			return true;
	return false;
}

/* Does the former value of such a field give what this one does not? */
static bool
gives_more(const json_t *former, const json_t *now)
{
	const json_t *item;
	size_t i;

	if (json_is_null(former) || json_is_false(former))
		return false;
	if (!json_is_array(former) || !json_is_array(now))
		return true;
	json_array_foreach(former, i, item)
		if (!contains(now, item))
			return true;
	return false;
}

/* May the field get its former value back? */
static void
check_field(struct rollback *b, const struct field *f, const json_t *former)
{
	json_t *later = json_object_get(b->later, f->name);

	if (later != NULL)
		verr_add(b->errors, f->name,
		    "Revision %lld by %s has changed this field since",
		    (long long)json_integer_value(json_array_get(later, 0)),
		    json_string_value(json_array_get(later, 1)));
	else if (holds_erased(former) || (f->flags & FF_SECRET))
		verr_add(b->errors, f->name,
		    "This is a secret that was erased when it was replaced: "
		    "set a new one");
	else if ((f->flags & FF_GRANTS) &&
	    gives_more(former, json_object_get(b->found.after, f->name)) &&
	    !is_named(b, f->name))
		verr_add(b->errors, f->name,
		    "This gives rights that were taken away: name it in "
		    "options.revive if it shall be given again");
}

/* The members to set; read-only ones are not anybody's to change. */
static json_t *
former_values(struct rollback *b)
{
	json_t *names =
	    config_changed(b->resource, b->found.before, b->found.after);
	json_t *data = json_object(), *name, *former;
	json_t *defaults = schema_defaults(b->resource->fields);
	const struct field *f;
	size_t i;

	json_array_foreach(names, i, name) {
		f = b->resource->fields;
		while (strcmp(f->name, json_string_value(name)) != 0)
			f++;
		if (f->flags & (FF_READONLY | FF_UNSTORED))
			continue;
		former = json_object_get(b->found.before, f->name);
		if (former == NULL)
			former = json_object_get(defaults, f->name);
		check_field(b, f, former);
		if (former != NULL)
			json_object_set(data, f->name, former);
	}
	json_decref(names);
	json_decref(defaults);
	return data;
}

static bool
can_roll_back(struct rollback *b)
{
	if (b->found.number == 0) {
		call_fail_absent(
		    b->call, "Revision %lld is not kept", (long long)b->number);
		return false;
	}
	if (b->found.state != REVISION_COMMITTED) {
		call_fail(b->call, EINVAL,
		    "Revision %lld never took effect: there is nothing to "
		    "roll back",
		    (long long)b->number);
		return false;
	}
	if (b->resource == NULL || b->resource->fields == NULL ||
	    b->found.before == NULL || b->found.after == NULL ||
	    store_get(core_store(), b->found.resource, b->found.entry) ==
		NULL) {
		call_fail(b->call, EOPNOTSUPP,
		    "Revision %lld made or removed an entry: only changes of "
		    "an entry that is still there are rolled back",
		    (long long)b->number);
		return false;
	}
	return true;
}

/* Nobody changes the entry between this look and the change itself. */
static void
submit(struct rollback *b, json_t *data)
{
	json_object_set_new(data, "if_revision",
	    json_integer(store_revision(
		core_store(), b->found.resource, b->found.entry)));
	change_submit(
	    b->call, b->resource, CHANGE_UPDATE, b->found.entry, data, NULL);
}

void
config_rollback_run(struct call *call)
{
	struct rollback b = { .call = call,
		.number = json_integer_value(call_param(call, 0)) };
	json_t *data;

	if (!config_usable(call))
		return;
	b.later = json_object();
	b.errors = verr_new();
	verr_prefix(b.errors, "config_rollback");
	if (store_history(core_store(), b.number, find_revision, &b) == -1)
		config_unreadable(call);
	else if (can_roll_back(&b)) {
		data = former_values(&b);
		if (verr_any(b.errors)) {
			call_fail_invalid(call, b.errors);
			b.errors = NULL;
		} else
			submit(&b, data);
		json_decref(data);
	}
	verr_free(b.errors);
	json_decref(b.later);
	free(b.found.resource);
	json_decref(b.found.before);
	json_decref(b.found.after);
}
