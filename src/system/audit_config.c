/*
 * The settings of the audit log: how long records are kept, how much room they
 * may take, and what happens when none can be written.
 *
 * A shorter retention counts only after a week, so that whoever takes over an
 * administrator's session cannot have what he did forgotten before anybody
 * sees the alert.
 */
#include "system/audit_config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert.h"
#include "core/audit.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/entry.h"
#include "core/security.h"
#include "lib/json.h"
#include "lib/verr.h"
#include "system/audit_heads.h"
#include "system/audit_hooks.h"
#include "system/audit_kernel.h"
#include "system/audit_prune.h"
#include "system/system.h"

#define ENTRY 1
#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)
#define DAY (24 * 60 * 60)
#define GRACE (7 * DAY)
#define SPACE_MS 60000

static const char *const failure_names[] = { "ALARM", "REFUSE_CHANGES", NULL };

/* clang-format off */
static const struct field space_fields[] = {
	{ .name = "used", .type = F_INT, .unit = "bytes",
	  .flags = FF_REQUIRED, .doc = "What the log takes." },
	{ .name = "used_by_dataset", .type = F_INT, .unit = "bytes",
	  .flags = FF_REQUIRED, .doc = "Of that, its records." },
	{ .name = "used_by_reservation", .type = F_INT, .unit = "bytes",
	  .flags = FF_REQUIRED, .doc = "Of that, room kept for it." },
	{ .name = "used_by_snapshots", .type = F_INT, .unit = "bytes",
	  .flags = FF_REQUIRED, .doc = "Of that, snapshots; there are none." },
	{ .name = "available", .type = F_INT, .unit = "bytes",
	  .flags = FF_REQUIRED, .doc = "What it may take besides." },
	FIELD_END
};
static const struct field share = { .name = "share", .type = F_STR,
	.doc = "A share." };
static const struct field enabled_fields[] = {
	{ .name = "MIDDLEWARE", .type = F_ARRAY, .flags = FF_REQUIRED,
	  .doc = "Always." },
	{ .name = "SMB", .type = F_ARRAY, .flags = FF_REQUIRED,
	  .doc = "Shares that are audited." },
	{ .name = "SUDO", .type = F_ARRAY, .fields = &share,
	  .flags = FF_REQUIRED, .doc = "Always." },
	{ .name = "SYSTEM", .type = F_ARRAY, .flags = FF_REQUIRED | FF_OWN,
	  .doc = "Always: logins by SSH, su and the console, files that went "
	  "by sftp, services." },
	FIELD_END
};
static const struct field shortened_fields[] = {
	{ .name = "days", .type = F_INT, .flags = FF_REQUIRED, .unit = "days",
	  .doc = "How long records are kept until then." },
	{ .name = "until", .type = F_INT, .flags = FF_REQUIRED,
	  .unit = "seconds", .doc = "From when on they are not." },
	FIELD_END
};

