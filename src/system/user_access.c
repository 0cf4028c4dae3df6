/*
 * user.access: of each account who may log in, by which ways, and when it did
 * last.  All of it follows from the accounts; nothing is kept for it.
 */
#include <errno.h>
#include <string.h>

#include "core/account_state.h"
#include "core/call.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/query.h"
#include "lib/json.h"
#include "system/system.h"
#include "system/user.h"
#include "system/user_internal.h"

/* clang-format off */
static const struct field way[] = {
	{ .name = "way", .type = F_STR }, FIELD_END
};
static const struct field entry_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the account." },
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Its name." },
	{ .name = "uid", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Its number." },
	{ .name = "ways", .type = F_ARRAY, .fields = way,
	  .flags = FF_REQUIRED, .doc = "How it may come in: WEB_PASSWORD, "
	  "API_KEY, UNIX_SOCKET, SSH_PASSWORD, SSH_KEY; none when it is "
	  "locked." },
	{ .name = "roles", .type = F_ARRAY, .fields = way,
	  .flags = FF_REQUIRED, .doc = "What it may do then." },
	{ .name = "sudo", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "May it run commands of its own as root?" },
	{ .name = "second_factor", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Has it a second factor?" },
	{ .name = "locked", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is it locked?" },
	{ .name = "last_used", .type = F_ANY,
	  .flags = FF_REQUIRED | FF_NULL | FF_DATE,
	  .doc = "When it logged in last; null: not known." },
	{ .name = "last_origin", .type = F_STR,
	  .flags = FF_REQUIRED | FF_NULL, .doc = "From where." },
	FIELD_END
};
static const struct field entry = { .name = "item", .type = F_OBJECT,
	.fields = entry_fields, .doc = "An account." };
const struct field user_access_list = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .flags = FF_REQUIRED, .doc = "The accounts." };
/* clang-format on */

static bool
any(const json_t *user, const char *member)
{
	return json_array_size(json_object_get(user, member)) > 0;
}

/* A shell that lets nobody in: nologin(8), false(1). */
static bool
has_shell(const json_t *user)
{
	const char *shell = json_str(user, "shell", "");
	const char *name = strrchr(shell, '/');

	return name != NULL && strcmp(name, "/nologin") != 0 &&
	    strcmp(name, "/false") != 0;
}

/* Of the system's own, Holdfast knows no password: they have none as a rule. */
static bool
has_password(const json_t *user)
{
	const json_t *stored =
	    store_get(core_store(), "user", json_int(user, "id", -1));
	const char *hash = json_str(stored, "unixhash", NULL);

	return !json_bool(user, "password_disabled", false) && hash != NULL &&
	    strcmp(hash, USER_HASH_KEPT) != 0;
}

static json_t *
ways_of(const json_t *user)
{
	bool api = any(user, "roles"), password = has_password(user);
	const char *keys = json_str(user, "sshpubkey", "");
	const struct {
		const char *name;
		bool open;
	} ways[] = {
		{ "WEB_PASSWORD", api && password },
		{ "API_KEY", api && any(user, "api_keys") },
		{ "UNIX_SOCKET", api && has_shell(user) },
		{ "SSH_PASSWORD",
		    password && has_shell(user) &&
			json_bool(user, "ssh_password_enabled", false) },
		{ "SSH_KEY", *keys != '\0' && has_shell(user) },
	};
	json_t *open = json_array();
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].open && !json_bool(user, "locked", false))
			json_array_append_new(open, json_string(ways[i].name));
	return open;
}

static json_t *
access_of(const json_t *user)
{
	json_t *last =
	    account_state_get(json_int(user, "id", -1), "last_login");
	int64_t at = json_int(last, "at", -1);
	json_t *access;

	access = json_pack(
	    "{s:O, s:O, s:O, s:o, s:O, s:b, s:O, s:O, s:o, s:s?}", "id",
	    json_object_get(user, "id"), "username",
	    json_object_get(user, "username"), "uid",
	    json_object_get(user, "uid"), "ways", ways_of(user), "roles",
	    json_object_get(user, "roles"), "sudo",
	    any(user, "sudo_commands") || any(user, "sudo_commands_nopasswd"),
	    "second_factor", json_object_get(user, "twofactor_auth_configured"),
	    "locked", json_object_get(user, "locked"), "last_used",
	    at != -1 ? json_date(at) : json_null(), "last_origin",
	    json_str(last, "origin", NULL));
	json_decref(last);
	return access;
}

void
user_access_run(struct call *call)
{
	json_t *users, *user, *list;
	size_t i;

	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	users = entry_shown_all(&user_resource, false);
	list = json_array();
	json_array_foreach(users, i, user)
		json_array_append_new(list, access_of(user));
	json_decref(users);
	query_reply(call, list);
}
