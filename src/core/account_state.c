/*
 * What is kept of accounts beside their configuration: see account_state.h.
 */
#include "core/account_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/seal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define PREFIX "account/"

/* By the account's id as text: its members. */
static json_t *accounts;
static const struct store *loaded;

/* A copy of the store that has another key: nothing of it is believed. */
static json_t *
open_value(const char *name, const char *sealed)
{
	char *text = unseal_at(name, sealed);
	json_t *value = NULL;

	if (text != NULL)
		value = json_parse(text, strlen(text), NULL);
	freezero_str(text);
	if (value == NULL)
		log_warn("account.state", "%s does not open", name);
	return value;
}

static json_t *
members_of(const char *id)
{
	json_t *members = json_object_get(accounts, id);

	if (members == NULL) {
		members = json_object();
		json_object_set_new(accounts, id, members);
	}
	return members;
}

/* rest: "7/failures". */
static void
remember(const char *rest, const char *sealed)
{
	const char *slash = strchr(rest, '/');
	char *id, *name;
	json_t *value;

	if (slash == NULL)
		return;
	id = xstrndup(rest, (size_t)(slash - rest));
	name = xasprintf(PREFIX "%s", rest);
	if ((value = open_value(name, sealed)) != NULL)
		json_object_set_new(members_of(id), slash + 1, value);
	free(name);
	free(id);
}

static void
load(void)
{
	json_t *values, *value;
	const char *rest;

	if (loaded == core_store())
		return;
	json_decref(accounts);
	accounts = json_object();
	loaded = core_store();
	if (loaded == NULL)
		return;
	values = store_values(core_store(), PREFIX);
	json_object_foreach(values, rest, value)
		remember(rest, json_string_value(value));
	json_decref(values);
}

static void
id_text(int64_t id, char text[static 24])
{
	snprintf(text, 24, "%" PRId64, id);
}

json_t *
account_state_get(int64_t user_id, const char *member)
{
	char id[24];

	load();
	id_text(user_id, id);
	return json_incref(
	    json_object_get(json_object_get(accounts, id), member));
}

static int
write_through(const char *id, const char *member, const json_t *value)
{
	char *name = xasprintf(PREFIX "%s/%s", id, member);
	char *text = NULL, *sealed = NULL;
	int result;

	if (value != NULL) {
		text = json_text(value);
		sealed = seal_at(name, text);
	}
	result = store_set_value(core_store(), name, sealed);
	freezero_str(text);
	free(sealed);
	free(name);
	return result;
}

int
account_state_set(int64_t user_id, const char *member, json_t *value)
{
	char id[24];
	int result = -1;

	load();
	id_text(user_id, id);
	if (loaded == NULL)
		errno = EIO;
	else if (value != NULL &&
	    store_get(core_store(), "user", user_id) == NULL)
		errno = ENOENT;
	else if (value == NULL &&
	    json_object_get(json_object_get(accounts, id), member) == NULL)
		result = 0;
	else
		result = write_through(id, member, value);
	if (result == 0 && value != NULL)
		json_object_set(members_of(id), member, value);
	else if (result == 0)
		json_object_del(json_object_get(accounts, id), member);
	json_decref(value);
	return result;
}

void
account_state_each(const char *member,
    void (*each)(int64_t, const json_t *, void *), void *arg)
{
	json_t *members, *value;
	const char *id;

	load();
	json_object_foreach(accounts, id, members) {
		value = json_object_get(members, member);
		if (value != NULL)
			each(strtoll(id, NULL, 10), value, arg);
	}
}

void
account_state_review(void)
{
	json_t *members, *value;
	const char *id, *member;
	void *next, *n;

	load();
	json_object_foreach_safe(accounts, next, id, members)
	{
		if (store_get(core_store(), "user", strtoll(id, NULL, 10)) !=
		    NULL)
			continue;
		/* What cannot be removed now is at the next start. */
		json_object_foreach_safe(members, n, member, value)
		    write_through(id, member, NULL);
		json_object_del(accounts, id);
	}
}
