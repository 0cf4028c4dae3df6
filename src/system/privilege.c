/*
 * privilege.*: which groups have which roles.  Three are built in, made at the
 * first start; what they grant is fixed, to whom is not.
 *
 * Stored are numbers of groups, which also name those that are gone; shown are
 * the groups themselves.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account.h"
#include "core/call.h"
#include "core/change.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/entry.h"
#include "core/event.h"
#include "core/query.h"
#include "core/sessions.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/group.h"
#include "system/system.h"

#define LOCAL_ADMINISTRATOR "LOCAL_ADMINISTRATOR"
#define READONLY_ADMINISTRATOR "READONLY_ADMINISTRATOR"

/* clang-format off */
static const struct {
	const char *builtin_name, *name, *role;
	int64_t gid;
	bool web_shell;
} predefined[] = {
	{ LOCAL_ADMINISTRATOR, "Local Administrator", "FULL_ADMIN",
	  GID_ADMINISTRATORS, true },
	{ READONLY_ADMINISTRATOR, "Read-Only Administrator", "READONLY_ADMIN",
	  951, false },
	{ "SHARING_ADMINISTRATOR", "Sharing Administrator", "SHARING_ADMIN",
	  952, false },
};

static const struct field number[] = {
	{ .name = "gid", .type = F_INT }, FIELD_END
};
static const struct field number_or_sid[] = {
	{ .name = "group", .type = F_INT_OR_STR }, FIELD_END
};
static const struct field role_name[] = {
	{ .name = "role", .type = F_STR }, FIELD_END
};
static const struct field group_shown[] = {
	{ .name = "group", .type = F_DICT,
	  .doc = "The group's entry, or its gid and sid when it is gone." },
	FIELD_END
};

/* A privilege with its groups as they are stored, or shown. */
#define PRIVILEGE_ROWS(local_groups_of, ds_groups_of)			\
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,		\
	  .doc = "Id of the entry." },					\
	{ .name = "builtin_name", .type = F_STR, .def = "null",		\
	  .flags = FF_READONLY | FF_NULL,				\
	  .doc = "What a built-in one is for; null: of another." },	\
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED,		\
	  .min = 1, .max = STRING_MAX, .label = "Name",			\
	  .doc = "Its name." },						\
	{ .name = "local_groups", .type = F_ARRAY,			\
	  .fields = local_groups_of, .def = "[]", .flags = FF_GRANTS,	\
	  .label = "Local Groups",					\
	  .doc = "Numbers of the groups that have it." },		\
	{ .name = "ds_groups", .type = F_ARRAY,				\
	  .fields = ds_groups_of, .def = "[]", .flags = FF_GRANTS,	\
	  .label = "Directory Services Groups",				\
	  .doc = "Numbers or SIDs of a directory's groups that have it." }, \
	{ .name = "roles", .type = F_ARRAY, .fields = role_name,	\
	  .def = "[]", .flags = FF_GRANTS, .label = "Roles",		\
	  .doc = "What members of the groups may do." },		\
	{ .name = "web_shell", .type = F_BOOL,				\
	  .flags = FF_REQUIRED | FF_GRANTS, .label = "Web Shell Access", \
	  .doc = "May they open a shell in the browser?" }

static const struct field privilege_fields[] = {
	PRIVILEGE_ROWS(number, number_or_sid),
	IF_REVISION_ROW,
	LOCKOUT_ROW,
	FIELD_END
};
static const struct field shown_fields[] = {
	PRIVILEGE_ROWS(group_shown, group_shown),
	FIELD_END
};

static const struct field create_params[] = {
	{ .name = "privilege_create", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = privilege_fields, .model = "PrivilegeCreate",
	  .doc = "The new privilege." },
	FIELD_END
};

static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the privilege." },
	{ .name = "privilege_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = privilege_fields, .model = "PrivilegeUpdate",
	  .doc = "What to change of it." },
	FIELD_END
};

static const struct field delete_options[] = { LOCKOUT_ROW, FIELD_END };
static const struct field delete_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the privilege." },
	{ .name = "options", .type = F_OBJECT, .fields = delete_options,
	  .model = "PrivilegeDeleteOptions", .def = "{}", .flags = FF_OWN,
	  .doc = "How sure this is." },
	FIELD_END
};

static const struct field included[] = {
	{ .name = "role", .type = F_STR, .min = 1 }, FIELD_END
};
static const struct field role_fields[] = {
	{ .name = "name", .type = F_STR, .doc = "Its name." },
	{ .name = "title", .type = F_STR, .doc = "The same." },
	{ .name = "includes", .type = F_ARRAY, .fields = included,
	  .doc = "The roles that are granted along with it." },
	{ .name = "builtin", .type = F_BOOL,
	  .doc = "Internal; others open the web UI." },
	{ .name = "stig", .type = F_INT, .flags = FF_NULL,
	  .doc = "1: may be granted in STIG mode; null: may not." },
	FIELD_END
};

