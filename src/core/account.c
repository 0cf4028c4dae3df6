/*
 * Managed accounts: entries of the store's "user", as sessions see them.
 */
#include "core/account.h"

#include <stdlib.h>
#include <string.h>

#include "core/api_key.h"
#include "core/entry.h"
#include "core/resource.h"
#include "core/token.h"
#include "lib/json.h"
#include "lib/transfer.h"
#include "lib/xalloc.h"

/* By a member that is unique; borrowed. */
static const json_t *
find(const char *member, json_t *value)
{
	int64_t id = -1;

	if (core_store() != NULL)
		id = entry_by(resource_find("user"), member, value);
	json_decref(value);
	return id != -1 ? store_get(core_store(), "user", id) : NULL;
}

const json_t *
account_by_name(const char *username)
{
	return find("username", json_string(username));
}

const json_t *
account_by_uid(uid_t uid)
{
	return find("uid", json_integer(uid));
}

json_int_t
account_gid(const json_t *account, uid_t uid)
{
	const json_t *group = NULL;

	if (core_store() != NULL)
		group = store_get(
		    core_store(), "group", json_int(account, "group", -1));
	return json_int(group, "gid", (json_int_t)uid);
}

bool
account_has_shell(const json_t *account)
{
	const char *name = strrchr(json_str(account, "shell", ""), '/');

	return name != NULL && strcmp(name, "/nologin") != 0 &&
	    strcmp(name, "/false") != 0;
}

bool
account_runs_commands(const json_t *account)
{
	return account_has_shell(account) &&
	    strcmp(json_str(account, "shell", ""), TRANSFER_SHELL) != 0;
}

bool
account_is_administrator(const json_t *account)
{
	struct granted granted;

	rights_granted(account, &granted);
	return role_set_has(&granted.roles, "FULL_ADMIN");
}

/*
 * What tokens rest on: when one of these is not what it was, they are void.
 */
static void
set_stamp(struct session *s, const json_t *account)
{
	static const char *const members[] = { "username", "uid", "unixhash",
		"password_disabled", "locked" };
	json_t *all = json_pack("{s:o, s:b}", "roles", role_set_json(&s->roles),
	    "web_shell", s->web_shell);
	char *text;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_object_set(
		    all, members[i], json_object_get(account, members[i]));
	text = json_text_sorted(all);
	token_hash(text, s->stamp);
	freezero_str(text);
	json_decref(all);
}

struct session *
account_session(const json_t *account, const char *origin)
{
	struct granted granted;
	struct session *s;

	if (account == NULL || json_bool(account, "locked", false) ||
	    !rights_granted(account, &granted))
		return NULL;
	s = session_new(json_str(account, "username", ""),
	    (uid_t)json_int(account, "uid", -1), origin, CREDENTIAL_PASSWORD,
	    NULL);
	session_grant(s, &granted.roles, granted.web_shell);
	set_stamp(s, account);
	return s;
}

struct session *
account_session_of_uid(uid_t uid, const char *origin)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	struct session *s;

	if (uid == 0)
		return session_new(
		    "root", 0, origin, CREDENTIAL_UNIX_SOCKET, full);
	s = account_session(account_by_uid(uid), origin);
	if (s != NULL)
		s->credential = CREDENTIAL_UNIX_SOCKET;
	return s;
}

struct session *
account_session_again(const struct session *s, const char *origin)
{
	const struct session *maker = s->parent != NULL ? s->parent : s;
	struct session *again = NULL;
	const json_t *account;

	if (maker->credential == CREDENTIAL_API_KEY &&
	    api_key_state(maker->api_key) != API_KEY_GOOD)
		return NULL;
	if (session_internal(maker))
		again = account_session_of_uid(0, origin);
	else {
		account = account_by_name(maker->username);
		/* Another one may have the name by now. */
		if (json_int(account, "uid", -1) == maker->uid)
			again = account_session(account, origin);
	}
	if (again != NULL && s->readonly)
		session_become_readonly(again);
	return again;
}

bool
account_administrator_set_up(void)
{
	char *value = NULL;
	bool set_up;

	if (core_store() != NULL)
		value = store_value(core_store(), "administrator");
	set_up = value != NULL;
	free(value);
	return set_up;
}
