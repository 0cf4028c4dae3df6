/*
 * Jobs, their life: from a call to its end.
 */
#include "core/job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/audit.h"
#include "core/connection.h"
#include "core/job_internal.h"
#include "core/limits.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

bool
job_ended(const struct job *job)
{
	return job->state >= JOB_SUCCESS;
}

json_int_t
job_id(const struct job *job)
{
	return job->id;
}

const char *
job_audit_id(const struct job *job)
{
	return job->audit_id;
}

static bool
has_lock(const struct job *job, const char *lock)
{
	return job->lock != NULL && strcmp(job->lock, lock) == 0;
}

/* Nor is its end on the way to the audit log. */
static bool
waits_for(const struct job *job, const char *lock)
{
	return job->state == JOB_WAITING && job->outcome == JOB_WAITING &&
	    has_lock(job, lock);
}

static bool
is_free(const char *lock)
{
	const struct job *job;

	for (job = job_first(); lock != NULL && job != NULL; job = job->next)
		if (job->state == JOB_RUNNING && has_lock(job, lock))
			return false;
	return true;
}

static void
job_run(struct job *job)
{
	job->state = JOB_RUNNING;
	job_save(job);
	job_tell(job, false);
	job->call->method->run(job->call);
}

static void
run_next(const char *lock)
{
	struct job *job, *first = NULL;

	for (job = job_first(); job != NULL; job = job->next)
		if (waits_for(job, lock))
			first = job;
	if (first != NULL && is_free(lock))
		job_run(first);
}

/* The beginning. */

static void
add_message_id(struct job *job, const struct call *call)
{
	if (call->id != NULL)
		json_array_append_new(job->message_ids,
		    json_loads(call->id, JSON_DECODE_ANY, NULL));
}

/* Does the client want the end of the job as the answer? */
static bool
holds(const struct call *call)
{
	return call->connection != NULL && call->connection->await_jobs &&
	    call->connection->protocol != PROTOCOL_LEGACY;
}

static void
joined_ended(const struct job_end *end, void *arg)
{
	struct call *call = arg;

	call_detach(call, json_incref(end->answer), end->state == JOB_SUCCESS);
	call_free(call);
}

static void
add_waiter(struct job *job, job_done *done, void *arg)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->done = done;
	w->arg = arg;
	w->next = job->waiters;
	job->waiters = w;
}

static void
join(struct job *job, struct call *call)
{
	add_message_id(job, call);
	job_tell(job, false);
	if (holds(call)) {
		add_waiter(job, joined_ended, call);
		return;
	}
	call_detach(call, json_integer(job->id), true);
	call_free(call);
}

/*
 * A full queue: the same call again of the same user is no other job
 * (protocol.json, jobs.locks; there the arguments may differ, and what was
 * asked for is then never done).
 */
static struct job *
same_waiting(const struct call *call, const char *lock)
{
	struct job *job;

	/* Files cannot be compared before they came. */
	if (call->pipe != NULL)
		return NULL;
	for (job = job_first(); job != NULL; job = job->next)
		if (waits_for(job, lock) &&
		    strcmp(job->username, call_user(call)) == 0)
			return job->call->method == call->method &&
				json_equal(job->call->params, call->params) ?
			    job :
			    NULL;
	return NULL;
}

static bool
queue_full(const struct method *method, const char *lock)
{
	const struct job *job;
	unsigned int n = 0;

	if (lock == NULL || method->job_queue == JOB_QUEUE_ENDLESS)
		return false;
	for (job = job_first(); job != NULL; job = job->next)
		n += waits_for(job, lock);
	switch (method->job_queue) {
	case JOB_QUEUE_NONE:
		return !is_free(lock);
	case JOB_QUEUE_ONE:
		return n >= 1;
	default:
		return n >= LIMIT_JOB_LOCK_QUEUE;
	}
}

/* Of one user, so that nobody's flood takes the memory of all. */
static bool
too_many(const char *username, size_t weight)
{
	const struct job *job;
	size_t n = 0;

	for (job = job_first(); job != NULL; job = job->next)
		if (!job_ended(job) && strcmp(job->username, username) == 0) {
			n++;
			weight += job->weight;
		}
	return n >= LIMIT_JOBS_USER || weight > LIMIT_JOB_MEMORY;
}

static struct job *
job_new(struct call *call, const char *lock)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->call = call;
	job->method = call->method;
	job->method_name = xstrdup(call->method->name);
	job->username = xstrdup(call_user(call));
	job->lock = lock != NULL ? xstrdup(lock) : NULL;
	job->abortable = call->method->abort != NULL;
	job->progress = xstrdup("");
	job->started = time(NULL);
	job->message_ids = json_array();
	add_message_id(job, call);
	job->arguments = method_redact(call->method, call->given);
	job->weight = json_weight(job->arguments);
	job->credentials = json_null();
	if (call->session != NULL)
		job->credentials = json_pack("{s:s, s:o}", "type",
		    session_class(call->session), "data",
		    session_credentials_data(call->session));
	uuid_new(job->audit_id);
	return job;
}

void
job_start(struct call *call, const char *lock)
{
	struct job *job;

	if (queue_full(call->method, lock)) {
		if ((job = same_waiting(call, lock)) != NULL)
			join(job, call);
		else
			call_fail(call, EBUSY,
			    "Too many jobs wait for this one to end");
		return;
	}
	if (too_many(call_user(call), json_weight(call->given))) {
		call_fail(call, EBUSY, "You have too many jobs in progress");
		return;
	}
	job = job_new(call, lock);
	job_keep(job);
	call->job = job;
	job_tell(job, true);
	/*
	 * The client has its answer; the call goes on as the job's and no
	 * longer counts as one of its connection's.
	 */
	if (!holds(call))
		call_detach(call, json_integer(job->id), true);
	if (is_free(lock))
		job_run(job);
}

