/*
 * Exports of the audit log: an archive with the report that was asked for and
 * what proves it to whoever has nothing else, in the form that
 * holdfast-audit(5) describes.
 *
 * The report's hash is in a record of the log, the last one of the export, and
 * a head is signed for that: so the proof of the records is that of the report
 * as well.  All is made in steps, in memory that does not grow with it (but
 * for reports with an order, which have a limit).
 */
#ifndef HF_AUDIT_EXPORT_H
#define HF_AUDIT_EXPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/tree.h"

#define EXPORT_EVENT	"EXPORT"
/* Members of the archive, behind the report. */
#define EXPORT_HEADS	"heads.jsonl"
#define EXPORT_PROOF	"proof"
#define EXPORT_RECORDS	"records.jsonl"

struct export;

/*
 * Begins one over what is committed.  request: {user, uuid, format, data: of
 * audit.export as validated, record: of the export itself, without
 * event_data}.  NULL with errno and *whyp (malloc'd).  All else outlives it,
 * and nothing is pruned meanwhile.
 */
struct export	*export_new(int dirfd, const struct segments *,
		    const struct tree *, const json_t *request, char **whyp);
/* NULL is fine; what is not finished leaves nothing. */
void		 export_free(struct export *);

/*
 * Works through about that many bytes, while nothing is in the batch of the
 * segments.  When it wants its record, that is the next one of the log, and a
 * head is signed for it, before the next step.
 */
enum export_state { EXPORT_GOES_ON, EXPORT_WANTS_RECORD, EXPORT_ENDED };
enum export_state export_step(struct export *, size_t bytes);
/* The record, a new reference. */
json_t		*export_record(struct export *);
/* It is in the log as that line (without newline). */
void		 export_recorded(struct export *, const char *line);

unsigned int	 export_progress(const struct export *);	/* percent */
/* Once it ended: 0 or an errno and why, borrowed. */
int		 export_problem(const struct export *, const char **whyp);

#endif
