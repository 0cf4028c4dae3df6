/*
 * Passwords of user.*: given, made, hashed into the entry; and
 * user.set_password.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "core/password.h"
#include "core/security.h"
#include "core/session.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/system.h"
#include "system/user_internal.h"

#define RANDOM_LENGTH 20 /* of 66 characters: 120 bits */
#define RANDOM_TRIES 64

/* clang-format off */
static const struct field set_password_data[] = {
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Whose password it is." },
	{ .name = "old_password", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET, .doc = "The present one." },
	{ .name = "new_password", .type = F_STR, .min = 1,
	  .flags = FF_REQUIRED | FF_SECRET, .doc = "The new one." },
	FIELD_END
};

const struct field user_set_password_params[] = {
	{ .name = "set_password_data", .type = F_OBJECT,
	  .flags = FF_REQUIRED, .fields = set_password_data,
	  .model = "UserSetPasswordArgs", .doc = "Account and password." },
	FIELD_END
};
/* clang-format on */

/* --- Of a change ---------------------------------------------------------- */

static bool
is_good(const char *password)
{
	struct verr *errors = verr_new();
	bool good;

	password_check(password, errors, "password");
	good = !verr_any(errors);
	verr_free(errors);
	return good;
}

json_t *
user_random_password(void)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789-_.+";
	char text[PASSWORD_BYTES_MAX + 1];
	size_t i, length, tries;
	json_t *password;

	for (tries = 0; tries < RANDOM_TRIES; tries++) {
		length = RANDOM_LENGTH + 4 * tries;
		for (i = 0; i < length; i++)
			text[i] = set[core_random(sizeof(set) - 1)];
		text[length] = '\0';
		if (is_good(text))
			break;
	}
	password = json_string(text);
	explicit_bzero(text, sizeof(text));
	return password;
}

const char *
user_password_of(const struct change *c)
{
	return json_str(c->answer, "password", NULL);
}

static void
take_password(struct change *c, bool random)
{
	json_t *given = json_object_get(c->data, "password");

	json_decref(c->answer);
	c->answer = json_object();
	if (given != NULL && !json_is_null(given))
		json_object_set(c->answer, "password", given);
	else
		json_object_set_new(c->answer, "password",
		    random ? user_random_password() : json_null());
}

static void
check_smb(struct change *c)
{
	bool disabled = json_bool(c->after, "password_disabled", false);

	if (!json_bool(c->after, "smb", false) ||
	    (c->before != NULL && user_is_immutable(c->before)))
		return;
	if (disabled)
		verr_add(c->errors, "password_disabled",
		    "Password authentication may not be disabled for SMB "
		    "users.");
	else if (c->before != NULL && !json_bool(c->before, "smb", false) &&
	    user_password_of(c) == NULL)
		verr_add(c->errors, "smb",
		    "Password must be reset in order to enable SMB "
		    "authentication");
}

void
user_password_check(struct change *c)
{
	bool random = json_bool(c->data, "random_password", false);
	bool given = json_str(c->data, "password", NULL) != NULL;
	bool disabled = json_bool(c->after, "password_disabled", false);

	take_password(c, random);
	if (random && given)
		verr_add(c->errors, "random_password",
		    "Requesting a randomized password while simultaneously "
		    "supplying an explicit password is not permitted.");
	if (disabled && (random || given))
		verr_add(c->errors, "password_disabled",
		    "Leave \"Password\" blank when \"Disable password login\" "
		    "is checked.");
	if (c->verb == CHANGE_CREATE && !random && !given && !disabled)
		verr_add(c->errors, "password", "Password is required");
	if (security_stig() && user_is_immutable(c->after) && !disabled &&
	    (random || given ||
		json_bool(c->before, "password_disabled", false)))
		verr_add(c->errors, "password_disabled",
		    "In STIG mode nobody logs in with the password of an "
		    "account that is shared (SRG-OS-000109-GPOS-00056)");
	if (given)
		password_check(user_password_of(c), c->errors, "password");
	check_smb(c);
}

static void
hashed(int error, const char *text, const char *hash, bool reused, void *arg)
{
	struct change *c = arg;

	if (error != 0)
		verr_add_errno(c->errors, error, "password",
		    "It could not be hashed: %s", text);
	else if (reused)
		password_reused(c->errors, "password");
	else {
		json_object_set_new(c->after, "unixhash", json_string(hash));
		json_object_set_new(
		    c->after, "last_password_change", json_integer(time(NULL)));
		json_object_set_new(c->after, "password_history",
		    password_history_next(c->before));
	}
	change_continue(c);
}

