/*
 * group.*: the groups of the machine.  Those that the system brings along are
 * entries too, built-in ones; they are read from the group file at start and
 * left as they are.
 *
 * Who is in a group is a member of the users' entries; a group shows it, and
 * an update of it edits them.
 */
#include "system/group_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/entry.h"
#include "core/query.h"
#include "core/sessions.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/account_number.h"
#include "system/sudo.h"
#include "system/system.h"
#include "system/twofactor.h"

#define NAME_MAX_LENGTH 255

/* clang-format off */
/* Of TrueNAS: what Holdfast adds to Debian's; their members can be changed. */
static const int64_t own_gids[] = { 445, 544, 545, 546, 568, 950, 951, 952 };

static const struct field sudo_command[] = {
	{ .name = "command", .type = F_STR, .min = 1, .max = STRING_MAX },
	FIELD_END
};

static const struct field number[] = {
	{ .name = "id", .type = F_INT }, FIELD_END
};

static const struct field group_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "gid", .type = F_INT, .def = "null",
	  .flags = FF_NULL | FF_CREATE | FF_UNIQUE, .min = 0, .max = NUMBER_MAX,
	  .label = "GID", .doc = "Its number; null: the next free one." },
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED | FF_UNIQUE,
	  .min = 1, .max = NAME_MAX_LENGTH,
	  /* Digits alone would be another group to who asks for a number. */
	  .pattern = "([0-9]*[A-Za-z_.]|[0-9]+-)[A-Za-z0-9_.-]*",
	  .pattern_message = "Value error, Valid characters are letters, "
	  "digits, \"_\", \"-\" and \".\", \"-\" not as the first, and not "
	  "digits alone",
	  .label = "Name", .doc = "Its name." },
	{ .name = "builtin", .type = F_BOOL, .def = "false",
	  .flags = FF_READONLY | FF_KEPT, .doc = "Does it come with the system?" },
	{ .name = "sudo_commands", .type = F_ARRAY, .fields = sudo_command,
	  .def = "[]", .flags = FF_GRANTS, .label = "Allowed Sudo Commands",
	  .doc = "Commands that members may run with sudo." },
	{ .name = "sudo_commands_nopasswd", .type = F_ARRAY,
	  .fields = sudo_command, .def = "[]", .flags = FF_GRANTS,
	  .label = "Allowed Sudo Commands (No Password)",
	  .doc = "The same, without asking for the password." },
	/* Kept for the SMB service; both values are right until it comes. */
	{ .name = "smb", .type = F_BOOL, .def = "true",
	  .label = "SMB Group", .doc = "May it stand in ACLs of SMB shares?" },
	{ .name = "userns_idmap", .type = F_INT_OR_STR, .def = "null",
	  .flags = FF_NULL | FF_UNBUILT,
	  .doc = "The id that containers see: DIRECT, or a number." },
	{ .name = "users", .type = F_ARRAY, .fields = number, .def = "[]",
	  .flags = FF_GRANTS, .label = "Members", .doc = "Ids of the users in it." },
	TWOFACTOR_MACHINE_ROW("Are its members programs?  Then keys that "
	    "from= or command= restrict do without a second factor."),
	{ .name = "group", .type = F_STR, .flags = FF_READONLY,
	  .doc = "Its name once more." },
	{ .name = "local", .type = F_BOOL, .flags = FF_READONLY,
	  .doc = "Is it this machine's, not a directory's?" },
	{ .name = "sid", .type = F_STR, .flags = FF_READONLY | FF_NULL,
	  .doc = "Its security identifier for SMB." },
	{ .name = "roles", .type = F_ARRAY, .flags = FF_READONLY,
	  .doc = "The roles that its members have." },
	{ .name = "immutable", .type = F_BOOL, .flags = FF_READONLY,
	  .doc = "Can nothing of it be changed?" },
	IF_REVISION_ROW,
	LOCKOUT_ROW,
	FIELD_END
};

static const struct field create_params[] = {
	{ .name = "group_create", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = group_fields, .model = "GroupCreate",
	  .doc = "The new group." },
	FIELD_END
};

