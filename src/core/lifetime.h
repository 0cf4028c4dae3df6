/*
 * How old something kept on disk is, by both clocks: since a grant must not
 * outlive its time because somebody set the wall clock, nor because the
 * machine was off, it is over as soon as one of them says so.
 */
#ifndef HF_LIFETIME_H
#define HF_LIFETIME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Sets the object's "wall" and "boot" (seconds) to now. */
void	lifetime_begin(json_t *);
/* Is a grant that began so over, after so many seconds? */
bool	lifetime_over(const json_t *, int64_t seconds);
/*
 * How long ago, for what keeps somebody out: by the time since boot where it
 * can be told, else by the wall clock.  Never negative.
 */
int64_t	lifetime_age(const json_t *);

#endif
