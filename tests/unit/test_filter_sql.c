/*
 * filter_sql: finds what query_run finds, over random entries with random
 * filters and options; filters written and parsed again mean the same; no
 * word of a user gets into a statement; indexes are used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/filter_sql.h"
#include "lib/filter_value.h"
#include "lib/json.h"
#include "lib/value_key.h"
#include "lib/xalloc.h"

#define ENTRIES 40
#define ROUNDS 3000

/* xorshift: the same cases in every run. */
static uint64_t state = 0x9e3779b97f4a7c15;

static unsigned int
below(unsigned int limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 33) % limit;
}

#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

static json_t *
parse(const char *text)
{
	const char *why;
	json_t *value = json_parse(text, strlen(text), &why);

	if (value == NULL)
		fail_msg("%s: %s", text, why);
	return value;
}

/* Few different values, so that they meet; those that are hard to get right. */
static json_t *
random_scalar(void)
{
	static const char *const values[] = { "null", "true", "false", "0", "1",
		"2", "-1", "1.0", "1.5", "-0.0", "0.1", "0.30000000000000004",
		"9007199254740993", "9007199254740992.0", "9223372036854775807",
		"-9223372036854775808", "9223372036854775807.0", "1e300",
		"\"\"", "\"a\"", "\"A\"", "\"ab\"", "\"ba\"", "\"b\"", "\"1\"",
		"\"null\"", "\"[1]\"", "\"stra\303\237e\"", "\"STRASSE\"",
		"\"\xf0\x9f\x98\x80\"", "\"\xef\xbf\xbd\"",
		"\"a\\\"b\\\\c\\nd\"", "\"a%b_c\"", "\"'; DROP TABLE t\"",
		"\"2025-01-01\"", "{\"$date\":0}", "{\"$date\":1735689600000}",
		"{\"$date\":1735689600001}", "{\"$date\":1.5}",
		"{\"$date\":1,\"x\":2}" };

	return parse(PICK(values));
}

static const char *const names[] = { "a", "b", "c", "k\"q", "d.e", "0", "*",
	"\xc3\xa4", "", "x\\y", "$date", "tab\t" };

static json_t *
random_value(int depth)
{
	json_t *value;
	unsigned int n;

	switch (depth > 0 ? below(5) : 0) {
	case 1:
		value = json_array();
		for (n = below(4); n > 0; n--)
			json_array_append_new(value, random_value(depth - 1));
		return value;
	case 2:
		value = json_object();
		for (n = below(4); n > 0; n--)
			json_object_set_new(
			    value, PICK(names), random_value(depth - 1));
		return value;
	default:
		return random_scalar();
	}
}

static json_t *
random_entry(void)
{
	static const char *const usual[] = { "a", "b", "c" };
	json_t *entry = json_object();
	unsigned int n;

	for (n = 0; n < 3; n++)
		if (below(6) > 0)
			json_object_set_new(
			    entry, usual[n], random_value((int)below(3)));
	for (n = below(4); n > 0; n--)
		json_object_set_new(entry, PICK(names), random_value(3));
	return entry;
}

/* A third of them are the plain names. */
static const char *
random_path(void)
{
	static const char *const paths[] = { "a", "b", "c", "a", "b", "c",
		"a.b", "b.a", "a.b.c", "c.a", "d\\.e", "k\"q", "\xc3\xa4", "a",
		"b", "a.0", "a.1", "b.*", "a.*.b", "*", "a.*.*", "0", "", "a.",
		"x\\y", "a.k\"q", "b.\xc3\xa4", "nosuch", "a.$date.b", "tab\t",
		"b.0.a", "b.-1", "c.*.0" };

	return PICK(paths);
}

static json_t *
random_operand(const char *op)
{
	json_t *list;
	unsigned int n;

	if (strstr(op, "in") != NULL && strchr(op, 'r') == NULL &&
	    below(8) > 0) {
		list = json_array();
		for (n = below(6); n > 0; n--)
			json_array_append_new(list, random_value(1));
		return list;
	}
	if (strpbrk(op, "^$C") != NULL && below(10) > 0) {
		static const char *const texts[] = { "", "a", "A", "b", "ab",
			"STRASSE", "\xc3\x9f", "1", "\xf0\x9f\x98\x80" };

		if (strstr(op, "in") != NULL && strchr(op, 'r') == NULL)
			return json_pack("[s, s]", PICK(texts), PICK(texts));
		return json_string(PICK(texts));
	}
	if (strcmp(op, "~") == 0) {
		static const char *const patterns[] = { "a", "b$", ".*b",
			"(?i)A", "", "[", "^a", "\\w+$" };

		return json_string(PICK(patterns));
	}
	if (below(3) == 0 && strpbrk(op, "<>") == NULL)
		return random_value(2);
	return random_scalar();
}

