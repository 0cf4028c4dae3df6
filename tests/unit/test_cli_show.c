/*
 * What people see of values: tables, names and values, cut texts.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/show.h"
#include "cli/text.h"

/* Shows JSON in so many columns and compares. */
static void
expect(const char *json, int width, const char *expected)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
	char *text = NULL;
	size_t len;
	FILE *file;

	assert_non_null(value);
	assert_non_null(file = open_memstream(&text, &len));
	show_value(file, value, width);
	fclose(file);
	json_decref(value);
	assert_string_equal(text, expected);
	free(text);
}

static void
test_simple(void **state)
{
	(void)state;
	expect("\"pong\"", 80, "pong\n");
	expect("true", 80, "true\n");
	expect("null", 80, "null\n");
	expect("17", 80, "17\n");
	expect("0.25", 80, "0.25\n");
	expect("[]", 80, "(none)\n");
	expect("{}", 80, "{}\n");
	expect("{\"$date\": 86400000}", 80, "1970-01-02 00:00:00\n");
	expect("[\"a\", 1]", 80, "a\n1\n");
	expect("\"two\\nlines\"", 80, "two\nlines\n");
}

static void
test_table(void **state)
{
	(void)state;
	expect("[{\"id\": 1, \"name\": \"a\"}, {\"id\": 11, \"name\": null, "
	       "\"more\": [1, \"x\"]}]",
	    80,
	    "id  name  more\n"
	    " 1  a\n"
	    "11  -     1, x\n");
	/* A number among texts is a text. */
	expect("[{\"n\": 1}, {\"n\": \"abc\"}]", 80, "n\n1\nabc\n");
	/* What is nested in a cell stays JSON. */
	expect("[{\"n\": {\"a\": [1]}}]", 80, "n\n{\"a\":[1]}\n");
	/* A newline would end the row. */
	expect("[{\"n\": \"a\\nb\"}]", 80, "n\na\\u000ab\n");
}

static void
test_wide_letters(void **state)
{
	(void)state;
	/* Two columns each, and none. */
	expect("[{\"a\": \"\\u65e5\\u672c\", \"b\": 1}, "
	       "{\"a\": \"e\\u0301\", \"b\": 2}]",
	    80,
	    "a     b\n"
	    "\xe6\x97\xa5\xe6\x9c\xac  1\n"
	    "e\xcc\x81     2\n");
}

static void
test_cut(void **state)
{
	(void)state;
	expect("[{\"name\": \"abcdefghijklmnopqrstuvwxyz\", \"n\": 1}]", 15,
	    "name          n\n"
	    "abcdefghijk\xe2\x80\xa6  1\n");
	/* A letter of two columns that does not fit is left out whole. */
	expect("[{\"name\": \"abcdefgh\\u65e5\\u65e5\\u65e5\", \"n\": 1}]", 13,
	    "name        n\n"
	    "abcdefgh\xe2\x80\xa6   1\n");
}

static void
test_too_many_columns(void **state)
{
	(void)state;
	/* One alone: below each other. */
	expect("[{\"first\": \"aaaaaaaaaaaa\", \"second\": \"bbbbbbbbbbbb\"}]",
	    16,
	    "first   aaaaaaaaaaaa\n"
	    "second  bbbbbbbbbbbb\n");
	/* More: what is nested goes first, then what stands at the right. */
	expect("[{\"first\": \"aaaaaaaaaaaa\", \"n\": {\"m\": 1234567890}, "
	       "\"second\": \"bbbbbbbbbbbb\", \"third\": 1}, {\"n\": 1}]",
	    25,
	    "first     second    third\n"
	    "aaaaaaa\xe2\x80\xa6  bbbbbbb\xe2\x80\xa6      1\n"
	    "\n"
	    "Not shown: n; --json has all\n");
	expect("[{\"first\": \"aaaaaaaaaaaa\", \"second\": \"bbbbbbbbbbbb\", "
	       "\"third\": 1}, {\"first\": \"c\"}]",
	    16,
	    "first\n"
	    "aaaaaaaaaaaa\n"
	    "c\n"
	    "Not shown: second, third; --json has all\n");
}

static void
test_object(void **state)
{
	(void)state;
	expect("{\"name\": \"nas\", \"since\": {\"$date\": 86400000}, "
	       "\"text\": \"one\\ntwo\\n\", \"list\": [\"a\", \"b\"], "
	       "\"none\": [], \"inner\": {\"deep\": {\"x\": 1}, \"y\": true}, "
	       "\"rows\": [{\"n\": 1}, {\"n\": 22}]}",
	    80,
	    "name   nas\n"
	    "since  1970-01-02 00:00:00\n"
	    "text   one\n"
	    "       two\n"
	    "list   a, b\n"
	    "none\n"
	    "inner\n"
	    "  deep\n"
	    "    x  1\n"
	    "  y  true\n"
	    "rows\n"
	    "   n\n"
	    "   1\n"
	    "  22\n");
}

/* Nothing that a terminal obeys or that turns the writing around. */
static void
test_hostile(void **state)
{
	char *clean;

	(void)state;
	expect("{\"a\\u001b[2J\": \"b\\u0007\\u202ec\\u009b\"}", 80,
	    "a\\u001b[2J  b\\u0007\\u202ec\\u009b\n");
	expect("[{\"a\\r\": \"b\\r\"}]", 80, "a\\u000d\nb\\u000d\n");
	clean = text_clean("a\xff\xe2\x80z\xef\xbf\xbd", false);
	assert_string_equal(clean, "a\\xff\\xe2\\x80z\xef\xbf\xbd");
	free(clean);
}

static void
test_wide_object(void **state)
{
	json_t *object = json_object(), *list = json_pack("[O]", object);
	char name[16], *text = NULL;
	size_t len, i;
	FILE *file;

	(void)state;
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "member%zu", i);
		json_object_set_new(object, name, json_integer(1));
	}
	assert_non_null(file = open_memstream(&text, &len));
	show_value(file, list, 100000);
	fclose(file);
	assert_non_null(strstr(text, "\nmember999  1\n"));
	free(text);
	json_decref(list);
	json_decref(object);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_wide_letters),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_too_many_columns),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_wide_object),
	};

	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
