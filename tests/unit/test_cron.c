/*
 * Schedules: what they may say, and when they come next, over leap years and
 * where the clock is put forward and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "core/cron.h"

static json_t *
schedule_of(const char *fields)
{
	json_t *schedule = json_object();
	char *text = strdup(fields), *rest = text, *field;
	size_t i;

	for (i = 0; i < CRON_FIELDS; i++) {
		assert_non_null(field = strsep(&rest, " "));
		json_object_set_new(
		    schedule, cron_names[i], json_string(field));
	}
	assert_null(rest);
	free(text);
	return schedule;
}

static struct cron
parsed(const char *fields)
{
	struct verr *errors = verr_new();
	json_t *schedule = schedule_of(fields);
	struct cron c;

	if (cron_parse(&c, schedule, "schedule", errors) == -1)
		fail_msg("%s: %s", fields, verr_reason(errors));
	assert_false(verr_any(errors));
	json_decref(schedule);
	verr_free(errors);
	return c;
}

static int64_t
utc(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

	assert_true(end != NULL && *end == '\0');
	return timegm(&tm);
}

/* Each of the times follows the one before. */
static void
follow(const char *zone, const char *fields, const char *const times[])
{
	struct cron c = parsed(fields);
	char text[32];
	time_t got;

	setenv("TZ", zone, 1);
	tzset();
	for (; times[1] != NULL; times++) {
		got = cron_next(&c, utc(times[0]));
		strftime(text, sizeof(text), "%F %T", gmtime(&got));
		if (strcmp(text, times[1]) != 0)
			fail_msg("%s \"%s\" after %s: %s, not %s", zone, fields,
			    times[0], text, times[1]);
	}
}

/* clang-format off */
#define FOLLOW(zone, fields, ...) \
	follow(zone, fields, (const char *const[]){ __VA_ARGS__, NULL })

static void
test_next(void **state)
{
	(void)state;
	FOLLOW("UTC", "* * * * *", "2026-01-01 00:00:00",
	    "2026-01-01 00:01:00", "2026-01-01 00:02:00");
	FOLLOW("UTC", "* * * * *", "2026-12-31 23:59:59",
	    "2027-01-01 00:00:00");
	FOLLOW("UTC", "*/20 8-9 * * *", "2026-01-01 08:30:10",
	    "2026-01-01 08:40:00", "2026-01-01 09:00:00",
	    "2026-01-01 09:20:00", "2026-01-01 09:40:00",
	    "2026-01-02 08:00:00");
	FOLLOW("UTC", "5-20/7,59 0 * * *", "2026-01-01 00:00:00",
	    "2026-01-01 00:05:00", "2026-01-01 00:12:00",
	    "2026-01-01 00:19:00", "2026-01-01 00:59:00",
	    "2026-01-02 00:05:00");
	FOLLOW("UTC", "00 0 31 * *", "2026-01-31 00:00:00",
	    "2026-03-31 00:00:00", "2026-05-31 00:00:00");
	/* Either day, when both are restricted. */
	FOLLOW("UTC", "0 12 13 * fri", "2026-11-01 00:00:00",
	    "2026-11-06 12:00:00", "2026-11-13 12:00:00",
	    "2026-11-20 12:00:00", "2026-11-27 12:00:00",
	    "2026-12-04 12:00:00", "2026-12-11 12:00:00",
	    "2026-12-13 12:00:00");
	FOLLOW("UTC", "0 0 * Jan-MAR SUN", "2026-03-22 00:00:00",
	    "2026-03-29 00:00:00", "2027-01-03 00:00:00");
	FOLLOW("UTC", "0 0 * * 7", "2026-11-21 00:00:00",
	    "2026-11-22 00:00:00", "2026-11-29 00:00:00");
	FOLLOW("UTC", "0 0 * * sat-sun", "2026-11-20 00:00:00",
	    "2026-11-21 00:00:00", "2026-11-22 00:00:00",
	    "2026-11-28 00:00:00");
	FOLLOW("UTC", "0 0 * * 5-7", "2026-11-22 00:00:00",
	    "2026-11-27 00:00:00");
	FOLLOW("UTC", "59 23 31 12 *", "1969-06-01 00:00:00",
	    "1969-12-31 23:59:00", "1970-12-31 23:59:00");
}

