/*
 * The scheduler and alerts over a real store: what runs when, what a crash
 * leaves, a clock that is set, and ten thousand entries.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/alert.h"
#include "core/alert_class.h"
#include "core/method.h"
#include "core/reboot.h"
#include "core/scheduler.h"
#include "core/store.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define CLASS "ConfigurationFileEdited"
#define MANY 10000

static char folder[64];
static struct store *store;

static void
open_all(const char *boot_id)
{
	char *why;

	store = store_open(folder, NULL, &why);
	if (store == NULL)
		fail_msg("%s", why);
	scheduler_start(store, boot_id);
	alert_start(store);
}

static void
close_all(void)
{
	scheduler_stop();
	alert_stop();
	store_close(store);
}

static int
set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	snprintf(folder, sizeof(folder), "/dev/shm/test_scheduler.XXXXXX");
	assert_non_null(mkdtemp(folder));
	open_all("boot-1");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close_all();
	store_remove(folder);
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

static void
again(const char *boot_id)
{
	close_all();
	open_all(boot_id);
}

static void
mark(const char *key)
{
	alert_raise(CLASS, key, json_pack("{s:s}", "file", key));
}

static const json_t *
find(const json_t *list, const char *class, const char *key)
{
	json_t *alert;
	size_t i;

	json_array_foreach(list, i, alert)
		if (strcmp(json_str(alert, "klass", ""), class) == 0 &&
		    strcmp(json_str(alert, "key", ""), key) == 0)
			return alert;
	return NULL;
}

static bool
raised(const char *class, const char *key)
{
	json_t *list = alert_list();
	bool there = find(list, class, key) != NULL;

	json_decref(list);
	return there;
}

/* What ran since the last look: the keys, one after the other. */
static char order[256];
static struct task_run *waiting[16];
static size_t nwaiting;
static unsigned int noted;

static void
note(const json_t *args)
{
	noted++;
	if (strlen(order) < sizeof(order) - 8)
		strcat(order, json_str(args, "key", "?"));
}

static void
note_run(struct task_run *run, const json_t *args)
{
	note(args);
	task_done(run, NULL);
}

static void
wait_run(struct task_run *run, const json_t *args)
{
	note(args);
	waiting[nwaiting++] = run;
}

static void
fail_run(struct task_run *run, const json_t *args)
{
	note(args);
	task_done(run, "no such thing");
}

/* Instead of src/registry.c's. */
/* clang-format off */
static const struct method methods[] = { METHOD_END };
static const struct event events[] = {
	{ .name = "alert.list" }, { .name = "system.reboot.info" }, EVENT_END
};
static const struct resource told = { .name = "told", .methods = methods,
	.events = events };
const struct resource *const resources[] = { &told, NULL };
const struct renderer renderers[] = { { .output = -1 } };
const struct daemon_rule daemon_rules[] = { { .daemon = -1 } };
const struct scheduled_task scheduled_tasks[] = {
	{ "note", "Notes that it ran.", note_run },
	{ "wait", "Goes on until it is told to end.", wait_run },
	{ "fail", "Fails.", fail_run },
	{ "alert.clear", "As the real one.", alert_clear_task },
	{ .name = NULL }
};
/* clang-format on */

static void
at_run(const char *name, int64_t when, const char *task)
{
	json_t *args = json_pack("{s:s}", "key", name);

	assert_int_equal(scheduler_at(name, when, task, args), 0);
	json_decref(args);
}

static void
at(const char *name, int64_t when)
{
	at_run(name, when, "note");
}

static void
cron(const char *name, const char *minute, const char *task)
{
	json_t *args = json_pack("{s:s}", "key", name);
	json_t *schedule = json_pack("{s:s}", "minute", minute);

	assert_int_equal(scheduler_cron(name, schedule, task, args), 0);
	json_decref(schedule);
	json_decref(args);
}

/* A turn at that time runs these. */
static int64_t
turn(int64_t now, const char *expected)
{
	int64_t next;

	order[0] = '\0';
	next = scheduler_turn(now);
	assert_string_equal(order, expected);
	return next;
}

static void
test_at(void **state)
{
	(void)state;
	at("b", 2000);
	at("a", 1000);
	assert_int_equal(turn(999, ""), 1000);
	assert_int_equal(turn(1000, "a"), 2000);
	assert_int_equal(turn(5000, "b"), INT64_MAX);
	at("d", 7000);
	at("c", 6000);
	assert_int_equal(turn(INT64_MAX - 1, "cd"), INT64_MAX);
}

