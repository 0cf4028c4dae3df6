/*
 * Ends processes of this instance by pid: at start those that an earlier run
 * left in its namespace, at stop whatever is still in ours, and those of one
 * user.
 */
#ifndef HF_MONITOR_LEFTOVERS_H
#define HF_MONITOR_LEFTOVERS_H

#include <sys/types.h>

/*
 * Processes that see this instance's state folder at its place, and all that
 * share a mount namespace with one of them.  SIGTERM, up to 2 s, SIGKILL.
 * state_fd is DIR/state.  Returns how many were ended; -1 with errno when
 * some could not be.
 */
int	leftovers_end(int state_fd);

/*
 * The same for those of a user in our mount namespace: whose real, effective
 * or saved id is this one.
 */
int	leftovers_end_user(uid_t);

#endif
