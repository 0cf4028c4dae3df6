/*
 * What the files of the jobs share: their life (job.c), what is shown of them
 * (job_show.c), what is kept of them and for how long (job_keep.c).
 */
#ifndef HF_JOB_INTERNAL_H
#define HF_JOB_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "core/job.h"
#include "core/job_log.h"
#include "lib/uuid.h"

struct waiter {
	struct waiter	*next;
	job_done	*done;
	void		*arg;
};

struct job {
	struct job	*next;		/* newest first */
	json_int_t	 id;
	const struct method *method;	/* NULL: one that is no more */
	char		*method_name;
	struct call	*call;		/* while it waits or runs */
	char		*username;	/* whose it is */
	char		*lock;
	char		 audit_id[UUID_LEN];	/* of its one record */
	enum job_state	 state, outcome;
	bool		 abortable;
	char		*aborter;	/* who asked for its end; NULL */
	json_t		*message_ids;
	json_t		*arguments;	/* redacted */
	json_t		*credentials;
	int		 percent;
	char		*progress;
	int64_t		 started, finished;
	json_t		*answer;	/* its result or its error object */
	json_t		*result;	/* the result, redacted */
	char		*dropped;	/* why there is no result any more */
	struct job_log	 log;
	bool		 logged;
	char		*excerpt;
	size_t		 weight;	/* of arguments and answer */
	struct waiter	*waiters;
	unsigned int	 pinned;	/* not to be freed */
	json_t		*shown;		/* as core.get_jobs shows it, or NULL */
	unsigned int	 steps;		/* of its progress, told or not */
	bool		 telling;	/* its progress is told soon */
	int64_t		 told;		/* and was last, boottime_ms() */
};

/* job.c */
bool		 job_ended(const struct job *);

/* job_show.c */
/* What is shown of it has changed: tells those who subscribed. */
void		 job_tell(struct job *, bool added);
bool		 job_visible(const struct session *, const struct job *);

/* job_keep.c */
extern const char *const job_state_names[];
struct job	*job_first(void);	/* the newest */
struct job	*job_find(json_int_t id);
/* One more: it gets its number and is written, the oldest may go. */
void		 job_keep(struct job *);
/* Its state changed. */
void		 job_save(const struct job *);
/* It ended: what of it is kept, here and on disk. */
void		 job_settle(struct job *);

#endif
