/*
 * Single lines of the segments, each compared with the hash that was kept of
 * it.  A few files stay open.
 */
#ifndef HF_AUDIT_LINE_H
#define HF_AUDIT_LINE_H

#include <stdint.h>

#include "audit/segment.h"

struct line_files;

/* Which record, and where its line is (bytes, without its newline). */
struct line_place {
	uint64_t	leaf;		/* its number in the log */
	uint32_t	segment;
	uint64_t	at, length;
};

/* Of the folder dirfd; both are borrowed. */
struct line_files *line_files_new(int dirfd, const struct segments *);
/* NULL is fine. */
void		 line_files_free(struct line_files *);
/*
 * The line, borrowed until the next call, not ended by a NUL.  0, or -1 with
 * errno; EBADMSG: it is another one than was written, or its hash is not kept.
 */
int		 line_read(struct line_files *, const struct line_place *,
		    const char **linep);

#endif