static const struct field entry = { .name = "result", .type = F_OBJECT,
	.fields = shown_fields, .model = "PrivilegeEntry",
	.doc = "The privilege." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .doc = "The privileges." };
static const struct field removed = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Always true." };
static const struct field role = { .name = "result", .type = F_OBJECT,
	.fields = role_fields, .model = "PrivilegeRolesQueryResultItem",
	.doc = "The role." };
static const struct field roles = { .name = "result", .type = F_ARRAY,
	.fields = &role, .doc = "The roles." };
/* clang-format on */

/* --- What an entry shows -------------------------------------------------- */

/* A group that is gone, or a directory's that nobody knows. */
static json_t *
unmapped(const json_t *id)
{
	const char *member = json_is_string(id) ? "sid" : "gid";
	json_t *group = json_pack("{s:n, s:n, s:n}", "gid", "sid", "group");

	json_object_set(group, member, (json_t *)(uintptr_t)id);
	return group;
}

static json_t *
local_group(const json_t *gid)
{
	int64_t id = group_of_gid(json_integer_value(gid));
	json_t *group = NULL;

	if (id != -1)
		group = entry_shown(&group_resource, id, false);
	return group != NULL ? group : unmapped(gid);
}

static void
show(json_t *privilege, const char *member, json_t *(*group)(const json_t *))
{
	json_t *shown = json_array(), *id;
	size_t i;

	json_array_foreach(json_object_get(privilege, member), i, id)
		json_array_append_new(shown, group(id));
	json_object_set_new(privilege, member, shown);
}

static void
extend(json_t *privilege)
{
	show(privilege, "local_groups", local_group);
	show(privilege, "ds_groups", unmapped);
}

/* --- What a change may do ------------------------------------------------- */

static bool
is_builtin(const json_t *privilege, const char *name)
{
	const char *builtin = json_str(privilege, "builtin_name", NULL);

	return builtin != NULL && (name == NULL || strcmp(builtin, name) == 0);
}

/* [MS-DTYP] 2.4.2.4: those that mean the same everywhere. */
static bool
sid_is_well_known(const char *sid)
{
	/* clang-format off */
	static const char *const known[] = {
		"S-1-0-0", "S-1-1-0", "S-1-2-0", "S-1-2-1", "S-1-3-0",
		"S-1-3-1", "S-1-3-2", "S-1-3-3", "S-1-3-4", "S-1-5-1",
		"S-1-5-2", "S-1-5-3", "S-1-5-4", "S-1-5-6", "S-1-5-7",
		"S-1-5-9", "S-1-5-10", "S-1-5-11", "S-1-5-12", "S-1-5-13",
		"S-1-5-14", "S-1-5-15", "S-1-5-17", "S-1-5-18", "S-1-5-19",
		"S-1-5-20", "S-1-5-32-544", "S-1-5-32-545", "S-1-5-32-546",
		"S-1-5-32-547", "S-1-5-32-548", "S-1-5-32-549",
		"S-1-5-32-550", "S-1-5-32-551", "S-1-5-32-552",
	};
	/* clang-format on */
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], sid) == 0)
			return true;
	return false;
}

/* S-1-5-21-a-b-c, of a domain, or with -rid behind it of one of its groups. */
static bool
sid_is_valid(const char *sid)
{
	static const char domain[] = "S-1-5-21";
	const char *at;
	uint64_t part;
	size_t digits;
	int parts;

	if (sid_is_well_known(sid))
		return true;
	if (strncmp(sid, domain, strlen(domain)) != 0)
		return false;
	at = sid + strlen(domain);
	for (parts = 0; *at == '-'; parts++) {
		digits = strspn(++at, "0123456789");
		part = strtoull(at, NULL, 10);
		if (digits == 0 || digits > 10 || part == 0 ||
		    part > UINT64_C(1) << 32)
			return false;
		at += digits;
	}
	return *at == '\0' && (parts == 3 || parts == 4);
}

static void
check_name(struct change *c)
{
	json_t *all = change_view_all(c, &privilege_resource), *other;
	const char *name = json_str(c->after, "name", "");
	size_t i;

	json_array_foreach(all, i, other)
		if (json_int(other, "id", -1) != c->id &&
		    strcmp(json_str(other, "name", ""), name) == 0) {
			verr_add(c->errors, "name",
			    "Another privilege has this name");
			break;
		}
	json_decref(all);
}

