/*
 * holdfast.*: what TrueNAS has no word for: how Holdfast itself is doing.
 */
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/alert.h"
#include "core/audit.h"
#include "core/call.h"
#include "core/confirm.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/disk.h"
#include "core/op.h"
#include "core/reboot.h"
#include "core/setup_code.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/audit_heads.h"
#include "system/recovery.h"
#include "system/service.h"
#include "system/system.h"

/* clang-format off */
static const struct field status_result = { .name = "result", .type = F_DICT,
	.flags = FF_REQUIRED, .doc = "Roles, services, listeners, alerts, "
	"problems." };
/* clang-format on */

static json_t *
lines_of(const char *text)
{
	json_t *list = json_array();
	const char *end;

	for (; *text != '\0'; text = *end != '\0' ? end + 1 : end) {
		end = strchrnul(text, '\n');
		if (end > text)
			json_array_append_new(
			    list, json_stringn(text, (size_t)(end - text)));
	}
	return list;
}

static void
services_gathered(json_t *list, void *arg)
{
	struct call *call = arg;
	json_t *status = call->data;
	size_t i;

	json_object_set_new(status, "services", list);
	disk_look();
	json_object_set_new(status, "alerts", alert_list());
	json_object_set_new(status, "reboot_required", reboot_reasons());
	json_object_set_new(status, "pending", confirm_pending());
	for (i = 0; resources[i] != NULL; i++)
		if (resources[i]->status != NULL)
			resources[i]->status(status);
	call->data = NULL;
	call_reply(call, status);
}

static json_t *
roles_json(struct wire_in *body)
{
	json_t *roles = json_array();
	uint32_t n, pid, restarts;
	uint64_t since;
	char *name;

	for (n = wire_get_u32(body); n > 0 && !body->bad; n--) {
		name = wire_get_str(body, 32);
		pid = wire_get_u32(body);
		restarts = wire_get_u32(body);
		since = wire_get_u64(body);
		json_array_append_new(roles,
		    json_pack("{s:s, s:I, s:I, s:o}", "role",
			name != NULL ? name : "", "pid", (json_int_t)pid,
			"restarts", (json_int_t)restarts, "since",
			json_date((int64_t)since)));
		free(name);
	}
	return roles;
}

static void
monitor_answered(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct wire_in body = reply->body;
	json_t *problems = core_problems(), *status, *audit, *listening;
	char *text, *code = setup_code();
	uint32_t n;

	if (reply->error != 0) {
		json_decref(problems);
		freezero_str(code);
		call_fail(call, reply->error, "%s", reply->text);
		return;
	}
	status = json_pack("{s:s, s:b, s:o}", "version", HF_VERSION, "ready",
	    core_ready(), "roles", roles_json(&body));
	for (n = wire_get_u32(&body); n > 0 && !body.bad; n--) {
		text = wire_get_str(&body, MESSAGE_INLINE_MAX);
		json_array_append_new(
		    problems, json_string(text != NULL ? text : ""));
		free(text);
	}
	json_object_set_new(status, "problems", problems);
	json_object_set_new(status, "administrator",
	    json_boolean(account_administrator_set_up()));
	json_object_set_new(status, "setup_code",
	    code[0] != '\0' ? json_string(code) : json_null());
	freezero_str(code);
	json_object_set_new(
	    status, "sandbox_missing", lines_of(core_facts()->missing));
	json_object_set_new(
	    status, "connections", json_integer(connection_count()));
	audit = audit_heads_status();
	json_object_set_new(
	    audit, "waiting", json_integer((json_int_t)audit_waiting()));
	json_object_set_new(status, "audit", audit);
	listening = general_listening();
	if (listening == NULL)
		listening = lines_of(core_facts()->web_listening);
	json_object_set_new(status, "listening", listening);
	call->data = status;
	service_gather(services_gathered, call);
}

static void
status_run(struct call *call)
{
	op_request(MSG_OP_STATUS, NULL, -1, monitor_answered, call);
}

/* clang-format off */
static const struct method methods[] = {
	/* For the login page: when, and nothing of whom. */
	{ .name = "holdfast.recovered", .auth = AUTH_NONE, .own = true,
	  .result = &recovery_notice, .doc = "When root last recovered an "
	  "account at the machine.", .run = recovery_notice_run },
	{ .name = "holdfast.recover", .auth = AUTH_ROLE, .own = true,
	  .params = recovery_params, .audit = "Recover account",
	  .audit_suffix = recovery_suffix,
	  .doc = "Lets an account in again, for root at the machine.",
	  .run = recovery_run },
	/* FULL_ADMIN only: it shows the set-up code. */
	{ .name = "holdfast.status", .auth = AUTH_ROLE, .own = true,
	  .result = &status_result, .doc = "How Holdfast itself is doing.",
	  .run = status_run },
	METHOD_END
};

const struct resource holdfast_resource = {
	.name = "holdfast", .doc = "How Holdfast itself is doing.",
	.kind = RESOURCE_SERVICE, .verbose_name = "Holdfast",
	.methods = methods
};
/* clang-format on */
