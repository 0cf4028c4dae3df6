/*
 * Jobs with made-up methods: who sees and stops them, queues, progress, logs,
 * secrets, what is kept, and what another process finds of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/dispatch.h"
#include "core/event.h"
#include "core/job.h"
#include "core/limits.h"
#include "core/resource.h"
#include "core/scheduler.h"
#include "core/session.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/bulk.h"

#define SECRET "wholly unknown"

static char folder[] = "/tmp/holdfast-jobs-XXXXXX";
static struct session *admin, *owner, *reader, *other;

/* The latest call that runs, and how often one was asked to stop. */
static struct call *running;
static unsigned int asked;

static void
run(struct call *call)
{
	running = call;
}

static void
stop(struct call *call)
{
	asked++;
	running = call;
}

static void
echo(struct call *call)
{
	call_reply(call, json_incref((json_t *)(uintptr_t)call_param(call, 0)));
}

static char *
lock(const json_t *params)
{
	(void)params;
	return xstrdup("made");
}

static const char *const none[] = { NULL };
static const char *const full[] = { "FULL_ADMIN", NULL };
static const char *const ssh_read[] = { "SSH_READ", NULL };

/* clang-format off */
static const struct field params[] = {
	{ .name = "name", .type = F_STR, .def = "\"\"", .doc = "A name." },
	{ .name = "key", .type = F_STR, .def = "\"\"", .flags = FF_SECRET,
	  .doc = "A key." },
	FIELD_END
};
static const struct field result = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED | FF_SECRET, .doc = "A key." };

enum { PLAIN, ABORTABLE, QUEUE, QUEUE_NONE, QUEUE_ONE, QUEUE_ENDLESS, KEY,
    ROLE, BULK };

static const struct method methods[] = {
	[PLAIN] = { .name = "made.plain", .doc = "Plain.", .job = true,
	    .auth = AUTH_SESSION, .params = params, .run = run,
	    .job_read_roles = ssh_read },
	[ABORTABLE] = { .name = "made.abortable", .doc = "Can be stopped.",
	    .job = true, .auth = AUTH_SESSION, .run = run, .abort = stop },
	[QUEUE] = { .name = "made.queue", .doc = "Waits.", .job = true,
	    .auth = AUTH_SESSION, .params = params, .run = run,
	    .job_lock = lock },
	[QUEUE_NONE] = { .name = "made.queue_none", .doc = "Waits.",
	    .job = true, .auth = AUTH_SESSION, .run = run, .job_lock = lock,
	    .job_queue = JOB_QUEUE_NONE },
	[QUEUE_ONE] = { .name = "made.queue_one", .doc = "Waits.",
	    .job = true, .auth = AUTH_SESSION, .run = run, .job_lock = lock,
	    .job_queue = JOB_QUEUE_ONE },
	[QUEUE_ENDLESS] = { .name = "made.queue_endless", .doc = "Waits.",
	    .job = true, .auth = AUTH_SESSION, .run = run, .job_lock = lock,
	    .job_queue = JOB_QUEUE_ENDLESS },
	[KEY] = { .name = "made.key", .doc = "Makes a key.", .job = true,
	    .auth = AUTH_SESSION, .params = params, .result = &result,
	    .run = run, .job_read_roles = ssh_read },
	[ROLE] = { .name = "made.role", .doc = "Needs a role.",
	    .auth = AUTH_ROLE, .roles = ssh_read, .params = params,
	    .result = &result, .run = echo },
	[BULK] = { .name = "made.bulk", .doc = "Calls many.", .job = true,
	    .auth = AUTH_SESSION, .params = bulk_params,
	    .result = &bulk_result, .job_lock = bulk_lock,
	    .redact = bulk_redact, .accept = bulk_accept, .run = bulk_run,
	    .abort = bulk_abort },
	METHOD_END
};

static const struct resource made = {
	.name = "made", .doc = "Made up.", .kind = RESOURCE_SERVICE,
	.methods = methods
};

