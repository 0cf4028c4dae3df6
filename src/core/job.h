/*
 * Jobs: methods that take their time.  The call is answered with the job's id
 * at once, or at its end when its connection wants that (core.set_options);
 * state, progress and result are asked for by core.get_jobs and told to those
 * who subscribed to it.
 *
 * A job outlives its connection and session.  It is kept, and its number goes
 * on, over a restart of core, which ends what was not done (job_store.h says
 * how durable that is).
 */
#ifndef HF_JOB_H
#define HF_JOB_H

#include <jansson.h>

#include "core/call.h"

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_SUCCESS, JOB_FAILED,
    JOB_ABORTED };

struct job;
struct session;

/* How a job ended; all is borrowed. */
struct job_end {
	enum job_state	 state;
	json_t		*answer;	/* its result or its error object */
	json_t		*result;	/* the result, redacted; or NULL */
};
typedef void job_done(const struct job_end *, void *);

/*
 * At core's start, before there are calls: what the last run left is read,
 * and FAILED where it had not ended.  Without a usable folder jobs are kept in
 * memory only.
 */
void	 jobs_open(const char *folder);
/* At its orderly end. */
void	 jobs_close(void);

/*
 * Makes a job of a validated call, answers the call's client, and runs the
 * method when its lock (NULL: none) is free.  Refused with EBUSY when too many
 * wait for the lock, unless the last one waiting is the same call of the same
 * user: then that one stands for both.
 */
void	 job_start(struct call *, const char *lock);

/* From call_reply and call_fail*: its end.  Both are stolen. */
void	 job_finish(struct call *, json_t *result);
void	 job_fail(struct call *, json_t *error);
/*
 * Where the table cannot say what of the result is secret, as it is another
 * method's: its redacted form (stolen) as well.
 */
void	 job_finish_as(struct call *, json_t *result, json_t *redacted);
/*
 * The end of a method that was asked to stop (method.abort); extra (stolen,
 * may be NULL) tells what was done until then.
 */
void	 job_stopped(struct call *, json_t *extra);

/* May come as often as it likes: soon told once in LIMIT_PROGRESS_MS only. */
void	 job_progress(struct job *, int percent, const char *description);
/* A line of its log, which is made by the first one. */
void	 job_log(struct job *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
json_int_t job_id(const struct job *);
/* Of the record of its end, whoever writes it. */
const char *job_audit_id(const struct job *);

/*
 * Those that the caller may see, as core.get_jobs shows them; new array of
 * shared objects.  raw: secrets in results too, where the caller may see them.
 */
json_t	*job_list(const struct call *, bool raw);
/* Bytes that a value takes in memory, about. */
size_t	 json_weight(const json_t *);
/* For the event collection core.get_jobs. */
bool	 job_may_read(const struct session *, const json_t *id,
	    const json_t *fields);

/* 0; ENOENT: there is no such job; EPERM: it is somebody else's. */
int	 job_access(const struct call *, json_int_t id);

/*
 * Calls back when the job has ended (at once when it has).  Else, and then
 * nothing is called, what job_access() says.  job_unwait takes it back.
 */
int	 job_wait(const struct call *, json_int_t id, job_done *, void *);
void	 job_unwait(json_int_t id, const void *arg);

/*
 * Ends a job that waits, asks one that runs to stop; nothing when it has
 * ended.  0, what job_access() says, or EOPNOTSUPP: it cannot be stopped.
 */
int	 job_abort(const struct call *, json_int_t id);

/*
 * Its log, read only: a descriptor of the caller's, or -1 with errno: what
 * job_access() says, or ENODATA when it has none.
 */
int	 job_open_log(const struct call *, json_int_t id);

#endif
