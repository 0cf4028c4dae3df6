/*
 * user.*: the accounts of the machine.  Those that the system brings along are
 * entries too, built-in ones; they are read from the account files at start
 * and left as they are.  Of these root alone is Holdfast's to write.
 */
#include "system/user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/api_key.h"
#include "core/account_state.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/entry.h"
#include "core/event.h"
#include "core/logins.h"
#include "core/password.h"
#include "core/query.h"
#include "core/rights.h"
#include "core/sessions.h"
#include "core/twofactor.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/account_number.h"
#include "system/group.h"
#include "system/recovery.h"
#include "system/sudo.h"
#include "system/system.h"
#include "system/twofactor.h"
#include "system/user_fields.h"
#include "system/user_internal.h"

#define OWN_UNTIL(id, text)                                                    \
	{                                                                      \
		.name = id, .type = F_ANY, .def = "null", .doc = text,         \
		.flags = FF_NULL | FF_DATE | FF_OWN | FF_GRANTS                \
	}

/* clang-format off */
static const struct field user_number[] = {
	{ .name = "id", .type = F_INT }, FIELD_END
};
static const struct field user_name[] = {
	{ .name = "name", .type = F_STR }, FIELD_END
};
static const struct field user_command[] = {
	{ .name = "command", .type = F_STR, .min = 1, .max = STRING_MAX },
	FIELD_END
};
static const struct field user_shown_group = { .name = "group",
	.type = F_DICT, .flags = FF_NULL, .doc = "Its primary group." };

static const struct field user_shown_date = { .name = "date",
	.type = F_ANY, .flags = FF_NULL | FF_DATE, .doc = "When it was." };

const struct field user_fields[] = {
	USER_ENTRY_ROWS,
	OWN_UNTIL("locked_until", "When the lock ends by itself."),
	OWN_UNTIL("password_until",
	    "When logging in with the password ends by itself."),
	OWN_UNTIL("ssh_password_until",
	    "When logging in by SSH with the password ends by itself."),
	TWOFACTOR_MACHINE_ROW("Is it a program's?  Then keys that from= or "
	    "command= restrict do without a second factor."),
	{ .name = "sftp_chroot", .type = F_BOOL, .def = "false",
	  .flags = FF_OWN | FF_GRANTS, .label = "Keep in Folder",
	  .doc = "Is the folder that its home lies in all that it sees?  Its "
	  "shell is scponly then, and sftp all it has." },
	USER_INPUT_ROWS,
	TWOFACTOR_WITHOUT_ROW,
	IF_REVISION_ROW,
	CONFIRM_ROW,
	LOCKOUT_ROW,
	FIELD_END
};

/* A change answers with the password that was given, or made. */
static const struct field answer_fields[] = {
	USER_ENTRY_ROWS,
	{ .name = "password", .type = F_STR, .flags = FF_NULL,
	  .doc = "Its new password; null: it is the same as before." },
	FIELD_END
};

/* A new second factor is shown once, here. */
static const struct field renewed_fields[] = {
	USER_ENTRY_ROWS,
	{ .name = "twofactor_config", .type = F_OBJECT,
	  .fields = twofactor_config_fields, .flags = FF_REQUIRED,
	  .model = "UserTwofactorConfigEntry",
	  .doc = "Its second factor, with what an app scans." },
	FIELD_END
};

static const struct field create_params[] = {
	{ .name = "user_create", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = user_fields, .model = "UserCreate",
	  .doc = "The new account." },
	FIELD_END
};

static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the account." },
	{ .name = "user_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = user_fields, .model = "UserUpdate",
	  .doc = "What to change of it." },
	FIELD_END
};

static const struct field delete_options[] = {
	{ .name = "delete_group", .type = F_BOOL, .def = "true",
	  .doc = "Remove its primary group as well, unless others are in it." },
	LOCKOUT_ROW,
	FIELD_END
};

static const struct field delete_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the account." },
	{ .name = "options", .type = F_OBJECT, .fields = delete_options,
	  .model = "UserDeleteOptions", .def = "{}",
	  .doc = "What goes with it." },
	FIELD_END
};

