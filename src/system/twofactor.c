/*
 * auth.twofactor.*: when a second factor is asked for; and the methods that
 * give an account one, or take it.  What the secrets are: core/twofactor.h.
 */
#include "system/twofactor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/limits.h"
#include "core/rights.h"
#include "core/security.h"
#include "core/twofactor.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "core/ssh_codes.h"
#include "lib/ssh_codes_file.h"
#include "system/system.h"

/* clang-format off */
static const struct field service_fields[] = {
	{ .name = "ssh", .type = F_BOOL, .def = "false", .label = "SSH",
	  .doc = "Ask for it in SSH logins too." },
	FIELD_END
};

static const struct field policy_fields[] = {
	{ .name = "id", .type = F_INT, .def = "1", .min = 1, .max = 1,
	  .flags = FF_READONLY, .doc = "The one entry there is." },
	{ .name = "enabled", .type = F_BOOL, .def = "false",
	  .label = "Enable Two-Factor Authentication",
	  .doc = "Ask those who have a second factor for it." },
	{ .name = "services", .type = F_OBJECT, .fields = service_fields,
	  .model = "TwoFactorAuthServices", .def = "{\"ssh\": false}",
	  .doc = "Where else it is asked for." },
	{ .name = "window", .type = F_INT, .def = "0", .min = 0,
	  .max = TWOFACTOR_WINDOW_MAX, .unit = "steps", .label = "Window",
	  .source = "RFC 6238 section 5.2",
	  .doc = "How many codes before and after the present one are right "
	  "too, for clocks that differ." },
	IF_REVISION_ROW,
	CONFIRM_ROW,
	LOCKOUT_ROW,
	FIELD_END
};

static const struct field policy_params[] = {
	{ .name = "auth_twofactor_update", .type = F_OBJECT,
	  .flags = FF_REQUIRED, .fields = policy_fields,
	  .model = "TwoFactorAuthUpdate", .doc = "The settings to change." },
	FIELD_END
};

static const struct field policy_result = { .name = "result",
	.type = F_OBJECT, .fields = policy_fields,
	.model = "TwoFactorAuthEntry", .doc = "The settings." };

static const struct field confirm_params[] = {
	{ .name = "code", .type = F_STR, .flags = FF_REQUIRED | FF_SECRET,
	  .max = 16, .doc = "A code made from the new secret." },
	FIELD_END
};

/* As enum ssh_codes. */
static const char *const ssh_codes_names[] = { "NONE", "EXEMPT", "ASKED",
	NULL };
