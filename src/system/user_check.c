/*
 * The rules of user.* across fields: what may be changed of whom, and what
 * fits into the account files.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/change.h"
#include "core/core.h"
#include "core/entry.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/account_number.h"
#include "system/group.h"
#include "system/sudo.h"
#include "system/system.h"
#include "system/user.h"
#include "system/user_internal.h"

#define FIXED "This attribute cannot be changed"

/* Is the member another one than before, or new? */
static bool
differs(const struct change *c, const char *member)
{
	return c->before == NULL ||
	    !json_equal(json_object_get(c->before, member),
		json_object_get(c->after, member));
}

/* --- Whose it is ---------------------------------------------------------- */

/* Of the system's own, the groups of ours that they are in. */
static void
check_foreign(struct change *c)
{
	json_t *changed =
	    schema_changed(user_resource.fields, c->before, c->after);
	json_t *name;
	size_t i;

	json_array_foreach(changed, i, name)
		if (strcmp(json_string_value(name), "groups") != 0)
			verr_add(c->errors, json_string_value(name), FIXED);
	json_decref(changed);
	if (user_password_of(c) != NULL)
		verr_add(c->errors, "password", FIXED);
}

static void
check_immutable(struct change *c)
{
	static const char *const fixed[] = { "username", "home", "group",
		"smb" };
	static const char *const sent[] = { "home_create", "home_mode" };
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (differs(c, fixed[i]))
			verr_add(c->errors, fixed[i], FIXED);
	for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		if (json_object_get(c->data, sent[i]) != NULL)
			verr_add(c->errors, sent[i], FIXED);
}

/* --- What fits ------------------------------------------------------------ */

/* A field of passwd(5). */
static void
check_line(struct change *c, const char *member)
{
	const char *text = json_str(c->after, member, ""), *at;

	if (!differs(c, member))
		return;
	if (text[0] == '\0')
		verr_add(c->errors, member,
		    "String should have at least 1 character");
	if (strlen(text) > USER_LINE_MAX)
		verr_add(c->errors, member, "At most %d bytes are possible",
		    USER_LINE_MAX);
	for (at = text; *at != '\0'; at++) {
		if (*at == ':')
			verr_add(c->errors, member,
			    "The ':' character is not allowed.");
		else if ((unsigned char)*at < ' ' || *at == 127)
			verr_add(c->errors, member,
			    "Control characters are not allowed.");
		else
			continue;
		return;
	}
}

static void
check_uid(struct change *c)
{
	int64_t uid = json_int(c->after, "uid", -1), holder;

	if (c->verb != CHANGE_CREATE || uid == -1)
		return;
	holder = user_of_uid(uid);
	if (account_number_is_system(uid) && holder == -1)
		verr_add(c->errors, "uid",
		    "Numbers below %d, 65534 and 65535 are the system's",
		    NUMBER_LEAST);
}

static void
check_rename(struct change *c)
{
	if (c->before != NULL && differs(c, "username") &&
	    strcmp(json_str(c->before, "unixhash", ""), USER_HASH_KEPT) == 0 &&
	    user_password_of(c) == NULL)
		verr_add(c->errors, "username",
		    "Its password is known to the account files alone, by its "
		    "name: give it a new one as well");
}

/* --- Groups --------------------------------------------------------------- */

static bool
has_id(const json_t *list, int64_t id)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_integer_value(item) == id)
			return true;
	return false;
}

/* Why nobody is put into that group, or taken out of it; NULL: one may. */
static bool
is_fixed_group(int64_t id)
{
	const json_t *group = store_get(core_store(), "group", id);

	return group != NULL && !group_is_rendered(group);
}

static void
refuse_member(struct change *c, const char *attribute, int64_t id)
{
	const json_t *group = store_get(core_store(), "group", id);

	verr_add(c->errors, attribute,
	    "%s: membership of this builtin group may not be altered.",
	    json_str(group, "name", ""));
}

