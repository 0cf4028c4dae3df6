/*
 * libFuzzer: query filters and options of any shape never crash, their
 * evaluation leaves the entries as they were, SQLite finds the same, and a
 * filter written and parsed again is the same.  Input: a JSON array of the two
 * parameters of a .query method.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filter_sql.h"
#include "lib/json.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char entries_text[] =
    "[{\"id\":1,\"name\":\"daemon\",\"uid\":3000,\"smb\":true,"
    "\"tags\":[\"a\",\"B\"],\"p\":{\"q\":{\"r\":5}},\"sub\":[{\"k\":1}],"
    "\"at\":{\"$date\":1735689600000}},"
    "{\"id\":2,\"name\":null,\"uid\":1.5,\"tags\":null,\"a.b\":7,\"p\":null}]";

static json_t *entries, *before;
static sqlite3 *db;

static void
expect(bool condition)
{
	if (!condition)
		abort();
}

static void
setup(void)
{
	sqlite3_stmt *insert;
	json_t *entry;
	char *text;
	size_t i;

	json_secure();
	entries = json_parse(entries_text, strlen(entries_text), NULL);
	before = json_deep_copy(entries);
	expect(sqlite3_open(":memory:", &db) == SQLITE_OK &&
	    filter_sql_register(db) == SQLITE_OK &&
	    sqlite3_exec(db, "CREATE TABLE t (entry TEXT)", NULL, NULL, NULL) ==
		SQLITE_OK);
	expect(sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?)", -1, &insert,
		   NULL) == SQLITE_OK);
	json_array_foreach(entries, i, entry) {
		text = json_text(entry);
		sqlite3_bind_text(insert, 1, text, -1, SQLITE_TRANSIENT);
		expect(sqlite3_step(insert) == SQLITE_DONE);
		sqlite3_reset(insert);
		freezero_str(text);
	}
	sqlite3_finalize(insert);
}

static void
check_sql(const struct filter *filter, const struct query_options *q,
    const json_t *expected)
{
	static const struct filter_sql source = {
		.table = "t", .document = "entry", .order = "rowid"
	};
	struct query_options rest = filter_sql_rest(q);
	json_t *rows = json_array(), *found;
	sqlite3_stmt *statement;

	statement = filter_sql_prepare(db, &source, filter, q);
	expect(statement != NULL);
	while (sqlite3_step(statement) == SQLITE_ROW)
		json_array_append_new(rows,
		    q->count ?
			json_integer(sqlite3_column_int64(statement, 0)) :
			json_loads(
			    (const char *)sqlite3_column_text(statement, 0), 0,
			    NULL));
	sqlite3_finalize(statement);
	found = q->count ? json_incref(json_array_get(rows, 0)) :
			   query_run(rows, NULL, &rest);
	expect(filter_problem(filter) != NULL || found == expected ||
	    json_equal(found, expected));
	json_decref(found);
	json_decref(rows);
}

static void
check_written(const struct filter *filter, const json_t *options)
{
	struct verr *errors = verr_new();
	json_t *written = filter_write(filter), *again;
	struct filter *other;

	other = filter_parse_with(written, options, "filters", errors);
	expect(other != NULL);
	again = filter_write(other);
	expect(json_equal(written, again));
	filter_free(other);
	json_decref(again);
	json_decref(written);
	verr_free(errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verr *errors = verr_new();
	struct filter *filter = NULL;
	struct query_options q;
	json_t *params, *options, *result;

	if (entries == NULL)
		setup();
	params = json_parse((const char *)data, size, NULL);
	options = json_array_get(params, 1);
	if (params != NULL)
		filter = filter_parse_with(
		    json_array_get(params, 0), options, "filters", errors);
	/* Its types are checked by its schema before. */
	if (filter != NULL) {
		check_written(filter, options);
		if (query_options_parse(options, "options", &q, errors) == 0) {
			result = query_run(entries, filter, &q);
			if (filter_problem(filter) == NULL)
				check_sql(filter, &q, result);
			json_decref(result);
			expect(json_equal(entries, before));
		}
	}
	filter_free(filter);
	json_decref(params);
	free(verr_reason(errors));
	json_decref(verr_extra(errors));
	verr_free(errors);
	return 0;
}
