/*
 * schema: a table with a field of every type, through checks, defaults,
 * struct and back, redaction, difference, export and lint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/schema.h"
#include "lib/json.h"
#include "lib/xalloc.h"

static const char *const colours[] = { "red", "green", "blue", NULL };
static const char *const one[] = { "ONE", NULL };

/* What has a C type: the list, its struct and its table. */
#define SELF thing
/* clang-format off */
#define THING(F)							\
F(INT,  port,  "A port.", .def = "22", .min = 1, .max = 65535)		\
F(INT,  any,   "Any number.", .def = "-1")				\
F(INT,  maybe, "A number or none.", .def = "null", .flags = FF_NULL)	\
F(BOOL, on,    "A switch.", .def = "false")				\
F(ENUM, colour, "A colour.", .def = "\"green\"", .choices = colours)	\
F(ENUM, shade, "A colour or none.", .def = "null", .choices = colours,	\
    .flags = FF_NULL)							\
F(STR,  text,  "A text.", .def = "\"\"")				\
F(STR,  word,  "A word.", .def = "\"ab\"", .min = 2, .max = 4,		\
    .pattern = "[a-z\xc3\xa4]*", .pattern_message = "Only letters")	\
F(STR,  note,  "A note or none.", .def = "null", .flags = FF_NULL,	\
    .max = STRING_LONG)							\
F(STRV, names, "Names.", .def = "[]", .max = 3)				\
F(ENUMV, mix,  "Some colours.", .def = "[]", .choices = colours)	\
F(STR,  key,   "A key.", .def = "\"\"", .flags = FF_SECRET)		\
F(STR,  shown, "What only results have.", .def = "null",		\
    .flags = FF_NULL | FF_READONLY)					\
F(BOOL, later, "Not built.", .def = "false", .flags = FF_UNBUILT)	\
F(BOOL, first, "When made.", .def = "false", .flags = FF_CREATE)	\
F(INT,  after, "Steers the call.", .def = "0", .min = 0, .max = 60,	\
    .flags = FF_UNSTORED | FF_OWN)
/* clang-format on */
struct thing {
	THING(AS_MEMBER)
};
static const struct field things[] = { THING(AS_FIELD) FIELD_END };

static const struct field inner[] = {
	{ .name = "a", .doc = "A.", .type = F_INT, .flags = FF_REQUIRED },
	{ .name = "b", .doc = "B.", .type = F_STR, .def = "\"x\"" },
	{ .name = "s", .doc = "S.", .type = F_STR, .flags = FF_SECRET },
	FIELD_END
};
static const struct field inner_row[] = {
	{ .name = "element", .type = F_OBJECT, .fields = inner }, FIELD_END
};
static const struct field number_row[] = {
	{ .name = "element", .type = F_INT, .min = 0, .max = 9 }, FIELD_END
};
static const struct field defaulted[] = {
	{ .name = "c", .doc = "C.", .type = F_INT, .def = "5" }, FIELD_END
};
static const struct field by_password[] = {
	{ .name = "user", .doc = "U.", .type = F_STR, .flags = FF_REQUIRED },
	{ .name = "password",
	    .doc = "P.",
	    .type = F_STR,
	    .flags = FF_REQUIRED | FF_SECRET },
	FIELD_END
};
static const struct field by_token[] = { { .name = "token",
					     .doc = "T.",
					     .type = F_STR,
					     .flags = FF_REQUIRED | FF_SECRET },
	FIELD_END };
static const struct variant ways[] = { { .value = "PASSWORD",
					   .fields = by_password },
	{ .value = "TOKEN", .fields = by_token }, { .value = NULL } };

/* Parameters of the kinds that have no C type. */
static const struct field params[] = { { .name = "data",
					   .doc = "D.",
					   .type = F_OBJECT,
					   .fields = things,
					   .model = "ThingUpdate",
					   .flags = FF_REQUIRED },
	{ .name = "list",
	    .doc = "L.",
	    .type = F_ARRAY,
	    .fields = inner_row,
	    .def = "[]" },
	{ .name = "login",
	    .doc = "W.",
	    .type = F_UNION,
	    .tag = "how",
	    .variants = ways,
	    .flags = FF_NULL,
	    .def = "null" },
	{ .name = "id", .doc = "I.", .type = F_INT_OR_STR, .def = "0" },
	{ .name = "free", .doc = "F.", .type = F_DICT, .def = "{}" },
	{ .name = "map",
	    .doc = "M.",
	    .type = F_DICT,
	    .fields = number_row,
	    .def = "{}" },
	{ .name = "open",
	    .doc = "O.",
	    .type = F_OBJECT,
	    .flags = FF_OPEN,
	    .fields = defaulted,
	    .def = "{}" },
	{ .name = "fixed", .doc = "X.", .type = F_CONST, .def = "\"FIX\"" },
	{ .name = "whatever", .doc = "A.", .type = F_ANY, .def = "null" },
	{ .name = "three",
	    .doc = "T.",
	    .type = F_ARRAY,
	    .min = 1,
	    .max = 3,
	    .fields = number_row,
	    .def = "[1]" },
	FIELD_END };

