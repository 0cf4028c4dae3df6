/*
 * The end of something that was allowed for a time, durable: a task of the
 * scheduler, which also runs when the machine's own clock says so.  A wall
 * clock that was put back makes no time longer (core/until.h).
 */
#ifndef HF_DEADLINE_H
#define HF_DEADLINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_SECONDS_MAX	(30 * 24 * 60 * 60)

struct deadline {
	const char	*name;		/* of the scheduler's entry */
	const char	*task;		/* a row of scheduled_tasks */
	bool		 looking;	/* its own, false at first */
};

/*
 * In so many seconds, instead of when it was; args (may be NULL) are given to
 * the task.  0 or -1 with errno: then it is as it was.
 */
int	 deadline_set(struct deadline *, int64_t seconds, const json_t *args);
/* Of none such is fine. */
int	 deadline_clear(const struct deadline *);
/* Milliseconds to go, 0: it is over; -1: there is none. */
int64_t	 deadline_left(const struct deadline *);
/* As they were given; borrowed, NULL: there is none. */
const json_t *deadline_args(const struct deadline *);
/* Core was started: what is stored is watched again. */
void	 deadline_resume(struct deadline *);

#endif
