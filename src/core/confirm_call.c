/*
 * Confirming, as the API has it: who may, and what counts as proof that there
 * still is a way in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/confirm_internal.h"
#include "core/core.h"
#include "core/resource.h"
#include "core/session.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* clang-format off */
static const struct field options[] = {
	{ .name = "unverified", .type = F_BOOL, .def = "false",
	  .doc = "Confirm it although nobody showed that an administrator "
	  "still gets in." },
	FIELD_END
};
const struct field confirm_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = options,
	  .def = "{}", .model = "Checkin", .doc = "How sure this is." },
	FIELD_END
};
const struct field confirm_seconds = { .name = "result", .type = F_INT,
	.flags = FF_REQUIRED | FF_NULL, .unit = "s",
	.doc = "Time left to confirm what waits; 0: it is being taken back; "
	"null: nothing waits." };

static const struct field shown[] = {
	{ .name = "method", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "What was called." },
	{ .name = "resource", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "What was changed." },
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "By whom." },
	{ .name = "origin", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "From where." },
	{ .name = "revision", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Number of its revision; 0: it has none." },
	{ .name = "seconds", .type = F_INT, .flags = FF_REQUIRED, .unit = "s",
	  .doc = "Time left to confirm it." },
	FIELD_END
};
const struct field confirm_shown = { .name = "result", .type = F_OBJECT,
	.fields = shown, .flags = FF_REQUIRED | FF_NULL,
	.doc = "The change that waits to be confirmed, or null." };
/* clang-format on */

/* Does a method of that namespace speak of what waits? */
static bool
is_about(const struct call *call)
{
	const struct waiting *w = confirm_waiting();
	const char *name = resource_of_method(call->method->name)->name;

	return (w->state == HELD_WAITING || w->state == HELD_RESTORED) &&
	    (strcmp(name, "config") == 0 ||
		strcmp(name, json_str(w->what, "resource", "")) == 0);
}

json_t *
confirm_pending(void)
{
	const struct waiting *w = confirm_waiting();

	if (w->state == HELD_NONE)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "method",
	    json_str(w->what, "method", ""), "resource",
	    json_str(w->what, "resource", ""), "username",
	    json_str(w->what, "username", ""), "origin",
	    json_str(w->what, "origin", ""), "revision",
	    (json_int_t)json_int(w->what, "change", 0), "seconds",
	    (json_int_t)confirm_seconds_left());
}

void
confirm_pending_run(struct call *call)
{
	call_reply(call, confirm_pending());
}

void
confirm_waiting_run(struct call *call)
{
	call_reply(call,
	    is_about(call) ? json_integer(confirm_seconds_left()) :
			     json_null());
}

/* Its maker, or another one who may do everything. */
static bool
may(const struct call *call)
{
	const struct waiting *w = confirm_waiting();
	const struct session *s = call->session;

	return call_full_admin(call) ||
	    (s != NULL && !s->readonly &&
		json_int(w->what, "uid", -1) == (json_int_t)s->uid &&
		strcmp(json_str(w->what, "username", ""), s->username) == 0);
}

static bool
accepted(struct call *call)
{
	char *what;

	if (!is_about(call) || confirm_waiting()->state != HELD_WAITING) {
		call_fail(call, ENOENT,
		    "Nothing waits to be confirmed: it was confirmed, or "
		    "taken back");
		return false;
	}
	if (may(call))
		return true;
	what = confirm_text();
	call_fail(call, EPERM,
	    "Only who made it, or a full administrator, may do that: it is %s",
	    what);
	free(what);
	return false;
}

static void
let_go(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	char *what;

	if (reply->error != 0) {
		call_fail(call, reply->error,
		    "The change could not be confirmed: %s", reply->text);
		return;
	}
	what = confirm_text();
	log_info("confirm.done", "%s, by %s", what, call_user(call));
	free(what);
	confirm_ended();
	call_reply(call, json_null());
}

static void
proven(const char *missing, void *arg)
{
	struct call *call = arg;

	/* It may have come to its end meanwhile. */
	if (!accepted(call))
		return;
	if (missing != NULL)
		call_fail(call, EAGAIN,
		    "%s; {\"unverified\": true} confirms it all the same",
		    missing);
	else
		confirm_release(false, let_go, call);
}

void
confirm_checkin_run(struct call *call)
{
	const struct waiting *w = confirm_waiting();
	const struct resource *r;

	if (!accepted(call))
		return;
	r = resource_find(json_str(w->what, "resource", ""));
	if (r == NULL || r->confirmed_by == NULL ||
	    json_bool(call_param(call, 0), "unverified", false) ||
	    json_int(w->what, "change", 0) == 0)
		proven(NULL, call);
	else
		r->confirmed_by->prove(w->since, proven, call);
}

static void
taken_back(void *arg)
{
	call_reply(arg, json_null());
}

void
confirm_take_back_run(struct call *call)
{
	if (accepted(call))
		confirm_take_back(taken_back, call);
}
