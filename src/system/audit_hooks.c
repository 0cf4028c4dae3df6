/*
 * What tells the audit log of logins, put back: see audit_hooks.h.
 */
#include "system/audit_hooks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/audit.h"
#include "core/op.h"
#include "core/scheduler.h"
#include "lib/log.h"
#include "lib/message.h"

#define TASK "audit.hooks"
#define ALERT "AuditHooksGone"
#define TEXT_MAX 512

/* Until when it told of everything nobody knows: the record says as much. */
static void
record_gap(const char *what, bool back)
{
	json_t *record;

	record = audit_record(NULL, NULL, "GENERIC",
	    json_pack("{s:s, s:s, s:b}", "type", "HOOKS", "files", what,
		"put_back", back),
	    back);
	json_object_set_new(record, "service", json_string("SYSTEM"));
	json_object_set_new(record, "service_data", json_null());
	json_object_set_new(record, "username", json_string("_hfaudit"));
	audit_send(record, NULL, NULL);
}

static void
tell(const char *what, const char *problem)
{
	bool back = *problem == '\0';
	const char *outcome = back ? "it was put back" : problem;

	if (*what == '\0')
		return;
	log_warn(TASK, "%s: %s", what, outcome);
	alert_raise(ALERT, NULL,
	    json_pack("{s:s, s:s}", "what", what, "outcome", outcome));
	record_gap(what, back);
}

static void
looked(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;
	char *what, *problem;

	if (reply->error != 0)
		tell("the machine", reply->text);
	else {
		what = wire_get_str(&body, TEXT_MAX);
		problem = wire_get_str(&body, TEXT_MAX);
		if (wire_end(&body) == 0)
			tell(what, problem);
		free(what);
		free(problem);
	}
	if (arg != NULL)
		task_done(arg, NULL);
}

void
audit_hooks_watch(void)
{
	json_t *daily = json_pack("{s:s, s:s}", "minute", "20", "hour", "1");

	if (scheduler_cron(TASK, daily, TASK, NULL) == -1)
		log_warn("audit.schedule", "%s", strerror(errno));
	json_decref(daily);
	op_request(MSG_OP_HOOKS, NULL, -1, looked, NULL);
}

void
audit_hooks_task(struct task_run *run, const json_t *args)
{
	(void)args;
	op_request(MSG_OP_HOOKS, NULL, -1, looked, run);
}
