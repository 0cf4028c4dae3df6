/*
 * filter and query: every operator right and wrong, paths, options, order of
 * evaluation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/filter.h"
#include "lib/filter_value.h"
#include "lib/json.h"

static const char entries_text[] =
    "[{\"id\":1,\"name\":\"daemon\",\"uid\":3000,\"smb\":true,"
    "  \"tags\":[\"a\",\"B\"],\"p\":{\"q\":{\"r\":5}},"
    "  \"sub\":[{\"k\":1},{\"k\":2}],\"at\":{\"$date\":1735689600000}},"
    " {\"id\":2,\"name\":\"Root\",\"uid\":0,\"smb\":false,"
    "  \"tags\":[],\"p\":{\"q\":{}},\"sub\":[],\"at\":null},"
    " {\"id\":3,\"name\":null,\"uid\":1.5,\"smb\":null,"
    "  \"tags\":null,\"a.b\":7,\"p\":null},"
    " {\"id\":4,\"name\":\"stra\xc3\x9f"
    "e\",\"uid\":2,\"smb\":false,"
    "  \"tags\":[\"c\"],\"at\":{\"$date\":1735689601500}}]";

static json_t *
parse(const char *text)
{
	const char *why;
	json_t *value = json_parse(text, strlen(text), &why);

	if (value == NULL)
		fail_msg("%s: %s", text, why);
	return value;
}

/* The ids that a filter finds, as "[1,2]"; or its first error. */
static void
finds(const char *filter_text, const char *expected)
{
	json_t *entries = parse(entries_text), *given = parse(filter_text);
	struct query_options q = { 0 };
	struct verr *errors = verr_new();
	struct filter *filter;
	json_t *found, *ids, *entry;
	char *text;
	size_t i;

	filter = filter_parse(given, "filters", errors);
	json_decref(given); /* the tree keeps what it needs */
	if (filter == NULL) {
		found = verr_extra(errors);
		assert_int_equal(json_array_size(found), 1);
		ids = json_array_get(found, 0);
		assert_string_equal(
		    json_string_value(json_array_get(ids, 0)), "filters");
		assert_string_equal(
		    json_string_value(json_array_get(ids, 1)), expected);
		json_decref(found);
		json_decref(entries);
		verr_free(errors);
		return;
	}
	assert_false(verr_any(errors));
	found = query_run(entries, filter, &q);
	ids = json_array();
	json_array_foreach(found, i, entry)
		json_array_append(ids, json_object_get(entry, "id"));
	text = json_text(ids);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", filter_text, text, expected);
	free(text);
	json_decref(ids);
	json_decref(found);
	filter_free(filter);
	verr_free(errors);
	json_decref(entries);
}

