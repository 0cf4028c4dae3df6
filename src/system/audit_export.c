/*
 * What leaves the audit log: audit.export and audit.download_report; the audit
 * role makes the reports and keeps them.
 */
#include "system/audit_export.h"
#include "system/audit_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit.h"
#include "core/core.h"
#include "core/job.h"
#include "core/pipe.h"
#include "core/query.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/uuid.h"
#include "lib/verr.h"
#include "lib/xalloc.h"

#define FOLDER "/audit/reports"

static const char *const names[] = { "MIDDLEWARE", "SMB", "SUDO", "SYSTEM",
	NULL };
static const char *const formats[] = { "CSV", "JSON", "YAML", NULL };

/* clang-format off */
static const struct field order = { .name = "order_by", .type = F_STR,
	.doc = "A member, with '-' before it from the last on." };
static const struct field selected = { .name = "select", .type = F_ANY,
	.doc = "A member, or one and its new name." };
static const struct field option_fields[] = {
	{ .name = "order_by", .type = F_ARRAY, .fields = &order, .def = "[]",
	  .doc = "In which order; the log's." },
	{ .name = "select", .type = F_ARRAY, .fields = &selected,
	  .def = "[]", .doc = "Which members; all." },
	{ .name = "offset", .type = F_INT, .def = "0",
	  .doc = "How many to pass over." },
	{ .name = "limit", .type = F_INT, .def = "0",
	  .doc = "How many at most; 0: all." },
	{ .name = "force_sql_filters", .type = F_BOOL, .def = "false",
	  .doc = "As of query options." },
	FIELD_END
};
static const struct field export_fields[] = {
	{ .name = "services", .type = F_ENUMV, .choices = names,
	  .def = "[\"MIDDLEWARE\"]", .doc = "Whose records; exactly one." },
	{ .name = "query-filters", .type = F_ARRAY, .def = "[]",
	  .doc = "Conditions that a record must meet." },
	{ .name = "query-options", .type = F_OBJECT, .fields = option_fields,
	  .model = "AuditExportQueryOptions", .def = "{}",
	  .doc = "What of them, and in which order." },
	{ .name = "remote_controller", .type = F_BOOL, .def = "false",
	  .doc = "Ask the other controller; there is none." },
	{ .name = "export_format", .type = F_ENUM, .choices = formats,
	  .def = "\"JSON\"", .doc = "What the report is written in." },
	FIELD_END
};
const struct field audit_export_params[] = {
	{ .name = "data", .type = F_OBJECT, .fields = export_fields,
	  .model = "AuditExport", .def = "{}", .doc = "What to export." },
	FIELD_END
};
const struct field audit_export_result = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED, .doc = "The report; its last part is the name." };

static const struct field report_fields[] = {
	{ .name = "report_name", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "As audit.export named it." },
	FIELD_END
};
const struct field audit_report_params[] = {
	{ .name = "data", .type = F_OBJECT, .fields = report_fields,
	  .flags = FF_REQUIRED, .model = "AuditDownloadReportArgs",
	  .doc = "Which report; of one's own." },
	FIELD_END
};
/* clang-format on */

/* --- Export ----------------------------------------------------------------- */

struct exporting {
	uint32_t question;
	char uuid[UUID_LEN];
};

/* What is proven cannot be changed: it leaves nothing out. */
static bool
with_arguments(const json_t *data)
{
	const char *service = json_string_value(
	    json_array_get(json_object_get(data, "services"), 0));

	return service != NULL &&
	    (strcmp(service, "SYSTEM") == 0 || strcmp(service, "SUDO") == 0);
}