static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the group." },
	{ .name = "group_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = group_fields, .model = "GroupUpdate",
	  .doc = "What to change of it." },
	FIELD_END
};

static const struct field delete_options[] = {
	{ .name = "delete_users", .type = F_BOOL, .def = "false",
	  .doc = "Remove the users whose primary group it is as well." },
	LOCKOUT_ROW,
	FIELD_END
};

static const struct field delete_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the group." },
	{ .name = "options", .type = F_OBJECT, .fields = delete_options,
	  .model = "GroupDeleteOptions", .def = "{}",
	  .doc = "What goes with it." },
	FIELD_END
};

static const struct field obj_options[] = {
	{ .name = "groupname", .type = F_STR, .def = "null", .flags = FF_NULL,
	  .doc = "The name to look for." },
	{ .name = "gid", .type = F_INT, .def = "null", .flags = FF_NULL,
	  .doc = "Or the number." },
	{ .name = "sid_info", .type = F_BOOL, .def = "false",
	  .doc = "Return the security identifier too." },
	FIELD_END
};

static const struct field obj_params[] = {
	{ .name = "get_group_obj", .type = F_OBJECT, .fields = obj_options,
	  .model = "GroupGetGroupObjArgs", .def = "{}",
	  .doc = "Which group." },
	FIELD_END
};

static const struct field password_params[] = {
	{ .name = "gids", .type = F_ARRAY, .fields = number,
	  .flags = FF_REQUIRED, .doc = "Numbers of groups." },
	{ .name = "exclude_user_ids", .type = F_ARRAY, .fields = number,
	  .def = "[]", .doc = "Users that do not count." },
	FIELD_END
};

static const struct field entry = { .name = "result", .type = F_OBJECT,
	.fields = group_fields, .model = "GroupEntry", .doc = "The group." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .doc = "The groups." };
static const struct field integer = { .name = "result", .type = F_INT,
	.flags = FF_REQUIRED, .doc = "The number." };
static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Is there one?" };
static const struct field object = { .name = "result", .type = F_DICT,
	.doc = "The group as getgrnam(3) has it." };
/* clang-format on */

static bool
is_own_gid(int64_t gid)
{
	size_t i;

	for (i = 0; i < sizeof(own_gids) / sizeof(own_gids[0]); i++)
		if (own_gids[i] == gid)
			return true;
	return false;
}

bool
group_is_rendered(const json_t *group)
{
	return !json_bool(group, "builtin", false) ||
	    is_own_gid(json_int(group, "gid", -1));
}

int64_t
group_of_name(const char *name)
{
	json_t *value = json_string(name);
	int64_t id = entry_by(&group_resource, "name", value);

	json_decref(value);
	return id;
}

int64_t
group_of_gid(int64_t gid)
{
	json_t *value = json_integer(gid);
	int64_t id = entry_by(&group_resource, "gid", value);

	json_decref(value);
	return id;
}

bool
group_is_immutable(const json_t *group)
{
	return json_bool(group, "builtin", false) &&
	    !is_own_gid(json_int(group, "gid", -1));
}

/* --- What an entry shows -------------------------------------------------- */

/* Users by the group that they are in: made anew when a user was changed. */
static const json_t *
users_by_group(void)
{
	static json_t *by_group;
	static uint64_t made_of;
	uint64_t generation = store_generation(core_store(), "user");
	json_t *users, *user, *id, *list;
	char key[24];
	size_t i, j;

	if (by_group != NULL && made_of == generation)
		return by_group;
	json_decref(by_group);
	by_group = json_object();
	made_of = generation;
	users = store_list(core_store(), "user");
	json_array_foreach(users, i, user)
		json_array_foreach(json_object_get(user, "groups"), j, id) {
			snprintf(key, sizeof(key), "%lld",
			    (long long)json_integer_value(id));
			list = json_object_get(by_group, key);
			if (list == NULL) {
				list = json_array();
				json_object_set_new(by_group, key, list);
			}
			json_array_append(list, json_object_get(user, "id"));
		}
	json_decref(users);
	return by_group;
}

