/*
 * Jobs: see job.h.
 */
#include "core/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/audit.h"
#include "core/connection.h"
#include "core/core.h"
#include "lib/json.h"
#include "lib/xalloc.h"

struct waiter {
	struct waiter *next;
	void (*done)(enum job_state, const json_t *, int, const char *, void *);
	void *arg;
};

struct job {
	struct job *next; /* newest first */
	json_int_t id;
	struct call *call; /* while it waits or runs */
	char *username; /* whose it is */
	char *lock;
	enum job_state state, outcome;
	json_t *message_ids;
	json_t *arguments; /* redacted */
	const char *method;
	json_t *credentials;
	int percent;
	char *progress;
	int64_t started, finished;
	json_t *result;
	int error;
	char *reason;
	json_t *exception;
	struct waiter *waiters;
};

static struct job *jobs;
static json_int_t last_id;
static unsigned int kept;

/* clang-format off */
static const char *const state_names[] = {
	[JOB_WAITING] = "WAITING", [JOB_RUNNING] = "RUNNING",
	[JOB_SUCCESS] = "SUCCESS", [JOB_FAILED] = "FAILED",
	[JOB_ABORTED] = "ABORTED"
};
/* clang-format on */

static bool
ended(const struct job *job)
{
	return job->state >= JOB_SUCCESS;
}

static void
job_free(struct job *job)
{
	json_decref(job->message_ids);
	json_decref(job->arguments);
	json_decref(job->credentials);
	json_decref(job->result);
	json_decref(job->exception);
	free(job->username);
	free(job->lock);
	free(job->progress);
	free(job->reason);
	free(job);
}

/* Only the last so many are kept; those not ended always. */
static void
forget_old(void)
{
	struct job **at = &jobs, *job;
	unsigned int n = 0;

	while ((job = *at) != NULL) {
		if (++n > JOBS_KEPT && ended(job) && job->waiters == NULL) {
			*at = job->next;
			kept--;
			job_free(job);
		} else
			at = &job->next;
	}
}

static json_t *
text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *
job_json(const struct job *job)
{
	/* clang-format off */
	json_t *o = json_pack("{s:I, s:O, s:s, s:O, s:b, s:n, s:b, s:n, s:n}",
	    "id", job->id, "message_ids", job->message_ids,
	    "method", job->method, "arguments", job->arguments,
	    "transient", 0, "description", "abortable", 0,
	    "logs_path", "logs_excerpt");
	/* clang-format on */

	json_object_set_new(o, "progress",
	    json_pack("{s:i, s:s, s:n}", "percent", job->percent, "description",
		job->progress, "extra"));
	json_object_set_new(o, "result",
	    job->state == JOB_SUCCESS ? json_incref(job->result) : json_null());
	json_object_set_new(o, "result_encoding_error", json_null());
	json_object_set_new(o, "error", text_or_null(job->reason));
	json_object_set_new(o, "exception", text_or_null(job->reason));
	json_object_set_new(o, "exc_info",
	    job->exception != NULL ? json_incref(job->exception) : json_null());
	json_object_set_new(o, "state", json_string(state_names[job->state]));
	json_object_set_new(o, "time_started", json_date(job->started));
	json_object_set_new(o, "time_finished",
	    job->finished != 0 ? json_date(job->finished) : json_null());
	json_object_set(o, "credentials", job->credentials);
	return o;
}

static bool
visible(const struct call *call, const struct job *job)
{
	return call_full_admin(call) ||
	    strcmp(call_user(call), job->username) == 0;
}

json_t *
job_list(const struct call *call)
{
	json_t *list = json_array();
	const struct job *job;

	/* Oldest first, as the real server lists them. */
	for (job = jobs; job != NULL; job = job->next)
		if (visible(call, job))
			json_array_insert_new(list, 0, job_json(job));
	return list;
}

void
job_progress(struct job *job, int percent, const char *description)
{
	job->percent = percent;
	free(job->progress);
	job->progress = xstrdup(description);
}

static bool
locked(const struct job *job)
{
	const struct job *other;

	if (job->lock == NULL)
		return false;
	for (other = jobs; other != NULL; other = other->next)
		if (other != job && other->state == JOB_RUNNING &&
		    other->lock != NULL && strcmp(other->lock, job->lock) == 0)
			return true;
	return false;
}

static void
job_run(struct job *job)
{
	job->state = JOB_RUNNING;
	job->call->method->run(job->call);
}

static void
run_next(const char *lock)
{
	struct job *job, *first = NULL;

	for (job = jobs; job != NULL; job = job->next)
		if (job->state == JOB_WAITING && job->lock != NULL &&
		    strcmp(job->lock, lock) == 0)
			first = job;
	if (first != NULL && !locked(first))
		job_run(first);
}

/*
 * A full queue: the last one waiting of the same user stands for this call
 * too (protocol.json, jobs.locks).
 */
