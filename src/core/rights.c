/*
 * What accounts may do: see rights.h.
 */
#include "core/rights.h"

#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/core.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define ID_SYSTEM 1000 /* accounts and groups below: Debian policy 9.2.2 */
#define GID_NOGROUP 65534

/* clang-format off */
/* Groups of the system that open nothing but what their privileges grant. */
static const int64_t harmless_gids[] = { 14, 100, 445, 545, 546, 568, 951, 952 };
static const char *const sudo_members[] = {
	"sudo_commands", "sudo_commands_nopasswd"
};
/* clang-format on */

enum { SUDO_PASSWORD, SUDO_FREE, SUDO_KINDS };

/* What is added up of an account. */
struct rights {
	struct granted granted;
	json_t *names; /* of roles, as granted */
	json_t *sudo[SUDO_KINDS];
	bool administrator; /* of the machine itself */
	bool any;
};

static void
rights_start(struct rights *r)
{
	int kind;

	memset(r, 0, sizeof(*r));
	r->names = json_array();
	for (kind = 0; kind < SUDO_KINDS; kind++)
		r->sudo[kind] = json_array();
}

static void
rights_end(struct rights *r)
{
	int kind;

	json_decref(r->names);
	for (kind = 0; kind < SUDO_KINDS; kind++)
		json_decref(r->sudo[kind]);
}

/* --- Privileges by group -------------------------------------------------- */

/* A group's, by its gid. */
struct grant {
	int64_t gid;
	json_t *names;
	struct granted granted;
};

struct grants {
	struct grant *list;
	size_t count;
};

static void
grants_clear(struct grants *g)
{
	size_t i;

	for (i = 0; g->list != NULL && i < g->count; i++)
		json_decref(g->list[i].names);
	free(g->list);
	*g = (struct grants){ 0 };
}

static const struct grant *
grant_find(const struct grants *g, int64_t gid)
{
	size_t i;

	for (i = 0; i < g->count; i++)
		if (g->list[i].gid == gid)
			return &g->list[i];
	return NULL;
}

static struct grant *
grant_of(struct grants *g, int64_t gid)
{
	const struct grant *known = grant_find(g, gid);

	if (known != NULL)
		return &g->list[known - g->list];
	g->list = xreallocarray(g->list, g->count + 1, sizeof(*g->list));
	g->list[g->count] = (struct grant){ .gid = gid, .names = json_array() };
	return &g->list[g->count++];
}

static bool
contains(const json_t *list, const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_equal(item, value))
			return true;
	return false;
}

static void
add_all(json_t *list, const json_t *more)
{
	json_t *item;
	size_t i;

	json_array_foreach(more, i, item)
		if (!contains(list, item))
			json_array_append(list, item);
}

static void
add_privilege(struct grants *g, const json_t *privilege)
{
	const json_t *roles = json_object_get(privilege, "roles");
	json_t *gid, *role;
	struct grant *grant;
	size_t i, j;

	json_array_foreach(json_object_get(privilege, "local_groups"), i, gid) {
		grant = grant_of(g, json_integer_value(gid));
		add_all(grant->names, roles);
		json_array_foreach(roles, j, role)
			role_set_add(
			    &grant->granted.roles, json_string_value(role));
		if (json_bool(privilege, "web_shell", false))
			grant->granted.web_shell = true;
	}
}

static void
grants_make(struct grants *g, const struct change *c)
{
	json_t *all = change_view_all(c, resource_find("privilege"));
	json_t *privilege;
	size_t i;

	grants_clear(g);
	json_array_foreach(all, i, privilege)
		add_privilege(g, privilege);
	json_decref(all);
}

static bool
changes_privileges(const struct change *c)
{
	size_t i;

	for (i = 0; c != NULL && i < c->nedits; i++)
		if (strcmp(c->edits[i].resource->name, "privilege") == 0)
			return true;
	return false;
}

/*
 * Those stored are made when a privilege was changed; those of a change that
 * edits some are made each time it is asked, as nobody says when it is done.
 */