static void
test_leap_years(void **state)
{
	(void)state;
	FOLLOW("UTC", "0 0 29 2 *", "2026-01-01 00:00:00",
	    "2028-02-29 00:00:00", "2032-02-29 00:00:00");
	FOLLOW("Europe/Berlin", "0 12 29 feb *", "2096-03-01 00:00:00",
	    "2104-02-29 11:00:00");	/* 2100 has none */
	FOLLOW("UTC", "0 0 28-29 2 *", "2000-02-28 00:00:00",
	    "2000-02-29 00:00:00", "2001-02-28 00:00:00");
}

/* Berlin: 29 March 2026 from 02:00 to 03:00 at 01:00 UTC. */
static void
test_forward(void **state)
{
	(void)state;
	FOLLOW("Europe/Berlin", "30 2 * * *", "2026-03-27 12:00:00",
	    "2026-03-28 01:30:00", "2026-03-29 01:00:00",
	    "2026-03-30 00:30:00");
	/* From within the minute before as well. */
	FOLLOW("Europe/Berlin", "30 2 * * *", "2026-03-29 00:59:30",
	    "2026-03-29 01:00:00");
	/* Once, however often it would have come in that hour. */
	FOLLOW("Europe/Berlin", "*/10 2,3 * * *", "2026-03-29 00:59:59",
	    "2026-03-29 01:00:00", "2026-03-29 01:10:00");
	FOLLOW("Europe/Berlin", "0 3 * * *", "2026-03-28 12:00:00",
	    "2026-03-29 01:00:00", "2026-03-30 01:00:00");
	FOLLOW("Europe/Berlin", "0 * * * *", "2026-03-29 00:00:00",
	    "2026-03-29 01:00:00", "2026-03-29 02:00:00");
	FOLLOW("Europe/Berlin", "*/25 * * * *", "2026-03-29 00:26:00",
	    "2026-03-29 00:50:00", "2026-03-29 01:00:00",
	    "2026-03-29 01:25:00");
	/* Half an hour, and a midnight that is not there. */
	FOLLOW("Australia/Lord_Howe", "15 2 * * *", "2026-10-03 00:00:00",
	    "2026-10-03 15:30:00", "2026-10-04 15:15:00");
	FOLLOW("America/Sao_Paulo", "0 0 * * *", "2018-11-03 12:00:00",
	    "2018-11-04 03:00:00", "2018-11-05 02:00:00");
	/* A day that is not there at all: Samoa's 30 December 2011. */
	FOLLOW("Pacific/Apia", "0 12 30 12 *", "2011-01-01 00:00:00",
	    "2011-12-30 10:00:00", "2012-12-29 22:00:00");
}

/* Berlin: 25 October 2026 from 03:00 to 02:00 at 01:00 UTC. */
static void
test_back(void **state)
{
	(void)state;
	FOLLOW("Europe/Berlin", "30 2 * * *", "2026-10-24 12:00:00",
	    "2026-10-25 00:30:00", "2026-10-26 01:30:00");
	FOLLOW("Europe/Berlin", "30 2 * * *", "2026-10-25 01:05:00",
	    "2026-10-26 01:30:00");
	FOLLOW("Europe/Berlin", "*/30 2-3 * * *", "2026-10-24 23:59:59",
	    "2026-10-25 00:00:00", "2026-10-25 00:30:00",
	    "2026-10-25 02:00:00", "2026-10-25 02:30:00",
	    "2026-10-26 01:00:00");
	FOLLOW("Europe/Berlin", "0 3 * * *", "2026-10-25 00:30:00",
	    "2026-10-25 02:00:00");
	FOLLOW("Europe/Berlin", "0 * * * *", "2026-10-24 23:30:00",
	    "2026-10-25 00:00:00", "2026-10-25 01:00:00",
	    "2026-10-25 02:00:00");
	FOLLOW("Australia/Lord_Howe", "*/20 * * * *", "2026-04-04 14:30:00",
	    "2026-04-04 14:40:00", "2026-04-04 15:10:00",
	    "2026-04-04 15:30:00");
}