static json_t *
random_test(void)
{
	static const char *const ops[] = { "=", "=", "!=", "!=", ">", ">=", "<",
		"<=", "~", "in", "nin", "rin", "rnin", "^", "!^", "$", "!$",
		"C=", "C!=", "C^", "C!^", "C$", "C!$", "Cin", "Cnin", "Crin",
		"Crnin", "C>" };
	const char *op = PICK(ops);

	if (below(15) == 0) {
		op = ops[below(8)];
		return json_pack(
		    "[s, s, s]", "a.$date", op, "2025-01-01T00:00:00Z");
	}
	return json_pack("[s, s, o]", random_path(), op, random_operand(op));
}

static json_t *
random_filters(int depth)
{
	json_t *filters = json_array(), *branches, *branch;
	unsigned int n, m;

	for (n = 1 + below(4) / 3; n > 0; n--) {
		if (depth == 0 || below(3) > 0) {
			json_array_append_new(filters, random_test());
			continue;
		}
		branches = json_array();
		for (m = 1 + below(2); m > 0; m--) {
			branch = random_filters(depth - 1);
			if (json_array_size(branch) == 0 || below(2) > 0) {
				json_decref(branch);
				branch = random_test();
			}
			json_array_append_new(branches, branch);
		}
		json_array_append_new(
		    filters, json_pack("[s, o]", "OR", branches));
	}
	return filters;
}

static json_t *
random_options(void)
{
	static const char *const order[] = { "a", "-a", "b", "-b", "c",
		"nulls_first:a", "nulls_last:b", "nulls_first:-c",
		"nulls_last:-a", "a.b", "-a.b", "a.0", "d\\.e", "x", "-x.a",
		"nulls_last:nosuch", "\xc3\xa4", "*" };
	static const char *const select[] = { "\"a\"", "\"b\"", "\"c\"",
		"\"a.b\"", "[\"a\", \"x\"]", "[\"b.a\", \"x\"]",
		"[\"a\", \"b\"]", "\"d\\\\.e\"", "[\"c\", \"a.b\"]" };
	json_t *options = json_object(), *list;
	unsigned int n;

	list = json_array();
	for (n = below(3); n > 0; n--)
		json_array_append_new(list, json_string(PICK(order)));
	json_object_set_new(options, "order_by", list);
	list = json_array();
	for (n = below(2) * below(4); n > 0; n--)
		json_array_append_new(list, parse(PICK(select)));
	json_object_set_new(options, "select", list);
	if (below(8) == 0)
		json_object_set_new(options, "count", json_true());
	if (below(6) == 0)
		json_object_set_new(options, "force_sql_filters", json_true());
	if (below(8) == 0) {
		json_object_set_new(options, "get", json_true());
		return options;
	}
	if (below(2) == 0)
		json_object_set_new(
		    options, "limit", json_integer((int)below(30) - 6));
	if (below(3) == 0)
		json_object_set_new(
		    options, "offset", json_integer((int)below(20) - 5));
	return options;
}

static sqlite3 *
open_database(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(filter_sql_register(db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db,
		"CREATE TABLE t (id INTEGER PRIMARY KEY, entry TEXT, "
		"name TEXT, uid INTEGER, at INTEGER, ok INTEGER);"
		"CREATE INDEX t_name ON t (name);",
		NULL, NULL, NULL),
	    SQLITE_OK);
	return db;
}

