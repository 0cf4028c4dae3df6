/*
 * The one durable scheduler: what is to be done at a time, at times that come
 * again, or after each start of the machine.  Entries are kept in the store
 * and name a task, a row of a table.
 *
 * An entry is there when its call returned 0, survives core and the machine,
 * and is gone only after its task said that it is done: what a crash
 * interrupts runs again, so a task must not mind that.  What was missed runs
 * once, not once for each missed time.  A task never runs twice at a time
 * under one name.
 *
 * Times are the wall clock's.  Put forward, it makes due what it jumped over;
 * put back by some hours at most, it repeats nothing; put back further, a
 * calendar begins anew from there.
 */
#ifndef HF_SCHEDULER_H
#define HF_SCHEDULER_H

#include <jansson.h>
#include <stdint.h>

struct store;
struct task_run;

struct scheduled_task {
	const char	*name;		/* "alert.clear" */
	const char	*doc;		/* what it does, for people */
	/*
	 * Ends with task_done(), now or later, from whatever happens.  args
	 * live until then.
	 */
	void		(*run)(struct task_run *, const json_t *args);
};

/* All of them, name NULL at the end; src/registry.c. */
extern const struct scheduled_task scheduled_tasks[];

/*
 * failed: why, one line without a full stop (copied), or NULL.  A failure is
 * logged and an alert until the same entry succeeds.  What was for a time or
 * a start is tried again, after a minute at first, later hourly; what comes
 * again is not.
 */
void	 task_done(struct task_run *, const char *failed);

/*
 * Adds an entry, or replaces the one of that name; the same again changes
 * nothing (its past counts on).  args may be NULL.  0, or -1 with errno: then
 * nothing is changed (EINVAL: no such task, or no schedule of cron.h).
 */
int	 scheduler_at(const char *name, int64_t when, const char *task,
	    const json_t *args);	/* when: seconds since the epoch */
int	 scheduler_cron(const char *name, const json_t *schedule,
	    const char *task, const json_t *args);
/* After the next start of the machine, and each one after it. */
int	 scheduler_boot(const char *name, const char *task,
	    const json_t *args);
/* Of none such is fine; one that runs goes on to its end, unlisted. */
int	 scheduler_cancel(const char *name);
/* What an entry gives its task; borrowed, NULL: there is no such entry. */
const json_t *scheduler_args(const char *name);

/* Loads what is stored; nothing runs before the first turn. */
void	 scheduler_start(struct store *, const char *boot_id);
void	 scheduler_stop(void);
/* Runs what is due; when the next is (INT64_MAX: never). */
int64_t	 scheduler_turn(int64_t now);
/* The clock was set, or begun to count for another zone. */
void	 scheduler_clock_set(int64_t now);

#endif
