/*
 * The daily pruning of the audit log: see audit_prune.h.
 */
#include "system/audit_prune.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/audit.h"
#include "core/core.h"
#include "core/op.h"
#include "core/scheduler.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/audit_config.h"
#include "system/system.h"

#define TASK "audit.prune"
#define PROBLEM "audit-seal"

typedef void audit_done(int error, const char *text, void *arg);

static json_t *
prune_request(bool clock_right)
{
	json_t *record = audit_record(NULL, NULL, "PRUNE", json_null(), true);

	json_object_set_new(record, "service", json_string("SYSTEM"));
	json_object_set_new(record, "service_data", json_null());
	json_object_set_new(record, "username", json_string("_hfaudit"));
	return json_pack("{s:I, s:b, s:o}", "days",
	    (json_int_t)audit_days_now(audit_settings()), "clock_right",
	    clock_right, "record", record);
}

/* One of them under way. */
struct pruning {
	json_t *request;
	audit_done *done;
	void *arg;
};

static void
sealed(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		core_problem(PROBLEM,
		    "Sealed files of the audit log can be altered: %s",
		    reply->text);
	else
		core_problem_clear(PROBLEM);
}

/* All that there are. */
static void
seal(void)
{
	struct wire_out body = { 0 };

	if (core_facts()->instance)
		return;
	wire_put_u32(&body, 0);
	op_request(MSG_OP_SEAL, &body, -1, sealed, NULL);
	wire_free(&body);
}

static void
end(struct pruning *p, int error, const char *text)
{
	seal();
	p->done(error, text, p->arg);
	json_decref(p->request);
	free(p);
}

static void
dropped(int error, const char *text, void *arg)
{
	end(arg, error, text);
}

/* What a file system has no attribute for is dropped as well. */
static void
unsealed(const struct op_reply *reply, void *arg)
{
	struct pruning *p = arg;

	if (reply->error == EPERM) {
		end(p, EPERM, reply->text);
		return;
	}
	json_object_del(p->request, "look");
	audit_ask(MSG_AUDIT_PRUNE, p->request, dropped, p);
}

static void
looked(int error, const char *text, void *arg)
{
	struct pruning *p = arg;
	struct wire_out body = { 0 };
	json_t *answer;

	if (error != 0) {
		end(p, error, text);
		return;
	}
	answer = json_loads(text, 0, NULL);
	wire_put_u32(&body, (uint32_t)json_int(answer, "first", 0));
	json_decref(answer);
	op_request(MSG_OP_SEAL, &body, -1, unsealed, p);
	wire_free(&body);
}

static void
prune(bool clock_right, audit_done *done, void *arg)
{
	struct pruning *p = xcalloc(1, sizeof(*p));

	p->request = prune_request(clock_right);
	p->done = done;
	p->arg = arg;
	if (core_facts()->instance)
		audit_ask(MSG_AUDIT_PRUNE, p->request, dropped, p);
	else {
		json_object_set_new(p->request, "look", json_true());
		audit_ask(MSG_AUDIT_PRUNE, p->request, looked, p);
	}
}

/* Tells of a clock that is not believed; true: it is. */
static bool
clock_believed(const char *text)
{
	json_t *answer = json_loads(text, 0, NULL);
	bool forward = json_bool(answer, "clock_forward", true);

	json_decref(answer);
	if (forward)
		alert_raise("AuditClockForward", NULL, NULL);
	else
		alert_clear("AuditClockForward", NULL);
	return !forward;
}

static void
pruned(int error, const char *text, void *arg)
{
	if (error == 0)
		(void)clock_believed(text);
	task_done(arg, error == 0 ? NULL : text);
}

void
audit_prune_task(struct task_run *run, const json_t *args)
{
	(void)args;
	if (core_store() == NULL) {
		task_done(run, "the settings are not known");
		return;
	}
	audit_tell_shortened(audit_settings());
	prune(false, pruned, run);
}

static void
confirmed(int error, const char *text, void *arg)
{
	struct call *call = arg;

	if (error != 0) {
		call_fail(call, error, "%s", text);
		return;
	}
	(void)clock_believed(text);
	call_reply(call, NULL);
}

void
audit_confirm_run(struct call *call)
{
	prune(true, confirmed, call);
}

void
audit_prune_start(void)
{
	json_t *daily = json_pack("{s:s, s:s}", "minute", "45", "hour", "0");

	if (scheduler_cron(TASK, daily, TASK, NULL) == -1)
		log_warn("audit.schedule", "%s", strerror(errno));
	json_decref(daily);
	seal();
}
