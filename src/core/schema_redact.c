/*
 * Secrets out of what is shown or logged, and what a change changed.
 */
#include <string.h>

#include "core/schema_internal.h"

#define REDACTED "********"

/* One walk through a value: what becomes of the secrets on the way. */
struct walk {
	schema_map *map;
	void *arg;
};

static json_t *walk_value(const struct walk *, const struct field *,
    const json_t *, const struct schema_place *);

bool
schema_has_secret(const struct field *f)
{
	const struct variant *v;
	const struct field *below;

	if (f->flags & FF_SECRET)
		return true;
	if (f->type == F_ARRAY || f->type == F_DICT)
		return f->fields != NULL && schema_has_secret(f->fields);
	for (below = f->fields; below != NULL && below->name != NULL; below++)
		if (schema_has_secret(below))
			return true;
	for (v = f->variants; v != NULL && v->value != NULL; v++)
		for (below = v->fields; below && below->name; below++)
			if (schema_has_secret(below))
				return true;
	return false;
}

bool
schema_secrets(const struct field *f)
{
	for (; f != NULL && f->name != NULL; f++)
		if (schema_has_secret(f))
			return true;
	return false;
}

/*
 * A row of that name in any variant, the one with a secret first: the tag
 * does not say which is meant.
 */
static const struct field *
find_anywhere(const struct field *f, const char *name)
{
	const struct field *found = NULL, *row;
	const struct variant *v;

	for (v = f->variants; v->value != NULL; v++) {
		row = schema_find(v->fields, name);
		if (row != NULL && (found == NULL || schema_has_secret(row)))
			found = row;
	}
	return found;
}

static const struct field *
member_row(const struct field *f, const struct variant *v, const char *name)
{
	if (f->type == F_DICT)
		return f->fields;
	if (f->type == F_OBJECT)
		return schema_find(f->fields, name);
	if (v != NULL)
		return schema_find(v->fields, name);
	return find_anywhere(f, name);
}

/*
 * A member without a row, beside a secret, may be that secret misspelt: it is
 * taken for one.
 */
static json_t *
walk_members(const struct walk *w, const struct field *f, const json_t *value,
    const struct schema_place *up)
{
	json_t *object = (json_t *)(uintptr_t)value, *result = json_object();
	struct schema_place at = { .up = up };
	const struct field *row, *next = f->type == F_OBJECT ? f->fields : NULL;
	const struct variant *v = NULL;
	json_t *item;

	if (f->type == F_UNION)
		v = schema_variant(f, value);
	json_object_foreach(object, at.name, item) {
		/* Mostly they are in the order of the table. */
		if (next != NULL && next->name != NULL &&
		    strcmp(next->name, at.name) == 0)
			row = next;
		else
			row = member_row(f, v, at.name);
		if (next != NULL && row != NULL)
			next = row + 1;
		if (row != NULL)
			item = walk_value(w, row, item, &at);
		else if (v != NULL && strcmp(at.name, f->tag) == 0)
			item = json_incref(item);
		else
			item = w->map(&at, NULL, item, w->arg);
		json_object_set_new(result, at.name, item);
	}
	return result;
}

static json_t *
walk_value(const struct walk *w, const struct field *f, const json_t *value,
    const struct schema_place *up)
{
	struct schema_place at = { .up = up };
	const json_t *item;
	json_t *result;

	if (json_is_null(value) || !schema_has_secret(f))
		return json_incref((json_t *)(uintptr_t)value);
	if (f->flags & FF_SECRET)
		return w->map(up, f, value, w->arg);
	if (f->type == F_ARRAY && json_is_array(value)) {
		result = json_array();
		json_array_foreach(value, at.index, item)
			json_array_append_new(
			    result, walk_value(w, f->fields, item, &at));
		return result;
	}
	if (f->type != F_ARRAY && json_is_object(value))
		return walk_members(w, f, value, up);
	/* Of another type than it should be: it may be the secret itself. */
	return w->map(up, f, value, w->arg);
}

json_t *
schema_map_secrets(const struct field *fields, const json_t *object,
    schema_map *map, void *arg)
{
	const struct field whole = {
		.name = "", .type = F_OBJECT, .fields = fields
	};
	const struct walk w = { map, arg };

	return walk_value(&w, &whole, object, NULL);
}

static json_t *
place_json(const struct schema_place *at)
{
	json_t *path = at->up != NULL ? place_json(at->up) : json_array();

	json_array_append_new(path,
	    at->name != NULL ? json_string(at->name) :
			       json_integer((json_int_t)at->index));
	return path;
}

json_t *
schema_place_path(const struct schema_place *at)
{
	return at != NULL ? place_json(at) : json_array();
}

static json_t *
hide(const struct schema_place *at, const struct field *row,
    const json_t *value, void *arg)
{
	(void)at;
	(void)row;
	(void)value;
	(void)arg;
	return json_string(REDACTED);
}

static json_t *
redact(const struct field *f, const json_t *value)
{
	const struct walk w = { hide, NULL };

	return walk_value(&w, f, value, NULL);
}

json_t *
schema_redact(const struct field *fields, const json_t *object)
{
	const struct field whole = {
		.name = "", .type = F_OBJECT, .fields = fields
	};

	if (object == NULL)
		return json_null();
	return redact(&whole, object);
}

json_t *
schema_redact_value(const struct field *f, const json_t *value)
{
	return redact(f, value);
}

json_t *
schema_redact_params(const struct field *params, const json_t *given)
{
	const struct field whole = {
		.name = "", .type = F_OBJECT, .fields = params
	};
	bool secret = schema_has_secret(&whole);
	const struct field *f = params;
	const json_t *item;
	json_t *result;
	size_t i;

	if (!json_is_array(given) && secret)
		return json_string(REDACTED);
	if (!json_is_array(given))
		return json_incref((json_t *)(uintptr_t)given);
	result = json_array();
	json_array_foreach(given, i, item) {
		if (f != NULL && f->name != NULL)
			json_array_append_new(result, redact(f++, item));
		else if (secret)
			json_array_append_new(result, json_string(REDACTED));
		else
			json_array_append(result, (json_t *)(uintptr_t)item);
	}
	return result;
}

json_t *
schema_changed(const struct field *f, const json_t *before, const json_t *after)
{
	json_t *names = json_array(), *def, *old, *new;

	for (; f != NULL && f->name != NULL; f++) {
		if (f->flags & FF_UNSTORED)
			continue;
		/* A member added since an entry was stored is its default. */
		def = schema_default_full(f);
		old = json_object_get(before, f->name);
		new = json_object_get(after, f->name);
		old = old == NULL ? def : old;
		new = new == NULL ? def : new;
		if (old != new &&
		    (old == NULL || new == NULL || !json_equal(old, new)))
			json_array_append_new(names, json_string(f->name));
		json_decref(def);
	}
	return names;
}
