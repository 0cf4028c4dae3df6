/*
 * Checking values against rows, every error collected with its path.  The
 * texts are those of the real server's schema layer, which clients match.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "core/schema_internal.h"
#include "lib/ejson.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/*
 * A message of 64 KiB can be wrong in 30,000 places; nobody reads so many,
 * and the answer would be far larger than the question.
 */
#define ERRORS_MAX 500

/* Backtracking a table's own pattern may need; texts are foreign. */
#define MATCH_LIMIT 100000

/* Where we are: a chain up to the parameter, made into text when needed. */
struct at {
	const struct at *parent;
	const char *name; /* NULL: index */
	size_t index;
};

static json_t *check(struct verr *, const struct field *, const struct at *,
    const json_t *, enum schema_use);

static void
write_path(FILE *out, const struct at *at)
{
	if (at->parent != NULL) {
		write_path(out, at->parent);
		fputc('.', out);
	}
	if (at->name != NULL)
		fputs(at->name, out);
	else
		fprintf(out, "%zu", at->index);
}

/* Adds an error; always NULL, so that a check can return it. */
static json_t *__attribute__((format(printf, 3, 4)))
wrong(struct verr *e, const struct at *at, const char *fmt, ...)
{
	char *path, *text;
	size_t len;
	va_list ap;
	FILE *out;

	if (verr_count(e) >= ERRORS_MAX)
		return NULL;
	out = open_memstream(&path, &len);
	if (out == NULL)
		abort();
	write_path(out, at);
	if (fclose(out) != 0)
		abort();
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	verr_add(e, path, "%s", text);
	free(text);
	free(path);
	return NULL;
}

static const char *
plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

/* "'a', 'b' or 'c'" */
static char *
list_choices(const char *const *choices)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		abort();
	for (; *choices != NULL; choices++) {
		fprintf(out, "'%s'", *choices);
		if (choices[1] != NULL)
			fputs(choices[2] != NULL ? ", " : " or ", out);
	}
	if (fclose(out) != 0)
		abort();
	return text;
}

/* A date, a set and their like travel as objects, but are none. */
static bool
is_object(const json_t *given)
{
	return json_is_object(given) && ejson_kind(given) == EJSON_PLAIN;
}

static json_t *
check_choice(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	char *choices;

	if (json_is_string(given) &&
	    schema_choice(f, json_string_value(given)) != -1)
		return json_incref((json_t *)(uintptr_t)given);
	choices = list_choices(f->choices);
	wrong(e, at, "Input should be %s", choices);
	free(choices);
	return NULL;
}

static json_t *
check_integer(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	json_int_t value = json_integer_value(given);

	if (!json_is_integer(given))
		return wrong(e, at, "Input should be a valid integer");
	if (f->min != 0 || f->max != 0) {
		if (value > f->max)
			return wrong(e, at,
			    "Input should be less than or equal to %lld",
			    (long long)f->max);
		if (value < f->min)
			return wrong(e, at,
			    "Input should be greater than or equal to %lld",
			    (long long)f->min);
	}
	return json_incref((json_t *)(uintptr_t)given);
}

static bool
matches(const struct field *f, const json_t *given)
{
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_code *code;
	int error, result = -1;

	code = schema_pattern(f, &error);
	data = pcre2_match_data_create(1, NULL);
	context = pcre2_match_context_create(NULL);
	if (code != NULL && data != NULL && context != NULL) {
		pcre2_set_match_limit(context, MATCH_LIMIT);
		pcre2_set_depth_limit(context, MATCH_LIMIT);
		result = pcre2_match(code, (PCRE2_SPTR)json_string_value(given),
		    json_string_length(given), 0, 0, data, context);
	}
	pcre2_match_context_free(context);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return result >= 0;
}

