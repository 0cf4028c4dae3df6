/*
 * Reads multipart/form-data (RFC 7578, RFC 2046 section 5.1) as it arrives, in
 * pieces of any size.  Pure: bytes in, events out; nothing of a part's content
 * is kept.
 */
#ifndef HF_WEB_MULTIPART_H
#define HF_WEB_MULTIPART_H

#include <stddef.h>
#include <stdint.h>

#define MULTIPART_BOUNDARY_MAX	70	/* RFC 2046 */
#define MULTIPART_HEADERS_MAX	2048	/* of one part */
#define MULTIPART_NAME_MAX	63

enum multipart_event {
	MULTIPART_MORE,		/* all was read */
	MULTIPART_PART,		/* a part begins, name is set */
	MULTIPART_DATA,		/* some of its content: data, len */
	MULTIPART_PART_END,
	MULTIPART_END,		/* what follows is not looked at */
	MULTIPART_BAD		/* final as well */
};

struct multipart {
	int		 state;
	char		 delimiter[4 + MULTIPART_BOUNDARY_MAX + 1];
	size_t		 delimiter_len;
	size_t		 matched;	/* bytes of it seen so far */
	size_t		 owed;		/* of those, not the line's end before
					   a part that is counted in advance */
	char		 headers[MULTIPART_HEADERS_MAX];
	size_t		 headers_len;
	/* Of the event. */
	char		 name[MULTIPART_NAME_MAX + 1];
	const uint8_t	*data;
	size_t		 len;
};

/* The boundary that a Content-Type names; 0, or -1: it is none of ours. */
int	multipart_boundary(const char *content_type,
	    char boundary[static MULTIPART_BOUNDARY_MAX + 1]);

/* The boundary as multipart_boundary() gave it. */
void	multipart_init(struct multipart *, const char *boundary);

/*
 * Reads on from *datap, which moves, to the next event.  The event's data lies
 * in what was given, or in the struct; it is valid until the next call.
 */
enum multipart_event multipart_next(struct multipart *, const uint8_t **datap,
	    size_t *lenp);

#endif
