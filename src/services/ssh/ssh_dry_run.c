/*
 * The dry run of ssh.update: see ssh_dry_run.h.
 *
 * For every account that has a key or a password sshd itself is asked, before
 * and after, so many at a time that one operation stays short.
 */
#include "services/ssh/ssh_dry_run.h"

#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_diff.h"
#include "services/ssh/ssh_fields.h"
#include "services/ssh/ssh_installed.h"
#include "services/ssh/ssh_override.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_ways.h"

#define BATCH 16 /* connections that one operation asks for */

struct dry_run {
	struct change *change;
	char *content[2]; /* before, after */
	json_t *users; /* stored objects */
	json_t *ways[2]; /* of each user a number */
	int side;
	size_t at;
};

/* --- The answer ------------------------------------------------------------ */

static json_t *
names_of(unsigned int ways)
{
	json_t *names = json_array();

	if (ways & SSH_WAY_KEY)
		json_array_append_new(names, json_string("SSH_KEY"));
	if (ways & SSH_WAY_CERTIFICATE)
		json_array_append_new(names, json_string("SSH_CERTIFICATE"));
	if (ways & SSH_WAY_PASSWORD)
		json_array_append_new(names, json_string("SSH_PASSWORD"));
	return names;
}

static unsigned int
ways_at(const json_t *list, size_t i)
{
	return (unsigned int)json_integer_value(json_array_get(list, i));
}

/* A certificate takes nobody's key's or password's place. */
static bool
loses(unsigned int before, unsigned int after)
{
	const unsigned int own = SSH_WAY_KEY | SSH_WAY_PASSWORD;

	return before & own ? !(after & own) : before != 0 && after == 0;
}

static json_t *
answer_of(const struct dry_run *d)
{
	json_t *accounts = json_array(), *user;
	unsigned int before, after;
	size_t i;

	json_array_foreach(d->users, i, user) {
		before = ways_at(d->ways[0], i);
		after = ways_at(d->ways[1], i);
		json_array_append_new(accounts,
		    json_pack("{s:O, s:o, s:o, s:b}", "username",
			json_object_get(user, "username"), "before",
			names_of(before), "after", names_of(after),
			"loses_access", loses(before, after)));
	}
	return json_pack("{s:o, s:o, s:o}", "diff",
	    ssh_diff(d->content[0], d->content[1]), "accounts", accounts,
	    "overridden", ssh_override_list(d->change->new, ssh_installed()));
}

static void
finish(struct dry_run *d, const char *why)
{
	change_answer(d->change, why == NULL ? answer_of(d) : NULL, why);
	json_decref(d->users);
	json_decref(d->ways[0]);
	json_decref(d->ways[1]);
	free(d->content[0]);
	free(d->content[1]);
	free(d);
}

/* --- Asking sshd ----------------------------------------------------------- */

/* Its groups' names, NULL at the end; the array is the caller's. */
static const char **
groups_of(const json_t *user)
{
	json_t *ids = json_object_get(user, "groups"), *id;
	const char **names = xcalloc(json_array_size(ids) + 2, sizeof(*names));
	const json_t *group;
	size_t i, n = 0;

	group = store_get(core_store(), "group", json_int(user, "group", -1));
	if (group != NULL)
		names[n++] = json_str(group, "name", "");
	json_array_foreach(ids, i, id) {
		group =
		    store_get(core_store(), "group", json_integer_value(id));
		if (group != NULL)
			names[n++] = json_str(group, "name", "");
	}
	return names;
}

static unsigned int
ways_of(const json_t *user, const char *effective)
{
	const char **groups = groups_of(user);
	struct ssh_account account = { .name = json_str(user, "username", ""),
		.root = json_int(user, "uid", -1) == 0,
		.groups = groups,
		.has_key = *json_str(user, "sshpubkey", "") != '\0',
		.has_password = !json_bool(user, "password_disabled", false) &&
		    *json_str(user, "unixhash", "") == '$' };
	unsigned int ways = json_bool(user, "locked", false) ?
	    0 :
	    ssh_ways(effective, &account);

	free(groups);
	return ways;
}

static void ask_next(struct dry_run *);

static void
known(const struct op_reply *reply, void *arg)
{
	struct dry_run *d = arg;
	struct wire_in body = reply->body;
	const void *data;
	uint32_t n;
	size_t len;
	char *text;

	if (reply->error != 0) {
		finish(d, reply->text);
		return;
	}
	for (n = wire_get_u32(&body); n > 0 && !body.bad; n--) {
		data = wire_get_bytes(&body, &len);
		text = xstrndup(data != NULL ? data : "", len);
		json_array_append_new(d->ways[d->side],
		    json_integer(
			ways_of(json_array_get(d->users, d->at++), text)));
		free(text);
	}
	if (wire_end(&body) == -1)
		finish(d, "sshd's configuration could not be read");
	else
		ask_next(d);
}

/* The next accounts of this side; at its end the other, or the answer. */
static void
ask_next(struct dry_run *d)
{
	size_t left = json_array_size(d->users) - d->at, i;
	struct wire_out out = { 0 };
	char *spec;

	if (left == 0 && d->side == 1) {
		finish(d, NULL);
		return;
	}
	if (left == 0) {
		d->side = 1;
		d->at = 0;
		ask_next(d);
		return;
	}
	if (left > BATCH)
		left = BATCH;
	wire_put_u32(&out, OUTPUT_SSHD_CONFIG);
	wire_put_bytes(&out, d->content[d->side], strlen(d->content[d->side]));
	wire_put_u32(&out, (uint32_t)left);
	for (i = 0; i < left; i++) {
		spec = xasprintf("user=%s,host=localhost,addr=127.0.0.1",
		    json_str(
			json_array_get(d->users, d->at + i), "username", ""));
		wire_put_str(&out, spec);
		free(spec);
	}
	op_request(MSG_OP_EFFECTIVE_OF, &out, -1, known, d);
	wire_free(&out);
}

static bool
has_ca(const struct change *c)
{
	const json_t *entry = change_view(c, &ssh_resource, ssh_resource.entry);

	return json_array_size(json_object_get(entry, "user_ca_keys")) > 0;
}

/* The system's own accounts are nobody's to have a certificate for. */
static bool
is_person(const json_t *user)
{
	return !json_bool(user, "builtin", false) ||
	    json_int(user, "uid", -1) == 0;
}

/* Those that could come in by any setting of SSH. */
static json_t *
candidates(const struct change *c)
{
	json_t *all = change_view_all(c, resource_find("user")), *user;
	bool certificates = has_ca(NULL) || has_ca(c);
	json_t *list = json_array();
	size_t i;

	json_array_foreach(all, i, user)
		if (!json_bool(user, "locked", false) &&
		    (*json_str(user, "sshpubkey", "") != '\0' ||
			*json_str(user, "unixhash", "") == '$' ||
			(certificates && is_person(user))))
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
	d->ways[0] = json_array();
	d->ways[1] = json_array();
	d->content[0] = change_render(OUTPUT_SSHD_CONFIG, NULL, &why);
	if (d->content[0] != NULL)
		d->content[1] = change_render(OUTPUT_SSHD_CONFIG, c, &why);
	if (d->content[1] == NULL)
		finish(d, why);
	else
		ask_next(d);
	free(why);
}
