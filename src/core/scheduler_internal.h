/*
 * The scheduler's entries in memory: found by name, ordered by when they are
 * due, so that many cost nothing while none is.
 */
#ifndef HF_SCHEDULER_INTERNAL_H
#define HF_SCHEDULER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cron.h"
#include "core/scheduler.h"

#define NEVER	INT64_MAX

struct scheduled {
	char			*name;
	json_t			*stored;	/* as the store has it */
	const struct scheduled_task *task;
	struct cron		 cron;		/* of a schedule */
	int64_t			 due;
	size_t			 place;		/* in the heap */
	unsigned int		 failures;	/* one after the other */
	struct task_run		*run;		/* NULL: it waits */
};

/* NULL when there is none. */
struct scheduled	*queue_find(const char *name);
/* The entry belongs to the queue from then on; its name must be new. */
void		 queue_add(struct scheduled *);
/* It is the caller's again. */
void		 queue_remove(struct scheduled *);
/* After its due changed. */
void		 queue_moved(struct scheduled *);
/* After any of them changed theirs. */
void		 queue_rebuild(void);
/* The one that is due first; NULL: there is none. */
struct scheduled	*queue_first(void);
/* All of them, in no order: n from 0 to queue_count() - 1. */
struct scheduled	*queue_at(size_t n);
size_t		 queue_count(void);

#endif
