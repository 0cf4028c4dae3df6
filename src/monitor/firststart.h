/*
 * What is changed once, before anything runs: the accounts that Holdfast
 * needs; and in the overlays of a new instance, that no password, key or host
 * key of the machine below counts inside.
 */
#ifndef HF_MONITOR_FIRSTSTART_H
#define HF_MONITOR_FIRSTSTART_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs inside the mounted instance or on the machine itself, unless
 * DIR/initialised says that it was done; safe to repeat after an interruption.
 * import: keys in homes and host keys stay.  0 or -1 with why.
 */
int		 firststart(int dir_fd, bool instance, bool import, char *why,
		    size_t size);

/* What should be told about it ("group id 445 belongs to ..."); NULL ends. */
const char	*const *firststart_warnings(void);

#endif