static struct job *
queued_last(const char *lock, const char *username)
{
	struct job *job, *last = NULL;
	unsigned int n = 0;

	for (job = jobs; job != NULL; job = job->next) {
		if (job->state != JOB_WAITING || job->lock == NULL ||
		    strcmp(job->lock, lock) != 0)
			continue;
		n++;
		if (last == NULL && strcmp(job->username, username) == 0)
			last = job;
	}
	return n >= JOB_LOCK_QUEUE ? last : NULL;
}

/*
 * The client has its answer; the call goes on as the job's and no longer
 * counts as one of its connection's.
 */
static void
answer_id(struct call *call, json_int_t id)
{
	call_detach(call, json_integer(id), true);
}

void
job_start(struct call *call, const char *lock)
{
	struct job *job;

	if (lock != NULL &&
	    (job = queued_last(lock, call_user(call))) != NULL) {
		if (call->id != NULL)
			json_array_append_new(job->message_ids,
			    json_loads(call->id, JSON_DECODE_ANY, NULL));
		answer_id(call, job->id);
		call_free(call);
		return;
	}
	job = xcalloc(1, sizeof(*job));
	job->id = ++last_id;
	job->call = call;
	job->method = call->method->name;
	job->username = xstrdup(call_user(call));
	job->lock = lock != NULL ? xstrdup(lock) : NULL;
	job->progress = xstrdup("");
	job->started = time(NULL);
	job->message_ids = json_array();
	if (call->id != NULL)
		json_array_append_new(job->message_ids,
		    json_loads(call->id, JSON_DECODE_ANY, NULL));
	job->arguments =
	    schema_redact_params(call->method->params, call->given);
	job->credentials = json_null();
	if (call->session != NULL)
		job->credentials = json_pack("{s:s, s:o}", "type",
		    session_class(call->session), "data",
		    session_credentials_data(call->session));
	job->next = jobs;
	jobs = job;
	kept++;
	forget_old();
	call->job = job;
	answer_id(call, job->id);
	if (!locked(job))
		job_run(job);
}

static void
set_failure(struct job *job, int error, const char *reason, const char *class,
    json_t *extra)
{
	job->outcome = JOB_FAILED;
	job->error = error;
	job->reason = xstrdup(reason);
	job->exception =
	    json_pack("{s:s, s:s, s:i, s:o}", "repr", reason, "type", class,
		"errno", error, "extra", extra != NULL ? extra : json_null());
}

static void
concluded(int error, void *arg)
{
	struct job *job = arg;
	struct waiter *w;
	struct call *call = job->call;
	char *lock = job->lock != NULL ? xstrdup(job->lock) : NULL;

	if (error != 0 && job->outcome == JOB_SUCCESS) {
		json_decref(job->result);
		job->result = NULL;
		set_failure(job, error,
		    "[EIO] Done, but the audit log could not be written",
		    "CallError", NULL);
	}
	job->state = job->outcome;
	job->finished = time(NULL);
	job->call = NULL;
	if (job->state == JOB_SUCCESS)
		job_progress(job, 100, "");
	call_free(call);
	while ((w = job->waiters) != NULL) {
		job->waiters = w->next;
		w->done(
		    job->state, job->result, job->error, job->reason, w->arg);
		free(w);
	}
	if (lock != NULL)
		run_next(lock);
	free(lock);
}

/* Its end is told, to those who wait as well, once its record is on disk. */
static void
conclude(struct job *job)
{
	const struct call *call = job->call;

	if (call->method->audit == NULL)
		concluded(0, job);
	else
		audit_send(audit_method_call(
			       call, true, true, job->outcome == JOB_SUCCESS),
		    concluded, job);
}

void
job_finish(struct call *call, json_t *result)
{
	call->job->outcome = JOB_SUCCESS;
	call->job->result = result != NULL ? result : json_null();
	conclude(call->job);
}

void
job_fail(struct call *call, int error, const char *reason, const char *class,
    json_t *extra)
{
	set_failure(call->job, error, reason, class, extra);
	conclude(call->job);
}

static struct job *
find(json_int_t id)
{
	struct job *job = jobs;

	while (job != NULL && job->id != id)
		job = job->next;
	return job;
}

int
job_access(const struct call *call, json_int_t id)
{
	const struct job *job = find(id);

	if (job == NULL)
		return ENOENT;
	return visible(call, job) ? 0 : EPERM;
}

int
job_wait(const struct call *call, json_int_t id,
    void (*done)(enum job_state, const json_t *, int, const char *, void *),
    void *arg)
{
	struct job *job = find(id);
	int error = job_access(call, id);
	struct waiter *w;

	if (error != 0)
		return error;
	if (ended(job)) {
		done(job->state, job->result, job->error, job->reason, arg);
		return 0;
	}
	w = xcalloc(1, sizeof(*w));
	w->done = done;
	w->arg = arg;
	w->next = job->waiters;
	job->waiters = w;
	return 0;
}