/* Of the group with that id; a new reference. */
static json_t *
members_of(int64_t id)
{
	char key[24];
	json_t *list;

	snprintf(key, sizeof(key), "%lld", (long long)id);
	list = json_object_get(users_by_group(), key);
	return list != NULL ? json_incref(list) : json_array();
}

static void
extend(json_t *group)
{
	json_object_set(group, "group", json_object_get(group, "name"));
	json_object_set_new(group, "local", json_true());
	json_object_set_new(group, "sid", json_null());
	json_object_set_new(
	    group, "roles", account_roles_of_group(json_int(group, "gid", -1)));
	json_object_set_new(
	    group, "users", members_of(json_int(group, "id", 0)));
	json_object_set_new(
	    group, "immutable", json_boolean(group_is_immutable(group)));
}

/* --- What a change may do ------------------------------------------------- */

static const struct account_numbers numbers = { &group_resource, "gid",
	"group.next_gid" };

int64_t
group_next_gid(int64_t after)
{
	return account_number_next(&numbers, after);
}

void
group_remove(struct change *c, int64_t id)
{
	const json_t *group = change_view(c, &group_resource, id);

	account_number_keep(&numbers, json_int(group, "gid", -1), c->errors);
	change_remove(c, &group_resource, id);
}

static void
check_gid(struct change *c)
{
	int64_t gid = json_int(c->after, "gid", -1);

	if (gid != -1 && account_number_is_system(gid) &&
	    group_of_gid(gid) == -1)
		verr_add(c->errors, "gid",
		    "Numbers below %d, 65534 and 65535 are the system's",
		    NUMBER_LEAST);
}

static bool
contains(const json_t *list, int64_t id)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_integer_value(item) == id)
			return true;
	return false;
}

static void
set_member(struct change *c, int64_t user, bool member)
{
	struct edit *e = change_edit(c, &user_resource, user);
	json_t *groups, *id;
	size_t i;

	if (e == NULL)
		return;
	groups = json_object_get(e->after, "groups");
	if (member && !contains(groups, c->id))
		json_array_append_new(groups, json_integer(c->id));
	for (i = json_array_size(groups); !member && i-- > 0;) {
		id = json_array_get(groups, i);
		if (json_integer_value(id) == c->id)
			json_array_remove(groups, i);
	}
}

/* The list becomes edits of the users in it, now or before. */
static void
check_users(struct change *c, const json_t *wanted)
{
	json_t *before = members_of(c->id), *item;
	char *absent = change_missing(c, &user_resource, wanted);
	size_t i;

	if (absent != NULL)
		verr_add(c->errors, "users", "Following users do not exist: %s",
		    absent);
	else {
		json_array_foreach(before, i, item)
			if (!contains(wanted, json_integer_value(item)))
				set_member(c, json_integer_value(item), false);
		json_array_foreach(wanted, i, item)
			set_member(c, json_integer_value(item), true);
	}
	free(absent);
	json_decref(before);
}

static void
check_builtin(struct change *c)
{
	if (group_is_immutable(c->before))
		verr_add(c->errors, "id", "Immutable groups cannot be changed");
	else if (json_bool(c->before, "builtin", false) &&
	    !json_equal(json_object_get(c->before, "name"),
		json_object_get(c->after, "name")))
		verr_add(
		    c->errors, "name", "A built-in group cannot be renamed");
}

/* The name of a privilege that the group has, malloc'd; NULL: it has none. */
static char *
privilege_of(const json_t *group)
{
	json_t *all = store_list(core_store(), "privilege"), *privilege;
	char *name = NULL;
	size_t i;

	json_array_foreach(all, i, privilege)
		if (name == NULL &&
		    contains(json_object_get(privilege, "local_groups"),
			json_int(group, "gid", -1)))
			name = xstrdup(json_str(privilege, "name", ""));
	json_decref(all);
	return name;
}

