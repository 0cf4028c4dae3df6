/*
 * holdfast describe: the methods there are, and what one of them takes, as the
 * server itself describes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/text.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define INDENT 4

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All methods, or those of one namespace, each with its sentence. */
static void
list(json_t *methods)
{
	size_t count = 0, i;
	const char **names, *name, *cells[2];
	struct table *table = table_new(2);
	json_t *method;

	names = xcalloc(json_object_size(methods) + 1, sizeof(*names));
	json_object_foreach(methods, name, method)
		names[count++] = name;
	qsort(names, count, sizeof(*names), compare_names);
	for (i = 0; i < count; i++) {
		cells[0] = names[i];
		cells[1] = json_str(
		    json_object_get(methods, names[i]), "description", "");
		table_row(table, cells);
	}
	table_print(stdout, table, 0, text_columns(stdout));
	table_free(table);
	free(names);
}

/* A member that a choice stands in: the first that is not null. */
static const json_t *
without_null(const json_t *schema)
{
	const json_t *choices = json_object_get(schema, "anyOf");

	return json_array_size(choices) > 0 ? json_array_get(choices, 0) :
					      schema;
}

/* "integer 1 to 65535", "START|STOP", "array of string", "object or null". */
static char *
type_text(const json_t *schema)
{
	const json_t *inner = without_null(schema);
	const json_t *element =
	    json_array_get(json_object_get(inner, "items"), 0);
	const json_t *least = json_object_get(inner, "minimum");
	const json_t *most = json_object_get(inner, "maximum");
	const json_t *choices = json_object_get(inner, "enum");
	char *text, *one, *longer;
	json_t *choice;
	size_t i;

	text = xstrdup(json_str(inner, "type", "any"));
	if (json_is_integer(least) && json_is_integer(most)) {
		free(text);
		text = xasprintf("%" JSON_INTEGER_FORMAT
				 " to %" JSON_INTEGER_FORMAT,
		    json_integer_value(least), json_integer_value(most));
	}
	if (element != NULL) {
		one = type_text(element);
		free(text);
		text = xasprintf("list of %s", one);
		free(one);
	}
	json_array_foreach(choices, i, choice) {
		one = json_text(choice);
		longer = i == 0 ? xstrdup(one) : xasprintf("%s|%s", text, one);
		free(one);
		free(text);
		text = longer;
	}
	if (inner != schema) {
		longer = xasprintf("%s or null", text);
		free(text);
		text = longer;
	}
	return text;
}

/* ", required" or what it is when it is not given; NULL: nothing to say. */
static char *
presence_text(const json_t *schema)
{
	const json_t *def = json_object_get(schema, "default");
	char *value, *text;

	if (json_bool(schema, "_required_", false))
		return xstrdup(", required");
	if (def == NULL)
		return NULL;
	value = json_text(def);
	text = xasprintf(", default %s", value);
	free(value);
	return text;
}

static void
print_row(const json_t *schema, int indent)
{
	char *type = type_text(schema), *presence = presence_text(schema);

	text_blanks(stdout, indent);
	print_text(stdout, json_str(schema, "_name_", "?"));
	fputs(": ", stdout);
	print_text(stdout, type);
	print_text(stdout, presence != NULL ? presence : "");
	putchar('\n');
	text_blanks(stdout, indent + INDENT);
	print_text(stdout, json_str(schema, "description", ""));
	putchar('\n');
	free(type);
	free(presence);
}

/* The row and, of an object, its members. */
static void
print_param(const json_t *schema, int indent)
{
	const json_t *inner = without_null(schema);
	const json_t *members = json_object_get(inner, "properties");
	json_t *order = json_object_get(inner, "_attrs_order_"), *name;
	size_t i;

	print_row(schema, indent);
	json_array_foreach(order, i, name)
		print_param(json_object_get(members, json_string_value(name)),
		    indent + INDENT);
}

static char *
roles_text(const json_t *method)
{
	if (json_bool(method, "no_auth_required", false))
		return xstrdup("nobody needs to log in for it");
	if (json_bool(method, "no_authz_required", false))
		return xstrdup("anybody who is logged in");
	if (json_array_size(json_object_get(method, "roles")) == 0)
		return xstrdup("FULL_ADMIN");
	return show_line(json_object_get(method, "roles"));
}

static void
describe(const char *name, const json_t *method)
{
	char *roles = roles_text(method);
	json_t *param;
	size_t i;

	printf(
	    "%s%s\n", name, json_bool(method, "job", false) ? " (a job)" : "");
	print_text(stdout, json_str(method, "description", ""));
	fputs("\n\nRoles: ", stdout);
	print_text(stdout, roles);
	putchar('\n');
	json_array_foreach(json_object_get(method, "accepts"), i, param) {
		putchar('\n');
		print_param(param, 0);
	}
	free(roles);
}

/* The namespace to ask for: all; that itself; or that of a method. */
static json_t *
params_of(const char *name, bool method)
{
	const char *dot;

	if (name == NULL)
		return json_array();
	dot = method ? strrchr(name, '.') : NULL;
	return json_pack(
	    "[s%]", name, dot != NULL ? (size_t)(dot - name) : strlen(name));
}

/* Asks for the name as a namespace first, then as a method. */
static enum client_answer
ask(struct client *client, const char *name, json_t **answerp)
{
	enum client_answer got;

	got = client_call(
	    client, "core.get_methods", params_of(name, false), answerp);
	if (got != ANSWER_RESULT || name == NULL ||
	    json_object_size(*answerp) > 0)
		return got;
	json_decref(*answerp);
	return client_call(
	    client, "core.get_methods", params_of(name, true), answerp);
}

static enum exit_code
tell(const struct invocation *invocation, json_t *methods)
{
	const char *name = invocation->argv[0];
	const json_t *method = NULL;
	size_t len = name != NULL ? strlen(name) : 0;
	const char *first = json_object_iter_key(json_object_iter(methods));

	if (name != NULL)
		method = json_object_get(methods, name);
	/* Of a namespace, every method's name begins with it and a dot. */
	if (method == NULL && name != NULL &&
	    (first == NULL || strncmp(first, name, len) != 0 ||
		first[len] != '.')) {
		complain("there is no method or namespace %s", name);
		return EXIT_SERVER;
	}
	if (invocation->json)
		print_json(stdout, method != NULL ? method : methods);
	else if (method != NULL)
		describe(name, method);
	else
		list(methods);
	return EXIT_DONE;
}

enum exit_code
command_describe(const struct invocation *invocation)
{
	enum client_answer got;
	enum exit_code code;
	struct client *client;
	json_t *answer = NULL;

	if (invocation->argc > 1) {
		complain("describe takes one name");
		return EXIT_USAGE;
	}
	if ((client = client_open(invocation->instance)) == NULL)
		return EXIT_UNREACHABLE;
	got = ask(client, invocation->argv[0], &answer);
	code = client_outcome(got, answer, invocation->json);
	if (code == EXIT_DONE)
		code = tell(invocation, answer);
	json_decref(answer);
	client_close(client);
	return code;
}
