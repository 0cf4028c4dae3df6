/*
 * audit.*: the log, asked for through core, answered by the audit role.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/audit.h"
#include "core/audit_failures.h"
#include "core/call.h"
#include "core/query.h"
#include "core/resource.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/verr.h"
#include "system/audit_config.h"
#include "system/audit_prune.h"
#include "system/audit_export.h"
#include "system/audit_heads.h"
#include "system/audit_verify.h"
#include "system/system.h"

static const char *const read_roles[] = { "SYSTEM_AUDIT_READ", NULL };
static const char *const write_roles[] = { "SYSTEM_AUDIT_WRITE", NULL };
/* clang-format off */
static const char *const names[] = { "MIDDLEWARE", "SMB", "SUDO", "SYSTEM",
	NULL };

static const struct field data_fields[] = {
	{ .name = "services", .type = F_ENUMV, .choices = names,
	  .def = "[\"MIDDLEWARE\"]", .doc = "Whose records; exactly one." },
	{ .name = "query-filters", .type = F_ARRAY, .def = "[]",
	  .doc = "Conditions that a record must meet." },
	{ .name = "query-options", .type = F_OBJECT,
	  .fields = query_option_fields, .model = "QueryOptions",
	  .def = "{}", .doc = "What to return of them; limit, count or get "
	  "is needed." },
	{ .name = "remote_controller", .type = F_BOOL, .def = "false",
	  .doc = "Ask the other controller; there is none." },
	FIELD_END
};

static const struct field query_data[] = {
	{ .name = "data", .type = F_OBJECT, .fields = data_fields,
	  .model = "AuditQuery", .def = "{}", .doc = "The query." },
	FIELD_END
};

static const struct field any = { .name = "result", .type = F_ANY,
	.flags = FF_REQUIRED, .doc = "Records, one record, or their number." };
/* clang-format on */

static void
answered(int error, const char *text, void *arg)
{
	struct call *call = arg;
	const char *why;
	json_t *result;

	if (error != 0) {
		if (error == ENOENT)
			query_fail_none(call);
		else if (error == ETIMEDOUT)
			query_fail_problem(
			    call, "audit_query.query-filters", text);
		else
			call_fail(call, error, "%s", text);
		return;
	}
	result = json_loads(text, JSON_DECODE_ANY, NULL);
	if (result == NULL) {
		why = "the audit log's answer cannot be read";
		call_fail(call, EIO, "%s", why);
		return;
	}
	call_reply(call, result);
}

bool
audit_shows_arguments(const struct call *call)
{
	return call->session != NULL &&
	    resource_shows_secrets(&audit_resource, call->session);
}

static void
query_run_method(struct call *call)
{
	const json_t *data = call_param(call, 0);
	const json_t *options = json_object_get(data, "query-options");
	struct verr *errors = verr_new();
	struct query_options o;
	json_t *request;

	if (json_array_size(json_object_get(data, "services")) != 1)
		verr_add(errors, "audit_query.services",
		    "Exactly one service can be asked for");
	if (json_bool(data, "remote_controller", false))
		verr_add(errors, "audit_query.remote_controller",
		    "There is no other controller");
	filter_free(filter_parse_with(json_object_get(data, "query-filters"),
	    options, "audit_query.query-filters", errors));
	query_options_parse(options, "audit_query.query-options", &o, errors);
	if (!verr_any(errors) && o.limit == 0 && !o.count && !o.get)
		verr_add(errors, "audit_query.query-options",
		    "limit, count or get is needed");
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		return;
	}
	verr_free(errors);
	audit_failures_flush();
	request = json_copy((json_t *)(uintptr_t)data);
	json_object_set_new(request, "hide_arguments",
	    json_boolean(!audit_shows_arguments(call)));
	audit_ask(MSG_AUDIT_QUERY, request, answered, call);
	json_decref(request);
}