static json_t *
check_string(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	int64_t length, max = schema_text_max(f);

	if (!json_is_string(given))
		return wrong(e, at, "Input should be a valid string");
	length = (int64_t)u8_mbsnlen((const uint8_t *)json_string_value(given),
	    json_string_length(given));
	/* Length before pattern: what is matched is bounded. */
	if (length > max)
		return wrong(e, at,
		    "String should have at most %lld character%s",
		    (long long)max, plural(max));
	if (length < f->min)
		return wrong(e, at,
		    "String should have at least %lld character%s",
		    (long long)f->min, plural(f->min));
	if (f->pattern != NULL && !matches(f, given)) {
		if (f->pattern_message != NULL)
			return wrong(e, at, "%s", f->pattern_message);
		return wrong(
		    e, at, "String should match pattern '%s'", f->pattern);
	}
	return json_incref((json_t *)(uintptr_t)given);
}

struct field
schema_element(const struct field *f)
{
	struct field element = { .name = f->name,
		.pattern = f->pattern,
		.pattern_message = f->pattern_message,
		.choices = f->choices };

	element.type = f->type == F_ENUMV ? F_ENUM : F_STR;
	return element;
}

static json_t *
check_array(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	size_t before = verr_count(e), count, i;
	struct field single = schema_element(f);
	const struct field *element = f->type == F_ARRAY ? f->fields : &single;
	const json_t *item;
	json_t *result, *checked;
	struct at below = { .parent = at };

	if (!json_is_array(given))
		return wrong(e, at, "Input should be a valid list");
	count = json_array_size(given);
	if (f->max > 0 && count > (size_t)f->max)
		return wrong(e, at,
		    "List should have at most %lld item%s after validation, "
		    "not %zu",
		    (long long)f->max, plural(f->max), count);
	if (f->min > 0 && count < (size_t)f->min)
		return wrong(e, at,
		    "List should have at least %lld item%s after validation, "
		    "not %zu",
		    (long long)f->min, plural(f->min), count);
	result = json_array();
	json_array_foreach(given, i, item) {
		below.index = i;
		if (element == NULL)
			checked = json_incref((json_t *)(uintptr_t)item);
		else
			checked =
			    check(e, element, &below, item, SCHEMA_ARGUMENT);
		if (checked != NULL)
			json_array_append_new(result, checked);
	}
	if (verr_count(e) == before)
		return result;
	json_decref(result);
	return NULL;
}

static bool
has_text(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	return false;
}

/* As it is shown: what is there twice, or in another order, is the same. */
static json_t *
check_set(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	json_t *checked, *set;
	size_t i;

	if (json_is_null(given) && (f->flags & FF_NULL))
		return json_set(json_array());
	if (ejson_kind(given) == EJSON_SET)
		given = json_object_get(given, "$set");
	if (!json_is_array(given))
		return wrong(e, at, "Input should be a valid set");
	checked = check_array(e, f, at, given);
	if (checked == NULL)
		return NULL;
	set = json_array();
	for (i = 0; i < schema_choice_count(f); i++)
		if (has_text(checked, f->choices[i]))
			json_array_append_new(set, json_string(f->choices[i]));
	json_decref(checked);
	return json_set(set);
}

static json_t *
check_dict(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	size_t before = verr_count(e);
	json_t *object = (json_t *)(uintptr_t)given, *result, *item, *checked;
	struct at below = { .parent = at };
	const char *key;

	if (!is_object(given))
		return wrong(e, at, "Input should be a valid dictionary");
	if (f->fields == NULL)
		return json_incref(object);
	result = json_object();
	json_object_foreach(object, key, item) {
		below.name = key;
		checked = check(e, f->fields, &below, item, SCHEMA_ARGUMENT);
		if (checked != NULL)
			json_object_set_new(result, key, checked);
	}
	if (verr_count(e) == before)
		return result;
	json_decref(result);
	return NULL;
}