/* Users whose primary group goes: with it, or on to nogroup. */
static void
check_primary(struct change *c)
{
	bool remove = json_bool(c->data, "delete_users", false);
	json_t *users = store_list(core_store(), "user"), *user;
	int64_t nogroup = group_of_gid(NUMBER_NOBODY), id;
	struct edit *e;
	size_t i;

	json_array_foreach(users, i, user) {
		if (json_int(user, "group", -1) != c->id)
			continue;
		id = json_int(user, "id", -1);
		if (remove && json_bool(user, "immutable", false))
			verr_add(c->errors, "options.delete_users",
			    "%s cannot be removed",
			    json_str(user, "username", ""));
		else if (remove)
			change_remove(c, &user_resource, id);
		else if ((e = change_edit(c, &user_resource, id)) != NULL)
			json_object_set_new(
			    e->after, "group", json_integer(nogroup));
	}
	json_decref(users);
}

static void
check(struct change *c)
{
	json_t *users;

	if (c->verb == CHANGE_DELETE) {
		check_primary(c);
		if (!verr_any(c->errors))
			account_number_keep(&numbers,
			    json_int(c->before, "gid", -1), c->errors);
		return;
	}
	if (c->verb == CHANGE_CREATE)
		check_gid(c);
	else
		check_builtin(c);
	sudo_check(c);
	users = json_incref(json_object_get(c->after, "users"));
	json_object_del(c->after, "users");
	if (users != NULL && json_object_get(c->data, "users") != NULL &&
	    !verr_any(c->errors))
		check_users(c, users);
	json_decref(users);
}

static void
lookup(struct change *c)
{
	sudo_lookup(c, group_lookup);
}

static void
changed(void)
{
	sessions_review();
	sudo_review();
}

/* --- Methods -------------------------------------------------------------- */

/* Is it among those that the change edits itself? */
static bool
is_edited(const struct change *c, int64_t group)
{
	size_t i;

	for (i = 0; i < c->nedits; i++)
		if (c->edits[i].resource == &group_resource &&
		    c->edits[i].id == group)
			return true;
	return false;
}

/* Notes each group that is in one list and not in the other. */
static void
note_difference(const struct change *c, json_t *noted, const json_t *list,
    const json_t *other)
{
	json_t *id;
	size_t i;

	json_array_foreach(list, i, id)
		if (!contains(other, json_integer_value(id)) &&
		    !contains(noted, json_integer_value(id)) &&
		    !is_edited(c, json_integer_value(id)))
			json_array_append(noted, id);
}

void
group_members_changed(struct change *c)
{
	json_t *noted = json_array(), *before, *after, *id;
	const json_t *group;
	size_t i;

	for (i = 0; i < c->nedits; i++) {
		if (c->edits[i].resource != &user_resource)
			continue;
		before = json_object_get(c->edits[i].before, "groups");
		after = json_object_get(c->edits[i].after, "groups");
		note_difference(c, noted, before, after);
		note_difference(c, noted, after, before);
	}
	json_array_foreach(noted, i, id) {
		group =
		    store_get(core_store(), "group", json_integer_value(id));
		if (group != NULL)
			entry_changed(&group_resource, json_integer_value(id),
			    group, group);
	}
	json_decref(noted);
}

static void
update_run(struct call *call)
{
	change_submit(call, &group_resource, CHANGE_UPDATE,
	    json_integer_value(call_param(call, 0)), call_param(call, 1),
	    group_members_changed);
}

static void
delete_run(struct call *call)
{
	int64_t id = json_integer_value(call_param(call, 0));
	const json_t *group = NULL;
	char *privilege = NULL;

	if (core_store() != NULL)
		group = store_get(core_store(), "group", id);
	if (group != NULL)
		privilege = privilege_of(group);
	if (json_bool(group, "builtin", false))
		call_fail(call, EACCES, "A built-in group cannot be deleted.");
	else if (privilege != NULL)
		call_fail(call, EACCES,
		    "The privilege \"%s\" is this group's: take it out there "
		    "first",
		    privilege);
	else
		change_submit(call, &group_resource, CHANGE_DELETE, id,
		    call_param(call, 1), group_members_changed);
	free(privilege);
}

static void
next_gid_run(struct call *call)
{
	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else
		call_reply(call, json_integer(group_next_gid(-1)));
}