static const struct field obj_options[] = {
	{ .name = "username", .type = F_STR, .def = "null", .flags = FF_NULL,
	  .doc = "The name to look for." },
	{ .name = "uid", .type = F_INT, .def = "null", .flags = FF_NULL,
	  .doc = "Or the number." },
	{ .name = "get_groups", .type = F_BOOL, .def = "false",
	  .doc = "Return the numbers of its groups too." },
	{ .name = "sid_info", .type = F_BOOL, .def = "false",
	  .doc = "Return the security identifier too." },
	FIELD_END
};

static const struct field obj_params[] = {
	{ .name = "get_user_obj", .type = F_OBJECT, .fields = obj_options,
	  .model = "UserGetUserObjArgs", .def = "{}",
	  .doc = "Which account." },
	FIELD_END
};

static const struct field shell_params[] = {
	{ .name = "group_ids", .type = F_ARRAY, .fields = user_number,
	  .def = "[]", .doc = "Ids of groups that the account will be in." },
	FIELD_END
};

static const struct field entry = { .name = "result", .type = F_OBJECT,
	.fields = user_fields, .model = "UserEntry", .doc = "The account." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .doc = "The accounts." };
static const struct field answer = { .name = "result", .type = F_OBJECT,
	.fields = answer_fields, .model = "UserCreateUpdateResult",
	.doc = "The account." };
static const struct field renewed = { .name = "result", .type = F_OBJECT,
	.fields = renewed_fields, .model = "UserRenew2faSecretResult",
	.doc = "The account." };
static const struct field integer = { .name = "result", .type = F_INT,
	.flags = FF_REQUIRED, .doc = "The number." };
static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Is there an administrator?" };
static const struct field object = { .name = "result", .type = F_DICT,
	.doc = "The account as getpwnam(3) has it." };
static const struct field shells = { .name = "result", .type = F_DICT,
	.doc = "The shells there are, with a name for each." };
/* clang-format on */

static const struct account_numbers numbers = { &user_resource, "uid",
	"user.next_uid" };

int64_t
user_next_uid(int64_t after)
{
	return account_number_next(&numbers, after);
}

int64_t
user_of_name(const char *name)
{
	json_t *value = json_string(name);
	int64_t id = entry_by(&user_resource, "username", value);

	json_decref(value);
	return id;
}

int64_t
user_of_uid(int64_t uid)
{
	json_t *value = json_integer(uid);
	int64_t id = entry_by(&user_resource, "uid", value);

	json_decref(value);
	return id;
}

bool
user_is_foreign(const json_t *user)
{
	return json_bool(user, "builtin", false) &&
	    json_int(user, "uid", -1) != 0;
}

bool
user_is_rendered(const json_t *user)
{
	return !user_is_foreign(user);
}

bool
user_is_immutable(const json_t *user)
{
	return json_bool(user, "builtin", false) ||
	    json_int(user, "uid", -1) == UID_ADMIN;
}

/* --- What an entry shows -------------------------------------------------- */

static json_t *
shown_group(int64_t id)
{
	const json_t *g = store_get(core_store(), "group", id);

	if (g == NULL)
		return json_null();
	return json_pack("{s:I, s:O, s:O, s:O, s:O, s:O, s:O, s:i}", "id",
	    (json_int_t)id, "bsdgrp_gid", json_object_get(g, "gid"),
	    "bsdgrp_group", json_object_get(g, "name"), "bsdgrp_builtin",
	    json_object_get(g, "builtin"), "bsdgrp_sudo_commands",
	    json_object_get(g, "sudo_commands"),
	    "bsdgrp_sudo_commands_nopasswd",
	    json_object_get(g, "sudo_commands_nopasswd"), "bsdgrp_smb",
	    json_object_get(g, "smb"), "bsdgrp_userns_idmap", 0);
}

