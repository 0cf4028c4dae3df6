/*
 * user.*: for now the first administrator (design section 6): set up once,
 * closed for ever by a stored flag.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/account_state.h"
#include "core/call.h"
#include "core/change.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/op.h"
#include "core/password.h"
#include "core/sessions.h"
#include "core/setup_code.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/group.h"
#include "system/system.h"

/* Ids of these entries, as in TrueNAS. */
#define ID_ROOT 1
#define ID_ADMIN 2

static void setup_run(struct call *);

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

static const struct field setup_params[] = {
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

static const struct field number[] = {
	{ .name = "id", .type = F_INT }, FIELD_END
};

/* What is stored of an account; the methods that show it come later. */
static const struct field user_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "uid", .type = F_INT, .flags = FF_REQUIRED | FF_UNIQUE,
	  .doc = "Its number." },
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED | FF_UNIQUE,
	  .doc = "Its name." },
	{ .name = "unixhash", .type = F_STR, .def = "null",
	  .flags = FF_SECRET | FF_NULL,
	  .doc = "Its hashed password; null: it has none." },
	{ .name = "home", .type = F_STR, .def = "\"/var/empty\"",
	  .doc = "Its home directory." },
	{ .name = "shell", .type = F_STR, .def = "\"/usr/sbin/nologin\"",
	  .doc = "Its login shell." },
	{ .name = "full_name", .type = F_STR, .def = "\"\"",
	  .doc = "The name of the person." },
	{ .name = "builtin", .type = F_BOOL, .def = "false",
	  .flags = FF_READONLY,
	  .doc = "Does it come with the system?" },
	{ .name = "group", .type = F_INT, .flags = FF_REQUIRED,
	  .refers = "group", .doc = "Id of its primary group." },
	{ .name = "groups", .type = F_ARRAY, .fields = number, .def = "[]",
	  .flags = FF_RELEASES, .refers = "group",
	  .doc = "Ids of the other groups it is in." },
	{ .name = "password_disabled", .type = F_BOOL, .def = "false",
	  .doc = "Has it no password?" },
	{ .name = "ssh_password_enabled", .type = F_BOOL, .def = "false",
	  .doc = "May it log in by SSH with a password?" },
	{ .name = "locked", .type = F_BOOL, .def = "false",
	  .doc = "Is it locked?" },
	FIELD_END
};

static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Is there an administrator?" };
/* clang-format on */

static void
has_administrator_run(struct call *call)
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
	const char *username = json_str(c->data, "username", "");

	close_setup(username);
	log_info("setup.done", "%s is the administrator", username);
}

static json_t *
account_entry(const char *username, const char *hash)
{
	bool root = strcmp(username, "root") == 0;

	/* clang-format off */
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:[I], s:b}",
	    "uid", root ? 0 : 950, "username", username,
	    "full_name", root ? "root" : "Local Administrator",
	    "home", root ? "/root" : "/home/truenas_admin",
	    "shell", "/bin/bash", "unixhash", hash,
	    "group", (json_int_t)group_of_gid(root ? 0 : 950),
	    "groups", (json_int_t)group_of_gid(GID_ADMINISTRATORS),
	    "builtin", 1);
	/* clang-format on */
}

static void
hashed(int error, const char *text, const char *hash, bool reused, void *arg)
{
	struct call *call = arg;
	const char *username = json_string_value(call_param(call, 0));
	json_t *entry;

	(void)reused; /* it is the first one */
	if (error != 0) {
		call_fail(
		    call, error, "The password could not be hashed: %s", text);
	} else {
		entry = account_entry(username, hash);
		change_submit(call, &user_resource, CHANGE_CREATE,
		    strcmp(username, "root") == 0 ? ID_ROOT : ID_ADMIN, entry,
		    setup_committed);
		json_decref(entry);
	}
}

/* Another call may have been first while this one was hashing. */
static void
check(struct change *c)
{
	if (c->call->method->run == setup_run && account_administrator_set_up())
		verr_add_errno(c->errors, EEXIST, "username",
		    "Local administrator is already set up");
}

/* A crash may have come between the account and the flag. */
static void
gather(void (*done)(void))
{
	json_t *users = store_list(core_store(), "user"), *user;
	size_t i;

	json_array_foreach(users, i, user)
		if (!account_administrator_set_up() &&
		    account_is_administrator(user))
			close_setup(json_str(user, "username", ""));
	json_decref(users);
	account_state_review();
	done();
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

static void
setup_run(struct call *call)
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

static void
changed(void)
{
	account_state_review();
	sessions_review();
}

/* clang-format off */
static const struct method methods[] = {
	{ .name = "user.has_local_administrator_set_up", .auth = AUTH_NONE,
	  .result = &boolean, .doc = "Is there an administrator already?",
	  .run = has_administrator_run },
	{ .name = "user.setup_local_administrator", .auth = AUTH_NONE,
	  .params = setup_params, .audit = "Set up local administrator",
	  .doc = "Makes the first administrator.", .run = setup_run },
	METHOD_END
};

const struct resource user_resource = {
	.name = "user", .doc = "Accounts.", .kind = RESOURCE_CRUD,
	.role_prefix = "ACCOUNT", .verbose_name = "User",
	.methods = methods, .fields = user_fields, .check = check,
	.gather = gather, .changed = changed
};
/* clang-format on */
