/*
 * Asking the monitor for what is kept: see ssh_learn.h.
 */
#include "services/ssh/ssh_learn.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/xalloc.h"

struct question {
	int (*learn)(struct wire_in);
	const char *malformed;
	void (*done)(int, const char *, void *);
	void *arg;
};

static void
answered(const struct op_reply *reply, void *arg)
{
	struct question *q = arg;

	if (reply->error != 0)
		q->done(reply->error, reply->text, q->arg);
	else if (q->learn(reply->body) == -1)
		q->done(EPROTO, q->malformed, q->arg);
	else
		q->done(0, NULL, q->arg);
	free(q);
}

void
ssh_learn(enum message_type type, int (*learn)(struct wire_in),
    const char *malformed, void (*done)(int, const char *, void *), void *arg)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->learn = learn;
	q->malformed = malformed;
	q->done = done;
	q->arg = arg;
	op_request(type, NULL, -1, answered, q);
}