static json_t *
parse(const char *text)
{
	const char *why;
	json_t *value = json_parse(text, strlen(text), &why);

	if (value == NULL)
		fail_msg("%s: %s", text, why);
	return value;
}

static void
assert_json(json_t *value, const char *expected)
{
	char *text = value == NULL ? xstrdup("NULL") : json_text(value);

	if (strcmp(text, expected) != 0)
		fail_msg("%s\n not %s", text, expected);
	freezero_str(text);
	json_decref(value);
}

static struct field
row(enum field_type type)
{
	return (struct field){ .name = "v", .doc = "V.", .type = type };
}

/* One value against one row: "ok", or all errors as "path: text; ..." */
static void
one_value(const struct field *f, const char *given, const char *expected)
{
	struct verr *errors = verr_new();
	json_t *value = parse(given), *checked, *extra, *error;
	char *text = xstrdup(""), *more;
	size_t i;

	checked = schema_value(f, "v", value, SCHEMA_ARGUMENT, errors);
	extra = verr_extra(errors);
	json_array_foreach(extra, i, error) {
		more = xasprintf("%s%s%s: %s", text, i > 0 ? "; " : "",
		    json_string_value(json_array_get(error, 0)),
		    json_string_value(json_array_get(error, 1)));
		free(text);
		text = more;
	}
	assert_int_equal(checked == NULL, verr_any(errors));
	if (checked != NULL && strcmp(expected, "ok") == 0)
		assert_true(json_equal(checked, value));
	else if (strcmp(text, expected) != 0)
		fail_msg("%s: \"%s\"\n not \"%s\"", given, text, expected);
	free(text);
	json_decref(extra);
	json_decref(checked);
	json_decref(value);
	verr_free(errors);
}

static void
test_scalars(void **state)
{
	struct field f = row(F_BOOL);

	(void)state;
	one_value(&f, "true", "ok");
	one_value(&f, "1", "v: Input should be a valid boolean");
	one_value(&f, "null", "v: Input should be a valid boolean");
	one_value(&f, "\"true\"", "v: Input should be a valid boolean");
	f = row(F_INT);
	one_value(&f, "-9223372036854775808", "ok");
	one_value(&f, "true", "v: Input should be a valid integer");
	one_value(&f, "1.0", "v: Input should be a valid integer");
	one_value(&f, "\"1\"", "v: Input should be a valid integer");
	one_value(&f, "null", "v: Input should be a valid integer");
	f.min = 1;
	f.max = 65535;
	one_value(&f, "0", "v: Input should be greater than or equal to 1");
	one_value(&f, "1", "ok");
	one_value(&f, "65535", "ok");
	one_value(
	    &f, "65536", "v: Input should be less than or equal to 65535");
	f.flags = FF_NULL;
	one_value(&f, "null", "ok");
	f = row(F_ENUM);
	f.choices = colours;
	one_value(&f, "\"blue\"", "ok");
	one_value(
	    &f, "\"Blue\"", "v: Input should be 'red', 'green' or 'blue'");
	one_value(&f, "5", "v: Input should be 'red', 'green' or 'blue'");
	f.choices = colours + 1;
	one_value(&f, "null", "v: Input should be 'green' or 'blue'");
	f.choices = one;
	one_value(&f, "[]", "v: Input should be 'ONE'");
	f = row(F_CONST);
	f.def = "30";
	one_value(&f, "30", "ok");
	one_value(&f, "31", "v: Input should be 30");
	f.def = "\"X\"";
	one_value(&f, "\"Y\"", "v: Input should be 'X'");
	f = row(F_ANY);
	one_value(&f, "null", "ok");
	one_value(&f, "[{}]", "ok");
}