/* The age is counted from the time as it is stored: before that is shown. */
static void
extend_password(json_t *user)
{
	int64_t changed = json_int(user, "last_password_change", -1);
	int64_t age = password_age(user);
	const char *hash = json_str(user, "unixhash", NULL);

	json_object_set_new(
	    user, "password_age", age != -1 ? json_integer(age) : json_null());
	json_object_set_new(user, "password_change_required",
	    json_boolean(password_change_required(user)));
	if (changed != -1)
		json_object_set_new(
		    user, "last_password_change", json_date(changed));
	if (hash != NULL && strcmp(hash, USER_HASH_KEPT) == 0)
		json_object_set_new(user, "unixhash", json_null());
	if (json_is_null(json_object_get(user, "password_history")))
		json_object_set_new(user, "password_history", json_array());
}

static void
extend(json_t *user)
{
	json_object_set_new(user, "local", json_true());
	json_object_set_new(
	    user, "immutable", json_boolean(user_is_immutable(user)));
	json_object_set_new(user, "twofactor_auth_configured",
	    json_boolean(twofactor_configured(user)));
	json_object_set_new(user, "sid", json_null());
	json_object_set_new(user, "roles", account_roles(user));
	json_object_set_new(
	    user, "api_keys", api_keys_of(json_int(user, "id", -1)));
	if (logins_locked(json_int(user, "id", -1)))
		json_object_set_new(user, "locked", json_true());
	extend_password(user);
	json_object_set_new(
	    user, "group", shown_group(json_int(user, "group", -1)));
}

/* --- Methods -------------------------------------------------------------- */

static void
create_run(struct call *call)
{
	change_submit(call, &user_resource, CHANGE_CREATE, -1,
	    call_param(call, 0), group_members_changed);
}

/* Those who can still log in to the web interface with a password. */
static json_t *
administrators(void)
{
	json_t *users = store_list(core_store(), "user"), *user;
	json_t *names = json_array();
	size_t i;

	json_array_foreach(users, i, user)
		if (rights_administers(NULL, user))
			json_array_append(
			    names, json_object_get(user, "username"));
	json_decref(users);
	return names;
}

/* Whoever says that it is not locked lets in those locked out, too. */
static void
unlock_one(const json_t *given, int64_t id)
{
	if (json_is_false(json_object_get(given, "locked")) &&
	    logins_unlock(id) == -1)
		log_error("user.unlock", "%s", strerror(errno));
}

static void
unlock(struct change *c)
{
	json_t *item;
	size_t i;

	if (c->items == NULL)
		unlock_one(c->data, c->id);
	json_array_foreach(c->items, i, item)
		unlock_one(
		    json_object_get(item, "data"), json_int(item, "id", -1));
}

static void
check_unlock(struct change *c)
{
	char *missing;

	c->unchanged = unlock;
	if (!json_is_false(json_object_get(c->data, "locked")) ||
	    !logins_locked(c->id))
		return;
	missing = rights_missing(c->call->session, c, c->before);
	if (missing != NULL)
		verr_add_errno(c->errors, EPERM, "locked",
		    "The account has %s, which you have not", missing);
	free(missing);
}

void
user_updated(struct change *c)
{
	size_t i;

	unlock(c);
	group_members_changed(c);
	for (i = 0; i < c->nedits; i++)
		if (c->edits[i].resource == &user_resource &&
		    c->edits[i].id == ID_ROOT &&
		    !json_bool(c->edits[i].before, "password_disabled", true) &&
		    json_bool(c->edits[i].after, "password_disabled", false))
			event_send("user.web_ui_login_disabled", EVENT_ADDED,
			    json_null(),
			    json_pack("{s:o}", "usernames", administrators()));
}

static void
update_run(struct call *call)
{
	change_submit(call, &user_resource, CHANGE_UPDATE,
	    json_integer_value(call_param(call, 0)), call_param(call, 1),
	    user_updated);
}

static void
delete_run(struct call *call)
{
	int64_t id = json_integer_value(call_param(call, 0));
	const json_t *user = NULL;

	if (core_store() != NULL)
		user = store_get(core_store(), "user", id);
	if (user != NULL &&
	    strcmp(json_str(user, "username", ""), call_user(call)) == 0)
		call_fail(
		    call, EINVAL, "Cannot delete the currently active user");
	else if (json_bool(user, "builtin", false))
		call_fail(call, EINVAL, "Cannot delete a built-in user");
	else
		change_submit(call, &user_resource, CHANGE_DELETE, id,
		    call_param(call, 1), group_members_changed);
}

