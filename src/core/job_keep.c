/*
 * How long jobs are kept, how much of them, and over a restart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/audit.h"
#include "core/job_internal.h"
#include "core/job_store.h"
#include "core/limits.h"
#include "core/resource.h"
#include "core/schema.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

static struct job *jobs;
static struct job_store *store;
static json_int_t last_id;
static unsigned int kept;

/* clang-format off */
const char *const job_state_names[] = {
	[JOB_WAITING] = "WAITING", [JOB_RUNNING] = "RUNNING",
	[JOB_SUCCESS] = "SUCCESS", [JOB_FAILED] = "FAILED",
	[JOB_ABORTED] = "ABORTED"
};
/* clang-format on */

struct job *
job_first(void)
{
	return jobs;
}

struct job *
job_find(json_int_t id)
{
	struct job *job = jobs;

	while (job != NULL && job->id != id)
		job = job->next;
	return job;
}

/*
 * Bytes that a value takes in memory, about: jansson's structs, its slots,
 * malloc's own.
 */
size_t
json_weight(const json_t *value)
{
	size_t sum = 64, i;
	const char *key;
	json_t *item;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		sum += 160;
		json_object_foreach((json_t *)(uintptr_t)value, key, item)
			sum += 80 + strlen(key) + json_weight(item);
		return sum;
	case JSON_ARRAY:
		sum += 64;
		json_array_foreach(value, i, item)
			sum += 8 + json_weight(item);
		return sum;
	case JSON_STRING:
		return sum + json_string_length(value);
	default:
		return sum;
	}
}

/* On disk. */

/*
 * What a row has: enough to show the job, and while it has not ended the
 * audit record that stands for it should core end before it.
 */
static json_t *
row_of(const struct job *job)
{
	/* clang-format off */
	json_t *row = json_pack("{s:s, s:s, s:s, s:O, s:O, s:O, s:b, s:i, s:s, "
	    "s:I, s:I, s:b, s:s?, s:s?, s:s}",
	    "method", job->method_name, "username", job->username,
	    "state", job_state_names[job->state],
	    "message_ids", job->message_ids, "arguments", job->arguments,
	    "credentials", job->credentials, "abortable", job->abortable,
	    "percent", job->percent, "progress", job->progress,
	    "started", (json_int_t)job->started,
	    "finished", (json_int_t)job->finished, "logged", job->logged,
	    "excerpt", job->excerpt, "dropped", job->dropped,
	    "audit_id", job->audit_id);
	/* clang-format on */
	json_t *record;

	if (job->state == JOB_SUCCESS)
		json_object_set(row, "answer", job->result);
	else if (job_ended(job))
		json_object_set(row, "answer", job->answer);
	else if (job->method->audit != NULL) {
		record = audit_method_call(job->call, true, true, false);
		json_object_set_new(
		    record, "audit_id", json_string(job->audit_id));
		json_object_set_new(row, "record", record);
	}
	return row;
}

/* The error object (stolen) without what only it can have much of. */
static json_t *
without_extra(json_t *error)
{
	json_t *copy = json_copy(error);
	json_t *data = json_copy(json_object_get(error, "data"));

	json_object_set_new(data, "extra", json_null());
	json_object_set_new(copy, "data", data);
	json_decref(error);
	return copy;
}

