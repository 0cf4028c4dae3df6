/*
 * The file of the index over the audit log: making it, knowing it again, and
 * what it says of itself.
 */
#ifndef HF_AUDIT_INDEX_FILE_H
#define HF_AUDIT_INDEX_FILE_H

#include <sqlite3.h>
#include <stdint.h>

#include "audit/line.h"

#define INDEX_FILE	"index.db"

/* How far it is, and of what. */
struct index_state {
	char		*log;		/* whose records these are */
	char		*boot;		/* it is open in; "": it was closed */
	uint64_t	 leaf;		/* the number of the next record */
	uint32_t	 segment;	/* and where that is */
	uint64_t	 bytes;
	unsigned int	 odd;		/* columns that do not say it all */
};

/*
 * Opens the file of the folder (its path and descriptor); it is made when
 * there is none, and another process can not open it then.  1: there is an
 * index of the present form in it; 0: it is empty; -1: neither, or it can not
 * be used.  *dbp is set when it was opened at all.
 */
int	 index_file_open(const char *folder, int dirfd, sqlite3 **dbp);
void	 index_file_remove(int dirfd);
/* The tables, in an empty one.  0 or -1, as of all below. */
int	 index_file_form(sqlite3 *);

/* The texts are the caller's then: index_state_free(). */
int	 index_state_read(sqlite3 *, struct index_state *);
/* But for boot. */
int	 index_state_write(sqlite3 *, const struct index_state *);
void	 index_state_free(struct index_state *);
/*
 * Opened in that boot: on disk when it returns.  "": closed, and everything
 * else is on disk too.
 */
int	 index_file_mark(sqlite3 *, const char *boot);

/* The last row that is not behind that record; segment 0: there is none. */
int	 index_row(sqlite3 *, uint64_t leaf, struct line_place *);
/* The first one that is not before it. */
int	 index_row_from(sqlite3 *, uint64_t leaf, struct line_place *);

#endif
