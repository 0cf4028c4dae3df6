/*
 * holdfast.recover: an account gets its password anew, its lock opened, its
 * second factor taken off, by root at the machine alone.  It leaves everything
 * else as it is, and it is not done in silence: a record, an event of the
 * account, an alert, and a notice for whoever logs in next.
 *
 * The rules on passwords hold here too, but for a password that comes hashed:
 * that is of a request which waited for the start (core/request.h), where
 * nobody could hear that it is refused.
 */
#include "system/recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert.h"
#include "core/change.h"
#include "core/confirm.h"
#include "core/core.h"
#include "core/logins.h"
#include "core/password.h"
#include "core/session.h"
#include "core/twofactor.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/system.h"
#include "system/user.h"
#include "system/user_internal.h"

#define NOTICE "recovered" /* of the store's values: seconds since the epoch */

/* clang-format off */
static const struct field data_fields[] = {
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The account." },
	{ .name = "password", .type = F_STR, .def = "null", .min = 1,
	  .flags = FF_NULL | FF_SECRET, .doc = "Its new password." },
	{ .name = "hash", .type = F_STR, .def = "null", .max = 512,
	  .flags = FF_NULL | FF_SECRET, .pattern = "\\$[!-9;-~]+",
	  .doc = "Or that, hashed as crypt(5) says." },
	{ .name = "unlock", .type = F_BOOL, .def = "true",
	  .doc = "Open its lock." },
	{ .name = "unset_second_factor", .type = F_BOOL, .def = "true",
	  .doc = "Let it in without a second factor." },
	FIELD_END
};
const struct field recovery_params[] = {
	{ .name = "recover", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = data_fields, .model = "HoldfastRecover",
	  .doc = "Whom, and of what." },
	FIELD_END
};
const struct field recovery_notice = { .name = "result", .type = F_ANY,
	.flags = FF_NULL | FF_DATE, .doc = "When it was; or null." };
/* clang-format on */

char *
recovery_suffix(const json_t *params)
{
	const json_t *data = json_array_get(params, 0);

	return xasprintf("%s%s%s%s", json_str(data, "username", "?"),
	    json_str(data, "password", NULL) != NULL ||
		    json_str(data, "hash", NULL) != NULL ?
		": password" :
		":",
	    json_bool(data, "unlock", true) ? " unlock" : "",
	    json_bool(data, "unset_second_factor", true) ? " second factor" :
							   "");
}

/* What is beside the entry is no part of the change: it may be done twice. */
static void
committed(struct change *c)
{
	const json_t *data = call_param(c->call, 0);
	const char *name = json_str(data, "username", "");
	char *now = xasprintf("%lld", (long long)time(NULL));

	if (json_bool(data, "unlock", true))
		logins_unlock(c->id);
	if (store_set_value(core_store(), NOTICE, now) == -1)
		log_error("recovery.notice", "%s", strerror(errno));
	alert_raise("AccountRecovered", name, json_pack("{s:s}", "user", name));
	log_warn("recovery.done", "%s by %s", name, call_user(c->call));
	free(now);
}

void
recovery_check(struct change *c)
{
	if (c->call->method->run != recovery_run)
		return;
	/* A lock that is counted elsewhere may be all that there was. */
	c->unchanged = committed;
	if (json_bool(call_param(c->call, 0), "unset_second_factor", true))
		twofactor_forget(c, c->id);
}

static void
submit(struct call *call, const char *hash)
{
	const json_t *given = call_param(call, 0);
	int64_t id = user_of_name(json_str(given, "username", ""));
	const json_t *user = store_get(core_store(), "user", id);
	json_t *data = json_object();

	if (hash != NULL)
		json_object_update_new(data,
		    json_pack("{s:s, s:I, s:o, s:b}", "unixhash", hash,
			"last_password_change", (json_int_t)time(NULL),
			"password_history", password_history_next(user),
			"password_disabled", 0));
	if (json_bool(given, "unlock", true))
		json_object_update_new(
		    data, json_pack("{s:b, s:n}", "locked", 0, "locked_until"));
	change_submit(call, &user_resource, CHANGE_UPDATE, id, data, committed);
	json_decref(data);
}

static void
hashed(int error, const char *text, const char *hash, bool reused, void *arg)
{
	struct call *call = arg;
	struct verr *errors;

	if (error != 0) {
		call_fail(
		    call, error, "The password could not be hashed: %s", text);
	} else if (reused) {
		errors = verr_new();
		verr_prefix(errors, "recover");
		password_reused(errors, "password");
		call_fail_invalid(call, errors);
	} else {
		submit(call, hash);
	}
}

static bool
is_possible(struct call *call)
{
	const json_t *data = call_param(call, 0), *user;
	const char *name = json_str(data, "username", "");

	if (!session_internal(call->session)) {
		call_fail(call, EPERM,
		    "Only root at the machine may do this, over the Unix "
		    "socket");
		return false;
	}
	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return false;
	}
	user = store_get(core_store(), "user", user_of_name(name));
	if (user == NULL || user_is_foreign(user)) {
		call_fail(call, ENOENT,
		    "%s: there is no such account of "
		    "Holdfast's",
		    name);
		return false;
	}
	return true;
}

static void
recover(void *arg)
{
	struct call *call = arg;
	const json_t *data = call_param(call, 0);
	const char *password = json_str(data, "password", NULL);
	struct verr *errors;

	if (!is_possible(call))
		return;
	if (password == NULL) {
		submit(call, json_str(data, "hash", NULL));
		return;
	}
	errors = verr_new();
	verr_prefix(errors, "recover");
	password_check(password, errors, "password");
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		return;
	}
	verr_free(errors);
	password_hash(password,
	    store_get(core_store(), "user",
		user_of_name(json_str(data, "username", ""))),
	    hashed, call);
}

/* A change that waits may be what keeps him out: it is over. */
void
recovery_run(struct call *call)
{
	if (is_possible(call))
		confirm_take_back(recover, call);
}

void
recovery_notice_run(struct call *call)
{
	char *value = NULL;

	if (core_store() != NULL)
		value = store_value(core_store(), NOTICE);
	call_reply(call,
	    value != NULL ? json_date(strtoll(value, NULL, 10)) : json_null());
	free(value);
}
