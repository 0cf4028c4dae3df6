/*
 * Jobs on disk: jobs.db beside the configuration, one row a job.
 *
 * A file of its own, since jobs are no configuration: they belong to this
 * machine and not to a backup or a shared store, a damaged one is set aside
 * and begun anew instead of refused, and a row is written without waiting for
 * the disk (synchronous=NORMAL): what core wrote outlives core, a power cut
 * may take the last rows.  What a job changed is in the store and in the
 * audit log, which do wait.
 */
#ifndef HF_JOB_STORE_H
#define HF_JOB_STORE_H

#include <jansson.h>
#include <stdint.h>

struct job_store;

/*
 * Opens jobs.db in the folder, or makes it; one that is damaged or of another
 * program is kept as jobs.db.damaged and *whyp (malloc'd, else NULL) says so.
 * NULL when there can be none, *whyp says why.
 */
struct job_store	*job_store_open(const char *folder, char **whyp);
void			 job_store_close(struct job_store *); /* NULL is fine */

/* All rows by id, [[id, row], ...]; a new array, taken once after opening. */
json_t			*job_store_rows(struct job_store *);
/* Writes or replaces, and removes; 0, or -1 with errno (ENOSPC, EIO). */
int			 job_store_put(struct job_store *, int64_t id,
			    const json_t *row);
int			 job_store_remove(struct job_store *, int64_t id);

#endif