/* The end. */

static struct job_end
end_of(const struct job *job)
{
	return (struct job_end){ job->state, job->answer, job->result };
}

static void
tell_waiters(struct job *job)
{
	struct job_end end = end_of(job);
	struct waiter *w;

	while ((w = job->waiters) != NULL) {
		job->waiters = w->next;
		w->done(&end, w->arg);
		free(w);
	}
}

static void
set_answer(struct job *job, enum job_state outcome, json_t *answer)
{
	json_decref(job->answer);
	job->outcome = outcome;
	job->answer = answer;
}

static void
concluded(int error, void *arg)
{
	struct job *job = arg;
	struct call *call = job->call;

	if (error != 0 && job->outcome == JOB_SUCCESS)
		set_answer(job, JOB_FAILED,
		    call_method_error(error,
			"[EIO] Done, but the audit log could not be written",
			NULL));
	job->state = job->outcome;
	job->finished = time(NULL);
	job->call = NULL;
	if (job->state == JOB_SUCCESS) {
		job->percent = 100;
		free(job->progress);
		job->progress = xstrdup("");
	}
	job_log_close(&job->log);
	/* Who is told of the end may start others, which push this one out. */
	job->pinned++;
	job_settle(job);
	job_tell(job, false);
	call_detach(call, json_incref(job->answer), job->state == JOB_SUCCESS);
	call_free(call);
	tell_waiters(job);
	if (job->lock != NULL)
		run_next(job->lock);
	job->pinned--;
}

/*
 * Its end is told, to those who wait as well, once its record is on disk.
 * The id was chosen at the start: a crash may have the record sent twice.
 */
static void
conclude(struct job *job, enum job_state outcome, json_t *answer)
{
	struct call *call = job->call;
	json_t *record;

	set_answer(job, outcome, answer);
	if (call->method->audit == NULL || call->audited) {
		concluded(0, job);
		return;
	}
	record = audit_method_call(call, true, true, outcome == JOB_SUCCESS);
	json_object_set_new(record, "audit_id", json_string(job->audit_id));
	audit_send(record, concluded, job);
}

void
job_finish(struct call *call, json_t *result)
{
	conclude(call->job, JOB_SUCCESS, result != NULL ? result : json_null());
}

void
job_finish_as(struct call *call, json_t *result, json_t *redacted)
{
	call->job->result = redacted;
	job_finish(call, result);
}

void
job_fail(struct call *call, json_t *error)
{
	conclude(call->job, JOB_FAILED, error);
}

void
job_stopped(struct call *call, json_t *extra)
{
	struct job *job = call->job;
	char *reason = xasprintf("[ECANCELED] Aborted by %s", job->aborter);

	conclude(job, JOB_ABORTED, call_method_error(ECANCELED, reason, extra));
	free(reason);
}

/* Others: waiting for it, stopping it, its log. */

int
job_access(const struct call *call, json_int_t id)
{
	const struct job *job = job_find(id);

	if (job == NULL)
		return ENOENT;
	return job_visible(call->session, job) ? 0 : EPERM;
}

int
job_wait(const struct call *call, json_int_t id, job_done *done, void *arg)
{
	struct job *job = job_find(id);
	int error = job_access(call, id);
	struct job_end end;

	if (error != 0)
		return error;
	if (job_ended(job)) {
		end = end_of(job);
		done(&end, arg);
	} else
		add_waiter(job, done, arg);
	return 0;
}

void
job_unwait(json_int_t id, const void *arg)
{
	struct job *job = job_find(id);
	struct waiter **at, *w;

	if (job == NULL)
		return;
	for (at = &job->waiters; (w = *at) != NULL; at = &w->next)
		if (w->arg == arg) {
			*at = w->next;
			free(w);
			return;
		}
}

int
job_abort(const struct call *call, json_int_t id)
{
	struct job *job = job_find(id);

	if (job == NULL)
		return ENOENT;
	/* To see it is not enough. */
	if (!call_full_admin(call) &&
	    strcmp(call_user(call), job->username) != 0)
		return EPERM;
	if (job_ended(job) || job->outcome != JOB_WAITING)
		return 0;
	if (job->state == JOB_RUNNING && !job->abortable)
		return EOPNOTSUPP;
	if (job->aborter != NULL)
		return 0;
	job->aborter = xstrdup(call_user(call));
	log_info("job.abort", "%s %lld by %s", job->method_name, (long long)id,
	    job->aborter);
	if (job->state == JOB_WAITING)
		job_stopped(job->call, NULL);
	else
		job->method->abort(job->call);
	return 0;
}

void
job_log(struct job *job, const char *fmt, ...)
{
	bool first = !job->logged;
	va_list ap;
	char *line;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) == -1)
		abort();
	va_end(ap);
	if (job_log_line(&job->log, job->id, line) == -1)
		log_warn("job.log", "job %lld: %s", (long long)job->id,
		    strerror(errno));
	else
		job->logged = true;
	free(line);
	if (first && job->logged) {
		job_save(job);
		job_tell(job, false);
	}
}

int
job_open_log(const struct call *call, json_int_t id)
{
	int error = job_access(call, id), fd;

	if (error != 0) {
		errno = error;
		return -1;
	}
	fd = job_log_open(id);
	if (fd == -1 && errno == ENOENT)
		errno = ENODATA;
	return fd;
}