static const struct grants *
grants_of(const struct change *c)
{
	static struct grants stored, changed;
	static uint64_t made_of;
	uint64_t generation;

	if (changes_privileges(c)) {
		grants_make(&changed, c);
		return &changed;
	}
	generation = store_generation(core_store(), "privilege");
	if (made_of != generation || stored.list == NULL)
		grants_make(&stored, NULL);
	made_of = generation;
	return &stored;
}

/* --- Adding up ------------------------------------------------------------ */

static bool
is_harmless(int64_t gid)
{
	size_t i;

	for (i = 0; i < sizeof(harmless_gids) / sizeof(harmless_gids[0]); i++)
		if (harmless_gids[i] == gid)
			return true;
	return gid >= ID_SYSTEM || gid == GID_NOGROUP;
}

static void
add_sudo(struct rights *r, const json_t *of)
{
	int kind;

	for (kind = 0; kind < SUDO_KINDS; kind++)
		add_all(r->sudo[kind], json_object_get(of, sudo_members[kind]));
}

static void
add_group(struct rights *r, const struct grants *grants, const json_t *group)
{
	const json_t *gid = json_object_get(group, "gid");
	const struct grant *grant;

	add_sudo(r, group);
	/* A new one without a number yet: none that a privilege names. */
	if (!json_is_integer(gid))
		return;
	if (!is_harmless(json_integer_value(gid)))
		r->administrator = true;
	if ((grant = grant_find(grants, json_integer_value(gid))) == NULL)
		return;
	add_all(r->names, grant->names);
	role_set_join(&r->granted.roles, &grant->granted.roles);
	r->granted.web_shell |= grant->granted.web_shell;
	r->any = r->any || grant->granted.web_shell ||
	    json_array_size(grant->names) > 0;
}

static void
add_account(struct rights *r, const struct change *c, const json_t *account)
{
	const struct resource *groups = resource_find("group");
	const struct grants *grants = grants_of(c);
	json_t *id;
	size_t i;

	add_sudo(r, account);
	add_group(
	    r, grants, change_view(c, groups, json_int(account, "group", -1)));
	json_array_foreach(json_object_get(account, "groups"), i, id)
		add_group(
		    r, grants, change_view(c, groups, json_integer_value(id)));
	if (json_int(account, "uid", ID_SYSTEM) < ID_SYSTEM)
		r->administrator = true;
}

bool
rights_granted(const json_t *account, struct granted *granted)
{
	struct rights r;

	rights_start(&r);
	add_account(&r, NULL, account);
	*granted = r.granted;
	rights_end(&r);
	return r.any;
}

json_t *
account_roles(const json_t *account)
{
	struct rights r;
	json_t *names;

	rights_start(&r);
	add_account(&r, NULL, account);
	names = json_incref(r.names);
	rights_end(&r);
	return names;
}

json_t *
account_roles_of_group(int64_t gid)
{
	const struct grant *grant = grant_find(grants_of(NULL), gid);

	return grant != NULL ? json_copy(grant->names) : json_array();
}

/* Without an end, since then there would be nobody. */
static bool
has_password(const json_t *account)
{
	return json_str(account, "unixhash", "*")[0] == '$' &&
	    !json_bool(account, "password_disabled", false) &&
	    !json_bool(account, "locked", false) &&
	    !json_is_integer(json_object_get(account, "password_until"));
}

bool
rights_has_all(const struct change *c, const json_t *account)
{
	struct rights r;
	bool full;

	rights_start(&r);
	add_account(&r, c, account);
	full = role_set_has(&r.granted.roles, "FULL_ADMIN");
	rights_end(&r);
	return full;
}

bool
rights_administers(const struct change *c, const json_t *account)
{
	return has_password(account) && rights_has_all(c, account);
}

/* --- Comparing ------------------------------------------------------------ */

/* What the session's own account may do with sudo, now. */
static void
add_own_sudo(struct rights *own, const struct session *s)
{
	const json_t *account = account_by_uid(s->uid);

	if (account == NULL || s->readonly ||
	    strcmp(json_str(account, "username", ""), s->username) != 0)
		return;
	add_account(own, NULL, account);
}