static void
test_strings(void **state)
{
	struct field f = row(F_STR);
	char *long_text = xmalloc(2 * STRING_MAX + 5);
	size_t i;

	(void)state;
	one_value(&f, "\"\"", "ok");
	one_value(&f, "5", "v: Input should be a valid string");
	one_value(&f, "null", "v: Input should be a valid string");
	/* Two bytes a character: it is characters that are counted. */
	long_text[0] = '"';
	for (i = 0; i < STRING_MAX; i++)
		memcpy(long_text + 1 + 2 * i, "\xc3\xa9", 2);
	memcpy(long_text + 1 + 2 * STRING_MAX, "\"", 2);
	one_value(&f, long_text, "ok");
	memcpy(long_text + 1 + 2 * STRING_MAX, "e\"", 3);
	one_value(
	    &f, long_text, "v: String should have at most 1024 characters");
	free(long_text);
	f.max = 1;
	one_value(&f, "\"ab\"", "v: String should have at most 1 character");
	f.min = 1;
	one_value(&f, "\"\"", "v: String should have at least 1 character");
	f.min = 2;
	f.max = 3;
	one_value(&f, "\"a\"", "v: String should have at least 2 characters");
	f.pattern = "[a-z]|[0-9]+";
	one_value(&f, "\"12\"", "ok");
	one_value(
	    &f, "\"12\\n\"", "v: String should match pattern '[a-z]|[0-9]+'");
	one_value(
	    &f, "\"1a\"", "v: String should match pattern '[a-z]|[0-9]+'");
	f.pattern_message = "Digits only";
	one_value(&f, "\"1a\"", "v: Digits only");
	f = row(F_INT_OR_STR);
	one_value(&f, "5", "ok");
	one_value(&f, "\"ssh\"", "ok");
	one_value(&f, "true",
	    "v: Input should be a valid integer or Input "
	    "should be a valid string");
	f.max = 3;
	one_value(&f, "4",
	    "v: Input should be less than or equal to 3 or "
	    "Input should be a valid string");
}

static void
one_set(const struct field *f, const char *given, const char *expected)
{
	json_t *value = json_loads(given, JSON_DECODE_ANY, NULL);
	struct verr *errors = verr_new();
	json_t *checked = schema_value(f, "v", value, SCHEMA_UPDATE, errors);
	char *text = json_text(checked);

	assert_string_equal(text, expected);
	free(text);
	json_decref(checked);
	json_decref(value);
	verr_free(errors);
}

/* Each once, in the table's order, in the form of the wire. */
static void
test_set(struct field *f)
{
	f->flags |= FF_SET;
	one_set(f, "{\"$set\":[\"blue\",\"red\",\"blue\"]}",
	    "{\"$set\":[\"red\",\"blue\"]}");
	one_set(f, "[\"green\"]", "{\"$set\":[\"green\"]}");
	one_value(f, "null", "v: Input should be a valid set");
	one_value(f, "{}", "v: Input should be a valid set");
	one_value(f, "{\"$set\":[\"pink\"]}",
	    "v.0: Input should be 'red', 'green' or 'blue'");
	f->flags |= FF_NULL;
	one_set(f, "null", "{\"$set\":[]}");
}

static void
test_lists(void **state)
{
	struct field f = row(F_STRV);

	(void)state;
	one_value(&f, "[]", "ok");
	one_value(&f, "[\"a\",\"b\"]", "ok");
	one_value(&f, "\"a\"", "v: Input should be a valid list");
	one_value(&f, "{}", "v: Input should be a valid list");
	one_value(&f, "[1,\"b\",null]",
	    "v.0: Input should be a valid string; "
	    "v.2: Input should be a valid string");
	f.max = 1;
	one_value(&f, "[\"a\",\"b\"]",
	    "v: List should have at most 1 item after validation, not 2");
	f.min = 1;
	one_value(&f, "[]",
	    "v: List should have at least 1 item after validation, not 0");
	f = row(F_ENUMV);
	f.choices = colours;
	one_value(&f, "[\"red\",\"red\"]", "ok");
	one_value(&f, "[\"red\",\"pink\"]",
	    "v.1: Input should be 'red', 'green' or 'blue'");
	test_set(&f);
	f = row(F_ARRAY);
	one_value(&f, "[1,{},null]", "ok");
	f.fields = inner_row;
	one_value(&f, "[{\"a\":1,\"b\":\"y\"}]", "ok");
	one_value(&f, "[{\"a\":1},{\"b\":2,\"x\":1},5]",
	    "v.1.a: Field required; v.1.b: Input should be a valid string; "
	    "v.1.x: Extra inputs are not permitted; "
	    "v.2: Input should be a valid dictionary");
	f = row(F_DICT);
	one_value(&f, "{\"a\":[]}", "ok");
	one_value(&f, "[]", "v: Input should be a valid dictionary");
	f.fields = number_row;
	one_value(&f, "{\"a\":5}", "ok");
	one_value(&f, "{\"a\":5,\"b\":\"c\"}",
	    "v.b: Input should be a valid integer");
}

