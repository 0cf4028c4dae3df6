/*
 * Whom SSH asks for a second factor: see ssh_codes.h.
 */
#include "core/ssh_codes.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/resource.h"
#include "core/security.h"
#include "core/twofactor.h"
#include "lib/json.h"
#include "lib/second_factor.h"
#include "lib/xalloc.h"
#include "lib/ssh_codes_file.h"

/* --- Accounts ------------------------------------------------------------- */

static const json_t *
settings(const struct change *c, const char *name, int64_t entry)
{
	const struct resource *r = resource_find(name);

	return r != NULL ? change_view(c, r, entry) : NULL;
}

static bool
is_stig(const struct change *c)
{
	const json_t *security = settings(c, "system.security", SECURITY_ENTRY);

	return security != NULL ?
	    json_bool(security, "enable_gpos_stig", false) :
	    security_stig();
}

static bool
group_is_machines(const struct change *c, int64_t id)
{
	return json_bool(settings(c, "group", id), "machine", false);
}

static bool
is_machine(const struct change *c, const json_t *user)
{
	json_t *group;
	size_t i;

	if (json_bool(user, "machine", false) ||
	    group_is_machines(c, json_int(user, "group", -1)))
		return true;
	json_array_foreach(json_object_get(user, "groups"), i, group)
		if (group_is_machines(c, json_integer_value(group)))
			return true;
	return false;
}

enum ssh_codes
ssh_codes_of(const struct change *c, const json_t *user)
{
	const json_t *entry = change_view(
	    c, &twofactor_secret_resource, json_int(user, "id", -1));

	if (json_str(entry, "secret", NULL) == NULL)
		return CODES_NONE;
	if (is_machine(c, user) && !is_stig(c) &&
	    ssh_codes_restricted(json_str(user, "sshpubkey", ""), NULL))
		return CODES_EXEMPT;
	return CODES_ASKED;
}

static bool
is_on(const struct change *c)
{
	const json_t *policy = settings(c, "auth.twofactor", TWOFACTOR_ENTRY);

	return json_bool(policy, "enabled", false) &&
	    json_bool(json_object_get(policy, "services"), "ssh", false);
}

/* Those with a second factor, while SSH asks for it: a new array. */
static json_t *
users_with(const struct change *c)
{
	json_t *users = json_array(), *entries, *entry;
	const json_t *user;
	size_t i;

	if (!is_on(c))
		return users;
	entries = change_view_all(c, &twofactor_secret_resource);
	json_array_foreach(entries, i, entry) {
		user = settings(c, "user", json_int(entry, "id", -1));
		if (user != NULL && ssh_codes_of(c, user) != CODES_NONE)
			json_array_append(users, (json_t *)(uintptr_t)user);
	}
	json_decref(entries);
	return users;
}

const char **
ssh_codes_users(const struct change *c)
{
	json_t *users = users_with(c), *user;
	const char **names =
	    xcalloc(json_array_size(users) + 1, sizeof(*names));
	size_t i, n = 0;

	json_array_foreach(users, i, user)
		if (ssh_codes_of(c, user) == CODES_ASKED)
			names[n++] = json_str(user, "username", "");
	json_decref(users); /* the entries stay those of store or change */
	return names;
}

/* --- The file ------------------------------------------------------------- */

static void
put_user(FILE *out, const struct change *c, const json_t *user)
{
	const char *name = json_str(user, "username", "");
	json_t *keys, *key;
	size_t i;

	fprintf(out, "%s\n", name);
	if (ssh_codes_of(c, user) != CODES_EXEMPT)
		return;
	keys = json_array();
	ssh_codes_restricted(json_str(user, "sshpubkey", ""), keys);
	json_array_foreach(keys, i, key)
		fprintf(out, "%s %s\n", name, json_string_value(key));
	json_decref(keys);
}

char *
ssh_codes_render(const struct change *c, char **whyp)
{
	json_t *users = users_with(c), *user;
	char *text = NULL;
	size_t size = 0, i;
	FILE *out;

	(void)whyp;
	if ((out = open_memstream(&text, &size)) == NULL)
		abort();
	if (security_lockout_of(
		settings(c, "system.security", SECURITY_ENTRY)) != 0)
		fputs(SECOND_FACTOR_LOCKOUT "\n", out);
	json_array_foreach(users, i, user)
		put_user(out, c, user);
	if (fclose(out) != 0)
		abort();
	json_decref(users);
	return text;
}
