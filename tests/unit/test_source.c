/*
 * What other programs tell the audit role: packets, texts of any bytes, and
 * the lines that make them tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "audit/source.h"
#include "audit/source_fact.h"
#include "lib/xalloc.h"
#include "monitor/hooks.h"

static void
test_packet(void **state)
{
	static const char packet[] =
	    "\001login\0user=anna\0userx=no\0empty=\0arg=a\0arg=b";
	struct fact_text fact;

	(void)state;
	assert_true(fact_parse(packet, sizeof(packet), &fact));
	assert_string_equal(fact.kind, "login");
	assert_string_equal(fact_value(&fact, "user"), "anna");
	assert_string_equal(fact_value(&fact, "empty"), "");
	assert_string_equal(fact_value(&fact, "arg"), "a");
	assert_null(fact_value(&fact, "us"));
	assert_null(fact_value(&fact, "login"));
}

static void
test_packet_that_is_none(void **state)
{
	struct fact_text fact;

	(void)state;
	assert_false(fact_parse("", 0, &fact));
	assert_false(fact_parse("\001", 1, &fact));
	assert_false(fact_parse("\002login", 7, &fact));
	assert_false(fact_parse("\001login", 6, &fact)); /* no NUL */
	assert_true(fact_parse("\001", 2, &fact));
	assert_string_equal(fact.kind, "");
	assert_null(fact_value(&fact, ""));
}

static void
assert_text(const char *text, size_t len, const char *expected)
{
	json_t *value = source_text(text, len);

	assert_string_equal(json_string_value(value), expected);
	json_decref(value);
}

static void
test_text(void **state)
{
	char *text = xmalloc(1000000);
	json_t *value;
	const char *shown;

	(void)state;
	assert_text("a\x1b\xc3\xa4", 4, "a\x1b\xc3\xa4");
	assert_text("a\0b", 3, "a\\x00b");
	assert_text("\xff\n", 2, "\\xff\\n");
	memset(text, 'x', 1000000);
	/* A character across the limit goes as a whole. */
	memcpy(text + SOURCE_TEXT_MAX - 1, "\xc3\xa4", 2);
	value = source_text(text, 1000000);
	shown = json_string_value(value);
	assert_int_equal(strspn(shown, "x"), SOURCE_TEXT_MAX - 1);
	assert_string_equal(
	    shown + SOURCE_TEXT_MAX - 1, " ... (1000000 bytes)");
	json_decref(value);
	/* Nor does one that only seems to be. */
	memset(text, 0x80, 1000000);
	value = source_text(text, 1000000);
	assert_non_null(strstr(json_string_value(value), "(1000000 bytes)"));
	json_decref(value);
	free(text);
}

static void
test_hook(void **state)
{
	static const struct hook hook = {
		.ours = "ours.so", .first = "a ours.so\n", .last = "z ours.so\n"
	};
	char *once = hook_text(&hook, "one\n\ntwo"), *twice;

	(void)state;
	assert_string_equal(once, "a ours.so\none\n\ntwo\nz ours.so\n");
	twice = hook_text(&hook, once);
	assert_string_equal(twice, once);
	free(once);
	free(twice);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet),
		cmocka_unit_test(test_packet_that_is_none),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