static const struct field ssh_login_fields[] = {
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Name of the account." },
	{ .name = "codes", .type = F_ENUM, .choices = ssh_codes_names,
	  .flags = FF_REQUIRED, .doc = "NONE: it has no second factor; "
	  "EXEMPT: a machine's, with restricted keys; ASKED." },
	{ .name = "keys", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "How many keys it has." },
	{ .name = "restricted", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Are all of them restricted by from= or command=?" },
	FIELD_END
};
static const struct field ssh_login_row = { .name = "item",
	.type = F_OBJECT, .fields = ssh_login_fields, .doc = "An account." };
static const struct field ssh_login_list = { .name = "result",
	.type = F_ARRAY, .fields = &ssh_login_row, .flags = FF_REQUIRED,
	.doc = "The accounts." };
static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Was it right?" };

const struct field twofactor_config_fields[] = {
	{ .name = "provisioning_uri", .type = F_STR, .max = STRING_MAX,
	  .flags = FF_REQUIRED | FF_NULL | FF_SECRET,
	  .doc = "What an authenticator app scans; shown once." },
	{ .name = "secret_configured", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is there a second factor?" },
	{ .name = "interval", .type = F_INT, .flags = FF_REQUIRED,
	  .unit = "s", .doc = "How long a code stands." },
	{ .name = "otp_digits", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "How many digits it has." },
	FIELD_END
};

static const struct field renew_options[] = {
	{ .name = "otp_digits", .type = F_INT, .def = "6", .min = 6,
	  .max = 8, .doc = "How many digits a code has." },
	{ .name = "interval", .type = F_INT, .def = "30", .min = 30,
	  .max = 60, .unit = "s", .doc = "How long a code stands: 30 or 60." },
	{ .name = "confirm", .type = F_BOOL, .def = "false",
	  .flags = FF_OWN, .doc = "Leave what there is in force until "
	  "auth.twofactor.confirm got a code of the new secret." },
	FIELD_END
};

#define USERNAME_ROW							\
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED,	\
	  .doc = "Name of the account." }

const struct field twofactor_renew_params[] = {
	USERNAME_ROW,
	{ .name = "twofactor_options", .type = F_OBJECT,
	  .fields = renew_options, .flags = FF_REQUIRED,
	  .model = "TwofactorOptions", .doc = "What its codes are like." },
	FIELD_END
};

static const struct field unset_options[] = {
	TWOFACTOR_WITHOUT_ROW, FIELD_END
};

const struct field twofactor_unset_params[] = {
	USERNAME_ROW,
	{ .name = "options", .type = F_OBJECT, .fields = unset_options,
	  .def = "{}", .flags = FF_OWN, .doc = "What is meant so." },
	FIELD_END
};
/* clang-format on */

static void
check(struct change *c)
{
	const json_t *where = json_object_get(c->after, "services");

	if (!security_stig())
		return;
	if (!json_bool(c->after, "enabled", false))
		verr_add(
		    c->errors, "enabled", "STIG mode needs the second factor");
	if (!json_bool(where, "ssh", false))
		verr_add(c->errors, "services.ssh",
		    "STIG mode needs the second factor for SSH");
}

/* --- Secrets -------------------------------------------------------------- */

/* The account by the name that is the first parameter; NULL: answered. */
static const json_t *
named(struct call *call)
{
	const char *name = json_string_value(call_param(call, 0));
	const json_t *account = NULL;

	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else if ((account = account_by_name(name)) == NULL)
		call_fail(call, ENOENT, "%s: there is no such user", name);
	return account;
}

static void
submit(struct call *call, const json_t *account, json_t *data)
{
	int64_t id = json_int(account, "id", -1);
	bool there =
	    store_get(core_store(), twofactor_secret_resource.name, id) != NULL;

	change_submit(call, &twofactor_secret_resource,
	    there ? CHANGE_UPDATE : CHANGE_CREATE, id, data,
	    twofactor_replaced);
	json_decref(data);
}

/* One's own, or with the rights over accounts and all that this one has. */
static bool
may_change(struct call *call, const json_t *account)
{
	const char *name = json_str(account, "username", "");
	char *missing;

	if (strcmp(call_user(call), name) == 0)
		return true;
	if (!call_has_role(call, "ACCOUNT_WRITE")) {
		call_fail(call, EPERM,
		    "%s: only somebody with ACCOUNT_WRITE may change another's "
		    "second factor",
		    name);
		return false;
	}
	missing = rights_missing(call->session, NULL, account);
	if (missing != NULL)
		call_fail(
		    call, EPERM, "%s has %s, and you have not", name, missing);
	free(missing);
	return missing == NULL;
}

void
twofactor_renew_run(struct call *call)
{
	const json_t *options = call_param(call, 1), *account = named(call);
	int64_t interval = json_int(options, "interval", 30);
	struct verr *errors;

	if (account == NULL || !may_change(call, account))
		return;
	if (interval != 30 && interval != 60) {
		errors = verr_new();
		verr_add(errors, "twofactor_options.interval",
		    "Input should be 30 or 60");
		call_fail_invalid(call, errors);
		return;
	}
	submit(call, account,
	    twofactor_renewal(interval, json_int(options, "otp_digits", 6),
		json_bool(options, "confirm", false)));
}

/* Root would come in by SSH with its password alone: is that what is meant? */
static bool
may_go_without(struct call *call, const json_t *account)
{
	struct verr *errors;

	if (json_int(account, "uid", -1) != 0 ||
	    !json_bool(account, "ssh_password_enabled", false) ||
	    json_bool(call_param(call, 1), "without_second_factor", false))
		return true;
	errors = verr_new();
	verr_add(errors, "username",
	    "root may log in by SSH with a password: take that away first, or "
	    "say without_second_factor");
	call_fail_invalid(call, errors);
	return false;
}

void
twofactor_unset_run(struct call *call)
{
	const json_t *account = named(call);

	if (account == NULL || !may_change(call, account) ||
	    !may_go_without(call, account))
		return;
	if (twofactor_configured(account) || twofactor_waits(account))
		change_submit(call, &twofactor_secret_resource, CHANGE_DELETE,
		    json_int(account, "id", -1), NULL, twofactor_replaced);
	else
		call_reply(call, NULL);
}

void
twofactor_check_root(struct change *c)
{
	const char *field = "ssh_password_enabled";

	if (json_int(c->after, "uid", -1) != 0 ||
	    !json_bool(c->after, field, false) ||
	    json_bool(c->before, field, false) ||
	    json_bool(c->data, "without_second_factor", false) ||
	    twofactor_configured(c->after))
		return;
	verr_add(c->errors, field,
	    "root has no second factor: give it one first "
	    "(user.renew_2fa_secret), or say without_second_factor");
}

static void
wrong_code(void *arg)
{
	call_reply(arg, json_false());
}

static void
confirm_run(struct call *call)
{
	const char *code = json_string_value(call_param(call, 0));
	const json_t *account = account_by_name(call_user(call));
	json_t *entry;

	if (account == NULL || !twofactor_waits(account)) {
		call_fail(call, EINVAL,
		    "No new secret of yours waits to be confirmed");
		return;
	}
	if ((entry = twofactor_confirmation(account, code)) != NULL)
		submit(call, account, entry);
	else
		core_after(LIMIT_LOGIN_DELAY_MS, wrong_code, call);
}

/* --- What SSH would ask --------------------------------------------------- */

static json_t *
ssh_login(const json_t *user)
{
	json_t *keys = json_array(), *login;
	bool restricted;

	restricted =
	    ssh_codes_restricted(json_str(user, "sshpubkey", ""), keys);
	login = json_pack("{s:O, s:s, s:I, s:b}", "username",
	    json_object_get(user, "username"), "codes",
	    ssh_codes_names[ssh_codes_of(NULL, user)], "keys",
	    (json_int_t)json_array_size(keys), "restricted", restricted);
	json_decref(keys);
	return login;
}

static void
ssh_logins_run(struct call *call)
{
	json_t *logins = json_array(), *users, *user;
	size_t i;

	if (core_store() == NULL) {
		json_decref(logins);
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	users = store_list(core_store(), "user");
	json_array_foreach(users, i, user)
		if (json_str(user, "sshpubkey", NULL) != NULL ||
		    twofactor_configured(user))
			json_array_append_new(logins, ssh_login(user));
	json_decref(users);
	call_reply(call, logins);
}

char *
twofactor_suffix(const json_t *params)
{
	const char *name = json_string_value(json_array_get(params, 0));

	return name != NULL ? xstrdup(name) : NULL;
}

static const char *const read_roles[] = { "SYSTEM_SECURITY_READ", NULL };
static const char *const write_roles[] = { "SYSTEM_SECURITY_WRITE", NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "auth.twofactor.config", .kind = KIND_CONFIG,
	  .auth = AUTH_ROLE, .roles = read_roles, .result = &policy_result,
	  .doc = "When a second factor is asked for.",
	  .run = resource_config_run },
	{ .name = "auth.twofactor.confirm", .auth = AUTH_SESSION, .own = true,
	  .params = confirm_params, .result = &boolean,
	  .audit = "Confirm two-factor authentication secret",
	  .doc = "Puts the caller's own new secret in force.",
	  .run = confirm_run },
	{ .name = "auth.twofactor.ssh_logins", .auth = AUTH_ROLE,
	  .own = true, .roles = write_roles, .result = &ssh_login_list,
	  .doc = "What SSH would ask of accounts with keys or a second "
	  "factor, if auth.twofactor said so.", .run = ssh_logins_run },
	{ .name = "auth.twofactor.update", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = policy_params,
	  .result = &policy_result,
	  .audit = "Update two-factor authentication service configuration",
	  .doc = "Changes when a second factor is asked for.",
	  .run = resource_update_run },
	METHOD_END
};

const struct resource twofactor_resource = {
	.name = "auth.twofactor", .doc = "When a second factor is asked for.",
	.kind = RESOURCE_CONFIG, .role_prefix = "SYSTEM_SECURITY",
	.verbose_name = "Two-Factor Authentication", .methods = methods,
	.fields = policy_fields, .entry = TWOFACTOR_ENTRY, .check = check,
	.confirmed_by = &account_confirming
};
/* clang-format on */