/* One member: its value, or its default, into result. */
static void
check_member(struct verr *e, const struct field *f, const struct at *at,
    const json_t *object, enum schema_use use, json_t *result)
{
	const json_t *given = json_object_get(object, f->name);
	struct at below = { .parent = at, .name = f->name };
	json_t *value = NULL;

	if (given != NULL) {
		value = check(e, f, &below, given, SCHEMA_ARGUMENT);
	} else if (use == SCHEMA_UPDATE) {
		return;
	} else if (f->flags & FF_REQUIRED) {
		wrong(e, &below, "Field required");
	} else {
		value = schema_default_full(f);
	}
	if (value != NULL)
		json_object_set_new(result, f->name, value);
}

/* The members of an object; skip is a union's tag, or NULL. */
static json_t *
check_members(struct verr *e, const struct field *fields, bool open,
    const char *skip, const struct at *at, const json_t *given,
    enum schema_use use)
{
	json_t *object = (json_t *)(uintptr_t)given, *item;
	size_t before = verr_count(e);
	json_t *result = json_object();
	struct at below = { .parent = at };
	const struct field *f;
	const char *key;

	if (skip != NULL)
		json_object_set(result, skip, json_object_get(given, skip));
	for (f = fields; f != NULL && f->name != NULL; f++)
		if (!schema_hidden(f, use))
			check_member(e, f, at, given, use, result);
	json_object_foreach(object, key, item) {
		if (open || (skip != NULL && strcmp(key, skip) == 0))
			continue;
		f = schema_find(fields, key);
		if (f != NULL && !schema_hidden(f, use))
			continue;
		below.name = key;
		wrong(e, &below, "Extra inputs are not permitted");
	}
	if (verr_count(e) == before)
		return result;
	json_decref(result);
	return NULL;
}

static json_t *
check_object(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given, enum schema_use use)
{
	if (is_object(given))
		return check_members(e, f->fields, (f->flags & FF_OPEN) != 0,
		    NULL, at, given, use);
	if (f->model != NULL)
		return wrong(e, at,
		    "Input should be a valid dictionary or instance of %s",
		    f->model);
	return wrong(e, at, "Input should be a valid dictionary");
}

