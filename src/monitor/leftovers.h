/*
 * Ends processes of this instance by pid: at start those that an earlier run
 * left in its namespace, at stop whatever is still in ours.
 */
#ifndef HF_MONITOR_LEFTOVERS_H
#define HF_MONITOR_LEFTOVERS_H

#include <stddef.h>

/*
 * Processes that see this instance's state folder at its place, and all that
 * share a mount namespace with one of them.  SIGTERM, up to 2 s, SIGKILL.
 * state_fd is DIR/state.  Returns how many were ended; -1 with errno when
 * some could not be.
 */
int	leftovers_end(int state_fd);

#endif
