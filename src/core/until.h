/*
 * Ends of what is for a time (locked_until and its kin), as two clocks count
 * them: the wall's, which anybody with the right may set, and the machine's
 * since its boot.  Setting the wall's must neither lengthen a grant nor
 * shorten a lock: the earlier of both ends a grant, the later one a lock.
 *
 * Pure: the clocks' times are the caller's.  All in milliseconds.
 */
#ifndef HF_UNTIL_H
#define HF_UNTIL_H

#include <stdbool.h>
#include <stdint.h>

struct until {
	int64_t	wall;	/* the end, since the epoch */
	int64_t	boot;	/* the end by boottime_ms(); -1: not of this boot */
	bool	lock;	/* else a grant */
};

struct until_now {
	int64_t	wall, boot;
};

/* How long it goes on if nobody sets a clock; 0: it is over. */
int64_t	until_left(const struct until *, const struct until_now *);

#endif
