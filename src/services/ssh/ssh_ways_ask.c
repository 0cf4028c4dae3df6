/*
 * Asking sshd by which ways accounts would get in: see ssh_ways_ask.h.
 */
#include "services/ssh/ssh_ways_ask.h"

#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/op.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_ways.h"

#define BATCH 16 /* connections that one operation asks for */

struct asking {
	const struct change *change;
	const char *content;
	json_t *users, *ways;
	size_t at;
	void (*done)(const json_t *, const char *, void *);
	void *arg;
};

unsigned int
ssh_ways_at(const json_t *ways, size_t i)
{
	return (unsigned int)json_integer_value(json_array_get(ways, i));
}

json_t *
ssh_ways_names(unsigned int ways)
{
	json_t *names = json_array();

	if (ways & SSH_WAY_KEY)
		json_array_append_new(names, json_string("SSH_KEY"));
	if (ways & SSH_WAY_CERTIFICATE)
		json_array_append_new(names, json_string("SSH_CERTIFICATE"));
	if (ways & SSH_WAY_PASSWORD)
		json_array_append_new(names, json_string("SSH_PASSWORD"));
	if (ways & SSH_WAY_TICKET)
		json_array_append_new(names, json_string("SSH_KERBEROS"));
	return names;
}

static bool
has_key(const json_t *user)
{
	return *json_str(user, "sshpubkey", "") != '\0';
}

static bool
has_ca(const struct change *c)
{
	const json_t *entry = change_view(c, &ssh_resource, ssh_resource.entry);

	return json_array_size(json_object_get(entry, "user_ca_keys")) > 0;
}

static bool
has_any(const struct change *c, const char *resource)
{
	json_t *all = change_view_all(c, resource_find(resource));
	bool any = json_array_size(all) > 0;

	json_decref(all);
	return any;
}

static bool
has_realm(const struct change *c)
{
	return has_any(c, "kerberos.realm") && has_any(c, "kerberos.keytab");
}

/* The system's own accounts are nobody's to have a certificate for. */
static bool
is_person(const json_t *user)
{
	return !json_bool(user, "builtin", false) ||
	    json_int(user, "uid", -1) == 0;
}

bool
ssh_ways_possible(const struct change *c, const json_t *user)
{
	return !json_bool(user, "locked", false) &&
	    (has_key(user) || *json_str(user, "unixhash", "") == '$' ||
		(is_person(user) &&
		    (has_ca(NULL) || has_ca(c) || has_realm(NULL) ||
			has_realm(c))));
}

/* Its groups' names, NULL at the end; the array is the caller's. */
static const char **
groups_of(const struct change *c, const json_t *user)
{
	const struct resource *groups = resource_find("group");
	json_t *ids = json_object_get(user, "groups"), *id;
	const char **names = xcalloc(json_array_size(ids) + 2, sizeof(*names));
	const json_t *group;
	size_t i, n = 0;

	group = change_view(c, groups, json_int(user, "group", -1));
	if (group != NULL)
		names[n++] = json_str(group, "name", "");
	json_array_foreach(ids, i, id) {
		group = change_view(c, groups, json_integer_value(id));
		if (group != NULL)
			names[n++] = json_str(group, "name", "");
	}
	return names;
}

static unsigned int
ways_of(const struct change *c, const json_t *user, const char *effective)
{
	const char **groups = groups_of(c, user);
	struct ssh_account account = { .name = json_str(user, "username", ""),
		.root = json_int(user, "uid", -1) == 0,
		.groups = groups,
		.has_key = has_key(user),
		.has_realm = is_person(user) && has_realm(c),
		.has_password = !json_bool(user, "password_disabled", false) &&
		    *json_str(user, "unixhash", "") == '$' };
	unsigned int ways = json_bool(user, "locked", false) ?
	    0 :
	    ssh_ways(effective, &account);

	free(groups);
	return ways;
}

static void
finish(struct asking *a, const char *why)
{
	a->done(why == NULL ? a->ways : NULL, why, a->arg);
	json_decref(a->users);
	json_decref(a->ways);
	free(a);
}

static void ask_next(struct asking *);

static void
known(const struct op_reply *reply, void *arg)
{
	struct asking *a = arg;
	struct wire_in body = reply->body;
	const void *data;
	const json_t *user;
	uint32_t n;
	size_t len;
	char *text;

	if (reply->error != 0) {
		finish(a, reply->text);
		return;
	}
	for (n = wire_get_u32(&body); n > 0 && !body.bad; n--) {
		data = wire_get_bytes(&body, &len);
		text = xstrndup(data != NULL ? data : "", len);
		user = json_array_get(a->users, a->at++);
		json_array_append_new(
		    a->ways, json_integer(ways_of(a->change, user, text)));
		free(text);
	}
	if (wire_end(&body) == -1)
		finish(a, "sshd's configuration could not be read");
	else
		ask_next(a);
}

static void
ask_next(struct asking *a)
{
	size_t left = json_array_size(a->users) - a->at, i;
	struct wire_out out = { 0 };
	char *spec;

	if (left == 0) {
		finish(a, NULL);
		return;
	}
	if (left > BATCH)
		left = BATCH;
	wire_put_u32(&out, OUTPUT_SSHD_CONFIG);
	wire_put_bytes(&out, a->content, strlen(a->content));
	wire_put_u32(&out, (uint32_t)left);
	for (i = 0; i < left; i++) {
		spec = xasprintf("user=%s,host=localhost,addr=127.0.0.1",
		    json_str(
			json_array_get(a->users, a->at + i), "username", ""));
		wire_put_str(&out, spec);
		free(spec);
	}
	op_request(MSG_OP_EFFECTIVE_OF, &out, -1, known, a);
	wire_free(&out);
}

void
ssh_ways_ask(const struct change *c, const char *content, json_t *users,
    void (*done)(const json_t *, const char *, void *), void *arg)
{
	struct asking *a = xcalloc(1, sizeof(*a));

	a->change = c;
	a->content = content;
	a->users = json_incref(users);
	a->ways = json_array();
	a->done = done;
	a->arg = arg;
	ask_next(a);
}
