/*
 * What the installed OpenSSH is and has.
 */
#include "services/ssh/ssh_installed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/op.h"
#include "lib/xalloc.h"

#define LIST_MAX (16 * 1024)

static struct ssh_installed known;
static char *texts[ALGORITHMS_COUNT];

struct question {
	void (*done)(int, const char *, void *);
	void *arg;
};

static int
learn(struct wire_in body)
{
	size_t i;

	known.version = wire_get_u32(&body);
	for (i = 0; i < ALGORITHMS_COUNT; i++) {
		free(texts[i]);
		known.lists[i] = texts[i] = wire_get_str(&body, LIST_MAX);
	}
	if (wire_end(&body) == 0)
		return 0;
	memset(&known, 0, sizeof(known));
	return -1;
}

static void
answered(const struct op_reply *reply, void *arg)
{
	struct question *q = arg;

	if (reply->error != 0)
		q->done(reply->error, reply->text, q->arg);
	else if (learn(reply->body) == -1)
		q->done(EPROTO, "a malformed list of algorithms", q->arg);
	else
		q->done(0, NULL, q->arg);
	free(q);
}

void
ssh_installed_ask(void (*done)(int, const char *, void *), void *arg)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->done = done;
	q->arg = arg;
	op_request(MSG_OP_SSH_INSTALLED, NULL, -1, answered, q);
}

const struct ssh_installed *
ssh_installed(void)
{
	return &known;
}