void
user_password_apply(struct change *c)
{
	const char *password = user_password_of(c);

	/* Of many, they are hashed before. */
	if (change_is_faulty(c) || password == NULL || c->items != NULL)
		change_continue(c);
	else
		password_hash(password, c->before, hashed, c);
}

/* --- user.set_password ---------------------------------------------------- */

static const char *
param(const struct call *call, const char *member)
{
	return json_str(call_param(call, 0), member, NULL);
}

static void __attribute__((format(printf, 3, 4)))
refuse(struct call *call, const char *attribute, const char *fmt, ...)
{
	struct verr *errors = verr_new();
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	verr_prefix(errors, "user.set_password");
	verr_add(errors, attribute, "%s", text);
	free(text);
	call_fail_invalid(call, errors);
}

static void
submit(struct call *call)
{
	json_t *data;

	data = json_pack("{s:s}", "password", param(call, "new_password"));
	change_submit(call, &user_resource, CHANGE_UPDATE,
	    user_of_name(param(call, "username")), data, NULL);
	json_decref(data);
}

static void
wrong_later(void *arg)
{
	struct call *call = arg;

	refuse(call, "old_password", "%s: failed to validate password.",
	    param(call, "username"));
}

/* Somebody who found an open session guesses no faster than at a login. */
static void
verified(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct wire_in body = reply->body;
	enum verdict verdict = wire_get_u8(&body);

	if (reply->error != 0 || wire_end(&body) == -1)
		call_fail(call, reply->error != 0 ? reply->error : EPROTO,
		    "The password could not be verified");
	else if (verdict == VERDICT_OK || verdict == VERDICT_EXPIRED)
		submit(call);
	else
		core_after(1000 + core_random(1000), wrong_later, call);
}

static void
verify(struct call *call)
{
	struct wire_out out = { 0 };

	wire_put_str(&out, param(call, "username"));
	wire_put_str(&out, param(call, "old_password"));
	op_request(MSG_OP_VERIFY_PASSWORD, &out, -1, verified, call);
	wire_free(&out);
}

/* Who was let in by an administrator, to choose a password. */
static bool
needs_no_old_one(const struct call *call, const char *name)
{
	const struct session *login = session_login(call->session);

	return call_full_admin(call) ||
	    (login->credential == CREDENTIAL_ONETIME_PASSWORD &&
		strcmp(name, call_user(call)) == 0);
}

/* Whether it is allowed, as far as that can be said at once. */
static bool
is_allowed(struct call *call, const json_t *user)
{
	const char *name = param(call, "username");

	if (strcmp(name, call_user(call)) != 0 &&
	    !call_has_role(call, "ACCOUNT_WRITE"))
		call_fail(call, EPERM,
		    "%s: currently authenticated credential may not reset "
		    "password for this user",
		    name);
	else if (user == NULL)
		refuse(call, "username", "%s: user does not exist.", name);
	else if (user_is_foreign(user))
		refuse(call, "username", "%s: it is the system's", name);
	else if (json_bool(user, "password_disabled", false))
		refuse(call, "username",
		    "%s: password authentication disabled for user", name);
	else if (param(call, "old_password") == NULL &&
	    !needs_no_old_one(call, name))
		refuse(call, "old_password",
		    "FULL_ADMIN role is required in order to bypass check of "
		    "current password.");
	else if (!needs_no_old_one(call, name) &&
	    !password_change_required(user) && password_too_young(user) > 0)
		refuse(call, "new_password",
		    "The password can be changed in %lld days",
		    (long long)password_too_young(user));
	else
		return true;
	return false;
}

void
user_set_password_run(struct call *call)
{
	struct verr *errors = verr_new();
	const json_t *user = NULL;

	verr_prefix(errors, "user.set_password");
	password_check(param(call, "new_password"), errors, "new_password");
	if (core_store() != NULL)
		user = store_get(core_store(), "user",
		    user_of_name(param(call, "username")));
	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else if (is_allowed(call, user)) {
		if (verr_any(errors)) {
			call_fail_invalid(call, errors);
			return;
		}
		if (param(call, "old_password") != NULL)
			verify(call);
		else
			submit(call);
	}
	verr_free(errors);
}
