/*
 * Exports of the audit log: an archive with the report that was asked for and
 * what proves it to whoever has nothing else, in the form that
 * holdfast-audit(5) describes.
 *
 * The report's hash is in a record of the log, the last one of the export, and
 * a head is signed for that: so the proof of the records is that of the report
 * as well.
 */
#ifndef HF_AUDIT_EXPORT_H
#define HF_AUDIT_EXPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/tree.h"

#define EXPORT_FOLDER	"reports"
#define EXPORT_EVENT	"EXPORT"
/* Members of the archive, behind the report. */
#define EXPORT_HEADS	"heads.jsonl"
#define EXPORT_HASHES	"hashes"
#define EXPORT_RECORDS	"records.jsonl"
#define EXPORT_PROOF	"proof"

struct export;

/*
 * Begins one over what is committed.  request: {user, uuid, format, data: of
 * audit.export as validated, record: of the export itself, without
 * event_data}.  NULL with errno and *whyp (malloc'd).  All else outlives it.
 */
struct export	*export_new(int dirfd, const struct segments *,
		    const struct tree *, const json_t *request, char **whyp);
/* NULL is fine; what is not finished leaves nothing. */
void		 export_free(struct export *);
/* Reads about that many bytes; true: there is no more, or it failed. */
bool		 export_step(struct export *, size_t bytes);
unsigned int	 export_progress(const struct export *);	/* percent */
/* 0 or an errno and why, borrowed. */
int		 export_problem(const struct export *, const char **whyp);
/* After that: the record that is to be in the log; a new reference. */
json_t		*export_record(struct export *);
/*
 * It is: its line (without newline) and index, and the tree's last head is of
 * it.  Makes the archive; 0 or -1 with errno.
 */
int		 export_finish(struct export *, const char *line,
		    uint64_t index);

/* The archive of that user and name, or -1 with errno. */
int		 export_open(int dirfd, const char *user, const char *name);
/* Removes all that are older than that time.  0 or -1 with errno. */
int		 export_expire(int dirfd, int64_t before);

#endif
