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
static bool taken;

void
serial_enter(void (*run)(void *), void *arg)
{
	struct waiting *w;

	if (!taken) {
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

void
serial_leave(void)
{
	struct waiting *w = queue;

	if (w == NULL) {
		taken = false;
		return;
	}
	queue = w->next;
	if (queue == NULL)
		queue_end = &queue;
	w->run(w->arg);
	free(w);
}

bool
serial_busy(void)
{
	return taken;
}
