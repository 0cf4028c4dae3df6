/*
 * The wall clock: wakes the scheduler, and notices when somebody sets it.
 */
#ifndef HF_CLOCK_H
#define HF_CLOCK_H

#include <stdint.h>
#include <uv.h>

/* From now on tasks run. */
void	clock_start(uv_loop_t *);
/* The scheduler's next turn, seconds since the epoch; replaces the last. */
void	clock_wake(int64_t when);

#endif