const struct field audit_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY, .def = "1",
	  .doc = "Id of the one entry." },
	{ .name = "retention", .type = F_INT, .def = "7", .min = 1, .max = 30,
	  .unit = "days", .label = "Retention",
	  .doc = "How long records are kept; a shorter time counts after "
	  "seven days." },
	{ .name = "retention_days", .type = F_INT, .def = "null",
	  .flags = FF_NULL | FF_OWN, .min = 31, .max = 3650, .unit = "days",
	  .label = "Longer Retention",
	  .doc = "The same where it is longer than 30 days, instead of "
	  "retention." },
	{ .name = "reservation", .type = F_INT, .def = "0", .max = 100,
	  .unit = "GiB", .label = "Reservation",
	  .doc = "Room on the disk that is the log's, used or not." },
	{ .name = "quota", .type = F_INT, .def = "0", .max = 100,
	  .unit = "GiB", .label = "Quota",
	  .doc = "What the log may take; 0: all there is." },
	{ .name = "quota_fill_warning", .type = F_INT, .def = "75", .min = 5,
	  .max = 80, .unit = "%", .label = "Quota Fill Warning",
	  .doc = "From when on there is a warning." },
	{ .name = "quota_fill_critical", .type = F_INT, .def = "95",
	  .min = 50, .max = 95, .unit = "%", .label = "Quota Fill Critical",
	  .doc = "From when on it is critical." },
	{ .name = "on_failure", .type = F_ENUM, .choices = failure_names,
	  .def = "\"ALARM\"", .flags = FF_OWN,
	  .label = "While No Record Can Be Written",
	  .doc = "Raise an alert, the records wait; or refuse all changes as "
	  "well, as in STIG mode." },
	{ .name = "head_records", .type = F_INT, .def = "1000",
	  .flags = FF_OWN, .min = 1, .max = 100000, .unit = "records",
	  .label = "Records per Signature",
	  .doc = "After how many records the log is signed." },
	{ .name = "head_seconds", .type = F_INT, .def = "10",
	  .flags = FF_OWN, .min = 1, .max = 3600, .unit = "seconds",
	  .label = "Time until a Signature",
	  .doc = "After how long it is signed when there are fewer." },
	{ .name = "head_webhook", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_OWN | FF_SECRET, .label = "Webhook for Heads",
	  .pattern = "https://([!$&-.0-9;=A-Z_a-z~%:]*@)?"
	  "([0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?|\\[[0-9A-Fa-f:.]+\\])"
	  "(:[0-9]{1,5})?([/?][!\"$-~]*)?",
	  .pattern_message = "Must be an https URL, without a fragment",
	  .doc = "Where signed heads are sent by POST; null: nowhere." },
	{ .name = "head_webhook_minutes", .type = F_INT, .def = "60",
	  .flags = FF_OWN, .min = 1, .max = 10080, .unit = "minutes",
	  .label = "Time between Heads Sent",
	  .doc = "How often the webhook is called." },
	{ .name = "head_alarm_hours", .type = F_INT, .def = "null",
	  .flags = FF_NULL | FF_OWN, .max = 8760, .unit = "hours",
	  .label = "Alert While No Head Leaves",
	  .doc = "After how long without one that left there is an alert; 0: "
	  "never; null: after a day where there is a webhook." },
	{ .name = "head_left", .type = F_OBJECT,
	  .fields = audit_head_left_fields,
	  .flags = FF_NULL | FF_OWN | FF_READONLY,
	  .doc = "The last head that left the machine; null: none did." },
	{ .name = "head_webhook_error", .type = F_STR,
	  .flags = FF_NULL | FF_OWN | FF_READONLY,
	  .doc = "Why the webhook did not take the last one; null: it did." },
	{ .name = "kernel_rules", .type = F_BOOL, .def = "true",
	  .flags = FF_OWN, .label = "Kernel Audit Rules",
	  .doc = "Record what the kernel sees people do: programs, mounts, "
	  "modules, refusals. An instance does so with --kernel-audit only." },
	{ .name = "kernel_lock", .type = F_BOOL, .def = "false",
	  .flags = FF_OWN, .label = "Lock Kernel Audit Rules",
	  .doc = "Nobody changes them until the machine starts anew." },
	{ .name = "kernel_panic", .type = F_BOOL, .def = "false",
	  .flags = FF_OWN, .label = "Stop When a Kernel Record is Lost",
	  .doc = "The kernel stops the machine when it loses a record." },
	{ .name = "kernel_consent", .type = F_BOOL, .def = "false",
	  .flags = FF_OWN, .label = "Consent to Lock or Stop",
	  .doc = "An administrator agrees to what kernel_lock and kernel_panic "
	  "do; they need it." },
	{ .name = "kernel", .type = F_OBJECT, .fields = audit_kernel_shown,
	  .flags = FF_OWN | FF_READONLY,
	  .doc = "What there is of the kernel's audit." },
	{ .name = "shortened", .type = F_OBJECT, .fields = shortened_fields,
	  .flags = FF_NULL | FF_OWN | FF_READONLY | FF_KEPT, .def = "null",
	  .doc = "The retention that counts still, after it was shortened." },
	{ .name = "remote_logging_enabled", .type = F_BOOL,
	  .flags = FF_READONLY, .doc = "Are records sent elsewhere?" },
	{ .name = "space", .type = F_OBJECT, .fields = space_fields,
	  .flags = FF_READONLY, .doc = "The room that the log takes." },
	{ .name = "enabled_services", .type = F_OBJECT,
	  .fields = enabled_fields, .flags = FF_READONLY,
	  .doc = "Of whom there are records." },
	IF_REVISION_ROW,
	FIELD_END
};