static void
test_operators(void **state)
{
	(void)state;
	finds("[]", "[1,2,3,4]");
	finds("[[\"uid\",\"=\",0]]", "[2]");
	finds("[[\"uid\",\"=\",\"0\"]]", "[]");
	finds("[[\"uid\",\"=\",2.0]]", "[4]");
	finds("[[\"smb\",\"=\",false]]", "[2,4]");
	finds("[[\"name\",\"=\",null]]", "[3]");
	finds("[[\"uid\",\"!=\",0],[\"uid\",\"<\",3000]]", "[3,4]");
	finds("[[\"uid\",\">\",2]]", "[1]");
	finds("[[\"uid\",\">=\",2]]", "[1,4]");
	finds("[[\"uid\",\"<\",1.5]]", "[2]");
	finds("[[\"uid\",\"<=\",1.5]]", "[2,3]");
	finds("[[\"name\",\">\",\"e\"]]", "[4]");
	finds("[[\"uid\",\">\",\"a\"]]", "[]");
	finds("[[\"name\",\"~\",\"d.*n$\"]]", "[1]");
	finds("[[\"name\",\"~\",\"aemon\"]]", "[]");
	finds("[[\"name\",\"~\",\"\"]]", "[1,2,3,4]");
	finds("[[\"uid\",\"~\",\"\"]]", "[]");
	finds("[[\"uid\",\"in\",[0,2]]]", "[2,4]");
	finds("[[\"uid\",\"in\",[]]]", "[]");
	finds("[[\"name\",\"nin\",[\"Root\"]]]", "[1,4]");
	finds("[[\"tags\",\"rin\",\"a\"]]", "[1]");
	finds("[[\"name\",\"rin\",\"aem\"]]", "[1]");
	finds("[[\"uid\",\"rin\",1]]", "[]");
	finds("[[\"tags\",\"rnin\",\"a\"]]", "[2,4]");
	finds("[[\"name\",\"^\",\"da\"]]", "[1]");
	finds("[[\"name\",\"!^\",\"da\"]]", "[2,4]");
	finds("[[\"name\",\"$\",\"on\"]]", "[1]");
	finds("[[\"name\",\"!$\",\"on\"]]", "[2,4]");
	finds("[[\"name\",\"$\",\"a longer text than the names\"]]", "[]");
	finds("[[\"name\",\"in\",\"a daemon's\"]]", "[1]");
	finds("[[\"uid\",\"in\",[2.0,false,\"2\"]]]", "[2,4]");
	finds("[[\"name\",\"in\",[1,null,\"x\",\"Root\"]]]", "[2,3]");
	finds("[[\"tags\",\"in\",[1,[]]]]", "[2]");
	finds("[[\"uid\",\"nin\",[0,2]]]", "[1,3]");
	finds("[[\"p\",\"rin\",\"q\"]]", "[1,2]");
	finds("[[\"tags\",\"=\",[]]]", "[2]");
	finds("[[\"tags\",\"=\",[\"a\",\"B\"]]]", "[1]");
	finds("[[\"p\",\"=\",{\"q\":{\"r\":5.0}}]]", "[1]");
	finds("[[\"p\",\"=\",{\"q\":{\"s\":5}}]]", "[]");
}

static void
test_case_insensitive(void **state)
{
	(void)state;
	finds("[[\"name\",\"C=\",\"ROOT\"]]", "[2]");
	finds("[[\"name\",\"C=\",\"STRASSE\"]]", "[4]");
	finds("[[\"name\",\"C!=\",\"ROOT\"]]", "[1,3,4]");
	finds("[[\"name\",\"C^\",\"RO\"]]", "[2]");
	finds("[[\"name\",\"C!^\",\"RO\"]]", "[1,4]");
	finds("[[\"name\",\"C$\",\"SSE\"]]", "[4]");
	finds("[[\"name\",\"C!$\",\"SSE\"]]", "[1,2]");
	finds("[[\"name\",\"Cin\",[\"ROOT\",\"DAEMON\",null]]]", "[1,2,3]");
	finds("[[\"name\",\"Cnin\",[\"ROOT\"]]]", "[1,4]");
	finds("[[\"tags\",\"Crin\",\"b\"]]", "[1]");
	finds("[[\"tags\",\"Crnin\",\"b\"]]", "[2,4]");
	finds("[[\"name\",\"C=\",\"\"]]", "[]");
	finds("[[\"uid\",\"C=\",\"0\"]]", "[]");
	finds("[[\"name\",\"C~\",\"x\"]]",
	    "Value error, Invalid case-insensitive operation: C~");
}

static void
test_paths(void **state)
{
	(void)state;
	finds("[[\"p.q.r\",\"=\",5]]", "[1]");
	finds("[[\"p.q.r\",\"!=\",5]]", "[]");
	finds("[[\"p.q\",\"=\",{}]]", "[2]");
	finds("[[\"a\\\\.b\",\"=\",7]]", "[3]");
	finds("[[\"tags.0\",\"=\",\"c\"]]", "[4]");
	finds("[[\"tags.1\",\"=\",null]]", "[2,4]");
	finds("[[\"sub.*.k\",\"=\",2]]", "[1]");
	finds("[[\"tags.*\",\"=\",\"B\"]]", "[1]");
	finds("[[\"sub.1.k\",\"=\",2]]", "[1]");
	finds("[[\"nosuch\",\"=\",null]]", "[]");
	finds("[[\"nosuch\",\"!=\",1]]", "[]");
	finds("[[\"\",\"=\",1]]", "[]");
	finds("[[\"..\",\"=\",1]]", "[]");
	finds("[[\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\",\"=\",1]]",
	    "Value error, Invalid filter "
	    "[\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\", \"=\", 1]");
}

