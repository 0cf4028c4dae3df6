/*
 * Changes of what the store does not hold (struct resource's ask and apply):
 * the entry is asked for before and afterwards, and what was begun is noted
 * until it has ended.  What a crash interrupts is not taken back: it was done
 * or was not, and the next start finds out which and says so in an alert.
 */
#ifndef HF_OUTSIDE_H
#define HF_OUTSIDE_H

#include "core/change.h"

/* The beginning, and when all checks are done. */
void	outside_start(struct change *);
void	outside_apply(struct change *);

/* Once core serves: says what became of what was interrupted. */
void	outside_recover(void);

#endif
