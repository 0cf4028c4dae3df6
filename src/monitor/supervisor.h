/*
 * Services where there is no systemd: started, stopped, reloaded on request,
 * restarted when they end unasked, given up after repeated ends.
 */
#ifndef HF_MONITOR_SUPERVISOR_H
#define HF_MONITOR_SUPERVISOR_H

#include <stddef.h>
#include <uv.h>

#include "lib/wire.h"

/*
 * Before the loop: what each service needs before its first start (host
 * keys).  Failures are told when the service is started.
 */
void		supervisor_prepare(void);
void		supervisor_start(uv_loop_t *);
/* Stops all; calls stopped() once, maybe at once, when none is left. */
void		supervisor_stop(void (*stopped)(void));
/* Adds [str problem] of each service in trouble; returns how many. */
uint32_t	supervisor_problems(struct wire_out *);

#endif
