/*
 * The audit role's exports: one at a time, in steps between turns, each ended
 * by a record and a head of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit_internal.h"
#include "audit/export_files.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define STEP ((size_t)256 * 1024)

static void
tell_progress(struct audit *audit)
{
	unsigned int percent = export_progress(audit->export);
	struct wire_out body = { 0 };

	if (percent == audit->export_told || audit->core == NULL)
		return;
	audit->export_told = percent;
	wire_put_u32(&body, percent);
	(void)ipc_send(
	    audit->core, MSG_AUDIT_PROGRESS, audit->export_id, &body, NULL, 0);
	wire_free(&body);
}

void
audit_export_drop(struct audit *audit)
{
	export_free(audit->export);
	audit->export = NULL;
}

/* Into the log, and a head for it: what it became there, or NULL with errno. */
static char *
record(struct audit *audit)
{
	json_t *made = export_record(audit->export);
	uint64_t index = tree_size(audit->tree);
	char *line = NULL;
	int rc = record_line(made, (int64_t)time(NULL), &line, NULL);

	json_decref(made);
	if (rc == -1)
		return NULL;
	segments_add(audit->store, line);
	tree_add(audit->tree, line);
	audit_commit(audit);
	if (tree_size(audit->tree) == index + 1) {
		audit_sign(audit);
		if (tree_unsigned(audit->tree) == 0)
			return line;
	}
	freezero_str(line);
	errno = EIO;
	return NULL;
}

static void
end(struct audit *audit, int error, const char *why)
{
	if (error != 0)
		log_warn("audit.export", "%s: %s", why, strerror(error));
	audit_answer(audit, audit->export_id, error, error != 0 ? why : "{}");
	audit_export_drop(audit);
}

void
audit_export_stop(struct audit *audit)
{
	if (audit->export != NULL)
		end(audit, EAGAIN,
		    "Records that it would have read are too old and go now: "
		    "ask for the export again");
}

/* Between turns; true: there is more to do. */
bool
audit_export_work(struct audit *audit)
{
	const char *why;
	char *line;
	int error;

	if (audit->export == NULL)
		return false;
	if (segments_batched(audit->store) > 0)
		audit_commit(audit);
	audit_spare_draw(audit, false);
	switch (export_step(audit->export, STEP)) {
	case EXPORT_GOES_ON:
		tell_progress(audit);
		return true;
	case EXPORT_WANTS_RECORD:
		if ((line = record(audit)) == NULL) {
			end(audit, errno, "The export cannot be recorded");
			return false;
		}
		export_recorded(audit->export, line);
		freezero_str(line);
		return true;
	case EXPORT_ENDED:
		break;
	}
	error = export_problem(audit->export, &why);
	end(audit, error, why);
	return false;
}

static int
begin(struct audit *audit, struct ipc_msg *message, char **whyp)
{
	const char *text, *problem;
	json_t *request = NULL;
	size_t len;
	int error = 0;

	text = wire_get_bytes(&message->body, &len);
	if (wire_end(&message->body) == 0)
		request = json_parse(text, len, &problem);
	if (request == NULL ||
	    !uuid_shaped(json_str(request, "uuid", ""),
		strlen(json_str(request, "uuid", ""))))
		error = EINVAL;
	else {
		audit->export = export_new(
		    audit->dirfd, audit->store, audit->tree, request, whyp);
		error = audit->export == NULL ? errno : 0;
	}
	json_decref(request);
	return error;
}

void
audit_export_message(struct audit *audit, struct ipc_msg *message)
{
	char *why = NULL;
	int error;

	if (audit->export != NULL) {
		audit_answer(audit, message->id, EBUSY,
		    "There is an export already: wait for its end");
		return;
	}
	error = begin(audit, message, &why);
	if (error != 0)
		audit_answer(audit, message->id, error,
		    why != NULL ? why : "Malformed export");
	free(why);
	if (error != 0)
		return;
	audit->export_id = message->id;
	audit->export_told = 0;
	audit_work_start(audit);
}

void
audit_abort_message(struct audit *audit, struct ipc_msg *message)
{
	uint32_t id = wire_get_u32(&message->body);

	if (wire_end(&message->body) == -1)
		return;
	if (audit->verify != NULL && audit->verify_id == id)
		audit_verify_stop(audit, ECANCELED, "It was stopped");
	if (audit->export == NULL || audit->export_id != id)
		return; /* it has ended meanwhile */
	audit_answer(audit, id, ECANCELED, "The export was stopped");
	audit_export_drop(audit);
}

/* The archive's descriptor, or why there is none. */
void
audit_report_message(struct audit *audit, struct ipc_msg *message)
{
	const char *text, *why;
	struct wire_out body = { 0 };
	json_t *request = NULL;
	size_t len;
	int fd = -1;

	text = wire_get_bytes(&message->body, &len);
	if (wire_end(&message->body) == 0)
		request = json_parse(text, len, &why);
	errno = EINVAL;
	if (request != NULL)
		fd = export_open(audit->dirfd, json_str(request, "user", ""),
		    json_str(request, "name", ""));
	json_decref(request);
	if (fd == -1) {
		audit_answer(audit, message->id, errno, strerror(errno));
		return;
	}
	wire_put_u32(&body, 0);
	wire_put_str(&body, "{}");
	if (audit->core != NULL)
		(void)ipc_send(
		    audit->core, MSG_AUDIT_RESULT, message->id, &body, &fd, 1);
	wire_free(&body);
	close(fd);
}
