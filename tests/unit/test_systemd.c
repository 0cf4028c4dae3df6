/*
 * Services by systemd: its verbs, states and refusals, with a real
 * dbus-daemon of the test's own and a stand-in for systemd on it.  Started as
 * test_systemd STANDIN.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>

#include "monitor/child.h"
#include "monitor/systemd.h"

#define GUARD_MS 60000 /* a loop that waits for ever fails */
#define LIMIT_SECONDS 1

static const char *standin_path;
static char folder[] = "/tmp/test_systemd.XXXXXX";
static char address[128];
static uv_loop_t loop;
static pid_t daemon_pid, standin_pid;
static bool running;

/* What the module told last. */
static struct {
	bool done, changed, prepared;
	int error;
	char text[REPORT_WHY_MAX];
} told;

static void
on_done(enum daemon_id id, int error, const char *text)
{
	assert_int_equal(id, DAEMON_SSH);
	assert_false(told.done);
	told.done = true;
	told.error = error;
	snprintf(told.text, sizeof(told.text), "%s", text);
}

static void
on_changed(enum daemon_id id)
{
	assert_int_equal(id, DAEMON_SSH);
	told.changed = true;
}

static bool
on_prepared(enum daemon_id id, const char **whyp)
{
	(void)id;
	*whyp = "no host keys";
	return told.prepared;
}

static const struct service_events events = {
	.done = on_done, .changed = on_changed, .prepared = on_prepared
};

static void
on_guard(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void
run_until(bool (*reached)(void))
{
	uv_timer_t guard;
	bool overdue = false;

	uv_timer_init(&loop, &guard);
	guard.data = &overdue;
	uv_timer_start(&guard, on_guard, GUARD_MS, 0);
	while (!reached() && !overdue)
		uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&guard, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_false(overdue);
}

static bool
verb_is_done(void)
{
	return told.done;
}

static struct service_report report;

static enum service_state
state_now(void)
{
	memset(&report, 0, sizeof(report));
	if (systemd_way.report(DAEMON_SSH, &report) != 0)
		return (enum service_state) - 1;
	return report.state;
}

static bool
is_running(void)
{
	return state_now() == STATE_RUNNING;
}

static bool
is_failed(void)
{
	return state_now() == STATE_FAILED;
}

static bool
is_stopped(void)
{
	return state_now() == STATE_STOPPED;
}

static bool
is_starting(void)
{
	return state_now() == STATE_STARTING;
}

static bool
has_changed(void)
{
	return told.changed;
}

static bool
has_failed(void)
{
	return told.changed && is_failed();
}

static bool
is_unknown(void)
{
	return state_now() == (enum service_state) - 1;
}

/* --- The bus and the stand-in ---------------------------------------------*/

static pid_t
start(const char *const *argv, int keep)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (keep != -1)
			fcntl(keep, F_SETFD, 0);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_not_equal(pid, -1);
	return pid;
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	/* The loop may have reaped it. */
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

static void
start_daemon(void)
{
	char config[128], print[64], line[256];
	const char *argv[] = { "/usr/bin/dbus-daemon", config, "--nofork",
		"--nopidfile", print, NULL };
	int fds[2];
	ssize_t n;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	snprintf(config, sizeof(config), "--config-file=%s/bus.conf", folder);
	snprintf(print, sizeof(print), "--print-address=%d", fds[1]);
	daemon_pid = start(argv, fds[1]);
	close(fds[1]);
	/* Printed once it listens. */
	n = read(fds[0], line, sizeof(line));
	close(fds[0]);
	assert_true(n > 0);
}

static void
write_config(void)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/bus.conf", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
	    "<busconfig><type>custom</type><listen>unix:path=%s/bus</listen>"
	    "<auth>EXTERNAL</auth><policy context=\"default\">"
	    "<allow send_destination=\"*\"/><allow receive_sender=\"*\"/>"
	    "<allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>\n",
	    folder);
	assert_int_equal(fclose(file), 0);
}

