/*
 * Archives of plain files: tar as POSIX.1-2017 (pax, "ustar Interchange
 * Format") has it, compressed as RFC 1952 says.  What is read is foreign:
 * nothing is taken from it but names of one form and bytes, in pieces.
 */
#ifndef HF_AUDIT_ARCHIVE_H
#define HF_AUDIT_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_NAME	64			/* longest, with its NUL */
#define ARCHIVE_MEMBER	((uint64_t)1 << 33)	/* largest, bytes */

struct archive;

/* Writes to fd, which is the caller's and outlives it. */
struct archive	*archive_new(int fd);
/* A member's name, size and time; its bytes follow.  0 or -1 with errno. */
int		 archive_member(struct archive *, const char *name,
		    uint64_t size, int64_t time);
int		 archive_write(struct archive *, const void *, size_t len);
/* The end of it; 0 or -1 with errno.  Frees nothing. */
int		 archive_finish(struct archive *);
/* NULL is fine. */
void		 archive_free(struct archive *);

/*
 * Reads the file fd from its beginning; it is the caller's, outlives it, and
 * is left where it stands: several may read it.
 */
struct archive	*archive_open(int fd);
/* How many bytes of the file were read. */
uint64_t	 archive_place(const struct archive *);
/*
 * The next member, what is left of the one before passed over: 1; 0: the end,
 * and nothing behind it; -1: *whyp (static) says what is wrong.
 */
int		 archive_next(struct archive *, char name[ARCHIVE_NAME],
		    uint64_t *sizep, const char **whyp);
/* Of the member *lenp bytes, at its end 0 of them.  0, or -1 as above. */
int		 archive_read(struct archive *, void *, size_t room,
		    size_t *lenp, const char **whyp);

#endif