static void
test_or(void **state)
{
	(void)state;
	finds("[[\"OR\",[[\"id\",\"=\",1],[\"id\",\"=\",3]]]]", "[1,3]");
	finds("[[\"OR\",[[[\"id\",\">\",1],[\"id\",\"<\",4]],"
	      "[\"id\",\"=\",1]]]]",
	    "[1,2,3]");
	finds("[[\"id\",\"!=\",1],[\"OR\",[[\"id\",\"=\",1],"
	      "[\"id\",\"=\",3]]]]",
	    "[3]");
	finds("[[\"OR\",[[\"OR\",[[\"OR\",[[\"id\",\"=\",2]]]]]]]]", "[2]");
	finds("[[\"OR\",[[\"OR\",[[\"OR\",[[\"OR\",[[\"id\",\"=\",2]]]]]]]]]]",
	    "Value error, Filters may be nested 3 deep at most");
	finds("[[\"OR\",[]]]",
	    "Value error, OR filter requires at least one branch.");
	finds("[[\"OR\",5]]", "Value error, Invalid filter [\"OR\", 5]");
	finds("[[\"OR\",[5]]]", "Value error, Invalid filter 5");
	finds("[[\"OR\",[[]]]]", "Value error, Invalid filter []");
	finds("[[\"AND\",[[\"id\",\"=\",0]]]]",
	    "Value error, Invalid operation: AND");
}

static void
test_date_forms(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		int64_t ms;		/* -1: none */
	} forms[] = {
		{ "1970-01-01", 0 },
		{ "19700102", 86400000 },
		{ "1970-01-01T01", 3600000 },
		{ "1970-01-01T01Z", 3600000 },
		{ "1970-01-01 01:02", 3720000 },
		{ "19700101T010203Z", 3723000 },
		{ "1970-01-01T01:02:03.5678", 3723567 },
		{ "1970-01-01T01:02:03,5", 3723500 },
		{ "1970-01-01T01:00+01", 0 },
		{ "1970-01-01T01:00:00+0030", 1800000 },
		{ "1970-01-01T01:00:00-00:30", 5400000 },
		{ "2024-02-29", 1709164800000 },
		{ "2023-02-29", -1 },
		{ "1970-0101", -1 }, { "197001-01", -1 }, { "1970-01", -1 },
		{ "1970-13-01", -1 }, { "1970-01-00", -1 },
		{ "1970-01-01T", -1 }, { "1970-01-01T24", -1 },
		{ "1970-01-01T01:0203", -1 }, { "1970-01-01T0102:03", -1 },
		{ "1970-01-01T01:60", -1 }, { "1970-01-01T01:02:", -1 },
		{ "1970-01-01T01+1", -1 }, { "1970-01-01T01+01:", -1 },
		{ "1970-01-01T01+01:00x", -1 }, { "1970-01-01Z", -1 },
		{ "1970-01-01x", -1 }, { "", -1 }, { "now", -1 },
	};
	/* clang-format on */
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (date_parse(forms[i].text, &ms) == -1)
			ms = -1;
		if (ms != forms[i].ms)
			fail_msg("%s: %lld", forms[i].text, (long long)ms);
	}
}