static bool
valid(struct call *call, const json_t *data)
{
	const json_t *options = json_object_get(data, "query-options");
	struct verr *errors = verr_new();
	struct query_options o;

	if (json_array_size(json_object_get(data, "services")) != 1)
		verr_add(errors, "audit_export.services",
		    "Exactly one service can be asked for");
	if (json_bool(data, "remote_controller", false))
		verr_add(errors, "audit_export.remote_controller",
		    "There is no other controller");
	if (!audit_shows_arguments(call) && with_arguments(data))
		verr_add(errors, "audit_export.services",
		    "Its records hold the arguments of programs, as they are: "
		    "it needs SYSTEM_AUDIT_WRITE");
	filter_free(filter_parse_with(json_object_get(data, "query-filters"),
	    options, "audit_export.query-filters", errors));
	query_options_parse(options, "audit_export.query-options", &o, errors);
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		return false;
	}
	verr_free(errors);
	return true;
}

static char *
report_of(const char *uuid, const json_t *data)
{
	char *name = xasprintf(
	    "%s.%s.tar.gz", uuid, json_str(data, "export_format", "JSON"));
	char *at;

	for (at = strchr(name, '.') + 1; *at >= 'A' && *at <= 'Z'; at++)
		*at = (char)(*at - 'A' + 'a');
	return name;
}

static void
exported(int error, const char *text, void *arg)
{
	struct call *call = arg;
	struct exporting *x = call->data;
	char *name;

	if (error == ECANCELED) {
		job_stopped(call, NULL);
		return;
	}
	if (error == ETIMEDOUT) {
		query_fail_problem(call, "audit_export.query-filters", text);
		return;
	}
	if (error != 0) {
		call_fail(call, error, "%s", text);
		return;
	}
	name = report_of(x->uuid, call_param(call, 0));
	call_reply(
	    call, json_sprintf("%s/%s/%s", FOLDER, call_user(call), name));
	free(name);
}

static void
progressed(unsigned int percent, void *arg)
{
	struct call *call = arg;

	job_progress(call->job, (int)percent, "Reading the audit log");
}

/* The audit role fills in what was exported. */
static json_t *
request_of(struct call *call, const char *uuid, const json_t *data)
{
	json_t *record = audit_record(
	    call->connection, call->session, "EXPORT", json_null(), true);

	/* clang-format off */
	return json_pack("{s:s, s:s, s:s, s:O, s:o}", "user", call_user(call),
	    "uuid", uuid, "format", json_str(data, "export_format", "JSON"),
	    "data", data, "record", record);
	/* clang-format on */
}

void
audit_export_run(struct call *call)
{
	const json_t *data = call_param(call, 0);
	struct exporting *x;
	json_t *request;

	if (!valid(call, data))
		return;
	x = xcalloc(1, sizeof(*x));
	call->data = x;
	call->free_data = free;
	uuid_new(x->uuid);
	request = request_of(call, x->uuid, data);
	x->question = audit_ask(MSG_AUDIT_EXPORT, request, exported, call);
	audit_on_progress(x->question, progressed);
	json_decref(request);
}

void
audit_export_abort(struct call *call)
{
	const struct exporting *x = call->data;

	audit_abort(x->question);
}

/* --- Download --------------------------------------------------------------- */

static void
supplied(struct call *call, int error)
{
	if (error != 0)
		call_fail(call, error, "The report was not taken whole: %s",
		    strerror(error));
	else
		call_reply(call, NULL);
}

static void
found(int error, const char *text, void *arg)
{
	struct call *call = arg;
	int fd = audit_take_fd();

	(void)text;
	if (error == 0 && fd == -1)
		error = EIO;
	if (error != 0)
		call_fail(call, error,
		    error == ENOENT ? "You have no report of that name" :
				      "The report cannot be read");
	else
		pipe_supply_file(call, fd, supplied);
}

void
audit_report_run(struct call *call)
{
	const json_t *data = call_param(call, 0);
	json_t *request = json_pack("{s:s, s:O}", "user", call_user(call),
	    "name", json_object_get(data, "report_name"));

	audit_ask(MSG_AUDIT_REPORT, request, found, call);
	json_decref(request);
}
