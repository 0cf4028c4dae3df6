/*
 * What a new instance changes in its overlays before anything runs: no
 * password, key or host key of the machine below counts inside.
 */
#ifndef HF_MONITOR_FIRSTSTART_H
#define HF_MONITOR_FIRSTSTART_H

#include <stddef.h>

/*
 * Runs inside the mounted instance, unless DIR/initialised says that it was
 * done; safe to repeat after an interruption.  0 or -1 with why.
 */
int		 firststart(int dir_fd, char *why, size_t size);

/* What should be told about it ("group id 445 belongs to ..."); NULL ends. */
const char	*const *firststart_warnings(void);

#endif
