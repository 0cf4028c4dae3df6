/*
 * The first administrator (design section 6): set up once, closed for ever by
 * a stored flag.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "core/password.h"
#include "core/setup_code.h"
#include "lib/json.h"
#include "lib/log.h"
#include "system/group.h"
#include "system/system.h"
#include "system/user_internal.h"

static const char *const administrators[] = { "root", "truenas_admin", NULL };

/* clang-format off */
static const struct field setup_options[] = {
	{ .name = "ec2", .type = F_CONST, .def = "null",
	  .doc = "Always null: not such an instance." },
	{ .name = "setup_code", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET | FF_OWN, .max = 64,
	  .doc = "The code that the first start printed; needed over TCP." },
	FIELD_END
};

const struct field user_setup_params[] = {
	{ .name = "username", .type = F_ENUM, .choices = administrators,
	  .flags = FF_REQUIRED, .doc = "The account to become the "
	  "administrator." },
	{ .name = "password", .type = F_STR, .flags = FF_REQUIRED | FF_SECRET,
	  .max = STRING_MAX, .doc = "Its password." },
	{ .name = "options", .type = F_OBJECT, .fields = setup_options,
	  .model = "UserSetupLocalAdministratorOptions", .def = "{}",
	  .doc = "More of it." },
	FIELD_END
};
/* clang-format on */

void
user_has_administrator_run(struct call *call)
{
	call_reply(call, json_boolean(account_administrator_set_up()));
}

static void
monitor_told(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_warn("setup.code", "%s", reply->text);
}

/* Closed for ever, whatever becomes of the account. */
static void
close_setup(const char *username)
{
	if (store_set_value(core_store(), "administrator", username) == -1)
		log_error("setup.close", "%s", strerror(errno));
	store_set_value(core_store(), "setup_code", NULL);
	op_request(MSG_OP_ADMIN_READY, NULL, -1, monitor_told, NULL);
}

static void
setup_committed(struct change *c)
{
	const char *username =
	    json_str(store_get(core_store(), "user", c->id), "username", "");

	close_setup(username);
	log_info("setup.done", "%s is the administrator", username);
}

static json_t *
account_data(const char *username, const char *hash)
{
	bool root = strcmp(username, "root") == 0;
	json_t *data;

	/* clang-format off */
	data = json_pack("{s:s, s:I, s:b, s:[I], s:s}", "unixhash", hash,
	    "last_password_change", (json_int_t)time(NULL),
	    "password_disabled", 0,
	    "groups", (json_int_t)group_of_gid(GID_ADMINISTRATORS),
	    "shell", "/bin/bash");
	if (!root)
		json_object_update_new(data, json_pack(
		    "{s:i, s:s, s:s, s:s, s:b, s:I, s:b}", "uid", UID_ADMIN,
		    "username", username, "full_name", "Local Administrator",
		    "home", "/home/truenas_admin", "home_create", 1,
		    "group", (json_int_t)group_of_gid(UID_ADMIN), "smb", 0));
	/* clang-format on */
	return data;
}

static void
hashed(int error, const char *text, const char *hash, bool reused, void *arg)
{
	struct call *call = arg;
	const char *username = json_string_value(call_param(call, 0));
	int64_t id = user_of_name(username);
	json_t *data;

	(void)reused; /* it is the first one */
	if (error != 0) {
		call_fail(
		    call, error, "The password could not be hashed: %s", text);
		return;
	}
	data = account_data(username, hash);
	change_submit(call, &user_resource,
	    id == -1 ? CHANGE_CREATE : CHANGE_UPDATE, id == -1 ? ID_ADMIN : id,
	    data, setup_committed);
	json_decref(data);
}

void
user_setup_check(struct change *c)
{
	if (account_administrator_set_up())
		verr_add_errno(c->errors, EEXIST, "username",
		    "Local administrator is already set up");
}

void
user_setup_finish(void)
{
	json_t *users, *user;
	size_t i;

	if (account_administrator_set_up())
		return;
	users = store_list(core_store(), "user");
	json_array_foreach(users, i, user)
		if (account_is_administrator(user)) {
			close_setup(json_str(user, "username", ""));
			break;
		}
	json_decref(users);
}

/* Root on the Unix socket is believed; others show the code. */
static bool
entitled(const struct call *call)
{
	const char *code = json_str(call_param(call, 2), "setup_code", "");
	const struct session *s = call->session;

	if (s != NULL && session_internal(s))
		return true;
	return setup_code_is(code);
}

void
user_setup_run(struct call *call)
{
	const char *password = json_string_value(call_param(call, 1));
	struct verr *errors;

	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	if (account_administrator_set_up()) {
		call_fail(
		    call, EEXIST, "Local administrator is already set up");
		return;
	}
	errors = verr_new();
	if (!entitled(call))
		verr_add_errno(errors, EPERM, "options.setup_code",
		    "The one-time code of the first start is needed here");
	if (password[0] == '\0')
		verr_add(
		    errors, "password", "An administrator needs a password");
	password_check(password, errors, "password");
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		return;
	}
	verr_free(errors);
	password_hash(password, NULL, hashed, call);
}
