/*
 * Services where there is no systemd: started, stopped, reloaded on request,
 * restarted when they end unasked, given up after repeated ends.
 */
#ifndef HF_MONITOR_SUPERVISOR_H
#define HF_MONITOR_SUPERVISOR_H

#include <uv.h>

#include "monitor/manager.h"

extern const struct service_way supervisor_way;

/* The events must stay. */
void		supervisor_start(uv_loop_t *, const struct service_events *);

#endif
