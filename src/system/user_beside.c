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

static void
end_one(const struct edit *e)
{
	const char *name = json_str(e->before, "username", "");
	int64_t uid = json_int(e->before, "uid", -1);

	if (e->after == NULL)
		log_info("user.removed",
		    "%s: what is in %s stays; user.leftovers lists the files "
		    "of uid %lld",
		    name, json_str(e->before, "home", ""), (long long)uid);
	/* Root's are the machine's. */
	account_end((uid_t)uid, name, uid != 0);
}

void
user_beside(struct change *c, enum beside step)
{
	size_t i;

	for (i = 0; step == BESIDE_KEEP && i < c->nedits; i++)
		if (c->edits[i].resource == &user_resource &&
		    is_ended(&c->edits[i]))
			end_one(&c->edits[i]);
	user_home_beside(c, step);
}
