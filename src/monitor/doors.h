/*
 * Where the web role listens: first where --listen says, then where core asks
 * for (system.general's ui_*).  The sockets are opened here, as ports below
 * 1024 are root's, and given to the role, also to one that is started anew.
 */
#ifndef HF_MONITOR_DOORS_H
#define HF_MONITOR_DOORS_H

#include "monitor/listen.h"
#include "monitor/operations.h"

/* The first one; the descriptor is taken. */
void	doors_start(const struct listen_address *, const char *text, int fd);
/* Calls with each there is. */
void	doors_each(void (*)(const char *address, int fd, void *), void *);

/* MSG_OP_LISTEN: all there shall be, or none of them and those there are. */
int	op_listen(struct operation_call *);

#endif
