/*
 * An index over the audit log: one row a record in an SQLite database beside
 * the segments (index_file.h).  It is a copy that may be lost: made anew when
 * it is damaged, of another form or of another log, and never asked what a
 * record says.  That is read from the segment, and compared with its hash.
 *
 * It follows the log in steps of bounded time, when it is told to.
 */
#ifndef HF_AUDIT_INDEX_H
#define HF_AUDIT_INDEX_H

#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/line.h"
#include "audit/segment.h"
#include "lib/filter_sql.h"

struct record_index;

/*
 * It follows the log at the latest so long after a commit; a query that wants
 * more has it follow at once.
 */
#define INDEX_LAG_MS	1000
#define INDEX_STEP_US	5000	/* at a time, while nobody waits */

/*
 * Opens the index of the folder (its path and descriptor, the segments in it;
 * all borrowed), or begins a new one.  log: whose records these are, as its
 * heads name it.  boot: another text with each start of the machine, since
 * what was written last is not synced.  Always returns one; when there can be
 * none it says so to the program's log, and queries read the segments.
 */
struct record_index *index_open(const char *folder, int dirfd,
		    const struct segments *, const char *log,
		    const char *boot);
/* NULL is fine.  Queries over it have to be freed before. */
void		 index_close(struct record_index *);

/*
 * What will be the line of that leaf says (json), in so many bytes: it is not
 * parsed again then.  Leaves come in their order; index_forget() when they are
 * not committed after all.
 */
void		 index_expect(struct record_index *, uint64_t leaf,
		    json_t *record, size_t len);
void		 index_forget(struct record_index *);

/*
 * Takes in what was committed and drops what was pruned, for about so long of
 * the processor's time.  True when nothing is left to do.
 */
bool		 index_step(struct record_index *, int64_t us);

/* Where a log ends: queries are over what lies before. */
struct index_place {
	uint32_t	segment;
	uint64_t	bytes;
};
struct index_place index_log_end(const struct record_index *);
/* Has it come so far? */
bool		 index_has(const struct record_index *,
		    const struct index_place *);
/* False until it has caught up for the first time, or when there is none. */
bool		 index_usable(const struct record_index *);

/*
 * The line of a record that a query found: 0, and borrowed until the next
 * call; or -1: there is none, or another than was written.
 */
int		 index_line(struct record_index *, const struct line_place *,
		    const char **linep);

/* --- For index_query.c ------------------------------------------------------ */

#define INDEX_COLUMNS	10	/* members of a record that a column repeats */
/* The record's text, as a function of the columns that say where it is. */
#define INDEX_DOCUMENT	"record_document(leaf, segment, at, length)"
/* The same without what not everybody may see: hide.h. */
#define INDEX_HIDDEN	"record_hidden(leaf, segment, at, length)"

sqlite3		*index_database(const struct record_index *);
/* Changes with the database: what was prepared before is of the last one. */
unsigned int	 index_generation(const struct record_index *);
/* Those that may be asked, and an end. */
void		 index_columns(const struct record_index *,
		    struct filter_sql_column list[INDEX_COLUMNS + 1]);
/*
 * Rows from that record (the oldest that was not dropped) up to, not
 * including, end.  0, or -1: nobody knows which that is.
 */
int		 index_range(struct record_index *, uint64_t *from,
		    uint64_t *end);
/* Are there no rows but of that range? */
bool		 index_range_is_all(const struct record_index *);
/* Where the record's line begins, or the next one's; the index's own end. */
struct index_place index_place(const struct record_index *, uint64_t leaf);
/*
 * Counts from now on the records whose text a statement asks for; how many
 * these were, and which was the last.
 */
void		 index_count_documents(struct record_index *);
uint64_t	 index_documents(const struct record_index *,
		    uint64_t *last);
/* SQLite gave that code: is the database to be made anew? */
void		 index_failed(struct record_index *, int code);
/* Processor time of this process, in microseconds. */
int64_t		 index_clock(void);
/* A statement still running then is interrupted; 0: none is. */
void		 index_deadline(struct record_index *, int64_t us);

#endif