static void
test_union(void **state)
{
	struct field f = row(F_UNION);

	(void)state;
	f.tag = "how";
	f.variants = ways;
	one_value(&f, "{\"how\":\"TOKEN\",\"token\":\"t\"}", "ok");
	one_value(&f, "[]",
	    "v: Input should be a valid dictionary or object "
	    "to extract fields from");
	one_value(&f, "{\"token\":\"t\"}", "v.how: Field required");
	one_value(&f, "{\"how\":\"NO\",\"x\":1}",
	    "v: Input tag 'NO' found using 'how' does not match any of the "
	    "expected tags: 'PASSWORD', 'TOKEN'");
	one_value(&f, "{\"how\":5}",
	    "v: Input tag '...' found using 'how' does not match any of the "
	    "expected tags: 'PASSWORD', 'TOKEN'");
	one_value(&f, "{\"how\":\"PASSWORD\",\"user\":\"u\",\"x\":1}",
	    "v.PASSWORD.password: Field required; "
	    "v.PASSWORD.x: Extra inputs are not permitted");
}

static void
call(const char *given_text, enum schema_use use, const char *expected)
{
	struct verr *errors = verr_new();
	json_t *given = parse(given_text), *result;

	result = schema_params(params, given, use, errors);
	assert_int_equal(result == NULL, verr_any(errors));
	if (result == NULL)
		assert_json(verr_extra(errors), expected);
	else
		assert_json(result, expected);
	json_decref(given);
	verr_free(errors);
}

#define REST "[],null,0,{},{},{\"c\":5},\"FIX\",null,[1]]"

static void
test_params(void **state)
{
	(void)state;
	/* An update: what is absent stays absent, in the table's order. */
	call("[{\"on\":true,\"port\":2222}]", SCHEMA_UPDATE,
	    "[{\"port\":2222,\"on\":true}," REST);
	call("[{\"later\":true,\"after\":5}]", SCHEMA_UPDATE,
	    "[{\"later\":true,\"after\":5}," REST);
	call("[{}]", SCHEMA_ARGUMENT,
	    "[{\"port\":22,\"any\":-1,\"maybe\":null,\"on\":false,"
	    "\"colour\":\"green\",\"shade\":null,\"text\":\"\","
	    "\"word\":\"ab\",\"note\":null,\"names\":[],\"mix\":[],"
	    "\"key\":\"\",\"later\":false,\"first\":false,\"after\":0}," REST);
	/* Defaults inside of elements too, even in an update. */
	call("[{},[{\"a\":1}]]", SCHEMA_UPDATE,
	    "[{},[{\"a\":1,\"b\":\"x\"}],null,0,{},{},{\"c\":5},\"FIX\","
	    "null,[1]]");
	call("[{},[],null,0,{},{},{\"c\":6,\"d\":7}]", SCHEMA_UPDATE,
	    "[{},[],null,0,{},{},{\"c\":6},\"FIX\",null,[1]]");
	call("[]", SCHEMA_UPDATE, "[[\"data\",\"Field required\",22]]");
	call("[[]]", SCHEMA_UPDATE,
	    "[[\"data\",\"Input should be a valid dictionary or instance of "
	    "ThingUpdate\",22]]");
	/* All errors: the table's order, then what is extra as given. */
	call("[{\"zz\":1,\"on\":0,\"shown\":\"x\",\"port\":0,\"aa\":2,"
	     "\"first\":true},5]",
	    SCHEMA_UPDATE,
	    "[[\"data.port\",\"Input should be greater than or equal to 1\","
	    "22],[\"data.on\",\"Input should be a valid boolean\",22],"
	    "[\"data.zz\",\"Extra inputs are not permitted\",22],"
	    "[\"data.shown\",\"Extra inputs are not permitted\",22],"
	    "[\"data.aa\",\"Extra inputs are not permitted\",22],"
	    "[\"data.first\",\"Extra inputs are not permitted\",22],"
	    "[\"list\",\"Input should be a valid list\",22]]");
	call("[5,0,0,0,0,0,0,0,0,0,0]", SCHEMA_UPDATE,
	    "[[\"\",\"Too many arguments (expected 10, found 11)\",22]]");
	call("[{},[],{\"how\":\"TOKEN\"}]", SCHEMA_UPDATE,
	    "[[\"login.TOKEN.token\",\"Field required\",22]]");
}