/* Missed while nobody ran it; done, it does not come back. */
static void
test_restart(void **state)
{
	(void)state;
	at("a", 1000);
	at("b", 5000);
	again("boot-1");
	turn(2000, "a");
	again("boot-1");
	assert_int_equal(turn(3000, ""), 5000);
	turn(9000, "b");
}

static void
test_replace_and_cancel(void **state)
{
	(void)state;
	at("a", 1000);
	at("a", 3000);
	turn(2999, "");
	turn(3000, "a");
	at("a", 4000);
	assert_int_equal(scheduler_cancel("a"), 0);
	assert_int_equal(scheduler_cancel("a"), 0);
	turn(9000, "");
	again("boot-1");
	assert_int_equal(turn(9000, ""), INT64_MAX);
}

/* Several times were missed: once.  The same again keeps its past. */
static void
test_cron(void **state)
{
	int64_t hour = time(NULL) / 3600 * 3600;

	(void)state;
	cron("c", "*/10", "note");
	assert_int_equal(turn(hour + 3600, "c"), hour + 4200);
	assert_int_equal(turn(hour + 3601, ""), hour + 4200);
	cron("c", "*/10", "note");
	again("boot-1");
	cron("c", "*/10", "note");
	assert_int_equal(turn(hour + 7201, "c"), hour + 7800);
	again("boot-1");
	assert_int_equal(turn(hour + 7201, ""), hour + 7800);
	cron("c", "5", "note");
	assert_int_not_equal(turn(hour, ""), hour + 7800);
}

static void
test_boot(void **state)
{
	json_t *args = json_pack("{s:s}", "key", "b");

	(void)state;
	assert_int_equal(scheduler_boot("b", "note", args), 0);
	turn(1000, "");
	again("boot-1");
	turn(2000, "");
	again("boot-2");
	assert_int_equal(scheduler_boot("b", "note", args), 0);
	turn(3000, "b");
	turn(4000, "");
	again("boot-2");
	turn(5000, "");
	again("boot-3");
	turn(6000, "b");
	json_decref(args);
}

static void
test_clock(void **state)
{
	int64_t hour = time(NULL) / 3600 * 3600 + 24 * 3600;

	(void)state;
	at("a", hour + 10 * 3600);
	cron("c", "0", "note");
	/* Forward over ten hours: each once. */
	scheduler_clock_set(hour + 10 * 3600);
	turn(hour + 10 * 3600, "ca");
	/* Back by one: nothing is repeated. */
	scheduler_clock_set(hour + 9 * 3600);
	assert_int_equal(turn(hour + 9 * 3600, ""), hour + 11 * 3600);
	turn(hour + 11 * 3600, "c");
	/* Back by a day, as from a wrong date: the calendar goes on. */
	scheduler_clock_set(hour - 13 * 3600);
	assert_int_equal(turn(hour - 13 * 3600 + 1, ""), hour - 12 * 3600);
	turn(hour - 12 * 3600, "c");
}

/* Never twice at a time, and what a crash interrupted comes again. */
static void
test_interrupted(void **state)
{
	int64_t hour = time(NULL) / 3600 * 3600;

	(void)state;
	at_run("a", 1000, "wait");
	cron("c", "0", "wait");
	turn(hour + 3600, "ac");
	assert_int_equal(turn(hour + 9 * 3600, ""), INT64_MAX);
	again("boot-1"); /* the first two never end */
	turn(hour + 9 * 3600, "ac");
	task_done(waiting[2], NULL);
	task_done(waiting[3], NULL);
	assert_int_equal(turn(hour + 9 * 3600, ""), hour + 10 * 3600);
	/* Replaced while it runs: the new one has its own time. */
	at_run("a", 1000, "wait");
	turn(2000, "a");
	at("a", 3000);
	task_done(waiting[4], NULL);
	turn(3000, "a");
	nwaiting = 0;
}