/* A call of the stand-in; the answer is unref'd by the caller. */
static int
standin_call(const char *method, sd_bus_message **answer, const char *types,
    const char *a, const char *b, const char *c, int d, int e)
{
	sd_bus *bus = NULL;
	sigset_t chld, before;
	int r;

	/* A child that ends would interrupt the wait for the answer. */
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	assert_true(sd_bus_new(&bus) >= 0);
	assert_true(sd_bus_set_address(bus, address) >= 0);
	assert_true(sd_bus_set_bus_client(bus, 1) >= 0);
	r = sd_bus_start(bus);
	if (r >= 0 && types[0] == '\0')
		r = sd_bus_call_method(bus, "org.freedesktop.systemd1",
		    "/standin", "holdfast.Standin", method, NULL, answer, NULL);
	else if (r >= 0)
		r = sd_bus_call_method(bus, "org.freedesktop.systemd1",
		    "/standin", "holdfast.Standin", method, NULL, answer, types,
		    a, b, c, d, e);
	sd_bus_flush_close_unref(bus);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void
set_mode(const char *mode)
{
	assert_true(
	    standin_call("Mode", NULL, "s", mode, NULL, NULL, 0, 0) >= 0);
}

static void
become(const char *load, const char *active, const char *result, int code,
    int status)
{
	assert_true(standin_call("Become", NULL, "sssii", load, active, result,
			code, status) >= 0);
}

static void
assert_calls(const char *expected)
{
	sd_bus_message *answer = NULL;
	const char *calls;

	assert_true(
	    standin_call("Calls", &answer, "", NULL, NULL, NULL, 0, 0) >= 0);
	assert_true(sd_bus_message_read(answer, "s", &calls) >= 0);
	assert_string_equal(calls, expected);
	sd_bus_message_unref(answer);
}

static void
start_standin(void)
{
	const char *argv[] = { standin_path, address, NULL };
	int i;

	standin_pid = start(argv, -1);
	for (i = 0; i < 3000; i++) {
		if (standin_call("Mode", NULL, "s", "ok", NULL, NULL, 0, 0) >=
		    0)
			return;
		usleep(20000);
	}
	fail();
}

/* --- The tests ------------------------------------------------------------*/

static void
verb(enum service_verb which, const char *mode)
{
	set_mode(mode);
	told.done = told.changed = false;
	told.prepared = true;
	systemd_way.run(DAEMON_SSH, which);
	run_until(verb_is_done);
}

static void
test_life(void **state)
{
	(void)state;
	assert_int_equal(state_now(), STATE_STOPPED);
	assert_int_equal(report.pid, 0);
	verb(VERB_START, "ok");
	assert_int_equal(told.error, 0);
	assert_int_equal(state_now(), STATE_RUNNING);
	assert_int_equal(report.pid, standin_pid);
	assert_string_equal(report.why, "");
	assert_calls("StartUnit ");
	verb(VERB_RELOAD, "ok");
	assert_int_equal(told.error, 0);
	assert_calls("ReloadUnit ");
	verb(VERB_RESTART, "ok");
	assert_int_equal(told.error, 0);
	assert_calls("RestartUnit ");
	assert_int_equal(state_now(), STATE_RUNNING);
	verb(VERB_STOP, "ok");
	assert_int_equal(told.error, 0);
	assert_int_equal(state_now(), STATE_STOPPED);
	assert_int_equal(report.pid, 0);
	assert_calls("StopUnit ");
	/* What was asked for is not told as a surprise. */
	assert_false(told.changed);
}

/* A socket that would start it, which need not be there, goes either way. */
static void
test_unit_files(void **state)
{
	(void)state;
	verb(VERB_ENABLE, "ok");
	assert_int_equal(told.error, 0);
	assert_calls("DisableUnitFiles ssh.socket EnableUnitFiles ssh.service "
		     "Reload ");
	verb(VERB_DISABLE, "ok");
	assert_int_equal(told.error, 0);
	assert_calls("DisableUnitFiles ssh.socket DisableUnitFiles ssh.service "
		     "Reload ");
	assert_int_equal(state_now(), STATE_STOPPED);
	verb(VERB_ENABLE, "masked");
	assert_int_equal(told.error, EACCES);
	assert_non_null(strstr(told.text, "systemctl unmask ssh.service"));
	assert_calls(
	    "DisableUnitFiles ssh.socket EnableUnitFiles ssh.service ");
}

/* A start that fails, in each way that systemd knows. */
static void
test_failures(void **state)
{
	static const struct {
		const char *mode, *text;
	} cases[] = {
		{ "exit", "ssh exited with code 255" },
		{ "killed", "ssh was killed by signal 11" },
		{ "command", "ssh failed in a command of its unit" },
		{ "at once", "ssh exited with code 1" },
		{ "condition", "a condition of its unit is not met" },
		{ "start-limit-hit", "started too often" },
		{ "canceled", "something else was asked of systemd" },
		{ "dependency", "a unit that it needs failed" },
		{ "timeout", "within the time that systemd gives it" },
		{ "assert", "an assertion of its unit is not met" },
		{ "nonsense", "systemd does not say why" },
		{ "NoSuchUnit", "its package is not installed" },
		{ "UnitMasked", "systemctl unmask ssh.service" },
		{ "ShuttingDown", "Unit ssh.service:\\n\\x1b[31mno." },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		become("loaded", "inactive", "success", 0, 0);
		run_until(is_stopped);
		verb(VERB_START, cases[i].mode);
		assert_int_not_equal(told.error, 0);
		if (strstr(told.text, cases[i].text) == NULL)
			fail_msg("%s: %s", cases[i].mode, told.text);
	}
	become("loaded", "active", "success", 0, 0);
	run_until(is_running);
	verb(VERB_RELOAD, "failed");
	assert_int_not_equal(told.error, 0);
	assert_int_equal(state_now(), STATE_RUNNING);
	verb(VERB_STOP, "ok");
}

/* Who asks for a start after failures gets one. */
static void
test_start_after_failure(void **state)
{
	(void)state;
	become("loaded", "failed", "start-limit-hit", CLD_EXITED, 255);
	run_until(is_failed);
	assert_non_null(strstr(report.why, "started too often"));
	verb(VERB_START, "ok");
	assert_int_equal(told.error, 0);
	assert_calls("ResetFailedUnit StartUnit ");
	verb(VERB_STOP, "ok");
}

static void
test_not_prepared(void **state)
{
	(void)state;
	set_mode("ok");
	told.done = told.prepared = false;
	systemd_way.run(DAEMON_SSH, VERB_START);
	assert_true(told.done);
	assert_int_not_equal(told.error, 0);
	assert_string_equal(told.text, "ssh: no host keys");
	assert_calls("");
}

/* A change that nobody asked for is told, with its reason. */
static void
test_changes_by_itself(void **state)
{
	(void)state;
	verb(VERB_START, "ok");
	told.changed = false;
	become("loaded", "failed", "signal", CLD_KILLED, SIGKILL);
	run_until(has_failed);
	assert_string_equal(report.why, "was killed by signal 9 (Killed)");
	assert_int_equal(report.pid, 0);
	told.changed = false;
	become("loaded", "active", "success", 0, 0);
	run_until(has_changed);
	assert_int_equal(state_now(), STATE_RUNNING);
	become("masked", "inactive", "success", 0, 0);
	run_until(is_stopped);
	assert_non_null(strstr(report.why, "is masked"));
	become("bad-setting", "failed", "success", 0, 0);
	run_until(is_failed);
	assert_non_null(strstr(report.why, "cannot load (bad-setting)"));
	become("loaded", "inactive", "success", 0, 0);
	run_until(is_stopped);
}

static void
test_time_limit(void **state)
{
	(void)state;
	verb(VERB_START, "hang");
	assert_int_equal(told.error, ETIMEDOUT);
	assert_non_null(strstr(told.text, "it was cancelled"));
	run_until(is_stopped);
	assert_calls("StartUnit Cancel ");
	verb(VERB_START, "silent");
	assert_int_equal(told.error, ETIMEDOUT);
	assert_null(strstr(told.text, "cancelled"));
	/* The next one is not confused by what was left. */
	verb(VERB_START, "ok");
	assert_int_equal(told.error, 0);
	verb(VERB_STOP, "ok");
}

/* systemd leaves the bus in the middle of a job, and comes back. */
static void
test_systemd_goes(void **state)
{
	(void)state;
	set_mode("hang");
	told.done = false;
	told.prepared = true;
	systemd_way.run(DAEMON_SSH, VERB_START);
	run_until(is_starting);
	end(standin_pid);
	run_until(verb_is_done);
	assert_int_not_equal(told.error, 0);
	assert_true(is_unknown());
	assert_non_null(strstr(report.why, "left the bus"));
	told.done = false;
	systemd_way.run(DAEMON_SSH, VERB_START);
	assert_true(told.done);
	assert_non_null(strstr(told.text, "systemd cannot be asked"));
	start_standin();
	run_until(systemd_known);
	verb(VERB_START, "ok");
	assert_int_equal(told.error, 0);
}

/* The bus itself is restarted. */
static void
test_bus_goes(void **state)
{
	(void)state;
	assert_true(is_running());
	end(daemon_pid);
	end(standin_pid);
	run_until(is_unknown);
	assert_non_null(strstr(report.why, "D-Bus"));
	start_daemon();
	start_standin();
	run_until(systemd_known);
	assert_int_equal(state_now(), STATE_STOPPED);
	verb(VERB_START, "ok");
	assert_int_equal(told.error, 0);
	told.changed = false;
	become("loaded", "failed", "oom-kill", CLD_KILLED, SIGKILL);
	run_until(has_failed);
	assert_string_equal(report.why, "was killed because memory ran out");
}

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "unix:path=%s/bus", folder);
	write_config();
	uv_loop_init(&loop);
	children_watch(&loop);
	/* Before there is a bus: it is tried again. */
	systemd_start(&loop, address, LIMIT_SECONDS, &events);
	assert_false(systemd_known());
	start_daemon();
	start_standin();
	run_until(systemd_known);
	return 0;
}

static void
on_stopped(void)
{
	running = false;
}

static int
tear_down(void **state)
{
	char command[64];

	(void)state;
	running = true;
	systemd_way.stop(on_stopped);
	assert_false(running);
	while (uv_run(&loop, UV_RUN_NOWAIT) != 0)
		usleep(1000);
	end(standin_pid);
	end(daemon_pid);
	snprintf(command, sizeof(command), "%s/bus.conf", folder);
	unlink(command);
	snprintf(command, sizeof(command), "%s/bus", folder);
	unlink(command);
	rmdir(folder);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_unit_files),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_start_after_failure),
		cmocka_unit_test(test_not_prepared),
		cmocka_unit_test(test_changes_by_itself),
		cmocka_unit_test(test_time_limit),
		cmocka_unit_test(test_systemd_goes),
		cmocka_unit_test(test_bus_goes),
	};

	if (argc != 2)
		return 2;
	standin_path = argv[1];
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
