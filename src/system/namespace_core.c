/*
 * core.*: what there is to call, and the jobs.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/call.h"
#include "core/connection.h"
#include "core/dispatch.h"
#include "core/download.h"
#include "core/event.h"
#include "core/job.h"
#include "core/limits.h"
#include "core/query.h"
#include "core/resource.h"
#include "core/shell.h"
#include "lib/json.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"
#include "system/bulk.h"
#include "system/download_logs.h"
#include "system/system.h"

static const char *const targets[] = { "WS", "CLI", "REST", NULL };

/* clang-format off */
#define TARGET	{ .name = "target", .type = F_ENUM, .choices = targets,	\
	.def = "\"WS\"", .doc = "For whom the description is." }

static const struct field get_methods_params[] = {
	{ .name = "service", .type = F_STR, .flags = FF_NULL, .def = "null",
	  .doc = "Only the methods of this namespace." },
	TARGET,
	FIELD_END
};
/* clang-format on */

static const struct field get_services_params[] = { TARGET, FIELD_END };

/* clang-format off */
static const struct field job_id_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "The job's id." },
	FIELD_END
};

static const struct field subscribe_params[] = {
	{ .name = "event", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The collection, \"*\" for all; a source takes its arguments "
	  "after a colon, as a JSON object." },
	FIELD_END
};
static const struct field unsubscribe_params[] = {
	{ .name = "id_", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The subscription's id." },
	FIELD_END
};

static const struct field resize_params[] = {
	{ .name = "id", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The shell, as its connection was told." },
	{ .name = "cols", .type = F_INT, .flags = FF_REQUIRED, .min = 1,
	  .max = SHELL_CELLS, .doc = "Columns." },
	{ .name = "rows", .type = F_INT, .flags = FF_REQUIRED, .min = 1,
	  .max = SHELL_CELLS, .doc = "Rows." },
	FIELD_END
};

static const struct field option_fields[] = {
	{ .name = "legacy_jobs", .type = F_BOOL,
	  .doc = "A job's call is answered at once, with its id, not at its "
	  "end." },
	{ .name = "private_methods", .type = F_BOOL,
	  .doc = "Of no effect: there are no methods but the published ones." },
	{ .name = "py_exceptions", .type = F_BOOL,
	  .doc = "Of no effect: errors carry no Python objects." },
	FIELD_END
};

static const struct field set_options_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = option_fields,
	  .model = "CoreOptions", .flags = FF_REQUIRED | FF_OPEN,
	  .doc = "Those to change; unknown ones are ignored." },
	FIELD_END
};

static const struct field options = { .name = "result", .type = F_OBJECT,
	.fields = option_fields, .flags = FF_REQUIRED,
	.doc = "All options as they are now." };
static const struct field subscription = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED, .doc = "The subscription's id." };
static const struct field pong = { .name = "result", .type = F_CONST,
	.def = "\"pong\"", .flags = FF_REQUIRED, .doc = "Always pong." };
static const struct field object = { .name = "result", .type = F_DICT,
	.flags = FF_REQUIRED, .doc = "By name." };
static const struct field any = { .name = "result", .type = F_ANY,
	.flags = FF_REQUIRED, .doc = "The result of the job." };
static const struct field list = { .name = "result", .type = F_ARRAY,
	.flags = FF_REQUIRED, .doc = "The jobs." };
/* clang-format on */

static void
ping_run(struct call *call)
{
	call_reply(call, json_string("pong"));
}

/* Those that the caller may call; steals. */
static json_t *
permitted(const struct call *call, json_t *methods)
{
	const struct session *s = call->session;
	json_t *some, *method;
	const char *name;

	if (s->full_admin && !s->stig)
		return methods;
	some = json_object();
	json_object_foreach(methods, name, method)
		if (dispatch_allows(s, method_find(name)))
			json_object_set(some, name, method);
	json_decref(methods);
	return some;
}

static void
get_methods_run(struct call *call)
{
	const char *name = json_string_value(call_param(call, 0));

	call_reply(call, permitted(call, resource_methods(name)));
}