static void
fault(struct change *c, const char *member, size_t i, const char *text)
{
	char *attribute = xasprintf("%s.%zu", member, i);

	verr_add(c->errors, attribute, "%s", text);
	free(attribute);
}

static void
check_roles(struct change *c)
{
	json_t *name;
	size_t i;

	json_array_foreach(json_object_get(c->after, "roles"), i, name)
		if (role_find(json_string_value(name)) == NULL)
			fault(c, "roles", i, "There is no such role");
}

/* One that is made in the same change counts. */
static bool
group_exists(const struct change *c, int64_t gid)
{
	json_t *all, *group;
	bool found = false;
	size_t i;

	if (c->all == NULL)
		return group_of_gid(gid) != -1;
	all = change_view_all(c, &group_resource);
	json_array_foreach(all, i, group)
		if (json_int(group, "gid", -1) == gid)
			found = true;
	json_decref(all);
	return found;
}

/* Trimmed and in capitals, as the API has them; a new reference. */
static json_t *
sid_written(const char *given)
{
	char *sid, *at;
	json_t *written;

	given += strspn(given, " \t");
	sid = xstrndup(given, strcspn(given, " \t"));
	for (at = sid; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	written = json_string(sid);
	free(sid);
	return written;
}

static void
check_ds_groups(struct change *c)
{
	json_t *ids = json_object_get(c->after, "ds_groups"), *id;
	bool valid;
	size_t i;

	json_array_foreach(ids, i, id) {
		if (json_is_string(id)) {
			json_array_set_new(
			    ids, i, sid_written(json_string_value(id)));
			id = json_array_get(ids, i);
			valid = sid_is_valid(json_string_value(id));
		} else
			valid = json_integer_value(id) >= 0;
		if (!valid)
			fault(c, "ds_groups", i,
			    "This is neither a group's number nor a SID");
	}
}

static void
check_groups(struct change *c)
{
	json_t *id;
	char *text;
	size_t i;

	json_array_foreach(json_object_get(c->after, "local_groups"), i, id) {
		if (group_exists(c, json_integer_value(id)))
			continue;
		text = xasprintf("There is no local group with the number "
				 "%" JSON_INTEGER_FORMAT
				 ": make it again, or take it out",
		    json_integer_value(id));
		fault(c, "local_groups", i, text);
		free(text);
	}
}

static bool
has_group(const json_t *privilege, int64_t gid)
{
	json_t *id;
	size_t i;

	json_array_foreach(json_object_get(privilege, "local_groups"), i, id)
		if (json_integer_value(id) == gid)
			return true;
	return false;
}

/* What is refused counts as unchanged for the checks that follow. */
static void
check_fixed(struct change *c, const char *member)
{
	json_t *before = json_object_get(c->before, member);

	if (json_equal(before, json_object_get(c->after, member)))
		return;
	verr_add(c->errors, member, "A built-in privilege keeps it");
	json_object_set(c->after, member, before);
}

static void
check_builtin(struct change *c)
{
	check_fixed(c, "name");
	check_fixed(c, "roles");
	if (is_builtin(c->before, LOCAL_ADMINISTRATOR) &&
	    !has_group(c->after, GID_ADMINISTRATORS))
		verr_add(c->errors, "local_groups",
		    "The group builtin_administrators keeps this privilege");
	if (is_builtin(c->before, READONLY_ADMINISTRATOR) &&
	    json_bool(c->after, "web_shell", false))
		verr_add(
		    c->errors, "web_shell", "Who may only read has no shell");
}

static void
check(struct change *c)
{
	if (c->verb == CHANGE_DELETE) {
		if (is_builtin(c->before, NULL))
			verr_add_errno(c->errors, EPERM, "id",
			    "A built-in privilege cannot be deleted");
		return;
	}
	if (c->verb == CHANGE_UPDATE && is_builtin(c->before, NULL))
		check_builtin(c);
	check_name(c);
	check_roles(c);
	check_groups(c);
	check_ds_groups(c);
}

/* --- The built-in ones ---------------------------------------------------- */

static bool
is_there(const char *builtin_name)
{
	json_t *all = store_list(core_store(), "privilege"), *privilege;
	bool found = false;
	size_t i;

	json_array_foreach(all, i, privilege)
		if (is_builtin(privilege, builtin_name))
			found = true;
	json_decref(all);
	return found;
}

static void
make_builtin(size_t i)
{
	int64_t id = store_next_id(core_store(), "privilege");
	struct revision made = { .time = time(NULL), .entry = id };

	made.who = (char *)(uintptr_t) "root";
	made.origin = (char *)(uintptr_t) "";
	made.resource = (char *)(uintptr_t) "privilege";
	/* clang-format off */
	made.after = json_pack("{s:I, s:s, s:s, s:[I], s:[], s:[s], s:b}",
	    "id", (json_int_t)id, "builtin_name", predefined[i].builtin_name,
	    "name", predefined[i].name, "local_groups",
	    (json_int_t)predefined[i].gid, "ds_groups", "roles",
	    predefined[i].role, "web_shell", predefined[i].web_shell);
	/* clang-format on */
	if (store_change(core_store(), &made, 1, NULL, NULL) == -1)
		core_problem("privileges",
		    "The built-in privileges could not be stored: %s",
		    strerror(errno));
	json_decref(made.after);
}

static void
gather(void (*done)(void))
{
	size_t i;

	for (i = 0; i < sizeof(predefined) / sizeof(predefined[0]); i++)
		if (!is_there(predefined[i].builtin_name))
			make_builtin(i);
	done();
}

/* --- Methods -------------------------------------------------------------- */

static void
delete_run(struct call *call)
{
	const json_t *stored = NULL;

	if (core_store() != NULL)
		stored = store_get(core_store(), "privilege",
		    json_integer_value(call_param(call, 0)));
	if (is_builtin(stored, NULL))
		call_fail(
		    call, EPERM, "A built-in privilege cannot be deleted");
	else
		resource_delete_run(call);
}

static json_t *
role_entry(const struct role_row *row)
{
	json_t *includes = json_array();
	const char *const *name;

	for (name = row->includes; name != NULL && *name != NULL; name++)
		json_array_append_new(includes, json_string(*name));
	return json_pack("{s:s, s:s, s:o, s:b, s:o}", "name", row->name,
	    "title", row->name, "includes", includes, "builtin",
	    (row->flags & ROLE_BUILTIN) != 0, "stig",
	    row->flags & ROLE_STIG ? json_integer(1) : json_null());
}

static void
roles_run(struct call *call)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < role_count; i++)
		json_array_append_new(all, role_entry(&role_table[i]));
	query_reply(call, all);
}

