/*
 * The last words of a service: bounded, printable, the newest kept; lines of
 * the system log taken apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "monitor/words.h"

static void
test_joined(void **state)
{
	struct words words = { 0 };

	(void)state;
	words_add(&words, "@@@@@@@@");
	words_add(&words, "");
	assert_string_equal(words.text, "");
	words_add(&words, "key \\\"/etc/a\\\": bad permissions.");
	words_add(&words, "key \\\"/etc/a\\\": bad permissions");
	words_add(&words, "exiting \\x1b[31m.");
	assert_string_equal(
	    words.text, "key \"/etc/a\": bad permissions; exiting \\x1b[31m");
}

static void
test_newest_kept(void **state)
{
	struct words words = { 0 };
	char line[2048];
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "line %d of many lines", i);
		words_add(&words, line);
		assert_in_range(strlen(words.text), 1, WORDS_MAX - 1);
	}
	assert_non_null(strstr(words.text, "line 99 of many lines"));
	assert_null(strstr(words.text, "line 0 of many lines"));
	assert_memory_equal(words.text, "line ", 5);
	/* A line longer than all room is cut, between two characters. */
	memset(line, 'x', sizeof(line));
	for (i = 1; i < 2000; i += 2)
		memcpy(line + i, "\xc3\xa4", 2);
	line[2001] = '\0';
	words_add(&words, line);
	assert_true(strlen(words.text) < WORDS_MAX);
	assert_int_equal(
	    (unsigned char)words.text[strlen(words.text) - 1] & 0x80, 0);
}

static void
test_syslog_lines(void **state)
{
	static const char *const none[] = { "", "pid=", "pid=? uid=? a.err x",
		"pid=0 uid=0 auth.err x", "pid=-1 uid=0 auth.err x",
		"pid=5 uid=0", "pid=5 uid=0 auth.err", "uid=5 pid=0 a.err x" };
	const char *text;
	bool error;
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(words_syslog(none[i], &pid, &error, &text));
	assert_true(words_syslog("pid=71 uid=0 auth.err sshd[71]: error: Bind",
	    &pid, &error, &text));
	assert_int_equal(pid, 71);
	assert_true(error);
	assert_string_equal(text, "error: Bind");
	assert_true(words_syslog(
	    "pid=71 uid=0 auth.info Server listening.", &pid, &error, &text));
	assert_false(error);
	assert_string_equal(text, "Server listening.");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_newest_kept),
		cmocka_unit_test(test_syslog_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