const struct resource *const resources[] = { &made, NULL };
const struct renderer renderers[] = { { .output = -1 } };
const struct daemon_rule daemon_rules[] = { { .daemon = -1 } };
const struct scheduled_task scheduled_tasks[] = { { .name = NULL } };
/* clang-format on */

/* What is told. */
static unsigned int told;
static json_t *last_told;

void __wrap_event_send(const char *, enum event_kind, json_t *, json_t *);

void
__wrap_event_send(
    const char *collection, enum event_kind kind, json_t *id, json_t *fields)
{
	assert_string_equal(collection, "core.get_jobs");
	assert_true(kind != EVENT_REMOVED);
	told++;
	json_decref(id);
	json_decref(last_told);
	last_told = fields;
}

static void
take(json_t *answer, bool success, void *arg)
{
	json_t **at = arg;

	(void)success;
	json_decref(*at);
	*at = answer;
}

/* Starts a job; its id, or the negative errno of the refusal. */
static json_int_t
start_with(int which, struct session *session, json_t *given)
{
	struct call *call = xcalloc(1, sizeof(*call));
	json_t *answer = NULL;
	json_int_t id;
	char *name;

	call->method = &methods[which];
	call->session = session_keep(session);
	call->given = given;
	call->params = json_incref(given);
	call->taker = take;
	call->taker_arg = &answer;
	name = methods[which].job_lock != NULL ? lock(NULL) : NULL;
	job_start(call, name);
	free(name);
	assert_non_null(answer);
	id = json_is_integer(answer) ?
	    json_integer_value(answer) :
	    -json_int(json_object_get(answer, "data"), "error", 0);
	json_decref(answer);
	return id;
}

static json_int_t
start(int which, struct session *session)
{
	return start_with(which, session, json_array());
}

/* As a session sees the job; NULL: not at all. */
static json_t *
seen(struct session *session, json_int_t id, bool raw)
{
	struct call call = { .session = session };
	json_t *list = job_list(&call, raw), *job, *found = NULL;
	size_t i;

	json_array_foreach(list, i, job)
		if (json_int(job, "id", 0) == id)
			found = json_incref(job);
	json_decref(list);
	return found;
}

static const char *
state_of(json_int_t id)
{
	static char state[16];
	json_t *job = seen(admin, id, false);

	snprintf(state, sizeof(state), "%s", json_str(job, "state", "none"));
	json_decref(job);
	return state;
}

static int
access_of(struct session *session, json_int_t id)
{
	struct call call = { .session = session };

	return job_access(&call, id);
}

static int
abort_by(struct session *session, json_int_t id)
{
	struct call call = { .session = session };

	return job_abort(&call, id);
}

static void
finish(const char *text)
{
	job_finish(running, text != NULL ? json_string(text) : NULL);
}

