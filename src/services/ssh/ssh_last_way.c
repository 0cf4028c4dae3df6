/*
 * The last way in by SSH: see ssh_last_way.h.
 */
#include "services/ssh/ssh_last_way.h"

#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "core/resource.h"
#include "core/rights.h"
#include "core/ssh_proof.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_ways.h"
#include "services/ssh/ssh_ways_ask.h"

#define MEMBER "lockout"
/* Whether anybody has a certificate or principal is not known: they take none's
   place. */
#define OWN ((unsigned int)SSH_WAY_KEY | SSH_WAY_PASSWORD)

struct last_way {
	struct change *change;
	char *before; /* content of sshd_config */
	json_t *admins[2]; /* before, after: those who could come in */
	unsigned int after; /* enum ssh_way: by which ways anybody does */
};

static void
finish(struct last_way *l)
{
	struct change *change = l->change;

	json_decref(l->admins[0]);
	json_decref(l->admins[1]);
	free(l->before);
	free(l);
	change_guarded(change);
}

/* --- What has to be looked at --------------------------------------------- */

static bool
is_administrator(const struct change *c, const json_t *user)
{
	return json_int(user, "uid", -1) == 0 || rights_has_all(c, user);
}

/* Did the call not say that it may be so, although its method could? */
static bool
is_unsaid(const struct change *c)
{
	const struct field *p = c->call->method->params, *f;
	bool can = false;
	json_t *param;
	size_t i;

	for (; p != NULL && p->name != NULL; p++)
		for (f = p->fields; p->type == F_OBJECT && f->name != NULL; f++)
			can = can || strcmp(f->name, MEMBER) == 0;
	json_array_foreach(c->call->params, i, param)
		if (json_bool(param, MEMBER, false))
			return false;
	return can;
}

static bool
is_proven_later(const struct change *c)
{
	return c->rollback_seconds > 0 && c->resource->confirmed_by != NULL &&
	    c->resource->confirmed_by->prove == ssh_proof;
}

static bool
is_of(const struct edit *e, const char *resource)
{
	return strcmp(e->resource->name, resource) == 0;
}

/* Might it take a way of an administrator's? */
static bool
might_take(const struct change *c, const struct edit *e)
{
	if (e->before == NULL)
		return false;
	if (is_of(e, "user"))
		return is_administrator(NULL, e->before);
	return is_of(e, "group") || is_of(e, "privilege") ||
	    c->steps[OUTPUT_SSHD_CONFIG].affected;
}

static bool
concerns(const struct change *c)
{
	size_t i;

	/* What is put back was so before. */
	if (c->taking_back || !is_unsaid(c) || is_proven_later(c))
		return false;
	for (i = 0; i < c->nedits; i++)
		if (might_take(c, &c->edits[i]))
			return true;
	return false;
}

/* The administrators who could come in by some setting of SSH. */
static json_t *
administrators(const struct change *c)
{
	json_t *all = change_view_all(c, resource_find("user")), *user;
	json_t *list = json_array();
	size_t i;

	json_array_foreach(all, i, user)
		if (ssh_ways_possible(c, user) && account_runs_commands(user) &&
		    is_administrator(c, user))
			json_array_append(list, user);
	json_decref(all);
	return list;
}

/* Of all of them together. */
static unsigned int
all_ways(const json_t *ways)
{
	unsigned int all = 0;
	size_t i;

	for (i = 0; i < json_array_size(ways); i++)
		all |= ssh_ways_at(ways, i);
	return all;
}

/* --- The reasons ---------------------------------------------------------- */

static const char *
reason_of(const struct change *c, const json_t *before, unsigned int ways)
{
	const json_t *after =
	    change_view(c, resource_find("user"), json_int(before, "id", -1));
	unsigned int own = ways & OWN;

	if (after == NULL)
		return "it is removed";
	if (json_bool(after, "locked", false))
		return "it is locked";
	if (!account_runs_commands(after))
		return "its shell lets nobody in";
	if (!is_administrator(c, after))
		return "it may no longer do everything";
	if (own == SSH_WAY_KEY && *json_str(after, "sshpubkey", "") == '\0')
		return "it has no key left";
	if (own == SSH_WAY_PASSWORD &&
	    json_bool(after, "password_disabled", false))
		return "its password is disabled";
	return "sshd lets it in no more";
}

static const char *
text_of(unsigned int ways)
{
	if (ways == SSH_WAY_CERTIFICATE)
		return "a certificate";
	if ((ways & OWN) == 0)
		return "a Kerberos ticket";
	ways &= OWN;
	if (ways == SSH_WAY_KEY)
		return "a key";
	return ways == SSH_WAY_PASSWORD ? "a password" : "a key or password";
}

static void
refuse(struct last_way *l, const json_t *before)
{
	struct verr *errors = l->change->errors;
	unsigned int ways;
	json_t *user;
	size_t i;

	verr_add(errors, MEMBER,
	    "No administrator would get in by SSH any more; \"" MEMBER
	    "\" makes the change all the same");
	json_array_foreach(l->admins[0], i, user) {
		ways = ssh_ways_at(before, i);
		if (ways != 0)
			verr_add(errors, MEMBER, "%s, by %s now: %s",
			    json_str(user, "username", ""), text_of(ways),
			    reason_of(l->change, user, ways));
	}
}

/* --- Asking --------------------------------------------------------------- */

static void
not_told(struct last_way *l, const char *why)
{
	verr_add(l->change->errors, MEMBER,
	    "Who gets in by SSH could not be told (%s); \"" MEMBER
	    "\" makes the change all the same",
	    why);
	finish(l);
}

static void
before_known(const json_t *ways, const char *why, void *arg)
{
	struct last_way *l = arg;
	unsigned int before;

	if (ways == NULL) {
		not_told(l, why);
		return;
	}
	before = all_ways(ways);
	if ((before & OWN) != 0 || (before != 0 && l->after == 0))
		refuse(l, ways);
	finish(l);
}

/* As a rule somebody is left, and nothing else has to be asked. */
static void
after_known(const json_t *ways, const char *why, void *arg)
{
	struct last_way *l = arg;

	l->after = all_ways(ways);
	if (ways == NULL)
		not_told(l, why);
	else if ((l->after & OWN) != 0)
		finish(l);
	else
		ssh_ways_ask(NULL, l->before, l->admins[0], before_known, l);
}

static void
begin(struct change *c)
{
	const struct step *step = &c->steps[OUTPUT_SSHD_CONFIG];
	struct last_way *l = xcalloc(1, sizeof(*l));
	char *why = NULL;

	l->change = c;
	l->admins[0] = administrators(NULL);
	l->admins[1] = administrators(c);
	l->before = change_render(OUTPUT_SSHD_CONFIG, NULL, &why);
	if (l->before == NULL)
		not_told(l, why);
	else
		ssh_ways_ask(c, step->affected ? step->content : l->before,
		    l->admins[1], after_known, l);
	free(why);
}

static bool
starts_by_itself(void)
{
	return json_bool(
	    store_get(core_store(), "service", services[SERVICE_SSH].api_id),
	    "enable", false);
}

static void
state_known(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_in body = reply->body;

	if (starts_by_itself() || reply->error != 0 ||
	    wire_get_u8(&body) != STATE_STOPPED)
		begin(c);
	else
		change_guarded(c);
}

void
ssh_last_way(struct change *c)
{
	if (concerns(c))
		op_ask_state(SERVICE_SSH, DAEMON_ALL, state_known, c);
	else
		change_guarded(c);
}