/* clang-format off */
static const struct method methods[] = {
	{ .name = "audit.query", .auth = AUTH_ROLE, .roles = read_roles,
	  .params = query_data, .result = &any,
	  .doc = "Records of the audit log.", .run = query_run_method },
	{ .name = "audit.config", .kind = KIND_CONFIG, .auth = AUTH_ROLE,
	  .roles = read_roles, .result = audit_entry_result,
	  .doc = "The settings of the audit log.", .run = audit_config_run },
	/* It makes the room, or gives the leave, that others lack. */
	{ .name = "audit.update", .kind = KIND_UPDATE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = audit_update_params,
	  .result = audit_entry_result, .repairs = true,
	  .audit = "Update Audit Configuration",
	  .doc = "Changes settings of the audit log.",
	  .run = audit_update_run },
	{ .name = "audit.export", .auth = AUTH_ROLE, .roles = read_roles,
	  .params = audit_export_params, .result = &audit_export_result,
	  .job = true, .abort = audit_export_abort, .repairs = true,
	  .audit = "Export Audit Data",
	  .doc = "Makes a report of records, and of what proves them.",
	  .run = audit_export_run },
	{ .name = "audit.download_report", .auth = AUTH_ROLE,
	  .roles = read_roles, .params = audit_report_params, .job = true,
	  .pipe = PIPE_OUTPUT, .repairs = true,
	  .audit = "Download Audit Data",
	  .doc = "A report that audit.export made.",
	  .run = audit_report_run },
	{ .name = "audit.head", .auth = AUTH_ROLE, .roles = read_roles,
	  .result = &audit_head_result, .own = true,
	  .doc = "The newest signed head, to be kept elsewhere: with it, "
	  "holdfast audit verify finds a log that was rolled back.",
	  .run = audit_head_run },
	{ .name = "audit.download_head", .auth = AUTH_ROLE,
	  .roles = read_roles, .job = true, .pipe = PIPE_OUTPUT, .own = true,
	  .repairs = true, .audit = "Download Audit Head",
	  .doc = "The same as a file.", .run = audit_head_download_run },
	{ .name = "audit.head_kept", .auth = AUTH_ROLE, .roles = read_roles,
	  .params = audit_head_kept_params, .own = true, .repairs = true,
	  .audit = "Keep Audit Head Elsewhere",
	  .doc = "Says that a head which audit.head gave is kept elsewhere.",
	  .run = audit_head_kept_run },
	{ .name = "audit.verify", .auth = AUTH_ROLE, .roles = read_roles,
	  .result = &audit_verify_result, .job = true, .own = true,
	  .abort = audit_verify_abort,
	  .doc = "Proves that no record of the log was altered, dropped or "
	  "inserted since it was signed.", .run = audit_verify_run },
	/* FULL_ADMIN only, and of those root at the machine. */
	{ .name = "audit.reidentify", .auth = AUTH_ROLE, .own = true,
	  .result = &audit_reidentify_result,
	  .audit = "Give the audit log a new identity",
	  .doc = "Ends this log and begins another one with new keys, which "
	  "names this one: for a copied machine.",
	  .run = audit_reidentify_run },
	/* FULL_ADMIN only: it lets records go. */
	{ .name = "audit.confirm_clock", .auth = AUTH_ROLE, .own = true,
	  .repairs = true, .audit = "Confirm the clock",
	  .doc = "Says that the clock is right after it was put forward: "
	  "records older than the retention may go.",
	  .run = audit_confirm_run },
	METHOD_END
};

const struct resource audit_resource = {
	.name = "audit", .doc = "The audit log.", .kind = RESOURCE_CONFIG,
	.role_prefix = "SYSTEM_AUDIT", .guarded = true,
	.verbose_name = "Audit",
	.methods = methods, .fields = audit_fields, .entry = 1,
	.check = audit_config_check, .extend = audit_config_extend,
	.gather = audit_config_gather,
	.changed = audit_config_changed
};
/* clang-format on */