static void
test_who_sees_and_stops(void **state)
{
	json_int_t id = start(PLAIN, owner);
	json_t *number = json_integer(id), *job;
	struct call stranger = { .session = other };

	(void)state;
	assert_int_equal(access_of(owner, id), 0);
	assert_int_equal(access_of(admin, id), 0);
	assert_int_equal(access_of(reader, id), 0);
	assert_int_equal(access_of(other, id), EPERM);
	assert_int_equal(access_of(NULL, id), EPERM);
	assert_int_equal(access_of(admin, id + 1), ENOENT);
	assert_true(job_may_read(reader, number, NULL));
	assert_false(job_may_read(other, number, NULL));
	assert_false(job_may_read(NULL, number, NULL));
	assert_null(seen(other, id, true));
	job = seen(reader, id, false);
	assert_non_null(job);
	json_decref(job);

	assert_int_equal(job_wait(&stranger, id, NULL, NULL), EPERM);
	assert_int_equal(job_open_log(&stranger, id), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(abort_by(other, id), EPERM);
	assert_int_equal(abort_by(reader, id), EPERM);
	assert_int_equal(abort_by(owner, id), EOPNOTSUPP);
	assert_int_equal(abort_by(admin, id + 1), ENOENT);
	finish(NULL);
	assert_int_equal(abort_by(owner, id), 0);
	assert_string_equal(state_of(id), "SUCCESS");
	json_decref(number);
}

static void
test_stopping(void **state)
{
	json_int_t id = start(ABORTABLE, owner);
	json_t *job;

	(void)state;
	asked = 0;
	assert_int_equal(abort_by(admin, id), 0);
	assert_int_equal(abort_by(owner, id), 0);
	assert_int_equal(asked, 1);
	assert_string_equal(state_of(id), "RUNNING");
	job_stopped(running, json_pack("[i]", 7));
	job = seen(owner, id, false);
	assert_string_equal(json_str(job, "state", ""), "ABORTED");
	assert_string_equal(
	    json_str(job, "error", ""), "[ECANCELED] Aborted by root");
	assert_int_equal(json_array_size(json_object_get(
			     json_object_get(job, "exc_info"), "extra")),
	    1);
	json_decref(job);

	/* One that was done when it was asked is done. */
	id = start(ABORTABLE, owner);
	assert_int_equal(abort_by(owner, id), 0);
	finish("done");
	assert_string_equal(state_of(id), "SUCCESS");
}

static void
end_all(void)
{
	json_int_t last = 0, id;
	struct call *call;

	while ((call = running) != NULL) {
		id = job_id(call->job);
		assert_true(id > last);
		last = id;
		running = NULL;
		job_finish(call, NULL);
	}
}

static void
test_queues(void **state)
{
	json_int_t first, last = 0, id;
	unsigned int i;

	(void)state;
	first = start(QUEUE, owner);
	for (i = 0; i < LIMIT_JOB_LOCK_QUEUE; i++)
		last = start(QUEUE, owner);
	assert_int_equal(last, first + LIMIT_JOB_LOCK_QUEUE);
	/* The same call of the same user joins; no other does. */
	assert_int_equal(start(QUEUE, owner), last);
	assert_int_equal(start(QUEUE, admin), -EBUSY);
	assert_int_equal(
	    start_with(QUEUE, owner, json_pack("[s]", "x")), -EBUSY);
	assert_int_equal(start(QUEUE_ONE, owner), -EBUSY);
	assert_int_equal(start(QUEUE_NONE, owner), -EBUSY);
	assert_true(start(QUEUE_ENDLESS, owner) > last);
	assert_string_equal(state_of(last), "WAITING");
	end_all();
	assert_string_equal(state_of(last), "SUCCESS");

	first = start(QUEUE_NONE, owner);
	assert_int_equal(start(QUEUE_NONE, owner), -EBUSY);
	last = start(QUEUE_ONE, owner);
	id = start(QUEUE_ONE, owner);
	assert_int_equal(id, last);
	/* One that waits ends without having begun, and the next is not it. */
	assert_int_equal(abort_by(owner, last), 0);
	assert_string_equal(state_of(last), "ABORTED");
	end_all();
	assert_string_equal(state_of(first), "SUCCESS");
	assert_string_equal(state_of(last), "ABORTED");
}

static void
test_limit_of_a_user(void **state)
{
	struct call *calls[LIMIT_JOBS_USER];
	size_t i;

	(void)state;
	for (i = 0; i < LIMIT_JOBS_USER; i++) {
		assert_true(start(PLAIN, owner) > 0);
		calls[i] = running;
	}
	assert_int_equal(start(PLAIN, owner), -EBUSY);
	assert_true(start(PLAIN, other) > 0);
	finish(NULL);
	for (i = 0; i < LIMIT_JOBS_USER; i++)
		job_finish(calls[i], NULL);
	assert_true(start(PLAIN, owner) > 0);
	finish(NULL);
}

static void
test_progress_flood(void **state)
{
	json_int_t id = start(PLAIN, owner);
	char text[3 * LIMIT_JOB_TEXT];
	unsigned int before = told;
	json_t *progress, *job;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "step %d", i);
		job_progress(running->job, i / 1000, text);
	}
	/* Generous: the machine may be slow. */
	assert_in_range(told - before, LIMIT_PROGRESS_STEPS, 1000);
	job = seen(owner, id, false);
	progress = json_object_get(job, "progress");
	assert_int_equal(json_int(progress, "percent", 0), 99);
	assert_string_equal(
	    json_str(progress, "description", ""), "step 99999");
	json_decref(job);
	memset(text, 0xc3, sizeof(text));
	for (i = 1; i < (int)sizeof(text); i += 2)
		text[i] = (char)0xa4;
	text[sizeof(text) - 2] = '\0';
	job_progress(running->job, 99, text);
	/* What is told later is told while the job is still there. */
	finish(NULL);
	assert_string_equal(json_str(last_told, "state", ""), "SUCCESS");
	uv_run(core_loop(), UV_RUN_DEFAULT);
	assert_string_equal(json_str(last_told, "state", ""), "SUCCESS");
}