/* The tag as it was given, short enough for a message. */
static char *
tag_text(const json_t *tag)
{
	const char *text;
	size_t len;

	if (json_is_true(tag))
		return xstrdup("True");
	if (json_is_false(tag))
		return xstrdup("False");
	if (json_is_null(tag))
		return xstrdup("None");
	if (!json_is_string(tag))
		return xstrdup("...");
	text = json_string_value(tag);
	len = strlen(text);
	if (len > 64)
		for (len = 64; ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	return xstrndup(text, len);
}

static json_t *
check_union(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	const struct variant *v;
	const json_t *tag;
	struct at below = { .parent = at };
	char *expected, *found, *more;

	if (!is_object(given))
		return wrong(e, at,
		    "Input should be a valid dictionary or object to extract "
		    "fields from");
	tag = json_object_get(given, f->tag);
	if (tag == NULL) {
		below.name = f->tag;
		return wrong(e, &below, "Field required");
	}
	v = schema_variant(f, given);
	if (v != NULL) {
		below.name = v->value;
		return check_members(e, v->fields, (f->flags & FF_OPEN) != 0,
		    f->tag, &below, given, SCHEMA_ARGUMENT);
	}
	expected = xstrdup("");
	for (v = f->variants; v->value != NULL; v++) {
		more = xasprintf("%s%s'%s'", expected,
		    *expected == '\0' ? "" : ", ", v->value);
		free(expected);
		expected = more;
	}
	found = tag_text(tag);
	wrong(e, at,
	    "Input tag '%s' found using '%s' does not match any of the "
	    "expected tags: %s",
	    found, f->tag, expected);
	free(found);
	free(expected);
	return NULL;
}

static json_t *
check_constant(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	json_t *expected = schema_default(f);
	char *text;

	if (json_equal(expected, given))
		return expected;
	if (json_is_string(expected)) {
		wrong(
		    e, at, "Input should be '%s'", json_string_value(expected));
	} else {
		text = json_text(expected);
		wrong(e, at, "Input should be %s", text);
		freezero_str(text);
	}
	json_decref(expected);
	return NULL;
}

/*
 * Neither an integer nor a text: both messages, as of every union without a
 * tag.  The limits are those of the integer.
 */
static json_t *
check_either(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given)
{
	int64_t value = json_integer_value(given);
	const char *text = "Input should be a valid integer";

	if (json_is_string(given)) {
		if (u8_mbsnlen((const uint8_t *)json_string_value(given),
			json_string_length(given)) <= STRING_MAX)
			return json_incref((json_t *)(uintptr_t)given);
		return wrong(e, at,
		    "%s or String should have at most %d characters", text,
		    STRING_MAX);
	}
	if (!json_is_integer(given))
		return wrong(e, at,
		    "Input should be a valid integer or Input should be a "
		    "valid string");
	if ((f->min == 0 && f->max == 0) ||
	    (value >= f->min && value <= f->max))
		return json_incref((json_t *)(uintptr_t)given);
	return wrong(e, at,
	    "Input should be %s than or equal to %lld or Input should be a "
	    "valid string",
	    value < f->min ? "greater" : "less",
	    (long long)(value < f->min ? f->min : f->max));
}

static json_t *
check(struct verr *e, const struct field *f, const struct at *at,
    const json_t *given, enum schema_use use)
{
	if (f->flags & FF_SET)
		return check_set(e, f, at, given);
	if ((f->flags & FF_NULL) && json_is_null(given))
		return json_null();
	if ((f->flags & FF_DATE) && ejson_kind(given) != EJSON_DATETIME)
		return wrong(e, at, "Input should be a valid datetime");
	switch (f->type) {
	case F_BOOL:
		if (!json_is_boolean(given))
			return wrong(e, at, "Input should be a valid boolean");
		break;
	case F_INT:
		return check_integer(e, f, at, given);
	case F_STR:
		return check_string(e, f, at, given);
	case F_ENUM:
		return check_choice(e, f, at, given);
	case F_STRV:
	case F_ENUMV:
	case F_ARRAY:
		return check_array(e, f, at, given);
	case F_OBJECT:
		return check_object(e, f, at, given, use);
	case F_DICT:
		return check_dict(e, f, at, given);
	case F_UNION:
		return check_union(e, f, at, given);
	case F_INT_OR_STR:
		return check_either(e, f, at, given);
	case F_CONST:
		return check_constant(e, f, at, given);
	case F_ANY:
		break;
	}
	return json_incref((json_t *)(uintptr_t)given);
}

json_t *
schema_value(const struct field *f, const char *attribute, const json_t *given,
    enum schema_use use, struct verr *errors)
{
	struct at at = { .name = attribute };

	if (given == NULL)
		return wrong(errors, &at, "Field required");
	return check(errors, f, &at, given, use);
}

json_t *
schema_params(const struct field *params, const json_t *given,
    enum schema_use use, struct verr *errors)
{
	size_t before = verr_count(errors), count = 0, i;
	json_t *result, *value;

	while (params != NULL && params[count].name != NULL)
		count++;
	if (json_array_size(given) > count) {
		verr_add(errors, "",
		    "Too many arguments (expected %zu, found %zu)", count,
		    json_array_size(given));
		return NULL;
	}
	result = json_array();
	for (i = 0; i < count; i++) {
		const struct field *f = &params[i];

		value = NULL;
		if (i < json_array_size(given) || (f->flags & FF_REQUIRED))
			value = schema_value(
			    f, f->name, json_array_get(given, i), use, errors);
		else
			value = schema_default_full(f);
		json_array_append_new(
		    result, value == NULL ? json_null() : value);
	}
	if (verr_count(errors) == before)
		return result;
	json_decref(result);
	return NULL;
}
