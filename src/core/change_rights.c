/*
 * Nobody raises anybody above himself, and an administrator remains: what a
 * change would do to the rights of accounts, groups and privileges, whichever
 * method makes it and by whichever of its edits (design section 14).
 *
 * Whoever makes, changes or removes one of them has all that it grants before
 * and after.  Everybody may change what is his own as long as it gives him no
 * more.  A call without a session is of a method that looks itself at who may
 * (the setup code).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/call.h"
#include "core/change_internal.h"
#include "core/core.h"
#include "core/resource.h"
#include "core/rights.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/*
 * Entries that are a way in for the account whose id a member says.  Keys of
 * the API are looked at before they are made (api_key.c).
 */
static const struct {
	const char *resource, *account;
} ways_in[] = {
	{ "twofactor_secret", "id" },
};

/* --- Who may ------------------------------------------------------------- */

static bool
is_of(const struct edit *e, const char *resource)
{
	return strcmp(e->resource->name, resource) == 0;
}

/* The account that this one, or the way in, is; NULL: it is none. */
static const json_t *
account_of(const struct change *c, const struct edit *e, const json_t *entry)
{
	size_t i;

	if (is_of(e, "user"))
		return entry;
	for (i = 0; i < sizeof(ways_in) / sizeof(ways_in[0]); i++)
		if (is_of(e, ways_in[i].resource))
			return change_view(c, resource_find("user"),
			    json_int(entry, ways_in[i].account, -1));
	return NULL;
}

/* What the session lacks of one side of an edit, malloc'd; NULL: nothing. */
static char *
missing_of(
    const struct change *c, const struct edit *e, const json_t *entry, bool now)
{
	const struct session *s = c->call->session;
	const struct change *view = now ? NULL : c;
	const json_t *account;

	if (entry == NULL)
		return NULL;
	if (is_of(e, "privilege"))
		return rights_missing_privilege(s, entry);
	if (is_of(e, "group"))
		return rights_missing_group(s, view, entry);
	account = account_of(view, e, entry);
	return account != NULL ? rights_missing(s, view, account) : NULL;
}

/* His own, and it gives him no more than he has? */
static bool
is_self_service(const struct change *c, const struct edit *e)
{
	const json_t *before = account_of(NULL, e, e->before);
	const json_t *after = account_of(c, e, e->after);
	const struct session *s = c->call->session;

	if (e->before == NULL)
		before = after;
	if (e->after == NULL)
		after = before;
	return before != NULL && after != NULL && !s->readonly &&
	    json_int(before, "uid", -1) == (json_int_t)s->uid &&
	    strcmp(json_str(before, "username", ""), s->username) == 0 &&
	    !(is_of(e, "user") && (e->before == NULL || e->after == NULL)) &&
	    rights_equal(c, before, after);
}

/* --- Which attribute ------------------------------------------------------ */

static bool
is_nothing(const json_t *value)
{
	return value == NULL || json_is_null(value) || json_is_false(value) ||
	    (json_is_array(value) && json_array_size(value) == 0);
}

static bool
differs(const struct edit *e, const char *member)
{
	const json_t *before = json_object_get(e->before, member);
	const json_t *after = json_object_get(e->after, member);

	if (is_nothing(before) && is_nothing(after))
		return false;
	return before == NULL || after == NULL || !json_equal(before, after);
}

/*
 * What the call's entry is refused for: the first that grants something or
 * lets somebody in; otherwise the first that was sent.
 */
static const char *
attribute_of(const struct change *c, const struct edit *e)
{
	/* clang-format off */
	static const char *const grants[][2] = {
		{ "roles", "roles" }, { "web_shell", "web_shell" },
		{ "local_groups", "local_groups" },
		{ "sudo_commands", "sudo_commands" },
		{ "sudo_commands_nopasswd", "sudo_commands_nopasswd" },
		{ "groups", "groups" }, { "locked", "locked" },
		{ "password_disabled", "password_disabled" },
		{ "password_until", "password_until" },
		{ "unixhash", "password" }, { "sshpubkey", "sshpubkey" },
		{ "group", "group" },
	};
	/* clang-format on */
	json_t *data = (json_t *)(uintptr_t)c->data;
	size_t i;

	if (c->all != NULL)
		return NULL;
	if (c->verb == CHANGE_DELETE)
		return "id";
	if (e->resource != c->resource || e->id != c->id)
		return json_object_get(data, "users") != NULL ? "users" : NULL;
	for (i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
		if (differs(e, grants[i][0]))
			return grants[i][1];
	return json_object_iter_key(json_object_iter(data));
}

static void
check_edit(struct change *c, const struct edit *e)
{
	char *missing = missing_of(c, e, e->before, true);

	if (c->items != NULL && e->given != NULL)
		change_take(c, e);
	if (missing == NULL)
		missing = missing_of(c, e, e->after, false);
	if (missing != NULL && !is_self_service(c, e))
		verr_add_errno(c->errors, EPERM, attribute_of(c, e),
		    "This takes %s, which you do not have", missing);
	free(missing);
}

/* --- An administrator remains --------------------------------------------- */

static bool
somebody_administers(const struct change *c)
{
	json_t *users = change_view_all(c, resource_find("user")), *user;
	bool found = false;
	size_t i;

	json_array_foreach(users, i, user)
		if ((found = rights_administers(c, user)))
			break;
	json_decref(users);
	return found;
}

/* Might there be one less?  Groups and privileges are not looked into. */
static bool
takes_one(const struct change *c, const struct edit *e)
{
	if (is_of(e, "user"))
		return e->before != NULL &&
		    rights_administers(NULL, e->before) &&
		    (e->after == NULL || !rights_administers(c, e->after));
	return is_of(e, "privilege") || (is_of(e, "group") && e->after == NULL);
}

static void
check_last(struct change *c)
{
	const struct edit *taking = NULL;
	size_t i;

	for (i = 0; i < c->nedits && taking == NULL; i++)
		if (takes_one(c, &c->edits[i]))
			taking = &c->edits[i];
	if (taking != NULL && c->items != NULL && taking->given != NULL)
		change_take(c, taking);
	if (taking != NULL && !somebody_administers(c) &&
	    somebody_administers(NULL))
		verr_add(c->errors, attribute_of(c, taking),
		    "Nobody would be left who may do everything and can log "
		    "in with a password");
}

void
change_check_rights(struct change *c)
{
	const struct session *s = c->call->session;
	size_t i;

	if (c->resource->apply != NULL)
		return;
	for (i = 0; s != NULL && !s->full_admin && i < c->nedits; i++)
		if (!change_is_idle(c, &c->edits[i]))
			check_edit(c, &c->edits[i]);
	check_last(c);
}
