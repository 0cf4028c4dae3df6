/*
 * What is shown of the jobs: core.get_jobs and its events, and to whom.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/job_internal.h"
#include "core/limits.h"
#include "core/session.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/xalloc.h"

bool
job_visible(const struct session *session, const struct job *job)
{
	if (session == NULL)
		return false;
	return strcmp(session->username, job->username) == 0 ||
	    session_has_any(session,
		job->method != NULL ? job->method->job_read_roles : NULL);
}

bool
job_may_read(
    const struct session *session, const json_t *id, const json_t *fields)
{
	const struct job *job = job_find(json_integer_value(id));

	(void)fields;
	return job != NULL && job_visible(session, job);
}

static json_t *
text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *
or_null(json_t *value)
{
	return value != NULL ? json_incref(value) : json_null();
}

/* The members that tell why it failed, from its error object. */
static void
show_error(const struct job *job, json_t *o)
{
	const json_t *data = NULL, *trace;
	bool absent;

	if (job_ended(job) && job->state != JOB_SUCCESS)
		data = json_object_get(job->answer, "data");
	trace = json_object_get(data, "trace");
	json_object_set_new(
	    o, "error", text_or_null(json_str(data, "reason", NULL)));
	json_object_set_new(
	    o, "exception", text_or_null(json_str(trace, "formatted", NULL)));
	if (data == NULL) {
		json_object_set_new(o, "exc_info", json_null());
		return;
	}
	/* As of the API, where ENOENT is the one error of its class. */
	absent = strcmp(json_str(trace, "class", ""), "InstanceNotFound") == 0;
	json_object_set_new(o, "exc_info",
	    json_pack("{s:O, s:s, s:i, s:O}", "repr",
		json_object_get(trace, "repr"), "type",
		json_int(job->answer, "code", 0) == CALL_INVALID_PARAMS ?
		    "VALIDATION" :
		    json_str(trace, "class", ""),
		"errno", absent ? ENOENT : (int)json_int(data, "error", 0),
		"extra", json_object_get(data, "extra")));
}

static json_t *
make_shown(const struct job *job)
{
	char *path = job->logged ? job_log_path(job->id) : NULL;
	/* clang-format off */
	json_t *o = json_pack("{s:I, s:o, s:s, s:O, s:b, s:n, s:b, s:s?, s:s?, "
	    "s:{s:i, s:s, s:n}, s:o, s:s?}",
	    "id", job->id, "message_ids", json_copy(job->message_ids),
	    "method", job->method_name, "arguments", job->arguments,
	    "transient", 0, "description", "abortable", job->abortable,
	    "logs_path", path, "logs_excerpt", job->excerpt,
	    "progress", "percent", job->percent,
	    "description", job->progress, "extra",
	    "result", or_null(job->result),
	    "result_encoding_error", job->dropped);
	/* clang-format on */

	free(path);
	show_error(job, o);
	json_object_set_new(
	    o, "state", json_string(job_state_names[job->state]));
	json_object_set_new(o, "time_started", json_date(job->started));
	json_object_set_new(o, "time_finished",
	    job->finished != 0 ? json_date(job->finished) : json_null());
	json_object_set(o, "credentials", job->credentials);
	return o;
}

/* Shared with replies and events, so never changed but made anew. */
static json_t *
shown(struct job *job)
{
	if (job->shown == NULL)
		job->shown = make_shown(job);
	return job->shown;
}

static json_t *
shown_raw(struct job *job)
{
	json_t *o = json_copy(shown(job));

	if (job->state == JOB_SUCCESS && job->dropped == NULL)
		json_object_set(o, "result", job->answer);
	return o;
}

json_t *
job_list(const struct call *call, bool raw)
{
	json_t *list = json_array();
	struct job *job;
	size_t n = 0, i;
	bool own;

	for (job = job_first(); job != NULL; job = job->next)
		n += job_visible(call->session, job);
	/* Oldest first, as the real server lists them. */
	for (i = 0; i < n; i++)
		json_array_append_new(list, json_null());
	for (job = job_first(); job != NULL; job = job->next) {
		if (!job_visible(call->session, job))
			continue;
		own = call_full_admin(call) ||
		    strcmp(call_user(call), job->username) == 0;
		if (raw && own)
			json_array_set_new(list, --n, shown_raw(job));
		else
			json_array_set(list, --n, shown(job));
	}
	return list;
}

void
job_tell(struct job *job, bool added)
{
	json_decref(job->shown);
	job->shown = NULL;
	job->told = boottime_ms();
	event_send("core.get_jobs", added ? EVENT_ADDED : EVENT_CHANGED,
	    json_integer(job->id), json_incref(shown(job)));
}

static void
tell_progress(void *arg)
{
	struct job *job = arg;

	job->telling = false;
	job->pinned--;
	/* Its end was told meanwhile. */
	if (!job_ended(job))
		job_tell(job, false);
}

/* Cut to the limit, not within a character. */
static char *
shortened(const char *text)
{
	size_t len = strlen(text);

	if (len > LIMIT_JOB_TEXT)
		for (len = LIMIT_JOB_TEXT;
		     len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	return xstrndup(text, len);
}

void
job_progress(struct job *job, int percent, const char *description)
{
	char *text = shortened(description);

	if (percent == job->percent && strcmp(text, job->progress) == 0) {
		free(text);
		return;
	}
	job->percent = percent;
	free(job->progress);
	job->progress = text;
	json_decref(job->shown);
	job->shown = NULL;
	if (job->telling)
		return;
	if (job->steps++ < LIMIT_PROGRESS_STEPS ||
	    boottime_ms() - job->told >= LIMIT_PROGRESS_MS) {
		job_tell(job, false);
		return;
	}
	job->telling = true;
	job->pinned++;
	core_after(LIMIT_PROGRESS_MS, tell_progress, job);
}
