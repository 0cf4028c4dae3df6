/*
 * Turns: see turn.h.
 */
#include "core/turn.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "lib/xalloc.h"

struct turn {
	struct turn *next;
	char *address, *account; /* address NULL: none */
	void (*run)(void *);
	void *arg;
};

static void
turn_free(struct turn *t)
{
	free(t->address);
	free(t->account);
	free(t);
}

/* At the end of the queue, or -1 with the turn freed. */
static int
enqueue(struct turns *turns, struct turn *t)
{
	struct turn **at;
	unsigned int address = 0, account = 0;

	for (at = &turns->waiting; *at != NULL; at = &(*at)->next) {
		address += t->address != NULL && (*at)->address != NULL &&
		    strcmp((*at)->address, t->address) == 0;
		account += strcmp((*at)->account, t->account) == 0;
	}
	if (turns->count >= LIMIT_LOGINS_WAITING ||
	    address >= LIMIT_LOGINS_ADDRESS ||
	    account >= LIMIT_LOGINS_ADDRESS) {
		turn_free(t);
		return -1;
	}
	*at = t;
	turns->count++;
	return 0;
}

int
turn_enter(struct turns *turns, const char *address, const char *account,
    void (*run)(void *), void *arg)
{
	struct turn *t;

	if (turns->running < turns->at_once) {
		turns->running++;
		run(arg);
		return 0;
	}
	t = xcalloc(1, sizeof(*t));
	t->address = address != NULL ? xstrdup(address) : NULL;
	t->account = xstrdup(account);
	t->run = run;
	t->arg = arg;
	return enqueue(turns, t);
}

void
turn_leave(struct turns *turns)
{
	struct turn *t = turns->waiting;

	turns->running--;
	if (t == NULL || turns->running >= turns->at_once)
		return;
	turns->waiting = t->next;
	turns->count--;
	turns->running++;
	t->run(t->arg);
	turn_free(t);
}
