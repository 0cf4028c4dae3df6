/*
 * The monitor's children: clean forks, programs started with exactly the
 * descriptors they need, and the one place that waits for them.
 */
#ifndef HF_MONITOR_CHILD_H
#define HF_MONITOR_CHILD_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define CHILD_FDS_MAX	4

/*
 * fork() for work that goes on in our own image.  The child has default
 * signals, dies with us, reads /dev/null, and of our descriptors from 3 on
 * keeps only the n given, as 3, 4, ... in that order.  As fork().
 */
pid_t	child_fork(const int *keep, size_t n);

struct child_program {
	/* argv[0] is executed as a path, or exe_fd when that is not -1. */
	const char *const *argv;
	int	exe_fd;
	int	channel_fd;	/* becomes 3; -1: none */
	int	log_fd;		/* becomes 2 */
	bool	log_stdout;	/* and 1, else /dev/null */
	bool	session;	/* its own, else only its group */
	bool	outlive;	/* does not die with us */
	mode_t	umask;
};

/* Starts it with PATH and LC_ALL only; pid, or -1 with errno. */
pid_t	child_start(const struct child_program *);

/*
 * Waiting.  Orphans of the instance come to us as well (we are their
 * subreaper) and are reaped silently.
 */
void	children_watch(uv_loop_t *);
/* Calls ended() once, from the loop, when the child is gone. */
void	child_watch(pid_t, void (*ended)(pid_t, int status, void *), void *);

/*
 * Before and after the loop: runs fn in a child and waits.  fn returns 0, or
 * -1 with a line in why.  0, or -1 with that line (or what happened instead).
 */
int	child_run(int (*fn)(void *, char *why, size_t), void *arg,
	    const int *keep, size_t n, unsigned int seconds, char *why,
	    size_t size);

/*
 * The same from the loop, without waiting: calls done() once with the line, ""
 * when there is none or the time is over.  arg is needed during the call only.
 */
void	child_ask(uv_loop_t *, int (*fn)(void *, char *text, size_t),
	    void *arg, unsigned int seconds,
	    void (*done)(const char *text, void *), void *done_arg);

/*
 * In a child: keeps these capabilities (-1 ends) and none beyond, for ever.
 * 0 or -1.
 */
int	child_drop_capabilities(const int *keep);

/*
 * Does it run its program by now?  Until then it is a copy of us, with all
 * the sockets that we listen on.
 */
bool	child_executed(pid_t);

/* "exited with code 1", "was killed by signal 9 (Killed)". */
const char *child_reason(int status, char *text, size_t size);

#endif
