/* What the monitor's operations need to know of the monitor. */
#ifndef HF_MONITOR_MONITOR_H
#define HF_MONITOR_MONITOR_H

#include "lib/wire.h"
#include "monitor/instance.h"

int		monitor_dir_fd(void);
/* The instance's mount namespace, and the host's. */
const struct namespace_id *monitor_namespace(void);
const struct namespace_id *monitor_host_namespace(void);
/* Adds [str problem], without a count; returns how many. */
uint32_t	monitor_problems(struct wire_out *);

#endif
