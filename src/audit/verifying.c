/*
 * The audit role proves its own log: one verification at a time, in steps
 * between turns, of what is on disk when it begins.
 */
#include <errno.h>

#include "audit/audit_internal.h"
#include "audit/verify.h"
#include "lib/json.h"
#include "lib/log.h"

#define STEP ((size_t)256 * 1024)
#define PICTURE_HEADS 250

static void
tell_progress(struct audit *audit)
{
	unsigned int percent = verify_progress(audit->verify) / 10;
	struct wire_out body = { 0 };

	if (percent == audit->verify_told || audit->core == NULL)
		return;
	audit->verify_told = percent;
	wire_put_u32(&body, percent);
	(void)ipc_send(
	    audit->core, MSG_AUDIT_PROGRESS, audit->verify_id, &body, NULL, 0);
	wire_free(&body);
}

void
audit_verify_drop(struct audit *audit)
{
	verify_free(audit->verify);
	audit->verify = NULL;
}

void
audit_verify_stop(struct audit *audit, int error, const char *why)
{
	if (audit->verify == NULL)
		return;
	audit_answer(audit, audit->verify_id, error, why);
	audit_verify_drop(audit);
}

static void
end(struct audit *audit)
{
	json_t *report = verify_report(audit->verify);
	const json_t *problem = json_object_get(report, "problem");

	if (json_is_object(problem))
		log_error("audit.verify",
		    "The audit log is not what was "
		    "signed: %s",
		    json_str(problem, "text", ""));
	json_object_set_new(
	    report, "tree", verify_heads(audit->verify, PICTURE_HEADS));
	audit_answer_json(audit, audit->verify_id, report);
	audit_verify_drop(audit);
}

/* Between turns; true: there is more to do. */
bool
audit_verify_work(struct audit *audit)
{
	if (audit->verify == NULL)
		return false;
	if (verify_step(audit->verify, STEP)) {
		end(audit);
		return false;
	}
	tell_progress(audit);
	return true;
}

void
audit_verify_message(struct audit *audit, struct ipc_msg *message)
{
	const char *text;
	size_t len;

	text = wire_get_bytes(&message->body, &len);
	(void)text;
	if (wire_end(&message->body) == -1 || len != 0) {
		audit_answer(audit, message->id, EINVAL, "Malformed");
		return;
	}
	if (audit->verify != NULL) {
		audit_answer(audit, message->id, EBUSY,
		    "The log is being verified already: wait for its end");
		return;
	}
	if (segments_batched(audit->store) > 0)
		audit_commit(audit);
	audit->verify = verify_new(audit->dirfd, NULL);
	audit->verify_id = message->id;
	audit->verify_told = 0;
	audit_work_start(audit);
}