static void
test_dates(void **state)
{
	(void)state;
	finds("[[\"at.$date\",\"=\",\"2025-01-01T00:00:00Z\"]]", "[1]");
	finds("[[\"at.$date\",\">\",\"2025-01-01\"]]", "[4]");
	finds("[[\"at.$date\",\">=\",\"2025-01-01T01:00+01:00\"]]", "[1,4]");
	finds("[[\"at.$date\",\"=\",\"2025-01-01 00:00:01.500\"]]", "[4]");
	finds("[[\"at.$date\",\"!=\",\"2025-01-01\"]]", "[2,4]");
	finds("[[\"2025-01-01\",\"<\",\"at.$date\"]]", "[4]");
	finds("[[\"at\",\">\",{\"$date\":1735689600000}]]", "[4]");
	finds("[[\"at.$date\",\"^\",\"2025\"]]",
	    "Value error, Invalid operation for a time: "
	    "[\"at.$date\", \"^\", \"2025\"]");
	finds("[[\"at.$date\",\"=\",\"2025-02-30\"]]",
	    "Value error, A time in ISO 8601 form is needed in "
	    "[\"at.$date\", \"=\", \"2025-02-30\"]");
	finds("[[\"at.$date\",\"=\",5]]",
	    "Value error, A time in ISO 8601 form is needed in "
	    "[\"at.$date\", \"=\", 5]");
}

static void
test_wrong(void **state)
{
	(void)state;
	finds("{}", "Input should be a valid list");
	finds("[[]]", "Value error, Invalid filter []");
	finds("[[\"gid\",\"=\"]]", "Value error, Invalid operation: gid");
	finds("[\"gid\",\"=\",0]", "Value error, Invalid filter \"gid\"");
	finds("[[\"gid\",\"??\",0]]", "Value error, Invalid operation: ??");
	finds("[[\"gid\",\"\",0]]", "Value error, Invalid operation: ");
	finds("[[\"gid\",\"C\",0]]", "Value error, Invalid operation: C");
	finds("[[1,\"=\",0]]", "Value error, Invalid filter [1, \"=\", 0]");
	finds("[[\"a\",2,0]]", "Value error, Invalid filter [\"a\", 2, 0]");
	finds("[[\"gid\",\"in\",5]]",
	    "Value error, An array of values is needed in "
	    "[\"gid\", \"in\", 5]");
	finds("[[\"gid\",\">\",null]]",
	    "Value error, A number, a text or a date is needed in "
	    "[\"gid\", \">\", null]");
	finds("[[\"a\",\"^\",1]]",
	    "Value error, A text is needed in [\"a\", \"^\", 1]");
	finds("[[\"a\",\"C=\",1]]",
	    "Value error, A text, texts or null are needed in "
	    "[\"a\", \"C=\", 1]");
	finds("[[\"a\",\"~\",\"(\"]]",
	    "Value error, Invalid regular expression: missing closing "
	    "parenthesis at position 1");
}

/* How the only error of a filter begins. */
static void
refused(json_t *given, bool sql, const char *expected)
{
	json_t *options = json_pack("{s:b}", "force_sql_filters", sql);
	struct verr *errors = verr_new();
	const char *text;
	json_t *extra;

	assert_null(filter_parse_with(given, options, "filters", errors));
	extra = verr_extra(errors);
	assert_int_equal(json_array_size(extra), 1);
	text = json_string_value(json_array_get(json_array_get(extra, 0), 1));
	if (strncmp(text, expected, strlen(expected)) != 0)
		fail_msg("%s, not %s", text, expected);
	json_decref(extra);
	json_decref(options);
	json_decref(given);
	verr_free(errors);
}