static void
test_no_params(void **state)
{
	struct verr *errors = verr_new();
	json_t *given = parse("[1]");

	(void)state;
	assert_null(schema_params(NULL, given, SCHEMA_ARGUMENT, errors));
	assert_json(verr_extra(errors),
	    "[[\"\",\"Too many arguments (expected 0, found 1)\",22]]");
	json_array_clear(given);
	assert_json(schema_params(NULL, given, SCHEMA_ARGUMENT, errors), "[]");
	json_decref(given);
	verr_free(errors);
}

/* 30,000 mistakes cost no more than a few. */
static void
test_error_limit(void **state)
{
	struct field f = row(F_STRV);
	struct verr *errors = verr_new();
	json_t *given = json_array();
	int i;

	(void)state;
	for (i = 0; i < 30000; i++)
		json_array_append_new(given, json_null());
	assert_null(schema_value(&f, "v", given, SCHEMA_ARGUMENT, errors));
	assert_in_range(verr_count(errors), 100, 1000);
	json_decref(given);
	verr_free(errors);
}

/* The inverse of schema_to_struct, for the kinds that it knows. */
static json_t *
member_of(const struct field *f, const void *at)
{
	char *const *text;
	json_t *list;
	size_t i;

	switch (f->type) {
	case F_BOOL:
		return json_boolean(*(const bool *)at);
	case F_INT:
		return *(const int64_t *)at == INT64_MIN ?
		    json_null() :
		    json_integer(*(const int64_t *)at);
	case F_STR:
		text = at;
		return *text == NULL ? json_null() : json_string(*text);
	case F_ENUM:
		return *(const int *)at == -1 ?
		    json_null() :
		    json_string(f->choices[*(const int *)at]);
	case F_STRV:
		list = json_array();
		for (text = *(char *const *const *)at; *text != NULL; text++)
			json_array_append_new(list, json_string(*text));
		return list;
	case F_ENUMV:
		list = json_array();
		for (i = 0; f->choices[i] != NULL; i++)
			if (*(const uint32_t *)at & (UINT32_C(1) << i))
				json_array_append_new(
				    list, json_string(f->choices[i]));
		return list;
	default:
		fail_msg("no C type");
		return NULL;
	}
}

static json_t *
from_struct(const struct field *f, const void *data)
{
	json_t *object = json_object();

	for (; f->name != NULL; f++)
		if (!(f->flags & FF_UNSTORED))
			json_object_set_new(object, f->name,
			    member_of(f, (const char *)data + f->offset));
	return object;
}

static void
test_struct(void **state)
{
	struct thing t = { 0 };
	json_t *defaults = schema_defaults(things), *changed, *back;

	(void)state;
	assert_null(json_object_get(defaults, "after"));
	schema_to_struct(things, defaults, &t);
	assert_int_equal(t.port, 22);
	assert_int_equal(t.any, -1);
	assert_true(t.maybe == INT64_MIN);
	assert_int_equal(t.colour, 1);
	assert_int_equal(t.shade, -1);
	assert_string_equal(t.text, "");
	assert_null(t.note);
	assert_non_null(t.names);
	assert_null(t.names[0]);
	assert_int_equal(t.mix, 0);
	back = from_struct(things, &t);
	assert_true(json_equal(back, defaults));
	json_decref(back);
	schema_struct_free(things, &t);
	assert_null(t.text);
	schema_struct_free(things, &t);

	changed = parse("{\"port\":1,\"any\":7,\"maybe\":3,\"on\":true,"
			"\"colour\":\"red\",\"shade\":\"blue\","
			"\"text\":\"\xc3\xa9\",\"word\":\"cd\",\"note\":\"n\","
			"\"names\":[\"a\",\"b\"],\"mix\":[\"red\",\"blue\"],"
			"\"key\":\"secret\",\"shown\":\"s\",\"later\":true,"
			"\"first\":true}");
	memset(&t, 0, sizeof t);
	schema_to_struct(things, changed, &t);
	assert_int_equal(t.mix, 5);
	assert_string_equal(t.names[1], "b");
	back = from_struct(things, &t);
	assert_true(json_equal(back, changed));
	json_decref(back);
	schema_struct_free(things, &t);

	/* A member added to the table since the entry was stored. */
	json_object_del(changed, "port");
	memset(&t, 0, sizeof t);
	schema_to_struct(things, changed, &t);
	assert_int_equal(t.port, 22);
	schema_struct_free(things, &t);
	json_decref(changed);
	json_decref(defaults);
}