static const struct { const char *fields, *at; } refused[] = {
	{ "60 * * * *", "s.minute" },
	{ "-1 * * * *", "s.minute" },
	{ "1- * * * *", "s.minute" },
	{ "1,, * * * *", "s.minute" },
	{ "1, * * * *", "s.minute" },
	{ ", * * * *", "s.minute" },
	{ "1;2 * * * *", "s.minute" },
	{ "1.5 * * * *", "s.minute" },
	{ "0x1 * * * *", "s.minute" },
	{ "** * * * *", "s.minute" },
	{ "*/0 * * * *", "s.minute" },
	{ "*/ * * * *", "s.minute" },
	{ "*/61 * * * *", "s.minute" },
	{ "*/-5 * * * *", "s.minute" },
	{ "5/5 * * * *", "s.minute" },		/* only after * or a range */
	{ "4294967297 * * * *", "s.minute" },
	{ "mon * * * *", "s.minute" },
	{ "@reboot * * * *", "s.minute" },
	{ "0 24 * * *", "s.hour" },
	{ "0 22-2 * * *", "s.hour" },
	{ "0 2--3 * * *", "s.hour" },
	{ "0 0 0 * *", "s.dom" },
	{ "0 0 32 * *", "s.dom" },
	{ "0 0 L * *", "s.dom" },
	{ "0 0 * 0 *", "s.month" },
	{ "0 0 * 13 *", "s.month" },
	{ "0 0 * januar *", "s.month" },
	{ "0 0 * ja *", "s.month" },
	{ "0 0 * sun *", "s.month" },
	{ "0 0 * * 8", "s.dow" },
	{ "0 0 * * jan", "s.dow" },
	{ "0 0 * * fri-mon", "s.dow" },
	{ "0 0 * * 1#2", "s.dow" },
	{ "0 0 30 2 *", "s.dom" },		/* no such day */
	{ "0 0 31 2,4,6,9,11 *", "s.dom" },
};
/* clang-format on */

static void
test_refused(void **state)
{
	struct verr *errors;
	json_t *schedule, *extra;
	struct cron c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		errors = verr_new();
		schedule = schedule_of(refused[i].fields);
		if (cron_parse(&c, schedule, "s", errors) != -1)
			fail_msg("%s was accepted", refused[i].fields);
		extra = verr_extra(errors);
		assert_int_equal(json_array_size(extra), 1);
		assert_string_equal(json_string_value(json_array_get(
					json_array_get(extra, 0), 0)),
		    refused[i].at);
		json_decref(extra);
		json_decref(schedule);
		verr_free(errors);
	}
}

/* Every member at fault is named; what is absent has its default. */
static void
test_members(void **state)
{
	struct verr *errors = verr_new();
	json_t *schedule = json_pack("{s:i, s:s, s:n, s:s}", "minute", 5,
	    "hour", "", "dow", "month", "*");
	struct cron c, hourly = parsed("0 * * * *");

	(void)state;
	assert_int_equal(cron_parse(&c, schedule, "s", errors), -1);
	assert_int_equal(verr_count(errors), 3);
	json_object_clear(schedule);
	assert_int_equal(cron_parse(&c, schedule, "s", errors), 0);
	assert_memory_equal(&c, &hourly, sizeof(c));
	json_decref(schedule);
	verr_free(errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_leap_years),
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