static void
test_sizes(void **state)
{
	json_t *given = json_array(), *many = json_array();
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		given = json_pack("[[s, o]]", "OR", json_pack("[o]", given));
	refused(
	    given, false, "Value error, Filters may be nested 3 deep at most");
	for (i = 0; i < 1000; i++)
		given = json_pack("[o]", i == 0 ? json_array() : given);
	refused(given, false,
	    "Value error, Invalid filter "
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
	for (i = 0; i <= FILTER_TESTS_MAX; i++)
		json_array_append_new(
		    many, json_pack("[s, s, i]", "a", "=", i));
	refused(many, false,
	    "Value error, Filters may have 1000 conditions at most");
	many = json_pack("[[s, s, s++]]", "a", "~",
	    "((((((((((((((((((((((((((((((((((((((((", "x",
	    "))))))))))))))))))))))))))))))))))))))))");
	refused(many, false,
	    "Value error, Invalid regular expression: parentheses are too "
	    "deeply nested");
	many = json_array();
	for (i = 0; i <= FILTER_REGEXES_MAX; i++)
		json_array_append_new(
		    many, json_pack("[s, s, s]", "a", "~", "b"));
	refused(many, false,
	    "Value error, Filters may have 20 regular expressions at most");
}

/* An expression that backtracks for ever ends soon, and says so. */
static void
test_regex_limit(void **state)
{
	json_t *entries =
	    parse("[{\"a\":\"b\"},{\"a\":\"aaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}]");
	json_t *given = parse("[[\"a\",\"~\",\"(a+)+(a|a)*$\"]]");
	struct query_options q = { 0 };
	struct verr *errors = verr_new();
	struct filter *filter = filter_parse(given, "filters", errors);

	(void)state;
	assert_non_null(filter);
	assert_false(filter_match(filter, json_array_get(entries, 0)));
	assert_null(filter_problem(filter));
	assert_null(query_run(entries, filter, &q));
	assert_string_equal(filter_problem(filter),
	    "The regular expression takes too long on some value");
	/* It stays so. */
	assert_false(filter_match(filter, json_array_get(entries, 0)));
	assert_null(query_run(entries, filter, &q));
	filter_free(filter);
	verr_free(errors);
	json_decref(given);
	json_decref(entries);
}

/* Many expressions, each of them within the limit, on many entries. */
static void
test_time_limit(void **state)
{
	json_t *entries = json_array(), *given = json_array(), *entry;
	struct query_options q = { 0 };
	struct verr *errors = verr_new();
	struct filter *filter;
	int i;

	(void)state;
	entry = parse("{\"a\":\"aaaaaaaaaaab\"}");
	for (i = 0; i < 10000; i++)
		json_array_append(entries, entry);
	for (i = 0; i < FILTER_REGEXES_MAX; i++)
		json_array_append_new(
		    given, json_pack("[s, s, s]", "a", "~", "(a+)+c|a"));
	filter = filter_parse(given, "filters", errors);
	assert_non_null(filter);
	assert_null(query_run(entries, filter, &q));
	assert_string_equal(filter_problem(filter),
	    "The query takes too long: fewer or simpler conditions are "
	    "needed");
	filter_free(filter);
	verr_free(errors);
	json_decref(given);
	json_decref(entry);
	json_decref(entries);
}

/* What force_sql_filters changes. */
static void
test_sql_language(void **state)
{
	json_t *entries = parse(entries_text), *found;
	json_t *options = parse("{\"force_sql_filters\":true,"
				"\"select\":[\"id\"],"
				"\"order_by\":[\"smb\",\"-uid\"]}");
	json_t *given = parse("[[\"OR\",[[\"name\",\"~\",\"O+T|EMON\"],"
			      "[\"uid\",\"in\",[1.5,2]]]]]");
	struct verr *errors = verr_new();
	struct query_options q;
	struct filter *filter;
	char *text;

	(void)state;
	filter = filter_parse_with(given, options, "filters", errors);
	assert_non_null(filter);
	assert_int_equal(
	    query_options_parse(options, "options", &q, errors), 0);
	found = query_run(entries, filter, &q);
	text = json_text(found);
	assert_string_equal(
	    text, "[{\"id\":3},{\"id\":4},{\"id\":2},{\"id\":1}]");
	free(text);
	json_decref(found);
	json_decref(given);
	json_decref(options);
	json_decref(entries);
	filter_free(filter);
	verr_free(errors);
	refused(parse("[[\"a\",\"C=\",\"x\"]]"), true,
	    "Value error, Invalid operation: C=");
	refused(parse("[[\"a\",\"rnin\",\"x\"]]"), true,
	    "Value error, Invalid operation: rnin");
	refused(parse("[[\"a\",\"!^\",\"x\"]]"), true,
	    "Value error, Invalid operation: !^");
}

/* What a filter demands of a field, as text; "none". */
static void
demands(const char *filter_text, const char *equals, const char *among)
{
	json_t *given = parse(filter_text);
	struct verr *errors = verr_new();
	struct filter *filter = filter_parse(given, "filters", errors);
	char *text;

	assert_non_null(filter);
	json_decref(given);
	text = json_text(filter_equals(filter, "name"));
	assert_string_equal(text == NULL ? "none" : text, equals);
	free(text);
	text = json_text(filter_among(filter, "name"));
	assert_string_equal(text == NULL ? "none" : text, among);
	free(text);
	filter_free(filter);
	verr_free(errors);
}

static void
test_demands(void **state)
{
	(void)state;
	demands("[]", "none", "none");
	demands("[[\"uid\",\">\",1],[\"name\",\"=\",\"root\"]]", "\"root\"",
	    "none");
	demands("[[\"name\",\"=\",5]]", "5", "none");
	demands("[[\"name\",\"in\",[\"a\",5]]]", "none", "[\"a\",5]");
	/* 5 equals 5.0 and 1 true: no key to look up. */
	demands("[[\"name\",\"=\",5.0]]", "none", "none");
	demands("[[\"name\",\"=\",true]]", "none", "none");
	demands("[[\"name\",\"=\",null]]", "none", "none");
	demands("[[\"name\",\"in\",[\"a\",null]]]", "none", "none");
	demands("[[\"name\",\"in\",\"text\"]]", "none", "none");
	demands("[[\"name\",\"C=\",\"root\"]]", "none", "none");
	demands("[[\"name.x\",\"=\",\"root\"]]", "none", "none");
	demands("[[\"name\",\"!=\",\"root\"]]", "none", "none");
	demands("[[\"OR\",[[\"name\",\"=\",\"a\"],[\"uid\",\"=\",1]]]]", "none",
	    "none");
	assert_null(filter_equals(NULL, "name"));
}

static void
test_written(void **state)
{
	static const char given_text[] =
	    "[[\"a\\\\.b.c\",\"C=\",\"STRASSE\"],[\"OR\",[[\"x\",\"in\",[1]],"
	    "[[\"y\",\"~\",\"^a\"],[\"2025-01-01\",\"<\",\"at.$date\"]]]]]";
	static const char expected[] =
	    "[[\"a\\\\.b.c\",\"C=\",\"strasse\"],[\"OR\",[[[\"x\",\"in\",[1]]],"
	    "[[\"y\",\"~\",\"^a\"],[\"at\",\">\",{\"$date\":1735689600000}]]]]"
	    "]";
	json_t *given = parse(given_text), *written;
	struct verr *errors = verr_new();
	struct filter *filter = filter_parse(given, "filters", errors);
	char *text;

	(void)state;
	assert_non_null(filter);
	written = filter_write(filter);
	text = json_text(written);
	assert_string_equal(text, expected);
	free(text);
	json_decref(written);
	json_decref(given);
	filter_free(filter);
	verr_free(errors);
}

static void
query(const char *options_text, const char *expected)
{
	json_t *entries = parse(entries_text), *before = parse(entries_text);
	json_t *options = parse(options_text), *result;
	struct verr *errors = verr_new();
	struct query_options q;
	char *text;

	if (query_options_parse(options, "options", &q, errors) == -1)
		result = verr_extra(errors);
	else
		result = query_run(entries, NULL, &q);
	text = result == NULL ? strdup("NULL") : json_text(result);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", options_text, text, expected);
	/* Entries belong to others and stay as they are. */
	assert_true(json_equal(entries, before));
	free(text);
	json_decref(result);
	json_decref(options);
	json_decref(entries);
	json_decref(before);
	verr_free(errors);
}

static void
test_select(void **state)
{
	(void)state;
	query("{\"select\":[\"id\"],\"limit\":1}", "[{\"id\":1}]");
	query("{\"select\":[\"id\",\"p.q.r\",\"nosuch\"],\"limit\":2}",
	    "[{\"id\":1,\"p\":{\"q\":{\"r\":5}}},{\"id\":2}]");
	query("{\"select\":[[\"p.q.r\",\"x\"]],\"limit\":2}", "[{\"x\":5},{}]");
	query("{\"select\":[\"p\",\"p.q.r\",\"p.q\"],\"limit\":1}",
	    "[{\"p\":{\"q\":{\"r\":5}}}]");
	query("{\"select\":[\"id\",\"id\"],\"limit\":1}", "[{\"id\":1}]");
	query("{\"select\":[[\"uid\",\"p\"],\"p.q.r\"],\"limit\":1}",
	    "[{\"p\":{\"q\":{\"r\":5}}}]");
	query("{\"select\":[[\"id\"]]}",
	    "[[\"options\",\"Value error, select.0: A select as list may only "
	    "contain two parameters: the name of the parameter being "
	    "selected, and the name to which to assign it in resulting "
	    "data.\",22]]");
	query("{\"select\":[\"tags.0\"]}",
	    "[[\"options\",\"Value error, select.0: Selecting by list index "
	    "is not supported\",22]]");
	query("{\"select\":[],\"get\":true,\"order_by\":[\"-id\"]}",
	    "{\"id\":4,\"name\":\"stra\xc3\x9f"
	    "e\",\"uid\":2,\"smb\":false,"
	    "\"tags\":[\"c\"],\"at\":{\"$date\":1735689601500}}");
}

static void
order(const char *by, const char *expected)
{
	json_t *entries = parse(entries_text), *found, *ids = json_array();
	json_t *given, *entry;
	struct verr *errors = verr_new();
	struct query_options q;
	char options[200], *text;
	size_t i;

	snprintf(options, sizeof options,
	    "{\"select\":[\"id\",\"name\",\"smb\",\"uid\",\"at\"],"
	    "\"order_by\":%s}",
	    by);
	given = parse(options);
	assert_int_equal(query_options_parse(given, "options", &q, errors), 0);
	found = query_run(entries, NULL, &q);
	json_array_foreach(found, i, entry)
		json_array_append(ids, json_object_get(entry, "id"));
	text = json_text(ids);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", by, text, expected);
	free(text);
	json_decref(ids);
	json_decref(found);
	json_decref(given);
	json_decref(entries);
	verr_free(errors);
}

static void
test_order(void **state)
{
	(void)state;
	order("[\"uid\"]", "[2,3,4,1]");
	order("[\"-uid\"]", "[1,4,3,2]");
	order("[\"name\"]", "[3,2,1,4]");
	order("[\"nulls_last:name\"]", "[2,1,4,3]");
	order("[\"nulls_first:-name\"]", "[3,4,1,2]");
	order("[\"nulls_last:-name\"]", "[4,1,2,3]");
	order("[\"at\"]", "[2,3,1,4]");
	/* Stable, the last key is the first to count. */
	order("[\"smb\"]", "[3,2,4,1]");
	order("[\"-smb\"]", "[1,2,4,3]");
	order("[\"-uid\",\"smb\"]", "[3,4,2,1]");
	order("[\"nosuch\"]", "[1,2,3,4]");
	order("[\"tags\"]", "[1,2,3,4]");
}

/* A key that is not selected sorts as null, whatever its entry has. */
static void
test_order_of_selected(void **state)
{
	(void)state;
	query("{\"select\":[\"id\"],\"order_by\":[\"uid\"]}",
	    "[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4}]");
	query("{\"select\":[[\"id\",\"n\"]],\"order_by\":[\"-n\"],"
	      "\"limit\":2}",
	    "[{\"n\":4},{\"n\":3}]");
	query("{\"select\":[\"p.q\",[\"id\",\"n\"]],\"limit\":2,"
	      "\"order_by\":[\"nulls_last:p.q.r\"]}",
	    "[{\"p\":{\"q\":{\"r\":5}},\"n\":1},{\"p\":{\"q\":{}},\"n\":2}]");
	query("{\"select\":[[\"id\",\"p\"],\"p.q\"],\"order_by\":[\"-p\"],"
	      "\"limit\":2}",
	    "[{\"p\":{\"q\":{\"r\":5}}},{\"p\":{\"q\":{}}}]");
}

/* The first of many are those of all of them sorted. */
static void
test_order_of_many(void **state)
{
	json_t *entries = json_array(), *all, *some, *by;
	struct query_options q = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 5000; i++)
		json_array_append_new(entries,
		    json_pack("{s:i, s:i}", "a", (int)(i * 7919 % 100), "b",
			(int)(i * 104729 % 1000)));
	by = json_pack("[s, s]", "-b", "a");
	q.order_by = by;
	all = query_run(entries, NULL, &q);
	assert_int_equal(json_array_size(all), 5000);
	q.limit = 100;
	q.offset = 37;
	some = query_run(entries, NULL, &q);
	assert_int_equal(json_array_size(some), 100);
	for (i = 0; i < 100; i++)
		assert_ptr_equal(
		    json_array_get(some, i), json_array_get(all, i + 37));
	json_decref(all);
	json_decref(some);
	json_decref(by);
	json_decref(entries);
}

