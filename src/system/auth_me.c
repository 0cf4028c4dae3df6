/*
 * auth.me and auth.set_attribute: what a session is told of its account.
 */
#include <errno.h>
#include <string.h>

#include "core/account.h"
#include "core/account_state.h"
#include "core/call.h"
#include "core/session.h"
#include "core/twofactor.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/auth.h"

#define ATTRIBUTES_MAX (64 * 1024) /* characters of JSON, of one account */
#define UID_ADMIN 950 /* truenas_admin */

/* clang-format off */
static const char *const sources[] = { "LOCAL", "ACTIVEDIRECTORY", "LDAP",
	NULL };

#define DATE_NULL(id, text) { .name = id, .type = F_ANY,		\
	.flags = FF_REQUIRED | FF_NULL | FF_DATE, .doc = text }
#define TEXT(id, text)	{ .name = id, .type = F_STR,			\
	.flags = FF_REQUIRED, .doc = text }
#define TEXT_NULL(id, text) { .name = id, .type = F_STR,		\
	.flags = FF_REQUIRED | FF_NULL, .doc = text }
#define INT(id, text)	{ .name = id, .type = F_INT,			\
	.flags = FF_REQUIRED, .doc = text }
#define OBJECT(id, text) { .name = id, .type = F_DICT,			\
	.flags = FF_REQUIRED, .doc = text }

static const struct field last_login_fields[] = {
	DATE_NULL("at", "When; null: this is the first one."),
	TEXT_NULL("origin", "From where."),
	TEXT_NULL("credentials", "How it was logged in."),
	INT("failures", "Failed attempts since."),
	TEXT_NULL("failure_origin", "Where the last one of them came from."),
	DATE_NULL("changed_at", "When the account was changed last, if that "
	    "was since."),
	TEXT_NULL("changed_by", "Who changed it."),
	FIELD_END
};
static const struct field group_number[] = {
	{ .name = "gid", .type = F_INT }, FIELD_END
};

static const struct field me_fields[] = {
	TEXT("pw_name", "Name of the account."),
	TEXT("pw_gecos", "The name of the person."),
	TEXT("pw_dir", "Home directory."),
	TEXT("pw_shell", "Login shell."),
	INT("pw_uid", "Its number."),
	INT("pw_gid", "Number of its primary group."),
	{ .name = "grouplist", .type = F_ARRAY, .fields = group_number,
	  .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Its groups; null for a local account." },
	TEXT_NULL("sid", "Its SID."),
	{ .name = "source", .type = F_ENUM, .choices = sources,
	  .flags = FF_REQUIRED, .doc = "What knows it." },
	{ .name = "local", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is it this machine's?" },
	OBJECT("attributes", "What auth.set_attribute kept."),
	OBJECT("two_factor_config", "Its second factor."),
	OBJECT("privilege", "What it may do."),
	{ .name = "account_attributes", .type = F_STRV, .flags = FF_REQUIRED,
	  .doc = "What kind of account it is, and how it was logged in." },
	{ .name = "last_login", .type = F_OBJECT, .fields = last_login_fields,
	  .flags = FF_REQUIRED | FF_NULL | FF_OWN,
	  .doc = "The login before this one; null where none is kept." },
	FIELD_END
};
const struct field auth_me_result = { .name = "result", .type = F_OBJECT,
	.fields = me_fields, .flags = FF_REQUIRED,
	.doc = "The caller's account." };

const struct field auth_attribute_params[] = {
	{ .name = "key", .type = F_STR, .flags = FF_REQUIRED,
	  .max = STRING_MAX, .doc = "Its name." },
	{ .name = "value", .type = F_ANY, .flags = FF_REQUIRED,
	  .doc = "What is kept." },
	FIELD_END
};
/* clang-format on */

static json_t *
attributes_of(int64_t id)
{
	json_t *kept = account_state_get(id, "attributes");

	return kept != NULL ? kept : json_object();
}

static json_t *
account_attributes(const struct session *s, const json_t *account)
{
	const struct session *login = session_login(s);
	bool once = login->credential == CREDENTIAL_ONETIME_PASSWORD;
	/* clang-format off */
	const struct {
		const char *name;
		bool has;
	} all[] = {
		{ "LOCAL", true },
		{ "SYS_ADMIN", s->uid == 0 || s->uid == UID_ADMIN },
		{ "2FA", login->second_factor },
		{ "API_KEY", login->credential == CREDENTIAL_API_KEY },
		{ "SCRAM", login->scram },
		{ "OTPW", once },
		{ "PASSWORD_CHANGE_REQUIRED", once ||
		  json_bool(account, "password_change_required", false) },
	};
	/* clang-format on */
	json_t *names = json_array();
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].has)
			json_array_append_new(names, json_string(all[i].name));
	return names;
}

json_t *
auth_user_info(const struct session *s)
{
	const json_t *account = account_by_uid(s->uid);
	const char *home = s->uid == 0 ? "/root" : "/";

	/* clang-format off */
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:n, s:n, s:s, s:b, "
	    "s:o, s:o, s:o, s:o, s:O?}",
	    "pw_name", s->username,
	    "pw_gecos", json_str(account, "full_name", s->username),
	    "pw_dir", json_str(account, "home", home),
	    "pw_shell", json_str(account, "shell", "/bin/bash"),
	    "pw_uid", (json_int_t)s->uid,
	    "pw_gid", account_gid(account, s->uid),
	    "grouplist", "sid", "source", "LOCAL", "local", 1,
	    "attributes", attributes_of(json_int(account, "id", -1)),
	    "two_factor_config", twofactor_config(account),
	    "privilege", session_privilege(s),
	    "account_attributes", account_attributes(s, account),
	    "last_login", session_login(s)->last_login);
	/* clang-format on */
}

void
auth_me(struct call *call)
{
	call_reply(call, auth_user_info(call->session));
}

static bool
fits(struct call *call, const json_t *attributes)
{
	char *text = json_text(attributes);
	bool fit = strlen(text) <= ATTRIBUTES_MAX;
	struct verr *errors;

	freezero_str(text);
	if (fit)
		return true;
	errors = verr_new();
	verr_add(errors, "value",
	    "At most %d characters are kept of an account", ATTRIBUTES_MAX);
	call_fail_invalid(call, errors);
	return false;
}

void
auth_set_attribute(struct call *call)
{
	const json_t *account = account_by_uid(call->session->uid);
	int64_t id = json_int(account, "id", -1);
	json_t *kept = attributes_of(id), *attributes = json_copy(kept);

	json_decref(kept);
	json_object_set(attributes, json_string_value(call_param(call, 0)),
	    (json_t *)(uintptr_t)call_param(call, 1));
	if (!fits(call, attributes)) {
		json_decref(attributes);
		return;
	}
	if (account_state_set(id, "attributes", attributes) == -1)
		call_fail(call, errno, "Nothing was kept: %s", strerror(errno));
	else
		call_reply(call, NULL);
}