static void
get_services_run(struct call *call)
{
	call_reply(call, resource_services());
}

static void
get_jobs_run(struct call *call)
{
	const json_t *extra = json_object_get(call_param(call, 1), "extra");

	query_reply(
	    call, job_list(call, json_bool(extra, "raw_result", false)));
}

/* Its end is the end of the other one, its error object included. */
static void
waited(const struct job_end *end, void *arg)
{
	struct call *call = arg;

	if (end->state == JOB_SUCCESS)
		job_finish_as(
		    call, json_incref(end->answer), json_incref(end->result));
	else
		call_refuse(call, json_incref(end->answer));
}

static bool
job_refused(struct call *call, json_int_t id, int error)
{
	if (error == EPERM)
		call_fail(
		    call, error, "Job %lld is somebody else's", (long long)id);
	else if (error != 0)
		call_fail_absent(
		    call, "Job with id %lld does not exist", (long long)id);
	return error != 0;
}

/*
 * Without a job of its own, which would only fail; nor can a job wait for
 * itself this way, as there is none yet.
 */
static bool
job_wait_accept(struct call *call)
{
	json_int_t id = json_integer_value(call_param(call, 0));

	return !job_refused(call, id, job_access(call, id));
}

static void
job_wait_run(struct call *call)
{
	json_int_t id = json_integer_value(call_param(call, 0));

	/* This job may have been the one too many that had it forgotten. */
	job_refused(call, id, job_wait(call, id, waited, call));
}

static void
job_wait_abort(struct call *call)
{
	job_unwait(json_integer_value(call_param(call, 0)), call);
	job_stopped(call, NULL);
}

static void
job_abort_run(struct call *call)
{
	json_int_t id = json_integer_value(call_param(call, 0));
	int error = job_abort(call, id);

	if (error == EOPNOTSUPP)
		call_fail(call, error,
		    "Job %lld cannot be stopped once it runs", (long long)id);
	else if (!job_refused(call, id, error))
		call_reply(call, NULL);
}

static void
set_options_run(struct call *call)
{
	const json_t *o = call_param(call, 0);
	struct connection *c = call->connection;

	/* Without one there is nothing to set them on. */
	if (c == NULL) {
		call_fail(call, ENOTCONN, "The connection is gone");
		return;
	}
	c->await_jobs = !json_bool(o, "legacy_jobs", !c->await_jobs);
	c->private_methods =
	    json_bool(o, "private_methods", c->private_methods);
	c->py_exceptions = json_bool(o, "py_exceptions", c->py_exceptions);
	call_reply(call,
	    json_pack("{s:b, s:b, s:b}", "legacy_jobs", !c->await_jobs,
		"private_methods", c->private_methods, "py_exceptions",
		c->py_exceptions));
}

static void
subscribe_fail(struct call *call, int error)
{
	struct verr *errors;

	if (error == EACCES) {
		call_fail(call, EACCES, "Not authorized");
	} else if (error == EBUSY) {
		call_fail(call, EBUSY,
		    "Too many subscriptions of this connection (%d at most, "
		    "%d of them with a source)",
		    LIMIT_SUBSCRIPTIONS, LIMIT_SOURCES);
	} else {
		errors = verr_new();
		verr_add(errors, "event", "It takes no arguments");
		call_fail_invalid(call, errors);
	}
}

static void
subscribe_run(struct call *call)
{
	struct connection *c = call->connection;
	char id[UUID_LEN];
	int error;

	/* Without one there is nobody to be told. */
	if (c == NULL)
		error = EACCES;
	else
		error = event_subscribe(
		    c, json_string_value(call_param(call, 0)), id);
	if (error != 0) {
		subscribe_fail(call, error);
		return;
	}
	call_reply(call, json_string(id));
	event_start(c, id);
}

static void
unsubscribe_run(struct call *call)
{
	struct connection *c = call->connection;
	char *id = xstrdup(json_string_value(call_param(call, 0)));

	call_reply(call, NULL);
	if (c != NULL)
		event_unsubscribe(c, id);
	free(id);
}

