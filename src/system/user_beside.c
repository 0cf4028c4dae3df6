/*
 * What changes of accounts do to the machine beside files: homes and keys, and
 * the end of whoever may do nothing any more.
 */
#include "core/account_end.h"
#include "core/change.h"
#include "lib/json.h"
#include "lib/log.h"
#include "system/system.h"
#include "system/user_internal.h"

/* Did every way in close with this edit? */
static bool
is_ended(const struct edit *e)
{
	if (e->before == NULL || user_is_foreign(e->before))
		return false;
	return e->after == NULL ||
	    (json_bool(e->after, "locked", false) &&
		!json_bool(e->before, "locked", false));
}

/* Whom it ends: a new array.  Root's processes are the machine's. */
static json_t *
ends_of(const struct change *c)
{
	json_t *who = json_array();
	const struct edit *e;
	int64_t uid;
	bool ended;

	for (e = c->edits; e < c->edits + c->nedits; e++) {
		ended = e->resource == &user_resource && is_ended(e);
		if (!ended &&
		    (e->resource != &user_resource ||
			!user_until_takes_away(c)))
			continue;
		uid = json_int(e->before, "uid", -1);
		account_end_add(who, (uid_t)uid,
		    json_str(e->before, "username", ""), ended && uid != 0);
	}
	return who;
}

static void
tell_removed(const struct change *c)
{
	const struct edit *e;

	for (e = c->edits; e < c->edits + c->nedits; e++)
		if (e->resource == &user_resource && e->after == NULL &&
		    is_ended(e))
			log_info("user.removed",
			    "%s: what is in %s stays; user.leftovers lists the "
			    "files of uid %lld",
			    json_str(e->before, "username", ""),
			    json_str(e->before, "home", ""),
			    (long long)json_int(e->before, "uid", -1));
}

void
user_beside(struct change *c, enum beside step)
{
	json_t *who = ends_of(c);
	int noted = 0;

	if (json_array_size(who) > 0) {
		if (step == BESIDE_DO)
			noted = account_end_note(c->revision, who);
		else if (step == BESIDE_KEEP)
			account_end(c->revision, who);
		else
			account_end_forget(c->revision);
	}
	json_decref(who);
	if (step == BESIDE_KEEP)
		tell_removed(c);
	if (noted == -1)
		change_beside_done(c, "the store cannot be written");
	else
		user_home_beside(c, step);
}
