/*
 * What retention drops from the audit log: whole segments, the oldest first,
 * whose newest record is older than so many days.  The role judges by a clock
 * of its own: one that was put forward drops nothing until somebody says that
 * it is right.
 */
#ifndef HF_AUDIT_RETAIN_H
#define HF_AUDIT_RETAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/segment.h"

/* The file that the clock is kept in. */
#define RETAIN_CLOCK	"clock"

/* Seconds. */
struct retain_clock {
	int64_t	trusted;	/* what the wall clock should have shown */
	int64_t	boot;		/* since the boot, when it did */
};

/*
 * Compares the wall clock with the time that went by since the last look;
 * what passed while the machine was off is believed up to a day.  True: it was
 * put forward, and the clock goes on as if it had not been.
 */
bool	 retain_clock_look(struct retain_clock *, int64_t wall, int64_t boot);
/* The time to judge by: never later than either clock. */
int64_t	 retain_clock_time(const struct retain_clock *, int64_t wall);

/*
 * The same, kept in the folder dirfd.  right: the wall clock is right, whatever
 * it was before.  *nowp: the time to judge by.  1: it was put forward, *nowp
 * is not to be used; 0; -1 with errno.
 */
int	 retain_now(int dirfd, bool right, int64_t *nowp);

/*
 * The first segment that stays when all is dropped whose newest record is from
 * before that time; the newest segment always does.  0: there are none; -1
 * with errno.
 */
int64_t	 retain_first(const struct segments *, int64_t before);
/* When the newest segment was begun; 0: it has no record. */
int64_t	 retain_began(const struct segments *);

#endif
