/*
 * Proof that SSH still lets an administrator in: see ssh_confirm.h.
 *
 * The kernel says who is here and since when, so it cannot be made up by who
 * calls.  A connection counts from its beginning: one that was there before
 * the change was not accepted by what was changed.
 */
#include "services/ssh/ssh_confirm.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/account.h"
#include "core/op.h"
#include "lib/xalloc.h"

#define TEXT_MAX 1024

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

static void
skip_text(struct wire_in *body)
{
	free(wire_get_str(body, TEXT_MAX));
}

/* One session of MSG_OP_SSH_SESSIONS. */
static bool
counts(struct wire_in *body, int64_t since)
{
	int64_t began;
	uint32_t uid;

	wire_get_u32(body);
	began = (int64_t)wire_get_u64(body) * 1000 / sysconf(_SC_CLK_TCK);
	wire_get_u64(body);
	uid = wire_get_u32(body);
	skip_text(body);
	skip_text(body);
	wire_get_u16(body);
	skip_text(body);
	skip_text(body);
	return !body->bad && began >= since && is_administrator((uid_t)uid);
}

static void
sessions_known(const struct op_reply *reply, void *arg)
{
	struct proof *p = arg;
	struct wire_in body = reply->body;
	bool found = false;
	uint32_t n;

	if (reply->error != 0)
		p->done(reply->text, p->arg);
	else {
		for (n = wire_get_u32(&body); n > 0 && !body.bad; n--)
			found = counts(&body, p->since) || found;
		p->done(found && wire_end(&body) == 0 ?
			NULL :
			"No administrator is here who logged in by SSH after "
			"the change: do so and stay until it is confirmed",
		    p->arg);
	}
	free(p);
}

void
ssh_confirm_prove(
    int64_t since, void (*done)(const char *missing, void *), void *arg)
{
	struct proof *p = xcalloc(1, sizeof(*p));

	p->since = since;
	p->done = done;
	p->arg = arg;
	op_request(MSG_OP_SSH_SESSIONS, NULL, -1, sessions_known, p);
}

const struct confirming ssh_confirming = { .event = "ssh.checkin_waiting",
	.prove = ssh_confirm_prove };