const struct field audit_update_params[] = {
	{ .name = "data", .type = F_OBJECT, .fields = audit_fields,
	  .flags = FF_REQUIRED, .model = "AuditUpdate",
	  .doc = "The settings to change." },
	FIELD_END
};

const struct field audit_entry_result[] = {
	{ .name = "result", .type = F_OBJECT, .fields = audit_fields,
	  .model = "AuditEntry", .doc = "The settings of the audit log." },
	FIELD_END
};
/* clang-format on */

/* As the role said last. */
static struct {
	uint64_t used, available, reserved;
} space;

/* --- Retention -------------------------------------------------------------- */

static int64_t
wanted_days(const json_t *entry)
{
	return json_int(
	    entry, "retention_days", json_int(entry, "retention", 7));
}

/* What counts now: what was shortened less than a week ago does not yet. */
int64_t
audit_days_now(const json_t *entry)
{
	const json_t *before = json_object_get(entry, "shortened");

	if (json_int(before, "until", 0) > (int64_t)time(NULL))
		return json_int(before, "days", 0);
	return wanted_days(entry);
}

static void
check_retention(struct change *c)
{
	int64_t now = audit_days_now(c->before), wanted = wanted_days(c->after);

	if (wanted == wanted_days(c->before))
		return;
	json_object_set_new(c->after, "shortened",
	    wanted >= now ? json_null() :
			    json_pack("{s:I, s:I}", "days", (json_int_t)now,
				"until", (json_int_t)time(NULL) + GRACE));
}

const json_t *
audit_settings(void)
{
	return core_store() == NULL ? NULL :
				      store_get(core_store(), "audit", ENTRY);
}

void
audit_tell_shortened(const json_t *entry)
{
	int64_t now = audit_days_now(entry), wanted = wanted_days(entry);

	if (now > wanted)
		alert_raise("AuditRetentionShortened", NULL,
		    json_pack("{s:I, s:I}", "from", (json_int_t)now, "to",
			(json_int_t)wanted));
	else
		alert_clear("AuditRetentionShortened", NULL);
}

/* --- Room ------------------------------------------------------------------- */

static void
tell_room(const json_t *entry)
{
	uint64_t quota = (uint64_t)json_int(entry, "quota", 0) * GIB;
	int64_t percent = quota == 0 ? 0 : (int64_t)(space.used * 100 / quota);
	bool critical = percent >= json_int(entry, "quota_fill_critical", 95);
	bool warning = percent >= json_int(entry, "quota_fill_warning", 75);

	if (critical)
		alert_raise("AuditQuotaCritical", NULL,
		    json_pack("{s:I}", "percent", (json_int_t)percent));
	else
		alert_clear("AuditQuotaCritical", NULL);
	if (warning && !critical)
		alert_raise("AuditQuotaWarning", NULL,
		    json_pack("{s:I}", "percent", (json_int_t)percent));
	else
		alert_clear("AuditQuotaWarning", NULL);
}

static void
check_room(struct change *c)
{
	int64_t quota = json_int(c->after, "quota", 0);
	int64_t warning = json_int(c->after, "quota_fill_warning", 0);
	int64_t reservation = json_int(c->after, "reservation", 0);

	if (warning >= json_int(c->after, "quota_fill_critical", 0))
		verr_add(c->errors, "quota_fill_warning",
		    "Must be less than quota_fill_critical");
	/* The log takes half of what is free at most: others need some. */
	if (reservation > json_int(c->before, "reservation", 0) &&
	    (uint64_t)reservation * GIB >
		space.used + space.reserved + space.available / 2)
		verr_add(c->errors, "reservation",
		    "There is no room for that: the disk has %llu MiB left, "
		    "half of which may be kept",
		    (unsigned long long)(space.available / MIB));
	if (quota == 0)
		return;
	if (quota < reservation)
		verr_add(c->errors, "quota",
		    "Must not be less than the reservation");
	if (quota != json_int(c->before, "quota", 0) &&
	    space.used * 100 >= (uint64_t)(quota * warning) * GIB)
		verr_add(c->errors, "quota",
		    "The log would fill more than %lld%% of it at once",
		    (long long)warning);
}