static void
test_options(void **state)
{
	(void)state;
	query("{\"count\":true,\"limit\":1,\"offset\":2}", "4");
	query("{\"count\":true,\"get\":true}", "4");
	query("{\"select\":[\"id\"],\"limit\":2}", "[{\"id\":1},{\"id\":2}]");
	query("{\"select\":[\"id\"],\"offset\":1,\"limit\":2}",
	    "[{\"id\":2},{\"id\":3}]");
	query("{\"select\":[\"id\"],\"offset\":3}", "[{\"id\":4}]");
	query("{\"select\":[\"id\"],\"offset\":9,\"limit\":2}", "[]");
	query("{\"select\":[\"id\"],\"limit\":-1}",
	    "[{\"id\":1},{\"id\":2},{\"id\":3}]");
	query("{\"select\":[\"id\"],\"limit\":-9}", "[]");
	query("{\"select\":[\"id\"],\"offset\":-1}", "[{\"id\":4}]");
	query("{\"select\":[\"id\"],\"offset\":-9223372036854775807,"
	      "\"limit\":1}",
	    "[{\"id\":1}]");
	query("{\"select\":[\"id\"],\"offset\":9223372036854775807,"
	      "\"limit\":-9223372036854775807}",
	    "[]");
	query("{\"select\":[\"id\"],\"get\":true,\"limit\":1}", "{\"id\":1}");
	query("{\"get\":true,\"limit\":2}",
	    "[[\"options\",\"Value error, Invalid options combination. `get` "
	    "implies a single result.\",22]]");
	query("{\"get\":true,\"offset\":1}",
	    "[[\"options\",\"Value error, Invalid options combination. `get` "
	    "implies a single result.\",22]]");
	query("{\"limit\":10001}",
	    "[[\"options.limit\",\"Input should be less than or equal to "
	    "10000\",22]]");
	query("{\"order_by\":[\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\"]}",
	    "[[\"options.order_by.0\",\"Value error, Too many parts\",22]]");
	query("{\"select\":[\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\"]}",
	    "[[\"options\",\"Value error, select.0: Too many parts\",22]]");
	query("{\"order_by\":[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
	      "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]}",
	    "[[\"options.order_by\",\"List should have at most 16 items\","
	    "22]]");
	query("{\"order_by\":[5]}",
	    "[[\"options.order_by.0\",\"Input should be a valid string\","
	    "22]]");
}

static void
test_get_nothing(void **state)
{
	json_t *entries = json_array();
	struct query_options q = { .get = true };

	(void)state;
	assert_null(query_run(entries, NULL, &q));
	json_decref(entries);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_case_insensitive),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_or),
		cmocka_unit_test(test_date_forms),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_regex_limit),
		cmocka_unit_test(test_time_limit),
		cmocka_unit_test(test_sql_language),
		cmocka_unit_test(test_demands),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_of_selected),
		cmocka_unit_test(test_order_of_many),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_get_nothing),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