static char *
excerpt_of(json_int_t id)
{
	json_t *job = seen(owner, id, false);
	char *text = xstrdup(json_str(job, "logs_excerpt", ""));

	json_decref(job);
	return text;
}

static void
test_logs(void **state)
{
	json_int_t id = start(PLAIN, owner);
	struct call reading = { .session = owner };
	char *text;
	int i, fd;

	(void)state;
	assert_int_equal(job_open_log(&reading, id), -1);
	assert_int_equal(errno, ENODATA);
	for (i = 1; i <= 20; i++)
		job_log(running->job, "line %d\x1b[2J\n", i);
	fd = job_open_log(&reading, id);
	assert_true(fd != -1);
	close(fd);
	finish(NULL);
	text = excerpt_of(id);
	assert_memory_equal(text, "line 1 [2J \nline 2 [2J \n", 24);
	assert_null(strstr(text, "more lines"));
	free(text);

	id = start(PLAIN, owner);
	for (i = 1; i <= 22; i++)
		job_log(running->job, "%d", i);
	finish(NULL);
	text = excerpt_of(id);
	assert_string_equal(text,
	    "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n... 2 more lines ...\n"
	    "13\n14\n15\n16\n17\n18\n19\n20\n21\n22\n");
	free(text);
}

static void
test_log_is_bounded(void **state)
{
	json_int_t id = start(PLAIN, owner);
	struct call reading = { .session = owner };
	struct stat st;
	int i, fd;

	(void)state;
	for (i = 0; i < 50000; i++)
		job_log(running->job, "%030d", i);
	fd = job_open_log(&reading, id);
	assert_int_equal(fstat(fd, &st), 0);
	assert_in_range(st.st_size, LIMIT_JOB_LOG - 64, LIMIT_JOB_LOG + 64);
	close(fd);
	finish(NULL);
}

static void
assert_result(
    struct session *session, json_int_t id, bool raw, const char *expected)
{
	json_t *job = seen(session, id, raw);

	assert_string_equal(json_str(job, "result", ""), expected);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(job, "arguments"), 1)),
	    "********");
	json_decref(job);
}

/* No file of the folder has the text. */
static void
assert_not_on_disk(const char *text)
{
	static const char *const files[] = { "jobs.db", "jobs.db-wal", NULL };
	const char *const *file;
	int dir = open(folder, O_RDONLY | O_DIRECTORY);
	size_t len, looked = 0;
	char *data;

	for (file = files; *file != NULL; file++) {
		if (file_read_at(dir, *file, SIZE_MAX / 8, &data, &len) == -1)
			continue;
		assert_null(memmem(data, len, text, strlen(text)));
		looked += len;
		free(data);
	}
	assert_true(looked > 0);
	close(dir);
}

static void
test_secrets(void **state)
{
	json_int_t id =
	    start_with(KEY, owner, json_pack("[s, s]", "name", SECRET));

	(void)state;
	finish(SECRET);
	assert_result(owner, id, false, "********");
	assert_result(admin, id, false, "********");
	assert_result(reader, id, false, "********");
	assert_result(owner, id, true, SECRET);
	assert_result(admin, id, true, SECRET);
	assert_result(reader, id, true, "********");
	assert_null(strstr(json_str(last_told, "result", ""), SECRET));
	assert_not_on_disk(SECRET);
}

