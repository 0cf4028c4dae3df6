/*
 * What confirms a change of accounts, of passwords' rules or of second
 * factors: an administrator's login after it, to the API or by SSH.
 */
#include <stdlib.h>

#include "core/sessions.h"
#include "core/ssh_proof.h"
#include "lib/xalloc.h"
#include "system/system.h"

struct proof {
	void (*done)(const char *, void *);
	void *arg;
};

static void
ssh_known(const char *missing, void *arg)
{
	struct proof *p = arg;

	p->done(missing == NULL ?
		NULL :
		"No administrator is here who logged in after the change, to "
		"the API or by SSH: do so and stay until it is confirmed",
	    p->arg);
	free(p);
}

static void
prove(int64_t since, void (*done)(const char *missing, void *), void *arg)
{
	struct proof *p;

	if (sessions_administrator_since(since)) {
		done(NULL, arg);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->done = done;
	p->arg = arg;
	ssh_proof(since, ssh_known, p);
}

const struct confirming account_confirming = { .prove = prove };
