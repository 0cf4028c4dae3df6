/*
 * FIELD=VALUE on the command line: see assign.h.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/assign.h"
#include "cli/output.h"
#include "cli/password.h"
#include "lib/json.h"
#include "lib/xalloc.h"

struct reading {
	struct client *client;
	const char *namespace, *field;
	enum exit_code code;
};

/* Fields of numbers for which people write names. */
struct reference {
	const char *namespace, *field;
	const char *query, *key, *number; /* found where, by what, which */
};

/* clang-format off */
static const struct reference references[] = {
	{ "user",	"group",	"group.query", "name", "id" },
	{ "user",	"groups",	"group.query", "name", "id" },
	{ "group",	"users",	"user.query", "username", "id" },
	{ "privilege",	"local_groups",	"group.query", "name", "gid" },
	{ NULL }
};
/* clang-format on */

/* The choice that is not null, and whether null is one. */
static const json_t *
inner_schema(const json_t *schema, bool *nullp)
{
	const json_t *inner = schema;
	json_t *choices = json_object_get(schema, "anyOf"), *one;
	size_t i;

	*nullp = false;
	json_array_foreach(choices, i, one) {
		if (strcmp(json_str(one, "type", ""), "null") == 0)
			*nullp = true;
		else if (inner == schema)
			inner = one;
	}
	return inner;
}

static json_t *
wrong(struct reading *r, const char *value, const char *wanted)
{
	complain("%s: %s is no %s", r->field, value, wanted);
	r->code = EXIT_USAGE;
	return NULL;
}

/* --- Numbers, and names that stand for them ------------------------------- */

static json_t *
look_up(struct reading *r, const struct reference *ref, const char *name)
{
	json_t *answer = NULL, *number = NULL;
	enum client_answer got;

	got = client_call(r->client, ref->query,
	    json_pack("[[[s, s, s]]]", ref->key, "=", name), &answer);
	r->code = client_outcome(got, answer, false);
	if (r->code == EXIT_DONE) {
		number =
		    json_object_get(json_array_get(answer, 0), ref->number);
		if (number == NULL) {
			complain("%s: there is no %s", r->field, name);
			r->code = EXIT_SERVER;
		}
	}
	json_incref(number);
	json_decref(answer);
	return number;
}

static json_t *
read_integer(struct reading *r, const char *value)
{
	const struct reference *ref;
	json_t *number = json_parse(value, strlen(value), NULL);

	if (json_is_integer(number))
		return number;
	json_decref(number);
	for (ref = references; ref->namespace != NULL; ref++)
		if (strcmp(ref->namespace, r->namespace) == 0 &&
		    strcmp(ref->field, r->field) == 0)
			return look_up(r, ref, value);
	return wrong(r, value, "number");
}

/* --- The other types ------------------------------------------------------ */

static json_t *
read_boolean(struct reading *r, const char *value)
{
	static const char *const words[][2] = { { "false", "true" },
		{ "no", "yes" }, { "off", "on" } };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(value, words[i][0]) == 0)
			return json_false();
		if (strcmp(value, words[i][1]) == 0)
			return json_true();
	}
	return wrong(r, value, "yes or no");
}

/* "+90m", "+12h", "+3d": from now on. */
static bool
read_distance(const char *value, time_t *whenp)
{
	char *unit;
	long count = strtol(value + 1, &unit, 10);
	long seconds = *unit == 'm' ? 60 : *unit == 'h' ? 3600 : 86400;

	if (*value != '+' || unit == value + 1 ||
	    strchr("mhd", *unit) == NULL || *unit == '\0' || unit[1] != '\0' ||
	    count < 0 || count > 1000000)
		return false;
	*whenp = time(NULL) + count * seconds;
	return true;
}

