/*
 * Services where systemd is PID 1 (sd_booted(3)): asked over D-Bus to start,
 * stop, restart and reload their units, and heard when a unit's state changes
 * (org.freedesktop.systemd1(5)).
 */
#ifndef HF_MONITOR_SYSTEMD_H
#define HF_MONITOR_SYSTEMD_H

#include <stdbool.h>
#include <uv.h>

#include "monitor/manager.h"

extern const struct service_way systemd_way;

/*
 * Connects, and again whenever the connection is lost.  A verb that is not
 * done within so many seconds is cancelled.  The address (bus.h) and the
 * events must stay.
 */
void	systemd_start(uv_loop_t *, const char *address, unsigned int seconds,
	    const struct service_events *);

/* Whether the state of every service is known. */
bool	systemd_known(void);

#endif