static void
bind_or_null(sqlite3_stmt *insert, int number, const json_t *value)
{
	if (json_is_integer(value))
		sqlite3_bind_int64(insert, number, json_integer_value(value));
	else if (json_is_boolean(value))
		sqlite3_bind_int(insert, number, json_is_true(value));
	else if (json_is_string(value))
		sqlite3_bind_text(insert, number, json_string_value(value), -1,
		    SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(insert, number);
}

static void
store(sqlite3 *db, const json_t *entries)
{
	sqlite3_stmt *insert;
	const json_t *entry;
	char *text;
	size_t i;

	sqlite3_exec(db, "DELETE FROM t", NULL, NULL, NULL);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "INSERT INTO t (entry, name, uid, at, ok)"
			     " VALUES (?, ?, ?, ?, ?)",
			     -1, &insert, NULL),
	    SQLITE_OK);
	json_array_foreach(entries, i, entry) {
		text = json_text(entry);
		sqlite3_bind_text(insert, 1, text, -1, SQLITE_TRANSIENT);
		bind_or_null(insert, 2, json_object_get(entry, "name"));
		bind_or_null(insert, 3, json_object_get(entry, "uid"));
		bind_or_null(insert, 4,
		    json_object_get(json_object_get(entry, "at"), "$date"));
		bind_or_null(insert, 5, json_object_get(entry, "ok"));
		assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
		sqlite3_reset(insert);
		freezero_str(text);
	}
	sqlite3_finalize(insert);
}

static const struct filter_sql plain_source = {
	.table = "t", .document = "entry", .order = "id"
};

/* clang-format off */
static const struct filter_sql_column columns[] = {
	{ "name", "name", JSON_STRING },
	{ "uid", "uid", JSON_INTEGER },
	{ "at", "at", JSON_OBJECT },
	{ "ok", "ok", JSON_TRUE },
	{ NULL, NULL, JSON_NULL }
};
/* clang-format on */

static const struct filter_sql indexed_source = {
	.table = "t", .document = "entry", .order = "id", .columns = columns
};

/* As a program that uses it would. */
static json_t *
ask(sqlite3 *db, const struct filter_sql *source, const struct filter *filter,
    const struct query_options *q)
{
	struct query_options rest = filter_sql_rest(q);
	json_t *rows = json_array(), *result;
	sqlite3_stmt *statement;
	int code;

	statement = filter_sql_prepare(db, source, filter, q);
	if (statement == NULL)
		fail_msg("%s", sqlite3_errmsg(db));
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		json_array_append_new(rows,
		    q->count ?
			json_integer(sqlite3_column_int64(statement, 0)) :
			parse((const char *)sqlite3_column_text(statement, 0)));
	if (code != SQLITE_DONE)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	result = q->count ? json_incref(json_array_get(rows, 0)) :
			    query_run(rows, NULL, &rest);
	json_decref(rows);
	return result;
}

/* How many cases said something: some of the entries, not all. */
static int telling;

static void
compare(sqlite3 *db, const struct filter_sql *source, const json_t *entries,
    const json_t *filters, const json_t *options)
{
	struct verr *errors = verr_new();
	struct query_options q;
	struct filter *filter;
	json_t *expected, *found;

	filter = filter_parse_with(filters, options, "filters", errors);
	if (filter != NULL &&
	    query_options_parse(options, "options", &q, errors) == 0) {
		expected = query_run(entries, filter, &q);
		found = ask(db, source, filter, &q);
		telling += json_array_size(expected) > 0 &&
		    json_array_size(expected) < json_array_size(entries);
		if (expected != found && !json_equal(expected, found))
			fail_msg("%s %s:\n%s\nnot\n%s", json_text(filters),
			    json_text(options), json_text(found),
			    json_text(expected));
		json_decref(expected);
		json_decref(found);
	}
	filter_free(filter);
	verr_free(errors);
}

static json_t *
random_entries(size_t count, json_t *(*make)(void))
{
	json_t *entries = json_array();

	while (json_array_size(entries) < count)
		json_array_append_new(entries, make());
	return entries;
}

static void
test_both_agree(void **unused)
{
	json_t *entries = NULL, *filters, *options;
	sqlite3 *db = open_database();
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		if (i % 100 == 0) {
			json_decref(entries);
			entries = random_entries(ENTRIES, random_entry);
			store(db, entries);
		}
		filters = random_filters((int)below(4));
		options = random_options();
		compare(db, &plain_source, entries, filters, options);
		json_decref(filters);
		json_decref(options);
	}
	assert_true(telling > ROUNDS / 10);
	json_decref(entries);
	sqlite3_close(db);
}

/* Entries whose members have the types that their columns ask for. */
static json_t *
random_record(void)
{
	static const char *const people[] = { "root", "daemon", "Root", "",
		"na\xc3\xafve", "a\"\n" };
	json_t *entry = json_object();

	if (below(5) > 0)
		json_object_set_new(entry, "name",
		    below(5) == 0 ? json_null() : json_string(PICK(people)));
	if (below(5) > 0)
		json_object_set_new(entry, "uid",
		    below(5) == 0 ? json_null() :
				    json_integer((int)below(5) - 2));
	if (below(5) > 0)
		json_object_set_new(entry, "at",
		    below(5) == 0 ? json_null() :
				    json_pack("{s:i}", "$date", below(4)));
	if (below(5) > 0)
		json_object_set_new(entry, "ok",
		    below(5) == 0 ? json_null() : json_boolean(below(2)));
	return entry;
}