static json_t *
read_time(struct reading *r, const char *value)
{
	static const char *const forms[] = { "%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
		"%Y-%m-%d" };
	const char *end;
	struct tm tm;
	time_t when;
	size_t i;

	if (read_distance(value, &when))
		return json_date(when);
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		tm.tm_isdst = -1;
		end = strptime(value, forms[i], &tm);
		if (end != NULL && *end == '\0' && (when = mktime(&tm)) != -1)
			return json_date(when);
	}
	return wrong(r, value, "time (2026-12-31 18:00, or +3d, +12h, +30m)");
}

static json_t *
read_secret(struct reading *r, const char *value)
{
	char secret[PASSWORD_SIZE] = "";
	json_t *text = NULL;

	if (strcmp(value, "-") != 0) {
		complain("%s=- asks for it, or reads it from standard input: "
			 "as an argument everybody could see it",
		    r->field);
	} else if (password_read(r->field, secret) == 0) {
		if ((text = json_string(secret)) == NULL)
			complain("the %s must be UTF-8", r->field);
	}
	explicit_bzero(secret, sizeof(secret));
	if (text == NULL)
		r->code = EXIT_USAGE;
	return text;
}

static json_t *
read_text(struct reading *r, const char *value)
{
	json_t *text = json_string(value);

	return text != NULL ? text : wrong(r, value, "UTF-8");
}

static json_t *
read_json(struct reading *r, const char *value)
{
	json_t *read = json_parse(value, strlen(value), NULL);

	return read != NULL ? read : wrong(r, value, "JSON");
}

static json_t *read_value(
    struct reading *, const json_t *schema, const char *value);

/* Elements with commas between them, unless it is JSON. */
static json_t *
read_list(struct reading *r, const json_t *schema, const char *value)
{
	const json_t *element =
	    json_array_get(json_object_get(schema, "items"), 0);
	char *copy, *rest, *word;
	json_t *list, *one;

	if (*value == '[')
		return read_json(r, value);
	list = json_array();
	copy = rest = xstrdup(value);
	while (*value != '\0' && (word = strsep(&rest, ",")) != NULL) {
		one = read_value(r, element, word);
		if (one == NULL) {
			json_decref(list);
			list = NULL;
			break;
		}
		json_array_append_new(list, one);
	}
	free(copy);
	return list;
}

static json_t *
read_value(struct reading *r, const json_t *schema, const char *value)
{
	bool null;
	const json_t *inner = inner_schema(schema, &null);
	const char *type = json_str(inner, "type", "");

	if (null && strcmp(value, "null") == 0)
		return json_null();
	if (json_bool(schema, "writeOnly", false))
		return read_secret(r, value);
	if (strcmp(json_str(inner, "format", ""), "date-time") == 0)
		return read_time(r, value);
	if (strcmp(type, "string") == 0)
		return read_text(r, value);
	if (strcmp(type, "boolean") == 0)
		return read_boolean(r, value);
	if (strcmp(type, "integer") == 0)
		return read_integer(r, value);
	if (strcmp(type, "array") == 0)
		return read_list(r, inner, value);
	return read_json(r, value);
}

json_t *
assign_object(struct client *client, const char *namespace,
    const json_t *schema, char **arguments, enum exit_code *codep)
{
	const json_t *fields = json_object_get(schema, "properties"), *field;
	struct reading r = { client, namespace, NULL, EXIT_DONE };
	json_t *object = json_object(), *value;
	char *name, *equals;

	for (; *arguments != NULL && r.code == EXIT_DONE; arguments++) {
		name = xstrdup(*arguments);
		if ((equals = strchr(name, '=')) != NULL)
			*equals = '\0';
		field = json_object_get(fields, name);
		r.field = name;
		if (equals == NULL || field == NULL) {
			complain(equals == NULL ? "%s: FIELD=VALUE is wanted" :
						  "there is no field %s",
			    name);
			r.code = EXIT_USAGE;
		} else if ((value = read_value(&r, field, equals + 1)) !=
		    NULL) {
			json_object_set_new(object, name, value);
		}
		free(name);
	}
	*codep = r.code;
	if (r.code == EXIT_DONE)
		return object;
	json_decref(object);
	return NULL;
}