/* Tried again, later and later; an alert until it succeeds. */
static void
test_failure(void **state)
{
	int64_t now = time(NULL), next;
	unsigned int n;

	(void)state;
	at_run("a", 1000, "fail");
	next = turn(now, "a");
	assert_in_range(next, now + 60, now + 120);
	assert_true(raised("ScheduledTaskFailed", "a"));
	turn(next - 1, "");
	for (n = 0; n < 10; n++)
		next = turn(next, "a");
	assert_in_range(next, now + 3600, now + 8 * 3600);
	again("boot-1");
	assert_true(raised("ScheduledTaskFailed", "a"));
	turn(now, "a");
	at("a", 1000);
	turn(now, "a");
	assert_false(raised("ScheduledTaskFailed", "a"));
	cron("c", "0", "fail");
	next = turn(now, "");
	assert_int_equal(turn(next, "c"), next + 3600);
	assert_true(raised("ScheduledTaskFailed", "c"));
	scheduler_cancel("c");
	assert_false(raised("ScheduledTaskFailed", "c"));
}

static void
test_refused(void **state)
{
	json_t *schedule = json_pack("{s:s}", "minute", "61");

	(void)state;
	at("a", 1000);
	assert_int_equal(scheduler_at("a", 500, "no.such", NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(scheduler_cron("a", schedule, "note", NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(turn(999, ""), 1000);
	json_decref(schedule);
}

/* What another version stored is left alone, and stops nothing. */
static void
test_unknown(void **state)
{
	static const char *const values[] = { "{", "[]", "{}",
		"{\"task\":\"no.such\",\"args\":{},\"at\":5}",
		"{\"task\":\"note\",\"schedule\":7,\"after\":5}" };
	char name[16];
	json_t *left;
	size_t i;

	(void)state;
	at("a", 1000);
	mark("a");
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "task/x%zu", i);
		assert_int_equal(store_set_value(store, name, values[i]), 0);
		snprintf(name, sizeof(name), "alert/x%zu", i);
		assert_int_equal(store_set_value(store, name, values[i]), 0);
	}
	again("boot-1");
	assert_true(raised(CLASS, "a"));
	turn(1000, "a");
	left = store_values(store, "task/");
	assert_int_equal(json_object_size(left), 5);
	json_decref(left);
	left = store_values(store, "alert/");
	assert_int_equal(json_object_size(left), 1);
	json_decref(left);
}

/* In order, whatever the order they came in; so many at a turn, no more. */
static void
test_many(void **state)
{
	char name[16];
	unsigned int i, before;
	int64_t next;

	(void)state;
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%u", i);
		at(name, 1000 + i * 7919 % MANY);
	}
	again("boot-1");
	for (i = 0; i < 100; i++)
		assert_int_equal(scheduler_turn(1000 + i), 1001 + i);
	noted = 0;
	do {
		before = noted;
		next = scheduler_turn(2000);
		assert_in_range(noted - before, 1, 8);
	} while (next <= 2000);
	assert_int_equal(noted, 901);
	assert_int_equal(next, 2001);
}

static void
test_alerts(void **state)
{
	json_t *list;
	const json_t *alert;
	char *uuid;

	(void)state;
	mark("x");
	mark("y");
	alert_raise("AuditServiceHealth", NULL,
	    json_pack("{s:s}", "verrs", "No {space} left"));
	/* Wrong arguments, no such class: nothing. */
	alert_raise("AuditServiceHealth", "b", json_pack("{s:s}", "a", "b"));
	alert_raise("ClockSet", "b", json_pack("{s:s}", "seconds", "b"));
	alert_raise("NoSuchClass", NULL, NULL);
	list = alert_list();
	assert_int_equal(json_array_size(list), 3);
	alert = json_array_get(list, 0);
	assert_string_equal(json_str(alert, "level", ""), "ERROR");
	assert_string_equal(json_str(alert, "formatted", ""),
	    "The audit log cannot be written: No {space} left. Records wait "
	    "until it can; audit.update's on_failure says whether changes "
	    "do.");
	uuid = xstrdup(json_str(find(list, CLASS, "x"), "uuid", ""));
	json_decref(list);
	alert_clear(CLASS, "y");
	alert_clear(CLASS, "z");
	alert_raise(CLASS, "x", json_pack("{s:s}", "file", "other"));
	again("boot-1");
	list = alert_list();
	assert_int_equal(json_array_size(list), 2);
	alert = find(list, CLASS, "x");
	assert_string_equal(json_str(alert, "uuid", ""), uuid);
	assert_string_equal(
	    json_str(json_object_get(alert, "args"), "file", ""), "other");
	json_decref(list);
	free(uuid);
}

/* Clears itself a day after it was last raised. */
static void
test_for_a_time(void **state)
{
	int64_t now = time(NULL);

	(void)state;
	alert_raise("ClockSet", NULL,
	    json_pack("{s:s, s:i}", "direction", "back", "seconds", 99));
	again("boot-1");
	scheduler_turn(now + 86399);
	assert_true(raised("ClockSet", ""));
	scheduler_turn(now + 86400 + 60);
	assert_false(raised("ClockSet", ""));
	assert_int_equal(scheduler_turn(INT64_MAX - 1), INT64_MAX);
	again("boot-1");
	assert_false(raised("ClockSet", ""));
}

/* A child raises and clears, says so, and is killed. */
static void
test_kill(void **state)
{
	int fds[2], status, round;
	char byte;
	pid_t pid;

	(void)state;
	for (round = 0; round < 8; round++) {
		close_all();
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			open_all("boot-1");
			if (round % 2 == 0) {
				mark("k");
				at("k", 1000);
			} else {
				alert_clear(CLASS, "k");
				scheduler_cancel("k");
			}
			(void)!write(fds[1], "x", 1);
			for (;;)
				pause();
		}
		assert_int_equal(read(fds[0], &byte, 1), 1);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		close(fds[0]);
		close(fds[1]);
		open_all("boot-1");
		assert_int_equal(raised(CLASS, "k"), round % 2 == 0);
		assert_int_equal(
		    scheduler_turn(0), round % 2 == 0 ? 1000 : INT64_MAX);
	}
}

