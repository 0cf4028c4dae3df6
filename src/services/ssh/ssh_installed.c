/*
 * What the installed OpenSSH is and has.
 */
#include "services/ssh/ssh_installed.h"

#include <stdlib.h>
#include <string.h>

#include "services/ssh/ssh_learn.h"

#define LIST_MAX (16 * 1024)

static struct ssh_installed known;
static char *texts[ALGORITHMS_COUNT];

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

void
ssh_installed_ask(void (*done)(int, const char *, void *), void *arg)
{
	ssh_learn(MSG_OP_SSH_INSTALLED, learn, "a malformed list of algorithms",
	    done, arg);
}

const struct ssh_installed *
ssh_installed(void)
{
	return &known;
}