static void
tell_if_of(struct connection *c, void *session)
{
	if (c->session == session)
		event_session_changed(c);
}

static void
become_readonly_run(struct call *call)
{
	session_become_readonly(call->session);
	connection_each(tell_if_of, call->session);
	call_reply(call, NULL);
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
	const json_t *stored = NULL;

	if (core_store() != NULL)
		stored = store_get(core_store(), "privilege",
		    json_integer_value(json_array_get(params, 0)));
	return stored != NULL ? xstrdup(json_str(stored, "name", "")) : NULL;
}

static const char *const read_roles[] = { "PRIVILEGE_READ", NULL };
static const char *const write_roles[] = { "PRIVILEGE_WRITE", NULL };
static const char *const readonly_roles[] = { "READONLY_ADMIN", NULL };
/* A group shows the roles of all its privileges. */
static const struct resource *const extended_from[] = { &group_resource,
	&privilege_resource, &user_resource, NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "privilege.become_readonly", .auth = AUTH_ROLE,
	  .roles = readonly_roles,
	  .doc = "Leaves the session no more than reading.",
	  .run = become_readonly_run },
	{ .name = "privilege.create", .kind = KIND_CREATE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = create_params, .result = &entry,
	  .audit = "Create privilege", .audit_suffix = name_suffix,
	  .doc = "Makes a privilege.", .run = resource_create_run },
	{ .name = "privilege.delete", .kind = KIND_DELETE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = delete_params, .result = &removed,
	  .audit = "Delete privilege", .audit_suffix = id_suffix,
	  .doc = "Removes a privilege.", .run = delete_run },
	{ .name = "privilege.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &entry, .doc = "One privilege.",
	  .run = resource_instance_run },
	{ .name = "privilege.query", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .roles = read_roles, .params = query_params, .result = &entries,
	  .doc = "The privileges there are.", .run = resource_query_run },
	{ .name = "privilege.roles", .kind = KIND_QUERY, .auth = AUTH_SESSION,
	  .params = query_params, .result = &roles,
	  .doc = "The roles that a privilege can grant.", .run = roles_run },
	{ .name = "privilege.update", .kind = KIND_UPDATE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = update_params, .result = &entry,
	  .audit = "Update privilege", .audit_suffix = id_suffix,
	  .doc = "Changes a privilege.", .run = resource_update_run },
	METHOD_END
};

const struct resource privilege_resource = {
	.name = "privilege", .doc = "Which groups have which roles.",
	.kind = RESOURCE_CRUD, .role_prefix = "PRIVILEGE",
	.verbose_name = "Privilege", .methods = methods,
	.fields = privilege_fields, .check = check, .extend = extend,
	.extended_from = extended_from, .gather = gather,
	.changed = sessions_review
};
/* clang-format on */
