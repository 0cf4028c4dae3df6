/*
 * One thing at a time: see serial.h.
 */
#include "core/serial.h"

#include <stddef.h>
#include <stdlib.h>

#include "lib/xalloc.h"

struct waiting {
	struct waiting *next;
	void (*run)(void *);
	void *arg;
};

static struct waiting *queue;
static struct waiting **queue_end = &queue;
static bool taken, leaving;

void
serial_enter(void (*run)(void *), void *arg)
{
	struct waiting *w;

	if (!taken && !leaving) {
		taken = true;
		run(arg);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->run = run;
	w->arg = arg;
	*queue_end = w;
	queue_end = &w->next;
}

/*
 * The next ones from a loop: one may leave before its function returns, and a
 * long queue of such must not become a deep stack.
 */
void
serial_leave(void)
{
	struct waiting *w;

	taken = false;
	if (leaving)
		return;
	leaving = true;
	while (!taken && (w = queue) != NULL) {
		queue = w->next;
		if (queue == NULL)
			queue_end = &queue;
		taken = true;
		w->run(w->arg);
		free(w);
	}
	leaving = false;
}

bool
serial_busy(void)
{
	return taken;
}
