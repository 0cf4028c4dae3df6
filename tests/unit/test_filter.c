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

/* An expression that backtracks for ever ends soon, without a match. */
static void
test_regex_limit(void **state)
{
	json_t *entry = parse("{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}");
	json_t *given = parse("[[\"a\",\"~\",\"(a+)+(a|a)*$\"]]");
	struct verr *errors = verr_new();
	struct filter *filter = filter_parse(given, "filters", errors);
	int i;

	(void)state;
	assert_non_null(filter);
	for (i = 0; i < 20; i++)
		assert_false(filter_match(filter, entry));
	filter_free(filter);
	verr_free(errors);
	json_decref(given);
	json_decref(entry);
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
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_regex_limit),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_get_nothing),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
