/*
 * What /proc says of a process, read through one open folder: that belongs to
 * the same process for ever, whoever gets its number afterwards.
 */
#ifndef HF_MONITOR_PROC_H
#define HF_MONITOR_PROC_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROC_NONE	UINT32_MAX	/* no login uid, no login session */
#define PROC_NAME_MAX	16

struct proc {
	int		 fd;		/* its folder */
	pid_t		 pid, parent;
	char		 name[PROC_NAME_MAX];	/* of its program; any bytes */
	int		 tty;		/* device number; 0: none */
	pid_t		 foreground;	/* of its terminal: the group's leader;
					   -1: none */
	uint64_t	 start;		/* clock ticks since the boot */
	/*
	 * Of the kernel's audit, set by pam_loginuid at a login and inherited:
	 * who, and a number that no other login has until the next boot.
	 */
	uint32_t	 login_uid, login;
};

/* 0, or -1: there is no such process (any more). */
int	 proc_open(pid_t, struct proc *);
void	 proc_close(struct proc *);

/* Effective uid; PROC_NONE when it is gone. */
uint32_t proc_uid(const struct proc *);
/* Does it run this file (also when that was replaced meanwhile)? */
bool	 proc_runs(const struct proc *, const char *path);

/*
 * Calls with each process there is, its folder open for that time.  0, or -1
 * with errno.
 */
int	 proc_each(void (*)(const struct proc *, void *), void *);

/* Signals those that match.  0, or -1 with errno. */
int	 proc_signal(bool (*match)(const struct proc *, const void *),
	    const void *arg, int number);

/*
 * Ends the processes that match, and those they start meanwhile: SIGTERM
 * first, and SIGKILL to what is left after a while.  How many there were, or
 * -1 with errno (EBUSY: some do not go).  It waits: for a child.
 */
int	 proc_end(bool (*match)(const struct proc *, const void *),
	    const void *arg);

#endif