static void
test_redact(void **state)
{
	json_t *given;

	(void)state;
	given = parse("{\"port\":1,\"key\":\"k\",\"odd\":\"key?\"}");
	assert_json(schema_redact(things, given),
	    "{\"port\":1,\"key\":\"********\",\"odd\":\"********\"}");
	json_decref(given);
	given = parse("{\"key\":null}");
	assert_json(schema_redact(things, given), "{\"key\":null}");
	json_decref(given);
	given = parse("{\"c\":null,\"odd\":1}");
	assert_json(schema_redact(defaulted, given), "{\"c\":null,\"odd\":1}");
	json_decref(given);
	assert_json(schema_redact(things, NULL), "null");

	given = parse("[{\"key\":\"k\",\"on\":1},[{\"a\":1,\"s\":\"k\"},5],"
		      "{\"how\":\"PASSWORD\",\"user\":\"u\","
		      "\"password\":\"p\",\"passwrod\":\"p\"},7]");
	assert_json(schema_redact_params(params, given),
	    "[{\"key\":\"********\",\"on\":1},"
	    "[{\"a\":1,\"s\":\"********\"},\"********\"],"
	    "{\"how\":\"PASSWORD\",\"user\":\"u\",\"password\":\"********\","
	    "\"passwrod\":\"********\"},7]");
	json_decref(given);
	/* Wrong in every way: the secret may be anywhere. */
	given = parse("[\"k\",{\"s\":\"k\"},{\"how\":\"X\",\"user\":\"u\","
		      "\"token\":\"t\"},1,2,3,4,5,6,7,\"k\"]");
	assert_json(schema_redact_params(params, given),
	    "[\"********\",\"********\",{\"how\":\"********\",\"user\":\"u\","
	    "\"token\":\"********\"},1,2,3,4,5,6,7,\"********\"]");
	json_decref(given);
	given = parse("[1,\"x\"]");
	assert_json(schema_redact_params(NULL, given), "[1,\"x\"]");
	json_decref(given);
}

static void
test_changed(void **state)
{
	json_t *before = schema_defaults(things), *after, *empty;

	(void)state;
	after = json_deep_copy(before);
	empty = json_object();
	assert_json(schema_changed(things, before, after), "[]");
	assert_json(schema_changed(things, before, empty), "[]");
	json_object_set_new(after, "key", json_string("k"));
	json_object_set_new(after, "port", json_integer(23));
	json_object_set_new(after, "mix", parse("[\"red\"]"));
	json_object_set_new(after, "after", json_integer(9));
	assert_json(schema_changed(things, before, after),
	    "[\"port\",\"mix\",\"key\"]");
	assert_json(
	    schema_changed(things, NULL, after), "[\"port\",\"mix\",\"key\"]");
	json_decref(before);
	json_decref(after);
	json_decref(empty);
}

static void
exports(const struct field *f, enum schema_use use, const char *expected)
{
	json_t *schema = schema_export(f, use), *wanted = parse(expected);
	char *text = json_text(schema);

	if (!json_equal(schema, wanted))
		fail_msg("%s\n not %s", text, expected);
	free(text);
	json_decref(schema);
	json_decref(wanted);
}

