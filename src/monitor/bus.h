/*
 * The connection to D-Bus, on the loop: it never blocks, and when it is lost
 * it comes back by itself (sd-bus(3), sd_bus_get_fd(3)).
 */
#ifndef HF_MONITOR_BUS_H
#define HF_MONITOR_BUS_H

#include <systemd/sd-bus.h>
#include <uv.h>

#define BUS_SYSTEM	"unix:path=/run/dbus/system_bus_socket"

struct bus_callbacks {
	/* A new connection: calls may be made, their answers come later. */
	void	(*up)(sd_bus *);
	/* It is lost, and with it all answers that were awaited. */
	void	(*down)(const char *why);
};

/* The address as D-Bus writes it; it and the callbacks must stay. */
void	bus_open(uv_loop_t *, const char *address,
	    const struct bus_callbacks *);

/* NULL while there is no connection. */
sd_bus	*bus_get(void);

/* For good, without down(); the loop must turn once more before it ends. */
void	bus_close(void);

#endif