static void
resize_run(struct call *call)
{
	const char *id = json_string_value(call_param(call, 0));
	uint16_t columns = (uint16_t)json_integer_value(call_param(call, 1));
	uint16_t rows = (uint16_t)json_integer_value(call_param(call, 2));
	int error = shell_resize(call->session, id, columns, rows);

	if (error != 0)
		call_fail(call, error, "Shell does not exist");
	else
		call_reply(call, NULL);
}

/* clang-format off */
static const struct method methods[] = {
	{ .name = "core.ping", .auth = AUTH_NONE, .bulk = true,
	  .result = &pong, .doc = "Answers pong.", .run = ping_run },
	{ .name = "core.set_options", .auth = AUTH_NONE, .unlimited = true,
	  .params = set_options_params, .result = &options,
	  .doc = "How this connection wants its answers.",
	  .run = set_options_run },
	{ .name = "core.get_methods", .auth = AUTH_SESSION, .bulk = true,
	  .params = get_methods_params, .result = &object,
	  .doc = "The methods that the caller may call, with their parameters, "
	  "results and roles.", .run = get_methods_run },
	{ .name = "core.get_services", .auth = AUTH_SESSION, .bulk = true,
	  .params = get_services_params, .result = &object,
	  .doc = "The namespaces there are.", .run = get_services_run },
	{ .name = "core.get_jobs", .auth = AUTH_SESSION, .kind = KIND_QUERY,
	  .bulk = true, .params = query_params, .result = &list,
	  .doc = "The jobs that the caller may see.", .run = get_jobs_run },
	/* Not in bulk, which could wait for itself. */
	{ .name = "core.job_wait", .auth = AUTH_SESSION, .job = true,
	  .params = job_id_params, .result = &any,
	  .doc = "A job that ends when another one does, with its result.",
	  .accept = job_wait_accept, .run = job_wait_run,
	  .abort = job_wait_abort },
	{ .name = "core.job_abort", .auth = AUTH_SESSION, .bulk = true,
	  .params = job_id_params, .doc = "Stops a job, if it can be stopped.",
	  .run = job_abort_run },
	{ .name = "core.bulk", .auth = AUTH_SESSION, .job = true,
	  .job_lock = bulk_lock, .params = bulk_params,
	  .result = &bulk_result, .redact = bulk_redact,
	  .doc = "Calls a method many times, one call after the other.",
	  .accept = bulk_accept, .run = bulk_run, .abort = bulk_abort },
	{ .name = "core.download", .auth = AUTH_SESSION,
	  .params = download_params, .result = &download_result,
	  .doc = "Starts a job that gives a file; its id, and where to fetch "
	  "the file.", .run = download_run },
	{ .name = "core.job_download_logs", .auth = AUTH_SESSION,
	  .params = download_logs_params, .result = &download_url,
	  .doc = "Where to fetch the log of a job.",
	  .run = download_logs_run },
	{ .name = "core.resize_shell", .auth = AUTH_SESSION, .bulk = true,
	  .params = resize_params,
	  .doc = "How large the terminal of a web shell of the caller is.",
	  .run = resize_run },
	{ .name = "core.subscribe", .auth = AUTH_SESSION,
	  .params = subscribe_params, .result = &subscription,
	  .doc = "Tells this connection what happens in a collection.",
	  .run = subscribe_run },
	{ .name = "core.unsubscribe", .auth = AUTH_SESSION,
	  .params = unsubscribe_params,
	  .doc = "Ends a subscription of this connection.",
	  .run = unsubscribe_run },
	METHOD_END
};

static const struct event events[] = {
	{ .name = "core.get_jobs", .doc = "Jobs that begin, go on and end.",
	  .auth = AUTH_SESSION, .may_read = job_may_read },
	EVENT_END
};

const struct resource core_resource = {
	.name = "core", .doc = "What there is to call, and the jobs.",
	.kind = RESOURCE_SERVICE, .verbose_name = "Core", .methods = methods,
	.events = events
};
/* clang-format on */