static void
test_export(void **state)
{
	(void)state;
	/* The forms that core.get_methods of the real server gives. */
	exports(&things[0], SCHEMA_RESULT,
	    "{\"description\":\"A port.\",\"maximum\":65535,\"minimum\":1,"
	    "\"title\":\"port\",\"type\":\"integer\",\"_name_\":\"port\","
	    "\"_required_\":true}");
	exports(&things[0], SCHEMA_ARGUMENT,
	    "{\"description\":\"A port.\",\"maximum\":65535,\"minimum\":1,"
	    "\"title\":\"port\",\"type\":\"integer\",\"_name_\":\"port\","
	    "\"_required_\":false,\"default\":22}");
	exports(&things[8], SCHEMA_RESULT,
	    "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}],"
	    "\"description\":\"A note or none.\",\"title\":\"note\","
	    "\"_name_\":\"note\",\"_required_\":true}");
	exports(&things[10], SCHEMA_UPDATE,
	    "{\"description\":\"Some colours.\",\"items\":[{\"enum\":"
	    "[\"red\",\"green\",\"blue\"],\"type\":\"string\"}],"
	    "\"title\":\"mix\",\"type\":\"array\",\"_name_\":\"mix\","
	    "\"_required_\":false}");
	exports(&params[5], SCHEMA_RESULT,
	    "{\"additionalProperties\":{\"type\":\"integer\",\"minimum\":0,"
	    "\"maximum\":9},\"description\":\"M.\",\"title\":\"map\","
	    "\"type\":\"object\",\"_name_\":\"map\",\"_required_\":true}");
	exports(&params[3], SCHEMA_ARGUMENT,
	    "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}],"
	    "\"default\":0,\"description\":\"I.\",\"title\":\"id\","
	    "\"_name_\":\"id\",\"_required_\":false}");
	exports(&params[1], SCHEMA_ARGUMENT,
	    "{\"default\":[],\"description\":\"L.\",\"items\":[{"
	    "\"additionalProperties\":false,\"properties\":{"
	    "\"a\":{\"description\":\"A.\",\"title\":\"a\",\"type\":"
	    "\"integer\",\"_name_\":\"a\",\"_required_\":true},"
	    "\"b\":{\"description\":\"B.\",\"title\":\"b\",\"type\":"
	    "\"string\",\"_name_\":\"b\",\"_required_\":false,\"default\":"
	    "\"x\"},"
	    "\"s\":{\"description\":\"S.\",\"title\":\"s\",\"type\":"
	    "\"string\",\"_name_\":\"s\",\"_required_\":false,"
	    "\"writeOnly\":true}},"
	    "\"required\":[\"a\"],\"type\":\"object\","
	    "\"_attrs_order_\":[\"a\",\"b\",\"s\"]}],\"title\":\"list\","
	    "\"type\":\"array\",\"_name_\":\"list\",\"_required_\":false}");
}

static void
test_export_object(void **state)
{
	json_t *schema = schema_export(&params[0], SCHEMA_UPDATE), *member;

	(void)state;
	assert_true(
	    json_is_false(json_object_get(schema, "additionalProperties")));
	assert_true(json_is_true(json_object_get(schema, "_required_")));
	assert_null(json_object_get(schema, "required"));
	assert_string_equal(json_str(schema, "title", ""), "data");
	member = json_object_get(schema, "properties");
	/* Neither what results alone have, nor what is said when created. */
	assert_null(json_object_get(member, "shown"));
	assert_null(json_object_get(member, "first"));
	assert_non_null(json_object_get(member, "after"));
	member = json_object_get(member, "port");
	assert_null(json_object_get(member, "default"));
	assert_true(json_is_false(json_object_get(member, "_required_")));
	assert_int_equal(
	    json_array_size(json_object_get(schema, "_attrs_order_")), 14);
	json_decref(schema);

	schema = schema_export(&params[0], SCHEMA_RESULT);
	member = json_object_get(schema, "properties");
	assert_non_null(json_object_get(member, "shown"));
	assert_null(json_object_get(member, "after"));
	assert_int_equal(
	    json_array_size(json_object_get(schema, "required")), 15);
	json_decref(schema);

	schema = schema_export(&params[2], SCHEMA_ARGUMENT);
	member =
	    json_object_get(json_array_get(json_object_get(schema, "anyOf"), 0),
		"discriminator");
	assert_string_equal(json_str(member, "propertyName", ""), "how");
	json_decref(schema);
}

static void
lints(struct field f, const char *expected)
{
	struct field table[] = { f, FIELD_END };
	json_t *faults = json_array();

	schema_lint(table, "t", faults);
	assert_json(faults, expected);
}

static void
test_lint_sound(void **state)
{
	json_t *faults = json_array();

	(void)state;
	schema_lint(things, "things", faults);
	schema_lint(params, "params", faults);
	schema_lint(NULL, "none", faults);
	assert_json(faults, "[]");
}

