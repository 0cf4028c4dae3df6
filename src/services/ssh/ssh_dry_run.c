/*
 * The dry run of ssh.update: see ssh_dry_run.h.
 *
 * For every account that has a key or a password sshd itself is asked, before
 * and after.
 */
#include "services/ssh/ssh_dry_run.h"

#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_diff.h"
#include "services/ssh/ssh_fields.h"
#include "services/ssh/ssh_installed.h"
#include "services/ssh/ssh_override.h"
#include "services/ssh/ssh_ways.h"
#include "services/ssh/ssh_ways_ask.h"

struct dry_run {
	struct change *change;
	char *content[2]; /* before, after */
	json_t *users; /* stored objects */
	json_t *before; /* the ways of each user */
};

/* --- The answer ------------------------------------------------------------ */

/* A certificate, or a ticket, takes nobody's key's or password's place. */
static bool
loses(unsigned int before, unsigned int after)
{
	const unsigned int own = SSH_WAY_KEY | SSH_WAY_PASSWORD;

	return before & own ? !(after & own) : before != 0 && after == 0;
}

static json_t *
answer_of(const struct dry_run *d, const json_t *ways)
{
	json_t *accounts = json_array(), *user;
	unsigned int before, after;
	size_t i;

	json_array_foreach(d->users, i, user) {
		before = ssh_ways_at(d->before, i);
		after = ssh_ways_at(ways, i);
		json_array_append_new(accounts,
		    json_pack("{s:O, s:o, s:o, s:b}", "username",
			json_object_get(user, "username"), "before",
			ssh_ways_names(before), "after", ssh_ways_names(after),
			"loses_access", loses(before, after)));
	}
	return json_pack("{s:o, s:o, s:o}", "diff",
	    ssh_diff(d->content[0], d->content[1]), "accounts", accounts,
	    "overridden", ssh_override_list(d->change->new, ssh_installed()));
}

/* ways NULL: why not. */
static void
finish(struct dry_run *d, const json_t *ways, const char *why)
{
	change_answer(d->change, ways != NULL ? answer_of(d, ways) : NULL, why);
	json_decref(d->users);
	json_decref(d->before);
	free(d->content[0]);
	free(d->content[1]);
	free(d);
}

static void
after_known(const json_t *ways, const char *why, void *arg)
{
	finish(arg, ways, why);
}

static void
before_known(const json_t *ways, const char *why, void *arg)
{
	struct dry_run *d = arg;

	if (ways == NULL) {
		finish(d, NULL, why);
		return;
	}
	d->before = json_incref((json_t *)(uintptr_t)ways);
	ssh_ways_ask(d->change, d->content[1], d->users, after_known, d);
}

static json_t *
candidates(const struct change *c)
{
	json_t *all = change_view_all(c, resource_find("user")), *user;
	json_t *list = json_array();
	size_t i;

	json_array_foreach(all, i, user)
		if (ssh_ways_possible(c, user))
			json_array_append(list, user);
	json_decref(all);
	return list;
}

void
ssh_dry_run(struct change *c)
{
	struct dry_run *d = xcalloc(1, sizeof(*d));
	char *why = NULL;

	d->change = c;
	d->users = candidates(c);
	d->content[0] = change_render(OUTPUT_SSHD_CONFIG, NULL, &why);
	if (d->content[0] != NULL)
		d->content[1] = change_render(OUTPUT_SSHD_CONFIG, c, &why);
	if (d->content[1] == NULL)
		finish(d, NULL, why);
	else
		ssh_ways_ask(NULL, d->content[0], d->users, before_known, d);
	free(why);
}
