/* What the monitor knows of the machine: fit to start, and facts for core. */
#ifndef HF_MONITOR_MACHINE_H
#define HF_MONITOR_MACHINE_H

#include <stddef.h>

#include "lib/startup.h"

/* root, Debian 12 or 13, seccomp and Landlock; 0 or -1 with why. */
int	machine_check(char *why, size_t size);

/* Whether the text of an os-release file is Debian 12, 13 or made of it. */
int	machine_known(const char *os_release);

/* The kernel's, malloc'd; "" when it says none. */
char	*machine_boot(void);
/*
 * Everything in facts but what the options say; the fixed id is kept in
 * DIR/host-id.  0 or -1 with why.  facts_free() in both cases.
 */
int	machine_facts(int dir_fd, struct facts *, char *why, size_t size);

#endif