static void
test_lint_faults(void **state)
{
	static const char *const twice[] = { "a", "a", NULL };
	static const struct variant same[] = { { .value = "A",
						   .fields = by_token },
		{ .value = "A", .fields = by_token }, { .value = NULL } };
	struct field f;

	(void)state;
	lints((struct field){ .name = "v", .type = F_BOOL },
	    "[\"t.v: no sentence that says what it is\"]");
	lints((struct field){ .name = "", .doc = "D.", .type = F_BOOL },
	    "[\"t.: an empty name\"]");
	f = row((enum field_type)99);
	lints(f, "[\"t.v: no such type\"]");
	f = row(F_INT);
	f.def = "{";
	lints(f, "[\"t.v: the default is no JSON\"]");
	f.def = "null";
	lints(f,
	    "[\"t.v: the default is refused: Input should be a valid "
	    "integer\"]");
	f.def = "0";
	f.min = 1;
	f.max = 5;
	lints(f,
	    "[\"t.v: the default is refused: Input should be greater "
	    "than or equal to 1\"]");
	f.min = 6;
	lints(f, "[\"t.v: the smallest value is above the largest\"]");
	f = row(F_INT);
	f.def = "0";
	f.flags = FF_REQUIRED;
	lints(f, "[\"t.v: required, so a default is never used\"]");
	f.def = NULL;
	f.flags = FF_UNBUILT;
	lints(f, "[\"t.v: not built, and no default to return\"]");
	f = row(F_STR);
	f.def = "\"secret\"";
	f.flags = FF_SECRET;
	lints(f, "[\"t.v: a secret that is known to all\"]");
	f = row(F_STR);
	f.pattern = "(";
	lints(f,
	    "[\"t.v: the pattern does not compile: missing closing "
	    "parenthesis\"]");
	f.pattern = "a";
	f.def = "\"b\"";
	lints(f,
	    "[\"t.v: the default is refused: String should match "
	    "pattern 'a'\"]");
	f = row(F_STR);
	f.pattern_message = "No";
	lints(f, "[\"t.v: a message for no pattern\"]");
	f = row(F_STR);
	f.min = 2000;
	lints(f, "[\"t.v: the shortest length is above the longest\"]");
	f.min = -1;
	lints(f, "[\"t.v: a length below 0\"]");
	f = row(F_BOOL);
	f.max = 1;
	lints(f, "[\"t.v: limits on a type that has none\"]");
	f = row(F_BOOL);
	f.choices = colours;
	lints(f, "[\"t.v: choices on a type that has none\"]");
	f = row(F_BOOL);
	f.pattern = "a";
	lints(f, "[\"t.v: a pattern on a type that has none\"]");
	f = row(F_BOOL);
	f.fields = inner;
	lints(f, "[\"t.v: members on a type that has none\"]");
	f = row(F_BOOL);
	f.tag = "x";
	lints(f, "[\"t.v: variants on a type that has none\"]");
	f = row(F_ENUM);
	lints(f, "[\"t.v: no choices\"]");
	f.choices = twice;
	lints(f, "[\"t.v: choice \\\"a\\\" twice\"]");
	f = row(F_OBJECT);
	lints(f, "[\"t.v: an object without members\"]");
	f = row(F_CONST);
	lints(f, "[\"t.v: a constant without its value\"]");
	f = row(F_UNION);
	lints(f, "[\"t.v: a union without tag or variants\"]");
	f.tag = "token";
	f.variants = same;
	lints(f,
	    "[\"t.v: variant \\\"A\\\" repeats the tag\","
	    "\"t.v: variant \\\"A\\\" twice\","
	    "\"t.v: variant \\\"A\\\" repeats the tag\"]");
}

static void
test_lint_nested(void **state)
{
	static const struct field bad[] = {
		{ .name = "x", .doc = "X.", .type = F_INT, .def = "\"a\"" },
		{ .name = "x", .doc = "X.", .type = F_INT }, FIELD_END
	};
	static const struct field bad_row[] = {
		{ .name = "element", .type = F_OBJECT, .fields = bad },
		FIELD_END
	};
	static const char *const many[] = { "0", "1", "2", "3", "4", "5", "6",
		"7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
		"18", "19", "20", "21", "22", "23", "24", "25", "26", "27",
		"28", "29", "30", "31", "32", NULL };
	struct field f = row(F_ARRAY);

	(void)state;
	f.fields = bad_row;
	lints(f,
	    "[\"t.v.*.x: the default is refused: Input should be a valid "
	    "integer\",\"t.v.*.x: the name twice\"]");
	f = row(F_ENUMV);
	f.choices = many;
	lints(f, "[\"t.v: more choices than a set has bits\"]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_union),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_no_params),
		cmocka_unit_test(test_error_limit),
		cmocka_unit_test(test_struct),
		cmocka_unit_test(test_redact),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_export_object),
		cmocka_unit_test(test_lint_sound),
		cmocka_unit_test(test_lint_faults),
		cmocka_unit_test(test_lint_nested),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
