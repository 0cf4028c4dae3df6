/*
 * The two layers of the sandbox, put on by sandbox.c.
 */
#ifndef HF_SANDBOX_INTERNAL_H
#define HF_SANDBOX_INTERNAL_H

#include "lib/sandbox.h"

/*
 * Landlock: the paths, and of the network what the role needs.  no_new_privs
 * must be set.  0, or -1 with errno.
 */
int	landlock_enter(const struct sandbox_path *, enum sandbox_network);

/* The files' part alone, with execution of what may be read. */
int	landlock_files(const struct sandbox_path *);

/*
 * seccomp: the system calls of the role's table, all others answer EPERM.
 * Ends the process with one line when that fails.
 */
void	seccomp_enter(enum role, enum sandbox_network);

#endif