/*
 * An account of a person that was there before: from now on it is managed, as
 * it stands, with the hash that shadow(5) has.
 */
static void
adopt_run(struct call *call)
{
	int64_t id = json_integer_value(call_param(call, 0));
	const json_t *user = NULL;
	json_t *data;

	if (core_store() != NULL)
		user = store_get(core_store(), "user", id);
	if (user != NULL &&
	    (!user_is_foreign(user) ||
		account_number_is_system(json_int(user, "uid", -1)))) {
		call_fail(call, EINVAL,
		    "%s: not the account of a person that is not managed yet",
		    json_str(user, "username", ""));
		return;
	}
	data = json_pack("{s:b}", "builtin", 0);
	change_submit(call, &user_resource, CHANGE_UPDATE, id, data, NULL);
	json_decref(data);
}

static void
next_uid_run(struct call *call)
{
	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else
		call_reply(call, json_integer(user_next_uid(-1)));
}

static char *
name_suffix(const json_t *params)
{
	const char *name =
	    json_str(json_array_get(params, 0), "username", NULL);

	return name != NULL ? xstrdup(name) : NULL;
}

/* The name as it is before the change. */
static char *
id_suffix(const json_t *params)
{
	const json_t *user = NULL;

	if (core_store() != NULL)
		user = store_get(core_store(), "user",
		    json_integer_value(json_array_get(params, 0)));
	return user != NULL ? xstrdup(json_str(user, "username", "")) : NULL;
}

/* "anna, bert": as they are before the change. */
static char *
ids_suffix(const json_t *params)
{
	char *names = xstrdup(""), *longer;
	const json_t *user;
	json_t *id;
	size_t i;

	json_array_foreach(json_array_get(params, 0), i, id) {
		user = core_store() == NULL ?
		    NULL :
		    store_get(core_store(), "user", json_integer_value(id));
		longer = xasprintf("%s%s%s", names, i > 0 ? ", " : "",
		    json_str(user, "username", "?"));
		free(names);
		names = longer;
	}
	return names;
}

static void
check(struct change *c)
{
	if (c->call->method->run == user_setup_run) {
		user_setup_check(c);
		return;
	}
	if (c->call->method->run == adopt_run)
		return;
	user_check(c);
	if (c->verb == CHANGE_UPDATE)
		check_unlock(c);
	recovery_check(c);
	twofactor_check_root(c);
	if (c->verb == CHANGE_DELETE && !verr_any(c->errors)) {
		account_number_keep(
		    &numbers, json_int(c->before, "uid", -1), c->errors);
		twofactor_forget(c, c->id);
	}
}

static void
changed(void)
{
	account_state_review();
	sessions_review();
	user_until_review();
	sudo_review();
}

static const char *const read_roles[] = { "ACCOUNT_READ", NULL };
static const char *const choice_roles[] = { "ACCOUNT_READ", "READONLY_ADMIN",
	NULL };
