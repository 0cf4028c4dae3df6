/*
 * core.bulk: see bulk.h.  Each member is a call like any other, with its own
 * check of roles, validation and audit record; one that is a job is waited
 * for.  What takes long gives others their turn in between.
 */
#include "system/bulk.h"

#include <errno.h>
#include <stdlib.h>

#include "core/call.h"
#include "core/core.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "core/job.h"
#include "core/limits.h"
#include "core/resource.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/placeholders.h"

struct bulk {
	struct call *call;
	const struct method *method;
	json_t *results, *redacted;
	size_t at, weight;
	json_int_t job; /* of the member that is waited for; 0: none */
	bool calling; /* within the call of a member */
	bool answered;
	bool aborted;
};

/* clang-format off */
static const struct field member_params = {
	.name = "params", .type = F_ARRAY, .doc = "Those of one call."
};

const struct field bulk_params[] = {
	{ .name = "method", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The method to call." },
	{ .name = "params", .type = F_ARRAY, .flags = FF_REQUIRED,
	  .fields = &member_params,
	  .doc = "For each call the list of its parameters." },
	{ .name = "description", .type = F_STR, .flags = FF_NULL,
	  .def = "null", .doc = "What the progress says of a call; {0} is its "
	  "first parameter." },
	FIELD_END
};

static const struct field result_fields[] = {
	{ .name = "job_id", .type = F_INT, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Its job, when the method is one." },
	{ .name = "error", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .max = STRING_LONG, .doc = "Why it failed." },
	{ .name = "result", .type = F_ANY, .flags = FF_REQUIRED,
	  .doc = "Its result." },
	FIELD_END
};

static const struct field result_item = { .name = "item", .type = F_OBJECT,
	.fields = result_fields, .doc = "Of one call." };

const struct field bulk_result = { .name = "result", .type = F_ARRAY,
	.flags = FF_REQUIRED, .fields = &result_item,
	.doc = "For each call how it ended." };
/* clang-format on */

char *
bulk_lock(const json_t *params)
{
	return xasprintf(
	    "bulk:%s", json_string_value(json_array_get(params, 0)));
}

/* The members' parameters by their own method's table. */
json_t *
bulk_redact(const json_t *given)
{
	const char *name = json_string_value(json_array_get(given, 0));
	const struct method *method = name != NULL ? method_find(name) : NULL;
	const json_t *all = json_array_get(given, 1), *one;
	json_t *shown = json_copy((json_t *)(uintptr_t)given), *list;
	size_t i;

	if (json_array_size(shown) < 2)
		return shown;
	if (method == NULL || !json_is_array(all)) {
		json_array_set_new(shown, 1, json_string("********"));
		return shown;
	}
	list = json_array();
	json_array_foreach(all, i, one)
		json_array_append_new(list, method_redact(method, one));
	json_array_set_new(shown, 1, list);
	return shown;
}

static void
not_permitted(json_t *answer, bool success, void *arg)
{
	(void)success;
	json_decref(answer);
	call_fail(arg, EPERM, "Not authorized");
}

/*
 * The refusal of a member is recorded like that of any call, here once for
 * all of them.
 */
static void
refuse(struct call *call, const struct method *method)
{
	const json_t *first = json_array_get(call_param(call, 1), 0);
	json_t *none = json_array();

	dispatch_member(
	    call, method, first != NULL ? first : none, not_permitted, call);
	json_decref(none);
}

bool
bulk_accept(struct call *call)
{
	const char *name = json_string_value(call_param(call, 0));
	const char *text = json_string_value(call_param(call, 2));
	const struct method *method = method_find(name);
	struct verr *errors = verr_new();
	char *filled = text != NULL ? placeholders_fill(text, NULL, 0) : NULL;

	if (method == NULL) {
		verr_free(errors);
		call_fail(call, ENOMETHOD, "Method %s not found", name);
		return false;
	}
	if (!dispatch_allows(call->session, method)) {
		verr_free(errors);
		refuse(call, method);
		return false;
	}
	if (method->auth != AUTH_ROLE && !method->bulk)
		verr_add(errors, "method", "%s cannot be called in bulk", name);
	if (text != NULL && filled == NULL)
		verr_add(errors, "description",
		    "Places for parameters are {0} or {0[name]}");
	free(filled);
	if (!verr_any(errors)) {
		verr_free(errors);
		return true;
	}
	call_fail_invalid(call, errors);
	return false;
}

static void
bulk_free(void *arg)
{
	struct bulk *b = arg;

	json_decref(b->results);
	json_decref(b->redacted);
	free(b);
}

static const json_t *
members(const struct bulk *b)
{
	return call_param(b->call, 1);
}

static void
tell_progress(const struct bulk *b)
{
	const char *text = json_string_value(call_param(b->call, 2));
	size_t count = json_array_size(members(b));
	json_t *params;
	char *said;

	if (text != NULL) {
		params =
		    method_redact(b->method, json_array_get(members(b), b->at));
		said = placeholders_fill(text, params, LIMIT_JOB_TEXT);
		json_decref(params);
	} else
		said = xasprintf("%zu of %zu", b->at + 1, count);
	job_progress(b->call->job, (int)(b->at * 100 / count), said);
	free(said);
}

static json_t *
entry(json_int_t job, const char *error, json_t *result)
{
	return json_pack("{s:o, s:s?, s:O}", "job_id",
	    job != 0 ? json_integer(job) : json_null(), "error", error,
	    "result", result);
}

static void
failed(struct bulk *b, json_int_t job, const char *reason)
{
	json_t *nothing = json_null(), *e = entry(job, reason, nothing);

	job_log(b->call->job, "call %zu: %s", b->at + 1, reason);
	json_array_append(b->results, e);
	json_array_append_new(b->redacted, e);
}

/* One entry serves both where nothing of it is secret. */
static void
succeeded(struct bulk *b, json_int_t job, json_t *result, json_t *redacted)
{
	json_t *e = entry(job, NULL, result);

	b->weight += json_weight(result);
	json_array_append(b->results, e);
	json_array_append_new(b->redacted,
	    redacted == result ? json_incref(e) : entry(job, NULL, redacted));
	json_decref(e);
}

static const char *
reason_of(const json_t *error)
{
	return json_str(json_object_get(error, "data"), "reason",
	    json_str(error, "message", ""));
}

static void go_on(struct bulk *);

static void
next(struct bulk *b)
{
	b->at++;
	b->job = 0;
	b->answered = true;
	if (!b->calling)
		go_on(b);
}

static void
member_ended(const struct job_end *end, void *arg)
{
	struct bulk *b = arg;

	if (end->state == JOB_SUCCESS)
		succeeded(b, b->job, end->answer, end->result);
	else
		failed(b, b->job, reason_of(end->answer));
	next(b);
}

static void
member_answered(json_t *answer, bool success, void *arg)
{
	const struct field *shown;
	struct bulk *b = arg;
	json_t *redacted;

	if (success && b->method->job) {
		b->job = json_integer_value(answer);
		/* It is our own and still there. */
		job_wait(b->call, b->job, member_ended, b);
	} else if (success) {
		shown = b->method->result;
		redacted = shown != NULL ? schema_redact_value(shown, answer) :
					   json_incref(answer);
		succeeded(b, 0, answer, redacted);
		json_decref(redacted);
		next(b);
	} else {
		failed(b, 0, reason_of(answer));
		next(b);
	}
	json_decref(answer);
}

static void
end(struct bulk *b)
{
	struct call *call = b->call;

	if (b->aborted)
		job_stopped(call, json_incref(b->redacted));
	else
		job_finish_as(
		    call, json_incref(b->results), json_incref(b->redacted));
}

static void
go_on_later(void *arg)
{
	go_on(arg);
}

static void
call_member(struct bulk *b)
{
	tell_progress(b);
	if (b->weight > LIMIT_BULK_RESULTS) {
		failed(b, 0,
		    "[EFBIG] Not called: the results before it are too large");
		b->at++;
		return;
	}
	b->calling = true;
	b->answered = false;
	dispatch_member(b->call, b->method, json_array_get(members(b), b->at),
	    member_answered, b);
	b->calling = false;
}

/* From member to member, until one takes its time. */
static void
go_on(struct bulk *b)
{
	int64_t began = boottime_ms();

	while (b->at < json_array_size(members(b)) && !b->aborted) {
		if (boottime_ms() - began >= LIMIT_BULK_SLICE_MS) {
			core_after(1, go_on_later, b);
			return;
		}
		/* What is left is for the next run to call failed. */
		if (core_stopping())
			return;
		b->answered = true;
		call_member(b);
		if (!b->answered)
			return;
	}
	end(b);
}

void
bulk_run(struct call *call)
{
	struct bulk *b = xcalloc(1, sizeof(*b));

	b->call = call;
	b->method = method_find(json_string_value(call_param(call, 0)));
	b->results = json_array();
	b->redacted = json_array();
	call->data = b;
	call->free_data = bulk_free;
	go_on(b);
}

/* What is being done is done; its own job is asked to stop as well. */
void
bulk_abort(struct call *call)
{
	struct bulk *b = call->data;

	b->aborted = true;
	if (b->job != 0)
		job_abort(call, b->job);
}
