/*
 * What a role may still ask of the kernel: one table per role (sandbox.c) of
 * system calls (seccomp, libseccomp; everything else fails with EPERM), of
 * files (Landlock) and of network actions.  Tables, so that a reviewer can
 * read what a role can do on one page.
 *
 * No build, option or environment variable turns it off.  What the sanitizers
 * of the test build need more is a table of that build, next to the others.
 */
#ifndef HF_SANDBOX_H
#define HF_SANDBOX_H

#include "lib/role.h"

/* A folder or file the role keeps, by descriptor taken before. */
struct sandbox_path {
	int	fd;		/* O_PATH or folder; -1 ends the list */
	int	writable;	/* 0: read, 1: read, write, make and remove files */
};

/*
 * How a worker's table differs, by need: no network, or connecting TCP only.
 */
enum sandbox_network { SANDBOX_NO_NETWORK, SANDBOX_CONNECT };

/*
 * The whole drop, in this order: groups and user of the role (setresgid,
 * setresuid, the one other group of its row), no capability and an empty bounding
 * set, no_new_privs, not dumpable, Landlock, seccomp.  Ends the process with
 * one line when a step fails: a role without its sandbox does not run.
 *
 * A death signal (PR_SET_PDEATHSIG) that was set before is set again, since
 * the kernel forgets it with the change of user.
 *
 * Open before it what no table gives: libraries' configuration, /dev/urandom,
 * plug-ins (nothing can be mapped executable afterwards), listening sockets.
 */
void	sandbox_enter(enum role, const struct sandbox_path *,
	    enum sandbox_network);

/*
 * To be called by every role before its event loop is made: from here on the
 * kernel says that it has no io_uring.  libuv 1.50 of Debian 13 would use it
 * behind epoll, without asking, and end when the role's own table, which
 * cannot see into it and therefore does not have it, refuses it.
 */
void	sandbox_no_io_uring(void);

/* Landlock ABI of the kernel: 0 when there is none. */
int	sandbox_landlock_abi(void);

/*
 * What the running kernel lacks of the tables, one text each ("Landlock ABI 3:
 * truncation is not covered"), NULL at the end; static.
 */
const char *const *sandbox_missing(void);

/*
 * 0 when what is required is there (seccomp filter, Landlock ABI >= 1), else
 * -1 and *reason set to one line for people.
 */
int	sandbox_supported(const char **reason);

/*
 * Landlock alone, for an operation's child that goes on as root to run a
 * daemon's checker: it can read (and execute) these paths and write none but
 * the writable ones.  0 or -1 with errno.
 */
int	sandbox_files_only(const struct sandbox_path *);

#endif
