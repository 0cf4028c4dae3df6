/*
 * system.security.*: what passwords have to be, how long sessions last, and
 * the two modes for those who are audited, FIPS and STIG (security_stig.c).
 * What the settings mean elsewhere is asked for by core/security.h.
 */
#include <string.h>
#include <openssl/evp.h>

#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/logins.h"
#include "core/crud.h"
#include "core/reboot.h"
#include "core/security.h"
#include "core/sessions.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/security_internal.h"
#include "system/system.h"

#define LOCK "security_update"
#define MANY 1000000

static const char *const classes[] = { "UPPER", "LOWER", "NUMBER", "SPECIAL",
	NULL };

/* clang-format off */
static const struct field fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY, .def = "1",
	  .doc = "Id of the one entry." },
	{ .name = "enable_fips", .type = F_BOOL, .def = "false",
	  .label = "Enable FIPS", .source = "FIPS 140-3",
	  .doc = "Use validated cryptography only." },
	{ .name = "enable_gpos_stig", .type = F_BOOL, .def = "false",
	  .label = "Enable General Purpose OS STIG compatibility mode",
	  .source = "General Purpose Operating System SRG",
	  .doc = "Keep the rules of the STIG." },
	{ .name = "min_password_age", .type = F_INT, .def = "null",
	  .flags = FF_NULL, .min = 1, .max = INT64_MAX, .unit = "days",
	  .label = "Minimum Password Age",
	  .source = "SRG-OS-000075-GPOS-00043",
	  .doc = "How old a password is before its owner may change it." },
	{ .name = "max_password_age", .type = F_INT, .def = "null",
	  .flags = FF_NULL, .min = 7, .max = 365, .unit = "days",
	  .label = "Maximum Password Age",
	  .source = "SRG-OS-000076-GPOS-00044",
	  .doc = "How old a password becomes before it is expired." },
	{ .name = "password_complexity_ruleset", .type = F_ENUMV,
	  .choices = classes, .def = "{\"$set\": []}",
	  .flags = FF_NULL | FF_SET, .label = "Password Complexity Ruleset",
	  .source = "SRG-OS-000069-GPOS-00037 to SRG-OS-000071-GPOS-00039, "
	  "SRG-OS-000266-GPOS-00101",
	  .doc = "Classes of which a password has one character each." },
	{ .name = "min_password_length", .type = F_INT, .def = "null",
	  .flags = FF_NULL, .min = 8, .max = INT64_MAX, .unit = "characters",
	  .label = "Minimum Password Length",
	  .source = "SRG-OS-000078-GPOS-00046",
	  .doc = "How long a password is at least." },
	{ .name = "password_history_length", .type = F_INT, .def = "null",
	  .flags = FF_NULL, .min = 1, .max = 10,
	  .label = "Password History Length",
	  .source = "SRG-OS-000077-GPOS-00045",
	  .doc = "How many last passwords, with the present one, may not be "
	  "used again." },
	{ .name = "session_max_age", .type = F_INT, .def = "2592000",
	  .flags = FF_OWN, .min = 300, .max = 2592000, .unit = "seconds",
	  .label = "Longest Session", .source = "NIST SP 800-63B, 4.1.3",
	  .doc = "After how long a session ends." },
	{ .name = "session_idle_timeout", .type = F_INT, .def = "null",
	  .flags = FF_NULL | FF_OWN, .min = 60, .max = 2592000,
	  .unit = "seconds", .label = "Longest Idle Session",
	  .source = "NIST SP 800-63B, 4.2.3",
	  .doc = "After how long without a message a session ends." },
	{ .name = "max_sessions_per_user", .type = F_INT, .def = "null",
	  .flags = FF_NULL | FF_OWN, .min = 1, .max = MANY,
	  .label = "Sessions per User",
	  .source = "SRG-OS-000027-GPOS-00008",
	  .doc = "How many sessions an account has at a time." },
	{ .name = "lockout_failures", .type = F_INT, .def = "null",
	  .flags = FF_NULL | FF_OWN, .min = LOCKOUT_FAILURES, .max = 100,
	  .label = "Failed Logins before a Lockout",
	  .source = "SRG-OS-000329-GPOS-00128",
	  .doc = "How many failed logins in a row lock the address that they "
	  "come from out of the account's password, for a quarter of an "
	  "hour." },
	IF_REVISION_ROW,
	CONFIRM_ROW,
	LOCKOUT_ROW,
	FIELD_END
};

static const struct field update_params[] = {
	{ .name = "system_security_update", .type = F_OBJECT, .def = "{}",
	  .fields = fields, .model = "SystemSecurityUpdateArgs",
	  .doc = "The settings to change." },
	FIELD_END
};

static const struct field entry_result[] = {
	{ .name = "result", .type = F_OBJECT, .fields = fields,
	  .model = "SystemSecurityEntry", .doc = "The security settings." },
	FIELD_END
};

