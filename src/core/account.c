/*
 * Managed accounts: entries of the store's "user", as sessions see them and
 * as the monitor renders them.
 */
#include "core/account.h"

#include <stdlib.h>
#include <string.h>

#include "core/op.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define GID_ADMINISTRATORS 544 /* builtin_administrators */
#define GID_TRUENAS_ADMIN 950

static const json_t *
find(bool (*match)(const json_t *, const void *), const void *what)
{
	json_t *all, *user;
	const json_t *found = NULL;
	size_t i;

	if (core_store() == NULL)
		return NULL;
	all = store_list(core_store(), "user");
	json_array_foreach(all, i, user)
		if (match(user, what))
			found = store_get(
			    core_store(), "user", json_int(user, "id", 0));
	json_decref(all);
	return found;
}

static bool
has_name(const json_t *user, const void *name)
{
	return strcmp(json_str(user, "username", ""), name) == 0;
}

static bool
has_uid(const json_t *user, const void *what)
{
	const uid_t *uid = what;

	return json_int(user, "uid", -1) == (json_int_t)*uid;
}

const json_t *
account_by_name(const char *username)
{
	return find(has_name, username);
}

const json_t *
account_by_uid(uid_t uid)
{
	return find(has_uid, &uid);
}

/* Privileges of groups come later; the administrators' group is the first. */
static bool
is_administrator(const json_t *account)
{
	json_t *groups = json_object_get(account, "groups"), *gid;
	size_t i;

	json_array_foreach(groups, i, gid)
		if (json_integer_value(gid) == GID_ADMINISTRATORS)
			return true;
	return false;
}

struct session *
account_session(const json_t *account, const char *origin)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };

	if (!is_administrator(account) || json_bool(account, "locked", false))
		return NULL;
	return session_new(json_str(account, "username", ""),
	    (uid_t)json_int(account, "uid", -1), origin, CREDENTIAL_PASSWORD,
	    full);
}

struct session *
account_session_of_uid(uid_t uid, const char *origin)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	const json_t *account;
	struct session *s = NULL;

	if (uid == 0)
		return session_new(
		    "root", 0, origin, CREDENTIAL_UNIX_SOCKET, full);
	if ((account = account_by_uid(uid)) != NULL &&
	    (s = account_session(account, origin)) != NULL)
		s->credential = CREDENTIAL_UNIX_SOCKET;
	return s;
}

struct session *
account_session_again(const struct session *s, const char *origin)
{
	const json_t *account;

	if (s->parent != NULL)
		s = s->parent;
	if (session_internal(s))
		return account_session_of_uid(0, origin);
	account = account_by_name(s->username);
	/* Another one may have the name by now. */
	if (account == NULL || json_int(account, "uid", -1) != s->uid)
		return NULL;
	return account_session(account, origin);
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

struct installing {
	void (*done)(int, const char *, void *);
	void *arg;
};

static void
installed(const struct op_reply *reply, void *arg)
{
	struct installing *i = arg;

	i->done(reply->error, reply->text, i->arg);
	free(i);
}

static void
put_user(struct wire_out *out, const json_t *user)
{
	wire_put_str(out, json_str(user, "username", ""));
	wire_put_u32(out, (uint32_t)json_int(user, "uid", -1));
	wire_put_u32(out, (uint32_t)json_int(user, "gid", -1));
	wire_put_str(out, json_str(user, "full_name", ""));
	wire_put_str(out, json_str(user, "home", ""));
	wire_put_str(out, json_str(user, "shell", ""));
	wire_put_str(out, json_str(user, "unixhash", "*"));
}

void
account_install(
    const json_t *more, void (*done)(int, const char *, void *), void *arg)
{
	struct installing *installing = xcalloc(1, sizeof(*installing));
	struct wire_out out = { 0 };
	json_t *users = store_list(core_store(), "user"), *user;
	size_t i;

	if (more != NULL)
		json_array_append(users, (json_t *)(uintptr_t)more);
	wire_put_u32(&out, (uint32_t)json_array_size(users));
	json_array_foreach(users, i, user)
		put_user(&out, user);
	wire_put_u32(&out, 2);
	wire_put_str(&out, "builtin_administrators");
	wire_put_u32(&out, GID_ADMINISTRATORS);
	wire_put_u32(&out, (uint32_t)json_array_size(users));
	json_array_foreach(users, i, user)
		wire_put_str(&out, json_str(user, "username", ""));
	wire_put_str(&out, "truenas_admin");
	wire_put_u32(&out, GID_TRUENAS_ADMIN);
	wire_put_u32(&out, 0);
	installing->done = done;
	installing->arg = arg;
	op_request(MSG_OP_INSTALL_ACCOUNTS, &out, -1, installed, installing);
	wire_free(&out);
	json_decref(users);
}