/* Calls made.bulk; its job's id, or the negative errno of the refusal. */
static json_int_t
bulk(struct session *session, const char *method, json_t *all)
{
	struct call whole = { .session = session };
	json_t *given = json_pack("[s, o]", method, all), *answer = NULL;
	json_int_t id;

	dispatch_member(&whole, &methods[BULK], given, take, &answer);
	json_decref(given);
	assert_non_null(answer);
	id = json_is_integer(answer) ?
	    json_integer_value(answer) :
	    -json_int(json_object_get(answer, "data"), "error", 0);
	json_decref(answer);
	return id;
}

static void
assert_text(json_t *value, const char *expected)
{
	char *text = json_text(value);

	assert_string_equal(text, expected);
	freezero_str(text);
}

static void
test_bulk_without_the_role(void **state)
{
	(void)state;
	assert_int_equal(bulk(other, "made.role", json_array()), -EPERM);
	assert_int_equal(
	    bulk(other, "made.role", json_pack("[[s, s]]", "x", SECRET)),
	    -EPERM);
	assert_int_equal(bulk(admin, "made.bulk", json_array()), -EINVAL);
	assert_int_equal(bulk(admin, "made.plain", json_array()), -EINVAL);
	assert_true(bulk(reader, "made.role", json_array()) > 0);
}

/* By the tables of the members' method. */
static void
test_bulk_hides_secrets(void **state)
{
	json_int_t id = bulk(reader, "made.role",
	    json_pack("[[s, s], [i], [s]]", SECRET, SECRET, 1, "plain"));
	json_t *job = seen(reader, id, false);

	(void)state;
	assert_text(json_object_get(job, "arguments"),
	    "[\"made.role\",[[\"" SECRET "\",\"********\"],[1],[\"plain\"]]]");
	assert_text(json_object_get(job, "result"),
	    "[{\"job_id\":null,\"error\":null,\"result\":\"********\"},"
	    "{\"job_id\":null,\"error\":\"[EINVAL] name: Input should be a "
	    "valid string\\n\",\"result\":null},"
	    "{\"job_id\":null,\"error\":null,\"result\":\"********\"}]");
	json_decref(job);
	job = seen(reader, id, true);
	assert_text(json_array_get(json_object_get(job, "result"), 2),
	    "{\"job_id\":null,\"error\":null,\"result\":\"plain\"}");
	json_decref(job);
}

static void
test_bulk_of_the_terminated(void **state)
{
	struct session *s = session_new(
	    "gone", 1003, "pid:5", CREDENTIAL_UNIX_SOCKET, ssh_read);

	(void)state;
	s->terminated = true;
	assert_int_equal(
	    bulk(s, "made.role", json_pack("[[s]]", "x")), -EACCES);
	session_release(s);
}

/* The memory of what ended is bounded; the latest is whole. */
static void
test_large_results(void **state)
{
	size_t len = LIMIT_JOB_RESULT - 100;
	char *text = xmalloc(len + 1);
	json_int_t first = 0, last = 0;
	json_t *job;
	int i;

	(void)state;
	memset(text, 'x', len);
	text[len] = '\0';
	for (i = 0; i < LIMIT_JOB_MEMORY / LIMIT_JOB_RESULT + 2; i++) {
		last = start(PLAIN, owner);
		first = first == 0 ? last : first;
		finish(text);
	}
	job = seen(owner, first, false);
	assert_true(json_is_null(json_object_get(job, "result")));
	assert_true(
	    json_is_string(json_object_get(job, "result_encoding_error")));
	json_decref(job);
	job = seen(owner, last, false);
	assert_int_equal(
	    json_string_length(json_object_get(job, "result")), len);
	json_decref(job);
	free(text);

	/* Six characters each in a frame. */
	text = xmalloc(len + 1);
	memset(text, 1, len);
	text[len] = '\0';
	last = start(PLAIN, owner);
	finish(text);
	job = seen(owner, last, true);
	assert_true(json_is_null(json_object_get(job, "result")));
	json_decref(job);
	free(text);
}

