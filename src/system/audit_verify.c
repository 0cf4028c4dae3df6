/*
 * audit.verify: the audit role proves the log that it keeps.  Who does not
 * trust that role proves it from the files: holdfast audit verify.
 */
#include "system/audit_verify.h"

#include <errno.h>
#include <stdint.h>

#include "core/alert.h"
#include "core/audit.h"
#include "core/job.h"
#include "lib/json.h"

#define ALERT "AuditNotVerified"

/* clang-format off */
const struct field audit_verify_result = { .name = "result", .type = F_DICT,
	.flags = FF_REQUIRED,
	.doc = "verified; records and first_record (those before were dropped "
	"by retention); unsigned_records; problem (null, or the first that is "
	"wrong: text, record, where); log, heads, epochs, last_head; continued "
	"(where one log went on as another); tree: some of its heads (log, "
	"head, epoch, size, time_us, seals, parent)." };
/* clang-format on */

static void
verified(int error, const char *text, void *arg)
{
	struct call *call = arg;
	json_t *report = error == 0 ? json_loads(text, 0, NULL) : NULL;
	const json_t *problem = json_object_get(report, "problem");

	if (error == ECANCELED) {
		job_stopped(call, NULL);
		return;
	}
	if (report == NULL) {
		call_fail(call, error != 0 ? error : EIO, "%s", text);
		return;
	}
	if (json_is_object(problem))
		alert_raise(ALERT, NULL,
		    json_pack(
			"{s:s}", "problem", json_str(problem, "text", "")));
	else
		alert_clear(ALERT, NULL);
	call_reply(call, report);
}

static void
progressed(unsigned int percent, void *arg)
{
	struct call *call = arg;

	job_progress(call->job, (int)percent, "Verifying the audit log");
}

/* The number of the question is the call's, for who stops it. */
void
audit_verify_run(struct call *call)
{
	uint32_t question = audit_ask(MSG_AUDIT_VERIFY, NULL, verified, call);

	call->data = (void *)(uintptr_t)question;
	audit_on_progress(question, progressed);
}

void
audit_verify_abort(struct call *call)
{
	audit_abort((uint32_t)(uintptr_t)call->data);
}