static size_t
text_length(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* What is too large for a row is not kept over a restart; it says so. */
static void
shrink(json_t *row)
{
	bool success = strcmp(json_str(row, "state", ""), "SUCCESS") == 0;
	json_t *answer = json_object_get(row, "answer");

	if (text_length(row) <= LIMIT_JOB_ROW)
		return;
	json_object_set_new(
	    row, "dropped", json_string("Too large to be kept over a restart"));
	if (success)
		json_object_set_new(row, "answer", json_null());
	else if (answer != NULL)
		json_object_set_new(
		    row, "answer", without_extra(json_incref(answer)));
	if (text_length(row) > LIMIT_JOB_ROW)
		json_object_set_new(row, "arguments", json_array());
}

static void
written(int result)
{
	if (result == 0)
		core_problem_clear("jobs");
	else
		core_problem("jobs",
		    "Jobs are kept in memory only, they cannot be written: %s",
		    strerror(errno));
}

void
job_save(const struct job *job)
{
	json_t *row;

	if (store == NULL)
		return;
	row = row_of(job);
	shrink(row);
	written(job_store_put(store, job->id, row));
	json_decref(row);
}

/* In memory. */

static void
job_free(struct job *job)
{
	json_decref(job->message_ids);
	json_decref(job->arguments);
	json_decref(job->credentials);
	json_decref(job->answer);
	json_decref(job->result);
	json_decref(job->shown);
	free(job->method_name);
	free(job->username);
	free(job->lock);
	free(job->aborter);
	free(job->progress);
	free(job->dropped);
	free(job->excerpt);
	free(job);
}

static void
forget(struct job *job)
{
	kept--;
	if (store != NULL)
		written(job_store_remove(store, job->id));
	job_log_remove(job->id);
	job_free(job);
}

/* Only the last so many are kept; those not ended always. */
static void
forget_old(void)
{
	struct job **at = &jobs, *job;
	unsigned int n = 0;

	if (kept <= LIMIT_JOBS_KEPT)
		return;
	while ((job = *at) != NULL) {
		if (++n > LIMIT_JOBS_KEPT && job_ended(job) &&
		    job->waiters == NULL && job->pinned == 0) {
			*at = job->next;
			forget(job);
		} else
			at = &job->next;
	}
}

void
job_keep(struct job *job)
{
	job->id = ++last_id;
	job->next = jobs;
	jobs = job;
	kept++;
	forget_old();
	job_save(job);
}

/* That it was and how it ended stays, what takes memory goes. */
static void
lighten(struct job *job)
{
	if (job->state == JOB_SUCCESS) {
		json_decref(job->answer);
		json_decref(job->result);
		job->answer = json_null();
		job->result = json_null();
	} else
		job->answer = without_extra(job->answer);
	json_decref(job->arguments);
	json_decref(job->shown);
	job->arguments = json_array();
	job->shown = NULL;
	free(job->dropped);
	job->dropped = xstrdup("Too large to be kept for so long");
	job->weight = 0;
}

/* The latest is always whole; of the others, from the newest, so much. */
static void
lighten_old(void)
{
	size_t sum = 0;
	struct job *job;

	for (job = job_first(); job != NULL; job = job->next) {
		if (!job_ended(job) || job->pinned > 0)
			continue;
		sum += job->weight;
		if (sum <= LIMIT_JOB_MEMORY)
			continue;
		sum -= job->weight;
		lighten(job);
	}
}

/* As replies to those see it who may not see secrets. */
static void
redact_result(struct job *job)
{
	const struct field *f = job->method->result;

	if (f != NULL)
		job->result = schema_redact_value(f, job->answer);
	else
		job->result = json_incref(job->answer);
}

void
job_settle(struct job *job)
{
	if (job->state == JOB_SUCCESS && job->result == NULL)
		redact_result(job);
	if (job->result != NULL &&
	    text_length(job->result) > LIMIT_JOB_RESULT) {
		json_decref(job->result);
		job->result = json_null();
		job->dropped = xstrdup("Too large to be shown");
	}
	job->weight += json_weight(job->answer);
	if (job->logged)
		job->excerpt = job_log_excerpt(job->id);
	job_save(job);
	lighten_old();
}

/* Over a restart. */

static enum job_state
state_of(const json_t *row)
{
	const char *name = json_str(row, "state", "");
	enum job_state state;

	for (state = JOB_WAITING; state < JOB_ABORTED; state++)
		if (strcmp(name, job_state_names[state]) == 0)
			return state;
	return JOB_ABORTED;
}

static char *
member_text(const json_t *row, const char *name)
{
	const char *text = json_str(row, name, NULL);

	return text != NULL ? xstrdup(text) : NULL;
}

/* The member when it is of that type, else an empty value of it. */
static json_t *
member(const json_t *row, const char *name, json_t *otherwise)
{
	json_t *value = json_object_get(row, name);

	if (value == NULL ||
	    (otherwise != NULL && json_typeof(value) != json_typeof(otherwise)))
		return otherwise != NULL ? otherwise : json_null();
	json_decref(otherwise);
	return json_incref(value);
}

static struct job *
job_of(json_int_t id, const json_t *row)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->id = id;
	job->method_name = xstrdup(json_str(row, "method", ""));
	job->method = method_find(job->method_name);
	job->username = xstrdup(json_str(row, "username", ""));
	job->state = job->outcome = state_of(row);
	job->message_ids = member(row, "message_ids", json_array());
	job->arguments = member(row, "arguments", json_array());
	job->credentials = member(row, "credentials", NULL);
	job->abortable = json_bool(row, "abortable", false);
	job->percent = (int)json_int(row, "percent", 0);
	job->progress = xstrdup(json_str(row, "progress", ""));
	job->started = json_int(row, "started", 0);
	job->finished = json_int(row, "finished", 0);
	job->logged = json_bool(row, "logged", false);
	job->excerpt = member_text(row, "excerpt");
	job->dropped = member_text(row, "dropped");
	job->answer = member(row, "answer", NULL);
	if (job->state == JOB_SUCCESS)
		job->result = json_incref(job->answer);
	job->weight = json_weight(job->arguments) + json_weight(job->answer);
	return job;
}

/*
 * Whether its work was done nobody knows.  Its record goes through the
 * outbox, as an end whose record was written before core ended has the same
 * audit_id, and is then not recorded again.
 */
static void
interrupted(struct job *job, const json_t *row)
{
	json_t *record = json_object_get(row, "record");
	bool began = job->state == JOB_RUNNING;

	if (record != NULL &&
	    (core_store() == NULL ||
		store_outbox_add(
		    core_store(), json_str(row, "audit_id", ""), record) == -1))
		audit_send(json_incref(record), NULL, NULL);
	json_decref(job->answer);
	job->answer = call_method_error(EINTR,
	    began ? "[EINTR] Holdfast ended before this job had" :
		    "[EINTR] Holdfast ended before this job began",
	    NULL);
	job->state = job->outcome = JOB_FAILED;
	job->finished = time(NULL);
	if (job->logged)
		job->excerpt = job_log_excerpt(job->id);
	job_save(job);
}

static bool
has_job(int64_t id)
{
	return job_find(id) != NULL;
}

static void
load(void)
{
	json_t *rows = job_store_rows(store), *row;
	struct job *job;
	size_t i;

	json_array_foreach(rows, i, row) {
		job = job_of(json_integer_value(json_array_get(row, 0)),
		    json_array_get(row, 1));
		job->next = jobs;
		jobs = job;
		last_id = job->id;
		kept++;
		if (!job_ended(job))
			interrupted(job, json_array_get(row, 1));
	}
	json_decref(rows);
	forget_old();
}

void
jobs_open(const char *folder)
{
	char *why;

	if (job_log_initialise(folder) == -1)
		log_warn("jobs.logs", "jobs have no logs: %s", strerror(errno));
	store = job_store_open(folder, &why);
	if (why != NULL)
		log_warn("jobs.store", "%s", why);
	if (store == NULL)
		core_problem("jobs", "Jobs are kept in memory only: %s", why);
	else
		load();
	job_log_clean(has_job);
	free(why);
}

void
jobs_close(void)
{
	job_store_close(store);
	store = NULL;
}