static bool
has_password(const json_t *user)
{
	return !json_bool(user, "password_disabled", false) &&
	    !json_bool(user, "locked", false) &&
	    json_str(user, "unixhash", "*")[0] == '$';
}

static bool
is_in_one_of(const json_t *user, const json_t *gids)
{
	json_t *gid;
	int64_t id;
	size_t i;

	json_array_foreach(gids, i, gid) {
		id = group_of_gid(json_integer_value(gid));
		if (id != -1 &&
		    (json_int(user, "group", -1) == id ||
			contains(json_object_get(user, "groups"), id)))
			return true;
	}
	return false;
}

static void
has_password_run(struct call *call)
{
	json_t *users, *user;
	bool found = false;
	size_t i;

	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	users = store_list(core_store(), "user");
	json_array_foreach(users, i, user)
		if (has_password(user) &&
		    !contains(call_param(call, 1), json_int(user, "id", -1)) &&
		    is_in_one_of(user, call_param(call, 0)))
			found = true;
	json_decref(users);
	call_reply(call, json_boolean(found));
}

static char *
name_suffix(const json_t *params)
{
	const char *name = json_str(json_array_get(params, 0), "name", NULL);

	return name != NULL ? xstrdup(name) : NULL;
}

/* The name as it is before the change. */
static char *
id_suffix(const json_t *params)
{
	const json_t *group = NULL;

	if (core_store() != NULL)
		group = store_get(core_store(), "group",
		    json_integer_value(json_array_get(params, 0)));
	return group != NULL ? xstrdup(json_str(group, "name", "")) : NULL;
}

static char *
delete_suffix(const json_t *params)
{
	bool users =
	    json_bool(json_array_get(params, 1), "delete_users", false);
	char *name = id_suffix(params), *text;

	if (name == NULL || !users)
		return name;
	text = xasprintf(
	    "%s and all users that have this group as their primary group",
	    name);
	free(name);
	return text;
}

static const char *const read_roles[] = { "ACCOUNT_READ", NULL };
static const char *const write_roles[] = { "ACCOUNT_WRITE", NULL };
static const struct resource *const extended_from[] = { &privilege_resource,
	&user_resource, NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "group.create", .kind = KIND_CREATE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = create_params, .result = &integer,
	  .audit = "Create group", .audit_suffix = name_suffix,
	  .doc = "Makes a group.", .run = resource_create_run },
	{ .name = "group.delete", .kind = KIND_DELETE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = delete_params, .result = &integer,
	  .audit = "Delete group", .audit_suffix = delete_suffix,
	  .doc = "Removes a group.", .run = delete_run },
	{ .name = "group.get_group_obj", .auth = AUTH_ROLE,
	  .roles = read_roles, .params = obj_params, .result = &object,
	  .doc = "A group as the system knows it.", .run = group_obj_run },
	{ .name = "group.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &entry, .doc = "One group.",
	  .run = resource_instance_run },
	{ .name = "group.get_next_gid", .auth = AUTH_ROLE,
	  .roles = read_roles, .result = &integer,
	  .doc = "The number that the next new group gets.",
	  .run = next_gid_run },
	{ .name = "group.has_password_enabled_user", .auth = AUTH_ROLE,
	  .roles = read_roles, .params = password_params, .result = &boolean,
	  .doc = "Can any user of these groups log in with a password?",
	  .run = has_password_run },
	{ .name = "group.query", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .roles = read_roles, .params = query_params, .result = &entries,
	  .doc = "The groups there are.", .run = resource_query_run },
	{ .name = "group.update", .kind = KIND_UPDATE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = update_params, .result = &integer,
	  .audit = "Update group", .audit_suffix = id_suffix,
	  .doc = "Changes a group.", .run = update_run },
	METHOD_END
};

const struct resource group_resource = {
	.name = "group", .doc = "Groups.", .kind = RESOURCE_CRUD,
	.role_prefix = "ACCOUNT", .verbose_name = "Group",
	.methods = methods, .fields = group_fields, .check = check,
	.extend = extend, .extended_from = extended_from,
	.gather = group_gather, .lookup = lookup, .changed = changed
};
/* clang-format on */