static json_t *
random_column_test(void)
{
	static const char *const ops[] = { "=", "=", "!=", ">", ">=", "<",
		"<=", "in", "nin", "rin", "rnin", "^", "!^", "$", "!$", "~",
		"C=", "C!=", "C^", "Cin", "Crin" };
	static const char *const values[] = { "\"root\"", "\"Root\"", "\"\"",
		"\"ro\"", "\"a\\\"\\n\"", "0", "1", "-1.5", "1.0", "true",
		"false", "null", "{\"$date\":2}", "{\"$date\":1.5}",
		"[\"root\"]", "[0,1,null]", "[true,\"\"]", "[]" };
	static const char *const fields[] = { "name", "uid", "at", "ok" };

	return json_pack(
	    "[s, s, o]", PICK(fields), PICK(ops), parse(PICK(values)));
}

static json_t *
random_column_filters(void)
{
	json_t *filters = json_pack("[o]", random_column_test()), *branches;

	if (below(2) == 0)
		json_array_append_new(filters, random_column_test());
	if (below(3) == 0) {
		branches = json_pack(
		    "[o, o]", random_column_test(), random_column_test());
		json_array_append_new(
		    filters, json_pack("[s, o]", "OR", branches));
	}
	return filters;
}

static void
test_columns_agree(void **unused)
{
	static const char *const order[] = { "name", "-uid", "at",
		"nulls_last:name", "nulls_first:-uid", "nulls_last:-at",
		"-ok" };
	json_t *entries = random_entries(ENTRIES, random_record), *filters;
	json_t *options;
	sqlite3 *db = open_database();
	int i;

	(void)unused;
	store(db, entries);
	telling = 0;
	for (i = 0; i < ROUNDS; i++) {
		filters = random_column_filters();
		options = json_pack("{s:[s, s], s:[]}", "order_by", PICK(order),
		    PICK(order), "select");
		if (below(3) == 0)
			json_array_append_new(
			    json_object_get(options, "select"),
			    parse("[\"uid\", \"name\"]"));
		compare(db, &indexed_source, entries, filters, options);
		json_decref(filters);
		json_decref(options);
	}
	assert_true(telling > ROUNDS / 10);
	json_decref(entries);
	sqlite3_close(db);
}

static struct filter *
parsed(const char *text)
{
	struct verr *errors = verr_new();
	json_t *filters = parse(text);
	struct filter *filter = filter_parse(filters, "filters", errors);

	assert_non_null(filter);
	json_decref(filters);
	verr_free(errors);
	return filter;
}

/* How SQLite goes about it, as it says itself. */
static void
assert_plan(sqlite3 *db, const char *filters, const char *expected)
{
	struct filter *filter = parsed(filters);
	struct query_options q = { 0 };
	sqlite3_stmt *statement, *explain;
	char *text;

	statement = filter_sql_prepare(db, &indexed_source, filter, &q);
	assert_non_null(statement);
	text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(statement));
	assert_int_equal(
	    sqlite3_prepare_v2(db, text, -1, &explain, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(explain), SQLITE_ROW);
	if (strstr((const char *)sqlite3_column_text(explain, 3), expected) ==
	    NULL)
		fail_msg("%s: %s", filters, sqlite3_column_text(explain, 3));
	sqlite3_finalize(explain);
	sqlite3_finalize(statement);
	sqlite3_free(text);
	filter_free(filter);
}

static void
test_index_used(void **unused)
{
	sqlite3 *db = open_database();

	(void)unused;
	assert_plan(db, "[[\"name\",\"=\",\"root\"]]", "INDEX t_name (name=?)");
	assert_plan(db, "[[\"uid\",\"=\",1]]", "SCAN t");
	assert_plan(db, "[[\"name\",\"=\",1]]", "SCAN t");
	sqlite3_close(db);
}