static bool
may_run(const struct rights *own, int kind, const json_t *command)
{
	json_t *all = json_string("ALL");
	bool may = false;

	/* What goes without a password goes with one. */
	for (; kind < SUDO_KINDS && !may; kind++)
		may = contains(own->sudo[kind], command) ||
		    contains(own->sudo[kind], all);
	json_decref(all);
	return may;
}

/* The first sudo command that the session's account has not; borrowed. */
static const char *
sudo_missing(const struct session *s, const struct rights *r)
{
	const char *missing = NULL;
	struct rights own;
	json_t *command;
	size_t i;
	int kind;

	if (json_array_size(r->sudo[SUDO_PASSWORD]) +
		json_array_size(r->sudo[SUDO_FREE]) ==
	    0)
		return NULL;
	rights_start(&own);
	if (s != NULL)
		add_own_sudo(&own, s);
	for (kind = 0; kind < SUDO_KINDS; kind++)
		json_array_foreach(r->sudo[kind], i, command)
			if (missing == NULL && !may_run(&own, kind, command))
				missing = json_string_value(command);
	rights_end(&own);
	return missing;
}

static void
append(char **list, const char *more)
{
	char *longer;

	if (*list == NULL) {
		*list = xstrdup(more);
		return;
	}
	longer = xasprintf("%s, %s", *list, more);
	free(*list);
	*list = longer;
}

/* What was added up and the session has not; ends it. */
static char *
missing_of(const struct session *s, struct rights *r)
{
	char *missing = NULL, *text;
	const char *command = sudo_missing(s, r);
	json_t *role;
	size_t i;

	if (r->administrator) {
		rights_end(r);
		return xstrdup("FULL_ADMIN");
	}
	json_array_foreach(r->names, i, role)
		if (s == NULL ||
		    !role_set_has(&s->roles, json_string_value(role)))
			append(&missing, json_string_value(role));
	if (r->granted.web_shell && (s == NULL || !s->web_shell))
		append(&missing, "the web shell");
	if (command != NULL) {
		text = xasprintf("sudo %s", command);
		append(&missing, text);
		free(text);
	}
	rights_end(r);
	return missing;
}

char *
rights_missing(
    const struct session *s, const struct change *c, const json_t *account)
{
	struct rights r;

	if (s != NULL && s->full_admin)
		return NULL;
	rights_start(&r);
	add_account(&r, c, account);
	return missing_of(s, &r);
}

char *
rights_missing_group(
    const struct session *s, const struct change *c, const json_t *group)
{
	struct rights r;

	if (s != NULL && s->full_admin)
		return NULL;
	rights_start(&r);
	add_group(&r, grants_of(c), group);
	return missing_of(s, &r);
}

char *
rights_missing_privilege(const struct session *s, const json_t *privilege)
{
	struct rights r;
	json_t *gid;
	size_t i;

	if (s != NULL && s->full_admin)
		return NULL;
	rights_start(&r);
	add_all(r.names, json_object_get(privilege, "roles"));
	r.granted.web_shell = json_bool(privilege, "web_shell", false);
	json_array_foreach(json_object_get(privilege, "local_groups"), i, gid)
		if (!is_harmless(json_integer_value(gid)))
			r.administrator = true;
	return missing_of(s, &r);
}

static bool
same(const struct rights *a, const struct rights *b)
{
	int kind;

	for (kind = 0; kind < SUDO_KINDS; kind++)
		if (!json_equal(a->sudo[kind], b->sudo[kind]))
			return false;
	return a->administrator == b->administrator &&
	    a->granted.web_shell == b->granted.web_shell &&
	    json_equal(a->names, b->names);
}

bool
rights_equal(const struct change *c, const json_t *before, const json_t *after)
{
	struct rights old, new;
	bool equal;

	rights_start(&old);
	rights_start(&new);
	add_account(&old, NULL, before);
	add_account(&new, c, after);
	equal = same(&old, &new);
	rights_end(&old);
	rights_end(&new);
	return equal;
}
