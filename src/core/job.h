/*
 * Jobs: methods that take their time.  The call is answered with the job's id
 * at once; state, progress and result are asked for by core.get_jobs.
 */
#ifndef HF_JOB_H
#define HF_JOB_H

#include <jansson.h>

#include "core/call.h"

#define JOBS_KEPT	1000
#define JOB_LOCK_QUEUE	5

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_SUCCESS, JOB_FAILED,
    JOB_ABORTED };

struct job;

/*
 * Makes a job of a validated call, answers the call's client with the id, and
 * runs the method when its lock (NULL: none) is free.
 */
void	 job_start(struct call *, const char *lock);

/* From call_reply and call_fail*: its end.  The result is stolen. */
void	 job_finish(struct call *, json_t *result);
void	 job_fail(struct call *, int error, const char *reason,
	    const char *class, json_t *extra);
void	 job_progress(struct job *, int percent, const char *description);

/* Those that the caller may see, as core.get_jobs shows them; new array. */
json_t	*job_list(const struct call *);

/* 0; ENOENT: there is no such job; EPERM: it is somebody else's. */
int	 job_access(const struct call *, json_int_t id);

/*
 * Calls back when the job has ended (at once when it has): its result
 * (borrowed) or its error.  Else, and then nothing is called, what
 * job_access() says.
 */
int	 job_wait(const struct call *, json_int_t id,
	    void (*)(enum job_state, const json_t *result, int error,
	    const char *reason, void *), void *);

#endif
