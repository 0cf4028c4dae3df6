/*
 * Defaults of rows, and stored objects as the C structs that renderers read.
 */
#include <stdlib.h>
#include <string.h>

#include "core/schema_internal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

json_t *
schema_default(const struct field *f)
{
	if (f->def == NULL)
		return NULL;
	return json_parse(f->def, strlen(f->def), NULL);
}

json_t *
schema_default_full(const struct field *f)
{
	json_t *value = schema_default(f), *full;
	struct verr *errors;

	/* Only an object's default may leave something out. */
	if (value == NULL || f->type != F_OBJECT || json_is_null(value))
		return value;
	errors = verr_new();
	full = schema_value(f, f->name, value, SCHEMA_ARGUMENT, errors);
	json_decref(value);
	verr_free(errors);
	if (full == NULL)
		fatal("the default of %s breaks its own rules", f->name);
	return full;
}

bool
schema_hidden(const struct field *f, enum schema_use use)
{
	if (use == SCHEMA_RESULT)
		return (f->flags & FF_UNSTORED) != 0;
	if (use == SCHEMA_STORED && (f->flags & FF_KEPT))
		return false;
	return (f->flags & FF_READONLY) != 0 ||
	    (use == SCHEMA_UPDATE && (f->flags & FF_CREATE));
}

const struct field *
schema_find(const struct field *f, const char *name)
{
	for (; f != NULL && f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

const struct variant *
schema_variant(const struct field *f, const json_t *object)
{
	const char *tag = json_str(object, f->tag, NULL);
	const struct variant *v;

	for (v = f->variants; tag != NULL && v->value != NULL; v++)
		if (strcmp(v->value, tag) == 0)
			return v;
	return NULL;
}

int64_t
schema_text_max(const struct field *f)
{
	return f->max > 0 ? f->max : STRING_MAX;
}

size_t
schema_choice_count(const struct field *f)
{
	size_t count = 0;

	while (f->choices != NULL && f->choices[count] != NULL)
		count++;
	return count;
}

int
schema_choice(const struct field *f, const char *text)
{
	int i;

	for (i = 0; f->choices != NULL && f->choices[i] != NULL; i++)
		if (strcmp(f->choices[i], text) == 0)
			return i;
	return -1;
}

pcre2_code *
schema_pattern(const struct field *f, int *errorp)
{
	PCRE2_SIZE offset;

	return pcre2_compile((PCRE2_SPTR)f->pattern, PCRE2_ZERO_TERMINATED,
	    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
		PCRE2_DOLLAR_ENDONLY,
	    errorp, &offset, NULL);
}

json_t *
schema_defaults(const struct field *f)
{
	json_t *object = json_object(), *value;

	for (; f != NULL && f->name != NULL; f++) {
		if (f->flags & FF_UNSTORED)
			continue;
		value = schema_default_full(f);
		if (value != NULL)
			json_object_set_new(object, f->name, value);
	}
	return object;
}

static void
does_not_fit(const struct field *f)
{
	fatal("the stored value of %s does not fit its field", f->name);
}

static char **
strings_of(const struct field *f, const json_t *value)
{
	char **strings;
	json_t *item;
	size_t i;

	if (!json_is_array(value))
		does_not_fit(f);
	strings = xcalloc(json_array_size(value) + 1, sizeof *strings);
	json_array_foreach(value, i, item) {
		if (!json_is_string(item))
			does_not_fit(f);
		strings[i] = xstrdup(json_string_value(item));
	}
	return strings;
}

static int
choice_of(const struct field *f, const json_t *value)
{
	int choice = -1;

	if (json_is_string(value))
		choice = schema_choice(f, json_string_value(value));
	if (choice == -1)
		does_not_fit(f);
	return choice;
}

static uint32_t
choices_of(const struct field *f, const json_t *value)
{
	uint32_t set = 0;
	json_t *item;
	size_t i;

	if (f->flags & FF_SET)
		value = json_object_get(value, "$set");
	if (!json_is_array(value))
		does_not_fit(f);
	json_array_foreach(value, i, item)
		set |= UINT32_C(1) << choice_of(f, item);
	return set;
}

static void
set_null(const struct field *f, void *at)
{
	if (f->type == F_INT)
		*(int64_t *)at = INT64_MIN;
	else if (f->type == F_ENUM)
		*(int *)at = -1;
}

/* Kinds without a C type have no member: AS_MEMBER does not compile. */
static void
set_member(const struct field *f, const json_t *value, void *at)
{
	switch (f->type) {
	case F_BOOL:
		if (!json_is_boolean(value))
			does_not_fit(f);
		*(bool *)at = json_is_true(value);
		break;
	case F_INT:
		if (!json_is_integer(value))
			does_not_fit(f);
		*(int64_t *)at = json_integer_value(value);
		break;
	case F_STR:
		if (!json_is_string(value))
			does_not_fit(f);
		*(char **)at = xstrdup(json_string_value(value));
		break;
	case F_ENUM:
		*(int *)at = choice_of(f, value);
		break;
	case F_STRV:
		*(char ***)at = strings_of(f, value);
		break;
	case F_ENUMV:
		*(uint32_t *)at = choices_of(f, value);
		break;
	default:
		break;
	}
}

void
schema_to_struct(const struct field *f, const json_t *object, void *data)
{
	const json_t *value;
	json_t *def;
	void *at;

	for (; f != NULL && f->name != NULL; f++) {
		at = (char *)data + f->offset;
		value = json_object_get(object, f->name);
		def = value == NULL ? schema_default(f) : NULL;
		if (def != NULL)
			value = def;
		if (value == NULL)
			continue;
		if (!json_is_null(value))
			set_member(f, value, at);
		else if (f->flags & FF_NULL)
			set_null(f, at);
		else
			does_not_fit(f);
		json_decref(def);
	}
}

static void
free_string(const struct field *f, char *text)
{
	if (f->flags & FF_SECRET)
		freezero_str(text);
	else
		free(text);
}

void
schema_struct_free(const struct field *f, void *data)
{
	char **strings, ***list;
	char **text;
	size_t i;

	for (; f != NULL && f->name != NULL; f++) {
		if (f->type == F_STR) {
			text = (char **)(void *)((char *)data + f->offset);
			free_string(f, *text);
			*text = NULL;
		} else if (f->type == F_STRV) {
			list = (char ***)(void *)((char *)data + f->offset);
			strings = *list;
			for (i = 0; strings != NULL && strings[i] != NULL; i++)
				free_string(f, strings[i]);
			free(strings);
			*list = NULL;
		}
	}
}
