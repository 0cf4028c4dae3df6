/*
 * /dev/log: how a datagram is taken apart, and how many lines are let through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audit/syslog.h"

static void
assert_syslog(const char *data, const char *facility, const char *severity,
    const char *text)
{
	struct syslog_line line;

	syslog_parse(data, strlen(data), &line);
	assert_string_equal(line.facility, facility);
	assert_string_equal(line.severity, severity);
	assert_int_equal(line.len, strlen(text));
	assert_memory_equal(line.text, text, line.len);
}

static void
test_parse(void **state)
{
	struct syslog_line line;

	(void)state;
	assert_syslog(
	    "<38>Nov  1 09:15:00 sshd[7]: in\n", "auth", "info", "sshd[7]: in");
	assert_syslog("<191>x", "local7", "debug", "x");
	assert_syslog("<192>x", "user", "notice", "<192>x");
	assert_syslog("<>x", "user", "notice", "<>x");
	assert_syslog("<12", "user", "notice", "<12");
	assert_syslog("<0012>x", "user", "notice", "<0012>x");
	assert_syslog("", "user", "notice", "");
	assert_syslog("Nov 1 09:15:00 x", "user", "notice", "Nov 1 09:15:00 x");
	syslog_parse("<13>a\0b\n\0", 9, &line);
	assert_int_equal(line.len, 3);
}

static void
test_budget(void **state)
{
	struct syslog_budget budget = { 0 };
	unsigned int i, permitted = 0;

	(void)state;
	for (i = 0; i < 1000; i++)
		permitted += syslog_permit(&budget, 5000 + i % 1000, false);
	assert_int_equal(permitted, SYSLOG_LINES_OTHERS);
	for (i = 0; i < 1000; i++)
		permitted += syslog_permit(&budget, 5999, true);
	assert_int_equal(permitted, SYSLOG_LINES);
	assert_true(syslog_permit(&budget, 6000, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
