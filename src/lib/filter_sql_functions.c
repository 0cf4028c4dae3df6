/*
 * SQL functions that evaluate with the first back end.
 */
#include <stdlib.h>

#include "lib/filter_sql.h"
#include "lib/filter_sql_functions.h"
#include "lib/filter_tree.h"
#include "lib/json.h"
#include "lib/value_key.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

/* NULL with an error set when it is no JSON. */
static json_t *
argument(sqlite3_context *context, sqlite3_value *value)
{
	const char *text = (const char *)sqlite3_value_text(value);
	const char *problem = "no text";
	json_t *json = NULL;

	if (text != NULL)
		json = json_parse(
		    text, (size_t)sqlite3_value_bytes(value), &problem);
	if (json == NULL)
		sqlite3_result_error(context, problem, -1);
	return json;
}

static void
answer(sqlite3_context *context, const struct filter_node *node, bool result)
{
	if (node->work->problem != NULL)
		sqlite3_result_error(context, node->work->problem, -1);
	else
		sqlite3_result_int(context, result);
}

static void
call_match(sqlite3_context *context, int count, sqlite3_value **values)
{
	const struct filter_node *node =
	    sqlite3_value_pointer(values[1], POINTER_NODE);
	json_t *entry;

	(void)count;
	if (node == NULL || (entry = argument(context, values[0])) == NULL)
		return;
	answer(context, node, filter_node_match(node, entry));
	json_decref(entry);
}

static void
call_test(sqlite3_context *context, int count, sqlite3_value **values)
{
	const struct filter_node *node =
	    sqlite3_value_pointer(values[1], POINTER_NODE);
	json_t *value;

	(void)count;
	/* What is absent does not match: NULL. */
	if (node == NULL || sqlite3_value_type(values[0]) == SQLITE_NULL ||
	    (value = argument(context, values[0])) == NULL)
		return;
	answer(context, node, filter_node_test(node, value));
	json_decref(value);
}

static void
answer_key(sqlite3_context *context, const json_t *value)
{
	struct wire_out key = { 0 };

	if (value == NULL || json_is_null(value))
		return;
	value_key(value, &key);
	sqlite3_result_blob64(context, key.data, key.len, SQLITE_TRANSIENT);
	wire_free(&key);
}

static void
call_key(sqlite3_context *context, int count, sqlite3_value **values)
{
	json_t *value;

	(void)count;
	if (sqlite3_value_type(values[0]) == SQLITE_NULL ||
	    (value = argument(context, values[0])) == NULL)
		return;
	answer_key(context, value);
	json_decref(value);
}

static void
call_key_of(sqlite3_context *context, int count, sqlite3_value **values)
{
	const struct sort *sort =
	    sqlite3_value_pointer(values[1], POINTER_SORT);
	json_t *entry, *selected;

	(void)count;
	if (sort == NULL || (entry = argument(context, values[0])) == NULL)
		return;
	selected = sort->key->of_selected ?
	    query_plan_select(sort->plan, entry) :
	    json_incref(entry);
	answer_key(context, order_key_value(sort->key, selected));
	json_decref(selected);
	json_decref(entry);
}

/* clang-format off */
static const struct {
	const char *name;
	int arguments;
	void (*call)(sqlite3_context *, int, sqlite3_value **);
} functions[] = {
	{ "filter_match", 2, call_match },
	{ "filter_test", 2, call_test },
	{ "filter_key", 1, call_key },
	{ "filter_key_of", 2, call_key_of },
};
/* clang-format on */

int
filter_sql_register(sqlite3 *db)
{
	/* Of no use to views and triggers that somebody put into the file. */
	const int flags =
	    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int code = SQLITE_OK;
	size_t i;

	for (i = 0; i < sizeof functions / sizeof functions[0]; i++)
		if (code == SQLITE_OK)
			code = sqlite3_create_function_v2(db, functions[i].name,
			    functions[i].arguments, flags, NULL,
			    functions[i].call, NULL, NULL, NULL);
	return code;
}
