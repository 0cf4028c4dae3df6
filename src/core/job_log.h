/*
 * The logs of jobs: a file each in core's own folder, as core opens no other,
 * made with its first line and removed with its job.
 */
#ifndef HF_JOB_LOG_H
#define HF_JOB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One that is being written; zeroed: nothing yet. */
struct job_log {
	int	 fd;		/* 0: not open */
	size_t	 len;
	bool	 full;
};

/* Makes the folder below `state`, once; 0 or -1 with errno. */
int	 job_log_initialise(const char *state);
/*
 * Adds a line (control characters replaced), up to LIMIT_JOB_LOG bytes in all
 * and then one that says so.  0 or -1 with errno; what cannot be written is
 * not tried again.
 */
int	 job_log_line(struct job_log *, int64_t id, const char *line);
void	 job_log_close(struct job_log *);

/* The file's path; caller frees. */
char	*job_log_path(int64_t id);
/* Read only and close-on-exec; a descriptor, or -1 with errno. */
int	 job_log_open(int64_t id);
/*
 * The whole log up to 20 lines, else the first 10, how many more, and the
 * last 10 (protocol.json, jobs.logs); NULL when there is none.  Caller frees.
 */
char	*job_log_excerpt(int64_t id);
void	 job_log_remove(int64_t id);
/* Removes each file whose id keep() does not want. */
void	 job_log_clean(bool (*keep)(int64_t id));

#endif
