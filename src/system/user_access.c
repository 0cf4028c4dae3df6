/*
 * user.access: of each account who may log in, by which ways, and when it did
 * last.  All of it follows from the accounts, their keys and the settings of
 * SSH without its auxiliary parameters; nothing is kept for it.
 */
#include <errno.h>
#include <string.h>

#include "core/account.h"
#include "core/account_state.h"
#include "core/api_key.h"
#include "core/call.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/password.h"
#include "core/query.h"
#include "core/resource.h"
#include "lib/json.h"
#include "system/service.h"
#include "system/system.h"
#include "system/user.h"
#include "system/user_internal.h"

#define SSH "ssh" /* the service, and its settings */

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
	  "API_KEY, UNIX_SOCKET, SSH_PASSWORD, SSH_KEY, SSH_CERTIFICATE, "
	  "SSH_KERBEROS (where the realm has such a principal); none when "
	  "it is locked." },
	{ .name = "ways_off", .type = F_ARRAY, .fields = way,
	  .flags = FF_REQUIRED, .doc = "Those of SSH that it would have if "
	  "the service ran." },
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
	{ .name = "last_ways", .type = F_DICT, .flags = FF_REQUIRED,
	  .doc = "Of each way of logging in to the API when it was used last, "
	  "as far as that is known." },
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

/* Somebody signs certificates; whether one is for him, nobody knows. */
static bool
trusts_certificates(void)
{
	return json_array_size(json_object_get(
		   store_get(core_store(), "ssh", 1), "user_ca_keys")) > 0;
}

/* Whether they can do it is the alert KerberosLoginImpossible's to say. */
static bool
takes_tickets(void)
{
	return json_bool(
		   store_get(core_store(), "ssh", 1), "kerberosauth", false) &&
	    store_count(core_store(), "kerberos.realm") > 0 &&
	    store_count(core_store(), "kerberos.keytab") > 0;
}

/* Of the system's own, Holdfast knows no password: they have none as a rule. */
static bool
has_password(const json_t *stored)
{
	const char *hash = json_str(stored, "unixhash", NULL);
	int64_t max = password_max_age(NULL, stored);

	return !json_bool(stored, "password_disabled", false) && hash != NULL &&
	    strcmp(hash, USER_HASH_KEPT) != 0 &&
	    (max == -1 || password_age(stored) <= max);
}

static bool
has_api_key(const json_t *user)
{
	json_t *id;
	size_t i;

	json_array_foreach(json_object_get(user, "api_keys"), i, id)
		if (api_key_state(json_integer_value(id)) == API_KEY_GOOD)
			return true;
	return false;
}

static bool
contains(const json_t *list, const json_t *wanted)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_equal(item, wanted))
			return true;
	return false;
}

/* Is one of its groups among those that log in with passwords? */
static bool
in_password_group(const json_t *stored, const json_t *settings)
{
	json_t *names = json_object_get(settings, "password_login_groups");
	const json_t *group =
	    store_get(core_store(), "group", json_int(stored, "group", -1));
	json_t *id;
	size_t i;

	if (contains(names, json_object_get(group, "name")))
		return true;
	json_array_foreach(json_object_get(stored, "groups"), i, id) {
		group =
		    store_get(core_store(), "group", json_integer_value(id));
		if (contains(names, json_object_get(group, "name")))
			return true;
	}
	return false;
}

static bool
takes_password(const json_t *stored)
{
	const json_t *settings =
	    store_get(core_store(), SSH, resource_find(SSH)->entry);

	return json_bool(settings, "passwordauth", false) &&
	    (json_bool(stored, "ssh_password_enabled", false) ||
		in_password_group(stored, settings));
}

/* A lockout is of an address: only the lock that is stored closes all. */
static void
put_ways(json_t *access, const json_t *user, bool ssh_runs)
{
	const json_t *stored =
	    store_get(core_store(), "user", json_int(user, "id", -1));
	bool api = any(user, "roles"), password = has_password(stored);
	bool shell = account_has_shell(user);
	const struct {
		const char *name;
		bool open, ssh;
	} ways[] = {
		{ "WEB_PASSWORD", api && password, false },
		{ "API_KEY", api && has_api_key(user), false },
		{ "UNIX_SOCKET", api && account_runs_commands(user), false },
		{ "SSH_PASSWORD", password && shell && takes_password(stored),
		    true },
		{ "SSH_KEY", *json_str(user, "sshpubkey", "") != '\0' && shell,
		    true },
		{ "SSH_CERTIFICATE", shell && trusts_certificates(), true },
		{ "SSH_KERBEROS", shell && takes_tickets(), true },
	};
	json_t *open = json_array(), *off = json_array();
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].open && !json_bool(stored, "locked", false))
			json_array_append_new(
			    ways[i].ssh && !ssh_runs ? off : open,
			    json_string(ways[i].name));
	json_object_set_new(access, "ways", open);
	json_object_set_new(access, "ways_off", off);
}

static json_t *
last_ways(const json_t *last)
{
	json_t *dates = json_object(), *at;
	const char *name;

	json_object_foreach(json_object_get(last, "ways"), name, at)
		json_object_set_new(
		    dates, name, json_date(json_integer_value(at)));
	return dates;
}

static json_t *
access_of(const json_t *user, bool ssh_runs)
{
	json_t *last =
	    account_state_get(json_int(user, "id", -1), "last_login");
	int64_t at = json_int(last, "at", -1);
	json_t *access;

	access = json_pack(
	    "{s:O, s:O, s:O, s:O, s:b, s:O, s:O, s:o, s:o, s:s?}", "id",
	    json_object_get(user, "id"), "username",
	    json_object_get(user, "username"), "uid",
	    json_object_get(user, "uid"), "roles",
	    json_object_get(user, "roles"), "sudo",
	    any(user, "sudo_commands") || any(user, "sudo_commands_nopasswd"),
	    "second_factor", json_object_get(user, "twofactor_auth_configured"),
	    "locked", json_object_get(user, "locked"), "last_used",
	    at != -1 ? json_date(at) : json_null(), "last_ways",
	    last_ways(last), "last_origin", json_str(last, "origin", NULL));
	put_ways(access, user, ssh_runs);
	json_decref(last);
	return access;
}

static bool
runs(const json_t *entries, const char *name)
{
	json_t *service;
	size_t i;

	json_array_foreach(entries, i, service)
		if (strcmp(json_str(service, "service", ""), name) == 0)
			return strcmp(json_str(service, "state", ""),
				   "RUNNING") == 0;
	return false;
}

static void
services_known(json_t *entries, void *arg)
{
	struct call *call = arg;
	json_t *users, *user, *list = json_array();
	bool ssh_runs = runs(entries, SSH);
	size_t i;

	users = entry_shown_all(&user_resource, false);
	json_array_foreach(users, i, user)
		json_array_append_new(list, access_of(user, ssh_runs));
	json_decref(users);
	json_decref(entries);
	query_reply(call, list);
}

void
user_access_run(struct call *call)
{
	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else
		service_gather(services_known, call);
}