/* One of each; what is wrong goes, once it is told. */
static void
check_groups(struct change *c)
{
	json_t *given = json_object_get(c->after, "groups"), *item;
	json_t *former = json_object_get(c->before, "groups");
	json_t *kept = json_array();
	char attribute[32];
	int64_t id;
	size_t i;

	json_array_foreach(given, i, item) {
		id = json_integer_value(item);
		snprintf(attribute, sizeof(attribute), "groups.%zu", i);
		if (change_view(c, &group_resource, id) == NULL)
			verr_add(
			    c->errors, attribute, "This group does not exist.");
		else if (is_fixed_group(id) && !has_id(former, id))
			refuse_member(c, attribute, id);
		else if (!has_id(kept, id))
			json_array_append(kept, item);
	}
	json_array_foreach(former, i, item) {
		id = json_integer_value(item);
		if (is_fixed_group(id) && !has_id(kept, id))
			refuse_member(c, "groups", id);
	}
	json_object_set_new(c->after, "groups", kept);
}

/* The one of its name, or a new one. */
static void
make_group(struct change *c)
{
	const char *name = json_str(c->after, "username", "");
	int64_t id = group_of_name(name);
	struct edit *e;

	if (id == -1) {
		e = change_add(c, &group_resource, -1);
		json_object_set_new(e->after, "name", json_string(name));
		json_object_set_new(e->after, "smb", json_false());
		json_object_del(e->after, "users");
		id = e->id;
	} else if (json_bool(store_get(core_store(), "group", id), "builtin",
		       false)) {
		/* A name that is taken is told of the name. */
		if (user_of_name(name) == -1)
			verr_add_errno(c->errors, EEXIST, "group_create",
			    "The group \"%s\" is the system's", name);
		return;
	}
	json_object_set_new(c->after, "group", json_integer(id));
}

static void
check_group(struct change *c)
{
	bool create = c->verb == CHANGE_CREATE &&
	    json_bool(c->data, "group_create", false);
	int64_t id = json_int(c->after, "group", -1);

	if (create == (id != -1))
		verr_add(c->errors, "group",
		    "Enter either a group name or create a new group to "
		    "continue.");
	else if (create)
		make_group(c);
	else if (change_view(c, &group_resource, id) == NULL) {
		verr_add_errno(c->errors, ENOENT, "group",
		    "Group %lld not found", (long long)id);
		json_object_set_new(c->after, "group", json_null());
	} else if (differs(c, "group") && is_fixed_group(id))
		refuse_member(c, "group", id);
}

/* --- Removal -------------------------------------------------------------- */

/*
 * The monitor removes nobody whose password is not ours: that is how it tells
 * an adoption that is taken back.
 */
static void
check_kept(struct change *c)
{
	if (strcmp(json_str(c->before, "unixhash", ""), USER_HASH_KEPT) == 0 &&
	    !json_bool(c->before, "password_disabled", false))
		verr_add(c->errors, "id",
		    "Its password is still the one from before it was "
		    "adopted: disable the password, then remove the account");
}

/* Its primary group goes with it when nobody else is in it. */
static void
check_delete(struct change *c)
{
	int64_t id = json_int(c->before, "group", -1);
	const json_t *group = store_get(core_store(), "group", id);
	json_t *users, *user;
	bool used = false;
	size_t i;

	if (!json_bool(c->data, "delete_group", true) || group == NULL ||
	    json_bool(group, "builtin", false))
		return;
	users = change_view_all(c, &user_resource);
	json_array_foreach(users, i, user)
		used = used || json_int(user, "group", -1) == id ||
		    has_id(json_object_get(user, "groups"), id);
	json_decref(users);
	if (!used)
		group_remove(c, id);
}

static void
check_own(struct change *c)
{
	check_line(c, "full_name");
	user_home_check(c);
	sudo_check(c);
	check_uid(c);
	check_rename(c);
	check_groups(c);
	check_group(c);
}

void
user_check(struct change *c)
{
	if (c->verb == CHANGE_DELETE) {
		if (c->all == NULL) {
			check_kept(c);
			check_delete(c);
		}
		return;
	}
	/* What was sent is gone once it is stored: many have it no more. */
	if (c->all == NULL)
		user_password_check(c);
	if (c->before != NULL && user_is_foreign(c->before)) {
		check_foreign(c);
		check_groups(c);
	} else if (c->before != NULL && user_is_immutable(c->before)) {
		check_immutable(c);
		check_line(c, "full_name");
		user_home_check(c);
		sudo_check(c);
		check_groups(c);
	} else
		check_own(c);
	user_until_check(c);
}