static void
take_state(int error, const char *text)
{
	json_t *state;

	if (error != 0 || (state = json_loads(text, 0, NULL)) == NULL)
		return;
	space.used = (uint64_t)json_int(state, "used", 0);
	space.available = (uint64_t)json_int(state, "available", 0);
	space.reserved = (uint64_t)json_int(state, "reserved", 0);
	json_decref(state);
	entry_extend_again(&audit_resource);
	tell_room(audit_settings());
}

static void
room_known(int error, const char *text, void *arg)
{
	(void)arg;
	take_state(error, text);
}

static void
watch_room(void *arg)
{
	(void)arg;
	audit_ask(MSG_AUDIT_STATE, NULL, room_known, NULL);
	audit_heads_look(audit_settings());
	core_after(SPACE_MS, watch_room, NULL);
}

/* --- The resource ----------------------------------------------------------- */

void
audit_config_check(struct change *c)
{
	check_room(c);
	check_retention(c);
	audit_heads_check(c);
	audit_kernel_check(c);
}

void
audit_config_extend(json_t *entry)
{
	uint64_t quota = (uint64_t)json_int(entry, "quota", 0) * GIB;
	uint64_t left = quota > space.used ? quota - space.used : 0;
	uint64_t available = space.available;

	if (quota != 0 && left < available)
		available = left;
	json_object_set_new(entry, "kernel", audit_kernel_state());
	json_object_set_new(entry, "remote_logging_enabled", json_false());
	/* clang-format off */
	json_object_set_new(entry, "space", json_pack(
	    "{s:I, s:I, s:I, s:i, s:I}",
	    "used", (json_int_t)space.used + (json_int_t)space.reserved,
	    "used_by_dataset", (json_int_t)space.used,
	    "used_by_reservation", (json_int_t)space.reserved,
	    "used_by_snapshots", 0, "available", (json_int_t)available));
	json_object_set_new(entry, "enabled_services", json_pack(
	    "{s:[], s:[], s:[], s:[]}", "MIDDLEWARE", "SMB", "SUDO",
	    "SYSTEM"));
	/* clang-format on */
	audit_heads_extend(entry);
}

void
audit_config_changed(void)
{
	const json_t *entry = audit_settings();
	struct audit_limits limits = {
		.refuse = security_stig() ||
		    strcmp(json_str(entry, "on_failure", ""),
			"REFUSE_CHANGES") == 0,
		.head_records = (uint32_t)json_int(
		    entry, "head_records", AUDIT_HEAD_RECORDS),
		.head_seconds = (uint32_t)json_int(
		    entry, "head_seconds", AUDIT_HEAD_SECONDS),
		.quota = (uint64_t)json_int(entry, "quota", 0) * GIB,
		.reservation =
		    (uint64_t)json_int(entry, "reservation", 0) * GIB,
	};

	audit_set_limits(&limits);
	audit_tell_shortened(entry);
	tell_room(entry);
	audit_heads_changed(entry);
	audit_kernel_changed(entry);
}

void
audit_config_gather(void (*done)(void))
{
	audit_config_changed();
	audit_heads_gather(audit_settings());
	audit_hooks_watch();
	audit_prune_start();
	watch_room(NULL);
	done();
}

static void
state_known(int error, const char *text, void *arg)
{
	take_state(error, text);
	resource_config_run(arg);
}

void
audit_config_run(struct call *call)
{
	audit_ask(MSG_AUDIT_STATE, NULL, state_known, call);
}

void
audit_update_run(struct call *call)
{
	change_submit(call, &audit_resource, CHANGE_UPDATE, ENTRY,
	    call_param(call, 0), NULL);
}
