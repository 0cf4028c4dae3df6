/*
 * Proof that SSH still lets an administrator in: see ssh_proof.h.
 *
 * The kernel says who is here and since when, so it cannot be made up by who
 * calls.  A connection counts from its beginning: one that was there before
 * the change was not accepted by what was changed.
 */
#include "core/ssh_proof.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/account.h"
#include "core/ssh_list.h"
#include "lib/json.h"
#include "lib/xalloc.h"

struct proof {
	int64_t since;
	void (*done)(const char *, void *);
	void *arg;
};

static bool
is_administrator(uid_t uid)
{
	const json_t *account = account_by_uid(uid);

	return uid == 0 ||
	    (account != NULL && account_is_administrator(account));
}

/* Its id ends with when its sshd began, in clock ticks (proc(5), stat). */
static bool
counts(const json_t *session, int64_t since)
{
	const char *ticks = strchr(json_str(session, "id", ""), '-');
	json_int_t uid = json_int(session, "uid", -1);

	return ticks != NULL && uid >= 0 &&
	    strtoll(ticks + 1, NULL, 10) * 1000 / sysconf(_SC_CLK_TCK) >=
	    since &&
	    is_administrator((uid_t)uid);
}

static void
sessions_known(json_t *sessions, int error, const char *text, void *arg)
{
	struct proof *p = arg;
	bool found = false;
	json_t *session;
	size_t i;

	json_array_foreach(sessions, i, session)
		found = found || counts(session, p->since);
	if (error != 0)
		p->done(text, p->arg);
	else
		p->done(found ? NULL :
				"No administrator is here who logged in by SSH "
				"after the change: do so and stay until it is "
				"confirmed",
		    p->arg);
	json_decref(sessions);
	free(p);
}

void
ssh_proof(int64_t since, void (*done)(const char *missing, void *), void *arg)
{
	struct proof *p = xcalloc(1, sizeof(*p));

	p->since = since;
	p->done = done;
	p->arg = arg;
	ssh_list_ask(sessions_known, p);
}
