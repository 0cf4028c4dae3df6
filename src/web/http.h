/*
 * What an HTTP answer of ours looks like: one struct, and its text.
 */
#ifndef HF_WEB_HTTP_H
#define HF_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/message.h"

struct http_answer {
	unsigned int	 status;
	const char	*type;	/* NULL: plain text */
	const char	*extra;	/* header lines, each ended; NULL: none */
	const char	*body;	/* NULL: "404: Not Found" and its like */
	size_t		 len;	/* of the body; 0: its strlen */
	bool		 chunked;	/* the body follows in chunks */
	const char	*cache;	/* Cache-Control; NULL: nothing is kept */
	bool		 page;	/* a file of the web interface */
};

/* Who may show the page in a frame, from now on; nobody at first. */
void		 http_frames(enum access_frames);

/* "Not Found"; a status that is not ours is a bug and fatal. */
const char	*http_phrase(unsigned int status);

/*
 * The whole answer, headers and (unless head) body; malloc'd, *lenp bytes.
 * tls adds what only makes sense there; without keep it says that the
 * connection ends.
 */
char		*http_text(const struct http_answer *, bool tls, bool head,
		    bool keep, size_t *lenp);

#endif