static const struct field yes_or_no = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Is it so?" };
/* clang-format on */

static bool
turned_on(const struct change *c, const char *member)
{
	return json_bool(c->after, member, false) &&
	    !json_bool(c->before, member, false);
}

/*
 * What the modes need is never true of a machine that they would then say too
 * much of.
 */
static void
check_fips(struct change *c)
{
	if (!turned_on(c, "enable_fips"))
		return;
	if (!core_facts()->fips_module)
		verr_add(c->errors, "enable_fips",
		    "OpenSSL's FIPS provider is not installed; Debian 13 has "
		    "it in the package openssl-provider-fips");
	else
		verr_add(c->errors, "enable_fips",
		    "The services cannot be told yet to use OpenSSL's FIPS "
		    "provider alone");
}

static void
check(struct change *c)
{
	int64_t min = json_int(c->after, "min_password_age", 0);
	int64_t max = json_int(c->after, "max_password_age", 0);

	if (min != 0 && max != 0 && min >= max)
		verr_add(c->errors, "min_password_age",
		    "Must be less than max_password_age, which is %lld",
		    (long long)max);
	check_fips(c);
	security_stig_check(c);
}

/* It is another setting than the one that this start of the machine has. */
static void
tell_reboot(const struct edit *e, const char *member, const char *code)
{
	bool raised = false;
	json_t *reasons, *reason;
	size_t i;
	int r;

	if (json_bool(e->before, member, false) ==
	    json_bool(e->after, member, false))
		return;
	reasons = reboot_reasons();
	json_array_foreach(reasons, i, reason)
		raised |= strcmp(json_str(reason, "code", ""), code) == 0;
	json_decref(reasons);
	r = raised ? reboot_clear(code) : reboot_raise(code);
	if (r == -1)
		log_error("security.reboot", "%s is not stored", code);
}

/* It is the only entry that such a change edits. */
static void
updated(struct change *c)
{
	tell_reboot(&c->edits[0], "enable_fips", "FIPS");
	tell_reboot(&c->edits[0], "enable_gpos_stig", "GPOSSTIG");
}

static void
update_run(struct call *call)
{
	change_submit(call, &security_resource, CHANGE_UPDATE, SECURITY_ENTRY,
	    call_param(call, 0), updated);
}

static char *
update_lock(const json_t *params)
{
	(void)params;
	return xstrdup(LOCK);
}

static void
take_limits(void)
{
	session_limits = security_session_limits();
	sessions_look();
}

static void
changed(void)
{
	take_limits();
	sessions_look();
}

/* At start, before anybody logs in. */
static void
gather(void (*done)(void))
{
	take_limits();
	done();
}

static void
fips_available_run(struct call *call)
{
	call_reply(call, json_boolean(core_facts()->fips_module));
}

/* Of the library as this very process uses it. */
static void
fips_enabled_run(struct call *call)
{
	call_reply(
	    call, json_boolean(EVP_default_properties_is_fips_enabled(NULL)));
}

static const char *const read_roles[] = { "SYSTEM_SECURITY_READ", NULL };
static const char *const write_roles[] = { "SYSTEM_SECURITY_WRITE", NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "system.security.config", .kind = KIND_CONFIG,
	  .auth = AUTH_ROLE, .roles = read_roles, .result = entry_result,
	  .doc = "The security settings.", .run = resource_config_run },
	{ .name = "system.security.update", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = update_params,
	  .result = entry_result, .job = true, .job_lock = update_lock,
	  .audit = "System security update",
	  .doc = "Changes security settings.", .run = update_run },
	METHOD_END
};

const struct resource security_resource = {
	.name = "system.security", .doc = "What is asked of passwords and "
	"sessions.", .kind = RESOURCE_CONFIG, .role_prefix = "SYSTEM_SECURITY",
	.verbose_name = "System Security", .methods = methods,
	.fields = fields, .entry = SECURITY_ENTRY, .check = check,
	.gather = gather, .changed = changed,
	.confirmed_by = &account_confirming
};

static const struct method info_methods[] = {
	{ .name = "system.security.info.fips_available", .auth = AUTH_ROLE,
	  .roles = read_roles, .result = &yes_or_no,
	  .doc = "Is OpenSSL's FIPS provider installed?",
	  .run = fips_available_run },
	{ .name = "system.security.info.fips_enabled", .auth = AUTH_ROLE,
	  .roles = read_roles, .result = &yes_or_no,
	  .doc = "Is it in use?", .run = fips_enabled_run },
	METHOD_END
};

const struct resource security_info_resource = {
	.name = "system.security.info",
	.doc = "What the machine can do for its security.",
	.kind = RESOURCE_SERVICE, .verbose_name = "System Security Info",
	.methods = info_methods
};
/* clang-format on */