/* So many of a class, and no more; the first ones stay, others have room. */
static void
test_too_many(void **state)
{
	char key[16];
	json_t *list;
	unsigned int i;

	(void)state;
	for (i = 0; i < 260; i++) {
		snprintf(key, sizeof(key), "%u", i);
		mark(key);
	}
	list = alert_list();
	assert_int_equal(json_array_size(list), 250);
	json_decref(list);
	assert_true(raised(CLASS, "0"));
	assert_false(raised(CLASS, "250"));
	alert_raise(
	    "AuditServiceHealth", NULL, json_pack("{s:s}", "verrs", ""));
	assert_true(raised("AuditServiceHealth", ""));
	alert_clear(CLASS, "5");
	mark("250");
	assert_true(raised(CLASS, "250"));
}

static void
assert_reasons(size_t count, const char *first)
{
	json_t *info = reboot_info();
	const json_t *list = json_object_get(info, "reboot_required_reasons");

	assert_int_equal(json_array_size(list), count);
	assert_string_equal(
	    json_str(json_array_get(list, 0), "code", ""), first);
	json_decref(info);
}

static void
test_reboot(void **state)
{
	(void)state;
	reboot_start(store, "boot-1");
	assert_reasons(0, "");
	assert_int_equal(reboot_raise("NO_SUCH"), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(reboot_raise("GPOSSTIG"), 0);
	assert_int_equal(reboot_raise("FIPS"), 0);
	assert_int_equal(reboot_raise("FIPS"), 0);
	reboot_stop();
	again("boot-1");
	reboot_start(store, "boot-1");
	assert_reasons(2, "FIPS");
	assert_int_equal(reboot_clear("FIPS"), 0);
	assert_int_equal(reboot_clear("FIPS"), 0);
	assert_reasons(1, "GPOSSTIG");
	reboot_stop();
	/* A real start, and it does not come back with the old one. */
	reboot_start(store, "boot-2");
	assert_reasons(0, "");
	reboot_stop();
	reboot_start(store, "boot-1");
	assert_reasons(0, "");
	reboot_stop();
	/* Without a store nothing is claimed to be kept. */
	reboot_start(NULL, "boot-1");
	assert_int_equal(reboot_raise("FIPS"), -1);
	assert_int_equal(errno, EIO);
	assert_reasons(0, "");
	reboot_stop();
}

static void
test_tables(void **state)
{
	json_t *faults = json_array();

	(void)state;
	alert_lint(faults);
	assert_int_equal(json_array_size(faults), 0);
	json_decref(faults);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_at),
		TEST(test_restart),
		TEST(test_replace_and_cancel),
		TEST(test_cron),
		TEST(test_boot),
		TEST(test_clock),
		TEST(test_interrupted),
		TEST(test_failure),
		TEST(test_refused),
		TEST(test_unknown),
		TEST(test_many),
		TEST(test_alerts),
		TEST(test_for_a_time),
		TEST(test_kill),
		TEST(test_too_many),
		TEST(test_reboot),
		TEST(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