static const char *const write_roles[] = { "ACCOUNT_WRITE", NULL };
static const struct resource *const extended_from[] = { &api_key_resource,
	&group_resource, &privilege_resource, &twofactor_secret_resource,
	NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "user.access", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .roles = read_roles, .own = true, .params = query_params,
	  .result = &user_access_list,
	  .doc = "Who may log in, by which ways, and did last.",
	  .run = user_access_run },
	{ .name = "user.adopt", .own = true, .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .params = id_params, .result = &entry,
	  .audit = "Adopt user", .audit_suffix = id_suffix,
	  .doc = "Manages an account that was there before, as it stands.",
	  .run = adopt_run },
	{ .name = "user.create", .kind = KIND_CREATE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = create_params, .result = &answer,
	  .audit = "Create user", .audit_suffix = name_suffix,
	  .doc = "Makes an account.", .run = create_run },
	{ .name = "user.delete", .kind = KIND_DELETE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = delete_params, .result = &integer,
	  .audit = "Delete user", .audit_suffix = id_suffix,
	  .doc = "Removes an account.", .run = delete_run },
	{ .name = "user.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &entry, .doc = "One account.",
	  .run = resource_instance_run },
	{ .name = "user.get_next_uid", .auth = AUTH_ROLE,
	  .roles = read_roles, .result = &integer,
	  .doc = "The number that the next new account gets.",
	  .run = next_uid_run },
	{ .name = "user.get_user_obj", .auth = AUTH_ROLE,
	  .roles = read_roles, .params = obj_params, .result = &object,
	  .doc = "An account as the system knows it.", .run = user_obj_run },
	{ .name = "user.has_local_administrator_set_up", .auth = AUTH_NONE,
	  .result = &boolean, .doc = "Is there an administrator already?",
	  .run = user_has_administrator_run },
	{ .name = "user.import", .own = true, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = user_import_params,
	  .result = &user_import_result, .job = true,
	  .job_lock = user_import_lock, .pipe = PIPE_INPUT,
	  .pipe_optional = true, .input_max = USER_IMPORT_BYTES,
	  .abort = user_import_abort, .audit = "Import users",
	  .doc = "Makes many accounts, all or none.",
	  .run = user_import_run },
	{ .name = "user.leftovers", .auth = AUTH_ROLE, .own = true,
	  .params = user_leftovers_params, .result = &user_leftovers_result,
	  .job = true, .job_lock = user_leftovers_lock,
	  .doc = "The files of an account, also of one that is removed.",
	  .run = user_leftovers_run },
	{ .name = "user.query", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .roles = read_roles, .params = query_params, .result = &entries,
	  .doc = "The accounts there are.", .run = resource_query_run },
	{ .name = "user.renew_2fa_secret", .auth = AUTH_SESSION,
	  .params = twofactor_renew_params, .result = &renewed,
	  .audit = "Renew two-factor authentication secret:",
	  .audit_suffix = twofactor_suffix,
	  .doc = "Gives an account, one's own or another, a new second "
	  "factor.", .run = twofactor_renew_run },
	{ .name = "user.set_password", .auth = AUTH_SESSION,
	  .params = user_set_password_params,
	  .audit = "Set account password", .audit_suffix = name_suffix,
	  .doc = "Gives an account, one's own or another, a new password.",
	  .run = user_set_password_run },
	{ .name = "user.setup_local_administrator", .auth = AUTH_NONE,
	  .params = user_setup_params, .audit = "Set up local administrator",
	  .doc = "Makes the first administrator.", .run = user_setup_run },
	{ .name = "user.shell_choices", .kind = KIND_CHOICES,
	  .auth = AUTH_ROLE, .roles = choice_roles, .params = shell_params,
	  .result = &shells, .doc = "The login shells there are.",
	  .run = user_shells_run },
	{ .name = "user.unset_2fa_secret", .auth = AUTH_ROLE,
	  .roles = write_roles, .params = twofactor_unset_params,
	  .audit = "Unset two-factor authentication secret:",
	  .audit_suffix = twofactor_suffix,
	  .doc = "Takes the second factor of an account.",
	  .run = twofactor_unset_run },
	{ .name = "user.update", .kind = KIND_UPDATE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = update_params, .result = &answer,
	  .audit = "Update user", .audit_suffix = id_suffix,
	  .doc = "Changes an account.", .run = update_run },
	{ .name = "user.update_many", .own = true, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = user_update_many_params,
	  .audit = "Update users", .audit_suffix = ids_suffix,
	  .doc = "Locks accounts or says until when something holds, all of "
	  "them or none.", .run = user_update_many_run },
	METHOD_END
};

static const struct event events[] = {
	{ .name = "user.web_ui_login_disabled", .auth = AUTH_ROLE,
	  .doc = "Root can no longer log in with a password; who can." },
	EVENT_END
};

const struct resource user_resource = {
	.name = "user", .doc = "Accounts.", .kind = RESOURCE_CRUD,
	.role_prefix = "ACCOUNT", .guarded = true, .verbose_name = "User",
	.methods = methods, .events = events, .fields = user_fields,
	.check = check,
	.lookup = user_lookup, .extend = extend,
	.extended_from = extended_from, .shown_seconds = 60, .gather = user_gather,
	.beside = user_beside, .confirmed_by = &account_confirming,
	.changed = changed
};
/* clang-format on */
