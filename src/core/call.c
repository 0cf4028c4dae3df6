/*
 * The answers to calls: results, errors, and the audit record before them.
 */
#include "core/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit.h"
#include "core/connection.h"
#include "core/error.h"
#include "core/job.h"
#include "core/pipe.h"
#include "core/protocol.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define CODE_CALL_ERROR (-32001)

struct answer {
	struct call *call;
	json_t *value; /* a result or an error object */
	bool success;
};

const json_t *
call_param(const struct call *call, size_t i)
{
	return json_array_get(call->params, i);
}

/* Its connection forgets it; which that was, or NULL: it is gone. */
static struct connection *
leave(struct call *call)
{
	struct connection *c = call->connection;
	struct call **at;

	if (c == NULL)
		return NULL;
	for (at = &c->calls; *at != call;)
		at = &(*at)->next;
	*at = call->next;
	c->outstanding--;
	call->connection = NULL;
	return c;
}

void
call_detach(struct call *call, json_t *answer, bool success)
{
	void (*taker)(json_t *, bool, void *) = call->taker;
	struct connection *c;

	if (taker != NULL && answer != NULL) {
		call->taker = NULL;
		taker(answer, success, call->taker_arg);
		return;
	}
	if ((c = leave(call)) != NULL)
		protocol_answer(c, call, answer, success);
	json_decref(answer);
}

void
call_reply_text(struct call *call, const char *result)
{
	struct connection *c;

	if (call->taker != NULL) {
		call_reply(call, json_loads(result, JSON_DECODE_ANY, NULL));
		return;
	}
	if ((c = leave(call)) != NULL)
		protocol_answer_text(c, call, result);
	call_free(call);
}

void
call_free(struct call *call)
{
	call_detach(call, NULL, false);
	if (call->free_data != NULL)
		call->free_data(call->data);
	pipe_leave(call->pipe);
	session_release(call->session);
	json_decref(call->params);
	json_decref(call->given);
	free(call->id);
	free(call->description);
	free(call);
}

json_t *
call_error(int code, const char *message)
{
	return json_pack("{s:i, s:s}", "code", code, "message", message);
}

static json_t *
error_data(int error, const char *reason, const char *class, json_t *extra)
{
	char *repr = xasprintf("%s(%s)", class, reason);
	json_t *data = json_pack("{s:i, s:s, s:s, s:{s:s, s:s, s:s}, s:o}",
	    "error", error, "errname", error_name(error), "reason", reason,
	    "trace", "class", class, "formatted", reason, "repr", repr, "extra",
	    extra != NULL ? extra : json_null());

	free(repr);
	return data;
}

json_t *
call_method_error(int error, const char *reason, json_t *extra)
{
	return json_pack("{s:i, s:s, s:o}", "code", CODE_CALL_ERROR, "message",
	    "Method call error", "data",
	    error_data(error, reason, "CallError", extra));
}

static json_t *
invalid(int error, const char *reason, const char *class, json_t *extra)
{
	return json_pack("{s:i, s:s, s:o}", "code", CALL_INVALID_PARAMS,
	    "message", "Invalid params", "data",
	    error_data(error, reason, class, extra));
}

json_t *
call_invalid_error(const struct verr *errors)
{
	char *reason = verr_reason(errors);
	json_t *error =
	    invalid(EINVAL, reason, "ValidationErrors", verr_extra(errors));

	free(reason);
	return error;
}

static void
send_answer(struct answer *a)
{
	call_detach(a->call, a->value, a->success);
	call_free(a->call);
	free(a);
}

static void
recorded(int error, void *arg)
{
	struct answer *a = arg;

	if (error != 0 && a->success) {
		json_decref(a->value);
		a->value = call_method_error(error,
		    "[EIO] Done, but the audit log could not be written", NULL);
		a->success = false;
	}
	send_answer(a);
}

static void
answer(struct call *call, json_t *value, bool success)
{
	struct answer *a = xcalloc(1, sizeof(*a));

	a->call = call;
	a->value = value;
	a->success = success;
	if (call->method == NULL || call->method->audit == NULL ||
	    call->audited) {
		send_answer(a);
		return;
	}
	audit_send(
	    audit_method_call(call, call->session != NULL, true, success),
	    recorded, a);
}

void
call_refuse(struct call *call, json_t *error)
{
	if (call->job != NULL)
		job_fail(call, error);
	else
		answer(call, error, false);
}

void
call_reply(struct call *call, json_t *result)
{
	if (call->job != NULL) {
		job_finish(call, result);
		return;
	}
	if (result == NULL)
		result = json_null();
	answer(call, result, true);
}

static void fail(struct call *, int, json_t *, const char *, va_list)
    __attribute__((format(printf, 4, 0)));

static void
fail(struct call *call, int error, json_t *extra, const char *fmt, va_list ap)
{
	char *text, *reason;

	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	reason = xasprintf("[%s] %s", error_name(error), text);
	call_refuse(call, call_method_error(error, reason, extra));
	free(reason);
	free(text);
}

void
call_fail(struct call *call, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(call, error, NULL, fmt, ap);
	va_end(ap);
}

void
call_fail_extra(
    struct call *call, int error, json_t *extra, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(call, error, extra, fmt, ap);
	va_end(ap);
}

void
call_fail_invalid(struct call *call, struct verr *errors)
{
	call_refuse(call, call_invalid_error(errors));
	verr_free(errors);
}

void
call_fail_attribute(
    struct call *call, int error, const char *attribute, const char *fmt, ...)
{
	char *text, *reason;
	json_t *extra;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	extra = json_pack("[[s, s, i]]", attribute, text, error);
	reason = xasprintf("[%s] %s: %s", error_name(error), attribute, text);
	call_refuse(call, invalid(error, reason, "ValidationError", extra));
	free(reason);
	free(text);
}

void
call_fail_absent(struct call *call, const char *fmt, ...)
{
	char *text, *reason;
	json_t *extra;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	extra = json_pack("[[n, s, i]]", text, ENOENT);
	reason = xasprintf("[ENOENT] None: %s", text);
	call_refuse(call, invalid(EINVAL, reason, "InstanceNotFound", extra));
	free(reason);
	free(text);
}

bool
call_has_role(const struct call *call, const char *role)
{
	return call->session != NULL &&
	    (call->session->full_admin ||
		role_set_has(&call->session->roles, role));
}

bool
call_full_admin(const struct call *call)
{
	return call->session != NULL && call->session->full_admin;
}

const char *
call_user(const struct call *call)
{
	if (call->session == NULL)
		return ".UNAUTHENTICATED";
	return call->session->username;
}

const char *
call_origin(const struct call *call)
{
	if (call->session != NULL)
		return call->session->origin;
	return call->connection != NULL ? call->connection->address : "";
}

void
call_audited(struct call *call)
{
	call->audited = true;
}