/* Where columns say it all, no entry is read: here there is none. */
static void
test_entry_not_read(void **unused)
{
	static const struct filter_sql rows = { .table = "t",
		.document = "entry",
		.row = "id",
		.order = "id",
		.where = "id < ?1 AND id > ?2",
		.parameters = 2,
		.columns = columns };
	struct filter *filter =
	    parsed("[[\"name\",\"=\",\"root\"],[\"uid\",\">=\",0],"
		   "[\"ok\",\"!=\",false],[\"name\",\"~\",\"r\"]]");
	struct query_options q = { 0 };
	sqlite3 *db = open_database();
	sqlite3_stmt *statement;

	(void)unused;
	sqlite3_exec(db,
	    "INSERT INTO t VALUES (1, '{', 'root', 5, NULL, 1),"
	    " (2, '{', 'root', 5, NULL, 1), (3, '{', 'root', 5, NULL, 0),"
	    " (4, '{', 'root', 5, NULL, 1), (5, '{', 'root', 5, NULL, 1)",
	    NULL, NULL, NULL);
	statement = filter_sql_prepare(db, &rows, filter, &q);
	assert_non_null(statement);
	sqlite3_bind_int(statement, 1, 5);
	sqlite3_bind_int(statement, 2, 1);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 2);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 4);
	assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
	sqlite3_finalize(statement);
	filter_free(filter);
	sqlite3_close(db);
}

/* The statement is made of our own words; theirs are bound. */
static void
test_nothing_injected(void **unused)
{
	struct filter *filter =
	    parsed("[[\"evil') OR 1=1; --\",\"=\",\"evil') OR 1=1; --\"],"
		   "[\"OR\",[[\"evil\\\"x\",\"~\",\"evil'\"],"
		   "[\"evil\",\"in\",[\"evil'\",1]]]]]");
	json_t *options = parse("{\"order_by\":[\"-evil') DESC; --\"],"
				"\"select\":[[\"evil\",\"evil'\"]]}");
	struct verr *errors = verr_new();
	sqlite3 *db = open_database();
	sqlite3_stmt *statement;
	struct query_options q;

	(void)unused;
	assert_int_equal(
	    query_options_parse(options, "options", &q, errors), 0);
	statement = filter_sql_prepare(db, &plain_source, filter, &q);
	assert_non_null(statement);
	assert_null(strstr(sqlite3_sql(statement), "evil"));
	assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	filter_free(filter);
	json_decref(options);
	verr_free(errors);
}

static void
test_failures(void **unused)
{
	static const struct filter_sql wrong = {
		.table = "nosuch", .document = "entry", .order = "id"
	};
	struct filter *filter = parsed("[[\"a\",\"~\",\"(a+)+(a|a)*$\"]]");
	json_t *entries = parse("[{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}]");
	json_t *order = parse("{\"order_by\":[\"a\"]}");
	struct query_options q = { .order_by =
				       json_object_get(order, "order_by") };
	sqlite3 *db = open_database();
	sqlite3_stmt *statement;

	(void)unused;
	/* What was bound is freed: the sanitizer watches. */
	assert_null(filter_sql_prepare(db, &wrong, filter, &q));
	store(db, entries);
	statement = filter_sql_prepare(db, &plain_source, filter, &q);
	assert_int_equal(sqlite3_step(statement), SQLITE_ERROR);
	assert_non_null(strstr(sqlite3_errmsg(db), "regular expression"));
	assert_non_null(filter_problem(filter));
	sqlite3_finalize(statement);
	filter_free(filter);

	/* An entry that is damaged is not passed over. */
	filter = parsed("[[\"b\",\"=\",1]]");
	sqlite3_exec(db, "UPDATE t SET entry = '{'", NULL, NULL, NULL);
	statement = filter_sql_prepare(db, &plain_source, filter, &q);
	assert_int_equal(sqlite3_step(statement), SQLITE_ERROR);
	sqlite3_finalize(statement);
	filter_free(filter);
	sqlite3_close(db);
	json_decref(entries);
	json_decref(order);
}

/* What somebody else may hand to the functions. */
static void
test_functions_alone(void **unused)
{
	static const char *const calls[] = { "SELECT filter_match('{}', 1)",
		"SELECT filter_test('1', 'x')", "SELECT filter_key(NULL)",
		"SELECT filter_key_of('{}', 0)",
		"SELECT filter_test(NULL, NULL)" };
	sqlite3 *db = open_database();
	sqlite3_stmt *statement;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof calls / sizeof *calls; i++) {
		assert_int_equal(
		    sqlite3_prepare_v2(db, calls[i], -1, &statement, NULL),
		    SQLITE_OK);
		assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
		assert_int_equal(
		    sqlite3_column_type(statement, 0), SQLITE_NULL);
		sqlite3_finalize(statement);
	}
	sqlite3_close(db);
}