static void
test_a_thousand_are_kept(void **state)
{
	json_int_t first = start(PLAIN, owner), lasting;
	struct call *lasts;
	char *path = xasprintf("%s/jobs/%lld.log", folder, (long long)first);
	int i;

	(void)state;
	job_log(running->job, "a line");
	finish(NULL);
	assert_int_equal(access(path, F_OK), 0);
	lasting = start(PLAIN, other);
	lasts = running;
	for (i = 0; i < LIMIT_JOBS_KEPT + 1; i++) {
		start(PLAIN, owner);
		finish(NULL);
	}
	assert_int_equal(access_of(admin, first), ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access_of(admin, lasting), 0);
	job_finish(lasts, NULL);
	free(path);
}

/*
 * What another process left that was not asked whether it had ended: three
 * jobs, one done.  Runs first, when this one has none.
 */
static void
leave_jobs(void)
{
	jobs_open(folder);
	start_with(KEY, owner, json_pack("[s, s]", "name", SECRET));
	finish(SECRET);
	start(QUEUE, owner);
	job_log(running->job, "before");
	start(QUEUE, owner);
	_exit(0);
}

static void
test_another_process(void **state)
{
	char *path = xasprintf("%s/jobs/77.log", folder);
	json_t *job;
	int status, fd;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0)
		leave_jobs();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd != -1);
	close(fd);
	jobs_open(folder);
	/* Of a job that is not there. */
	assert_int_equal(access(path, F_OK), -1);
	free(path);

	assert_string_equal(state_of(1), "SUCCESS");
	assert_result(owner, 1, true, "********");
	assert_string_equal(state_of(2), "FAILED");
	assert_string_equal(state_of(3), "FAILED");
	assert_int_equal(access_of(other, 2), EPERM);
	assert_int_equal(access_of(reader, 2), EPERM);
	assert_int_equal(access_of(reader, 1), 0);
	job = seen(owner, 2, false);
	assert_string_equal(json_str(job, "logs_excerpt", ""), "before\n");
	assert_string_equal(json_str(job, "error", ""),
	    "[EINTR] Holdfast ended before this job had");
	assert_int_equal(
	    json_int(json_object_get(job, "exc_info"), "errno", 0), EINTR);
	json_decref(job);
	assert_int_equal(start(PLAIN, owner), 4);
	finish(NULL);
}

static int
setup(void **state)
{
	(void)state;
	json_secure();
	if (mkdtemp(folder) == NULL || uv_loop_init(core_loop()) != 0)
		return -1;
	admin = session_new("root", 0, "pid:1", CREDENTIAL_UNIX_SOCKET, full);
	owner =
	    session_new("owner", 1000, "pid:2", CREDENTIAL_UNIX_SOCKET, none);
	reader = session_new(
	    "reader", 1001, "pid:3", CREDENTIAL_UNIX_SOCKET, ssh_read);
	other =
	    session_new("other", 1002, "pid:4", CREDENTIAL_UNIX_SOCKET, none);
	return 0;
}

static int
teardown(void **state)
{
	char *command = xasprintf("rm -r %s", folder);
	int status;

	(void)state;
	jobs_close();
	json_decref(last_told);
	session_release(admin);
	session_release(owner);
	session_release(reader);
	session_release(other);
	status = system(command);
	free(command);
	return status;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_process),
		cmocka_unit_test(test_who_sees_and_stops),
		cmocka_unit_test(test_stopping),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_limit_of_a_user),
		cmocka_unit_test(test_progress_flood),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_log_is_bounded),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_bulk_without_the_role),
		cmocka_unit_test(test_bulk_hides_secrets),
		cmocka_unit_test(test_bulk_of_the_terminated),
		cmocka_unit_test(test_large_results),
		cmocka_unit_test(test_a_thousand_are_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
