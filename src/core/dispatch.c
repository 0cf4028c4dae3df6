/*
 * From a client's call to the method's function.
 */
#include "core/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit.h"
#include "core/audit_failures.h"
#include "core/call.h"
#include "core/connection.h"
#include "core/error.h"
#include "core/job.h"
#include "core/limits.h"
#include "core/rate.h"
#include "core/resource.h"
#include "core/sessions.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

static struct call *
call_new(struct connection *c, const char *id)
{
	struct call *call = xcalloc(1, sizeof(*call));

	/* Looked at with every message, and refreshed by it. */
	if (c->session != NULL && session_expired(c->session))
		sessions_logout(c, NULL, NULL);
	if (c->session != NULL)
		c->session->used = boottime_ms();
	call->since = boottime_ms();
	call->connection = c;
	call->next = c->calls;
	c->calls = call;
	c->outstanding++;
	call->session = session_keep(c->session);
	if (id[0] != '\0')
		call->id = xstrdup(id);
	return call;
}

void
dispatch_abandon(struct connection *c)
{
	struct call *call;

	while ((call = c->calls) != NULL) {
		c->calls = call->next;
		call->connection = NULL;
		call->next = NULL;
	}
}

static void
answer_rate(void *arg)
{
	struct call *call = arg;

	call_refuse(call,
	    call_method_error(EBUSY, "[EBUSY] Rate Limit Exceeded", NULL));
}

static void
refused_recorded(int error, void *arg)
{
	struct call *call = arg;
	json_t *answer;

	(void)error; /* nothing was done that could go unrecorded */
	call_audited(call);
	if (call->session == NULL)
		answer = call_method_error(ENOTAUTHENTICATED,
		    "[ENOTAUTHENTICATED] Not authenticated", NULL);
	else
		answer =
		    call_method_error(EACCES, "[EACCES] Not authorized", NULL);
	call_refuse(call, answer);
}

static void
refuse(struct call *call)
{
	json_t *record;

	if (call->method->audit == NULL) {
		refused_recorded(0, call);
		return;
	}
	record = audit_method_call(call, call->session != NULL, false, false);
	if (call->session == NULL)
		audit_failure(record, refused_recorded, call);
	else
		audit_send(record, refused_recorded, call);
}

bool
dispatch_allows(const struct session *session, const struct method *method)
{
	if (method->auth == AUTH_NONE)
		return true;
	return session != NULL && !session->terminated &&
	    (method->auth == AUTH_SESSION ||
		session_has_any(session, method->roles));
}

/* True: the caller may; else the call was answered. */
static bool
permitted(struct call *call)
{
	const struct connection *c = call->connection;

	if (call->session == NULL && !call->method->unlimited &&
	    c->front == ROLE_WEB &&
	    !rate_allow(call->method->name, c->address)) {
		call_audited(call);
		core_after(
		    LIMIT_RATE_DELAY_MS + core_random(LIMIT_RATE_SPREAD_MS),
		    answer_rate, call);
		return false;
	}
	if (dispatch_allows(call->session, call->method))
		return true;
	refuse(call);
	return false;
}

static void
run(struct call *call)
{
	const struct method *m = call->method;
	struct verr *errors = verr_new();
	const char *why;
	char *lock;

	call->params = schema_params(m->params, call->given,
	    m->kind == KIND_UPDATE ? SCHEMA_UPDATE : SCHEMA_ARGUMENT, errors);
	if (call->params == NULL) {
		call_fail_invalid(call, errors);
		return;
	}
	verr_free(errors);
	/* What changes something waits for a log that takes its record. */
	if (m->audit != NULL && !m->repairs &&
	    (why = audit_refuses()) != NULL) {
		call_fail(call, EIO,
		    "Nothing was changed: the audit log cannot be written (%s)",
		    why);
		return;
	}
	if (!m->job) {
		m->run(call);
		return;
	}
	if (m->pipe != PIPE_NONE && !m->pipe_optional && call->pipe == NULL) {
		call_fail(call, EINVAL, "Pipe '%s' is not open",
		    m->pipe == PIPE_INPUT ? "input" : "output");
		return;
	}
	if (m->accept != NULL && !m->accept(call))
		return;
	lock = m->job_lock != NULL ? m->job_lock(call->params) : NULL;
	job_start(call, lock);
	free(lock);
}

/* given is stolen. */
static void
dispatch(struct call *call, const char *method, json_t *given)
{
	call->given = given;
	if (call->connection->outstanding > LIMIT_CALLS) {
		call_refuse(call,
		    call_error(-32000,
			"Maximum number of concurrent calls (20) has "
			"exceeded"));
		return;
	}
	if (!json_is_array(given)) {
		/* web and local send what they printed themselves. */
		log_warn("front.breach", "parameters that are no array");
		call_refuse(call, call_error(-32700, "Invalid Message Format"));
		return;
	}
	call->method = method_find(method);
	if (call->method == NULL) {
		call_refuse(call, call_error(-32601, "Method does not exist"));
		return;
	}
	if (permitted(call))
		run(call);
}

void
dispatch_call(struct connection *c, const char *id, const char *method,
    const char *params)
{
	const char *why;

	dispatch(
	    call_new(c, id), method, json_parse(params, strlen(params), &why));
}

void
dispatch_subscribe(struct connection *c, const char *id, const char *name)
{
	struct call *call = call_new(c, id);

	call->subscribes = true;
	dispatch(call, "core.subscribe", json_pack("[s]", name));
}

void
dispatch_piped(const struct call *whole, const struct method *method,
    const json_t *given, struct pipe *pipe,
    void (*taker)(json_t *, bool, void *), void *arg)
{
	struct call *call = xcalloc(1, sizeof(*call));

	call->method = method;
	call->given = json_incref((json_t *)(uintptr_t)given);
	call->session = session_keep(whole->session);
	call->pipe = pipe;
	call->taker = taker;
	call->taker_arg = arg;
	if (permitted(call))
		run(call);
}

void
dispatch_member(const struct call *whole, const struct method *method,
    const json_t *given, void (*taker)(json_t *, bool, void *), void *arg)
{
	dispatch_piped(whole, method, given, NULL, taker, arg);
}

void
dispatch_upload(struct connection *c, const struct method *method,
    const json_t *given, struct pipe *pipe,
    void (*taker)(json_t *, bool, void *), void *arg)
{
	struct call *call = call_new(c, "");

	call->method = method;
	call->given = json_incref((json_t *)(uintptr_t)given);
	call->pipe = pipe;
	call->taker = taker;
	call->taker_arg = arg;
	if (permitted(call))
		run(call);
}
