/*
 * core.*: what there is to call, and the jobs.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/call.h"
#include "core/event.h"
#include "core/job.h"
#include "core/limits.h"
#include "core/query.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"
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

static void
get_methods_run(struct call *call)
{
	call_reply(
	    call, resource_methods(json_string_value(call_param(call, 0))));
}

static void
get_services_run(struct call *call)
{
	call_reply(call, resource_services());
}

static void
get_jobs_run(struct call *call)
{
	query_reply(call, job_list(call));
}

/* The reason of the other job as it stands, its errno's name included. */
static void
waited(enum job_state state, const json_t *result, int error,
    const char *reason, void *arg)
{
	struct call *call = arg;

	if (state == JOB_SUCCESS)
		call_reply(call, json_incref((json_t *)(uintptr_t)result));
	else
		job_fail(call, error, reason, "CallError", NULL);
}

static bool
wait_refused(struct call *call, json_int_t id, int error)
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

	return !wait_refused(call, id, job_access(call, id));
}

static void
job_wait_run(struct call *call)
{
	json_int_t id = json_integer_value(call_param(call, 0));

	/* This job may have been the one too many that had it forgotten. */
	wait_refused(call, id, job_wait(call, id, waited, call));
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

/* clang-format off */
static const struct method methods[] = {
	{ .name = "core.ping", .auth = AUTH_NONE, .result = &pong,
	  .doc = "Answers pong.", .run = ping_run },
	{ .name = "core.get_methods", .auth = AUTH_SESSION,
	  .params = get_methods_params, .result = &object,
	  .doc = "The methods there are, with their parameters, results and "
	  "roles.", .run = get_methods_run },
	{ .name = "core.get_services", .auth = AUTH_SESSION,
	  .params = get_services_params, .result = &object,
	  .doc = "The namespaces there are.", .run = get_services_run },
	{ .name = "core.get_jobs", .auth = AUTH_SESSION, .kind = KIND_QUERY,
	  .params = query_params, .result = &list,
	  .doc = "The jobs that the caller may see.", .run = get_jobs_run },
	{ .name = "core.job_wait", .auth = AUTH_SESSION, .job = true,
	  .params = job_id_params, .result = &any,
	  .doc = "A job that ends when another one does, with its result.",
	  .accept = job_wait_accept, .run = job_wait_run },
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

const struct resource core_resource = {
	.name = "core", .doc = "What there is to call, and the jobs.",
	.kind = RESOURCE_SERVICE, .verbose_name = "Core", .methods = methods,
	.output = -1, .service = -1
};
/* clang-format on */