/* More conditions than SQLite takes in one expression. */
static void
test_many_conditions(void **unused)
{
	json_t *entries = parse("[{\"a\":5},{\"a\":999},{\"a\":1000}]");
	json_t *branches = json_array(), *filters, *options = json_object();
	sqlite3 *db = open_database();
	int i;

	(void)unused;
	for (i = 0; i < FILTER_TESTS_MAX; i++)
		json_array_append_new(
		    branches, json_pack("[s, s, i]", "a", "=", i));
	filters = json_pack("[[s, o]]", "OR", branches);
	store(db, entries);
	compare(db, &plain_source, entries, filters, options);
	json_decref(filters);
	json_decref(options);
	json_decref(entries);
	sqlite3_close(db);
}

static void
test_written_and_parsed(void **unused)
{
	json_t *entries = random_entries(ENTRIES, random_entry), *given;
	json_t *written, *again, *entry;
	struct filter *one, *other;
	struct verr *errors = verr_new();
	size_t n, trees = 0;
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		given = random_filters((int)below(4));
		one = filter_parse(given, "filters", errors);
		json_decref(given);
		if (one == NULL)
			continue;
		trees++;
		written = filter_write(one);
		other = filter_parse(written, "filters", errors);
		if (other == NULL)
			fail_msg("%s", json_text(written));
		again = filter_write(other);
		assert_true(json_equal(written, again));
		json_array_foreach(entries, n, entry)
			assert_int_equal(filter_match(one, entry),
			    filter_match(other, entry));
		filter_free(one);
		filter_free(other);
		json_decref(written);
		json_decref(again);
	}
	assert_true(trees > ROUNDS / 4);
	json_decref(entries);
	verr_free(errors);
}

/* An entry that matches may match by its text, however that was written. */
static void
test_possible(void **unused)
{
	static const size_t forms[] = { JSON_COMPACT, JSON_ENSURE_ASCII,
		JSON_ESCAPE_SLASH, JSON_INDENT(2) };
	json_t *entries = random_entries(ENTRIES, random_entry), *given, *entry;
	struct verr *errors = verr_new();
	size_t n, form, len, passed = 0, matches = 0;
	struct filter *filter;
	char *text;
	bool possible;
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		given = random_filters((int)below(4));
		filter = filter_parse_with(given, NULL, "filters", errors);
		json_decref(given);
		if (filter == NULL)
			continue;
		json_array_foreach(entries, n, entry) {
			form = PICK(forms);
			len = json_dumpb(entry, NULL, 0, form);
			text = xmalloc(len);
			json_dumpb(entry, text, len, form);
			possible = filter_possible(filter, text, len);
			if (filter_match(filter, entry)) {
				matches++;
				assert_true(possible);
			}
			passed += !possible;
			free(text);
		}
		filter_free(filter);
	}
	assert_true(matches > ROUNDS && passed > ROUNDS);
	json_decref(entries);
	verr_free(errors);
}

static int
sign(int value)
{
	return (value > 0) - (value < 0);
}

/* The order of keys is the order of values. */
static void
test_keys(void **unused)
{
	struct wire_out x = { 0 }, y = { 0 };
	json_t *a, *b;
	int order, i;
	size_t len;

	(void)unused;
	for (i = 0; i < 20000; i++) {
		a = random_value(3);
		b = random_value(3);
		value_key(a, &x);
		value_key(b, &y);
		len = x.len < y.len ? x.len : y.len;
		order = memcmp(x.data, y.data, len);
		if (order == 0)
			order = (x.len > y.len) - (x.len < y.len);
		if (sign(order) != sign(value_sort(a, b)))
			fail_msg("%s and %s", json_text(a), json_text(b));
		wire_free(&x);
		wire_free(&y);
		json_decref(a);
		json_decref(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_written_and_parsed),
		cmocka_unit_test(test_possible),
		cmocka_unit_test(test_both_agree),
		cmocka_unit_test(test_columns_agree),
		cmocka_unit_test(test_index_used),
		cmocka_unit_test(test_entry_not_read),
		cmocka_unit_test(test_nothing_injected),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_functions_alone),
		cmocka_unit_test(test_many_conditions),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
