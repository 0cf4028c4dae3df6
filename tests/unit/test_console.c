/*
 * Console messages: which lines are kept, and who is told of which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/console.h"
#include "lib/json.h"

static json_t *told;
static uint32_t told_id;

static void
answered(uint32_t id, json_t *answer, void *arg)
{
	(void)arg;
	assert_null(told);
	told = answer;
	told_id = id;
}

static void
say(struct console *console, const char *text, size_t len)
{
	struct console_said said = { .pid = 7,
		.uid = 1000,
		.facility = "auth",
		.severity = "info",
		.text = text,
		.len = len };

	console_line(console, &said);
}

static void
say_number(struct console *console, int number)
{
	char text[16];

	say(console, text, (size_t)snprintf(text, sizeof(text), "%d", number));
}

/* The answer to that question: so many lines, from the text to that one. */
static json_int_t
assert_told(uint32_t id, size_t count, const char *first, const char *end)
{
	const json_t *lines = json_object_get(told, "lines");
	json_int_t last = json_int(told, "last", 0);

	assert_non_null(told);
	assert_int_equal(told_id, id);
	assert_int_equal(json_array_size(lines), count);
	if (count > 0) {
		assert_string_equal(
		    json_str(json_array_get(lines, 0), "text", ""), first);
		assert_string_equal(
		    json_str(json_array_get(lines, count - 1), "text", ""),
		    end);
		assert_int_equal(
		    json_int(json_array_get(lines, count - 1), "number", 0),
		    last);
	}
	json_decref(told);
	told = NULL;
	return last;
}

static void
test_follow(void **state)
{
	struct console *console = console_new(answered, NULL);
	json_int_t last;
	int i;

	(void)state;
	/* It waits for the first line, then for the next ones. */
	console_ask(console, 1, 0);
	assert_null(told);
	say_number(console, 1);
	last = assert_told(1, 1, "1", "1");
	say_number(console, 2);
	say_number(console, 3);
	assert_null(told);
	console_ask(console, 2, (uint64_t)last);
	last = assert_told(2, 2, "2", "3");
	console_ask(console, 3, (uint64_t)last);
	assert_null(told);
	/* One question at a time; none of who is gone. */
	console_ask(console, 4, (uint64_t)last);
	assert_told(3, 0, NULL, NULL);
	console_forget(console);
	say_number(console, 4);
	assert_null(told);
	/* Who is slow misses lines, and has them all from there on. */
	for (i = 5; i <= 250; i++)
		say_number(console, i);
	console_ask(console, 5, (uint64_t)last);
	assert_told(5, CONSOLE_LINES, "151", "250");
	/* A number of an earlier start. */
	console_ask(console, 6, 0);
	assert_told(6, CONSOLE_LINES, "151", "250");
	console_free(console);
}

static void
test_text(void **state)
{
	struct console *console = console_new(answered, NULL);
	char text[CONSOLE_TEXT_MAX + 9];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + CONSOLE_TEXT_MAX - 1, "\xe2\x82\xac", 3);
	console_ask(console, 1, 0);
	say(console, text, sizeof(text));
	text[CONSOLE_TEXT_MAX - 1] = '\0';
	assert_told(1, 1, text, text);
	/* What is no text is shown in a form that is one. */
	console_ask(console, 2, 0);
	json_decref(told);
	told = NULL;
	console_ask(console, 3, UINT64_MAX);
	say(console, "a\xff\0b", 4);
	assert_non_null(told);
	json_decref(told);
	told = NULL;
	console_free(console);
	console_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
