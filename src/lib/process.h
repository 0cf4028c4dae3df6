/*
 * The one way to run another program: absolute path, argument vector, empty
 * environment but PATH and LC_ALL, standard input from a descriptor or
 * /dev/null, output bounded, a time limit, its end by pid.  No shell.
 */
#ifndef HF_PROCESS_H
#define HF_PROCESS_H

#include <stddef.h>

struct process_result {
	int	 status;	/* as of waitpid; -1: never ran or timed out */
	char	*output;	/* stdout and stderr, terminated; caller frees */
	size_t	 output_len;
	int	 timed_out;
};

/*
 * Runs and waits.  in_fd -1 is /dev/null.  Output beyond output_max is
 * discarded.  keep_fds: descriptors that the program keeps, -1 ends; NULL for
 * none.  prepare (may be NULL) runs in the child before exec, e.g. to limit
 * it; a non-zero return there ends the child.  0, or -1 with errno when it
 * could not be started.
 */
int	process_run(const char *const argv[], int in_fd, const int *keep_fds,
	    size_t output_max, unsigned int seconds,
	    int (*prepare)(void *), void *arg, struct process_result *);

#endif
