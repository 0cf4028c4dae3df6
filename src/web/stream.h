/*
 * A connection after its request, in our own hands: libwebsockets 4.1 reads
 * nothing while an answer is being written and spins when the client sends
 * more, so bodies in both directions do not go through it.  It keeps the
 * connection (and TLS) until its end, but neither reads, writes nor waits.
 */
#ifndef HF_WEB_STREAM_H
#define HF_WEB_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <libwebsockets.h>
#include <uv.h>

struct stream {
	uv_poll_t	*poll;		/* NULL: not open */
	int		 fd;		/* a duplicate, as libuv has the other */
	SSL		*ssl;		/* NULL: plain */
	bool		 cross;		/* TLS has to read to write, or write
					   to read */
	bool		 reads;		/* what is waited for */
	void		(*ready)(void *, bool gone);
	void		*arg;
};

enum { STREAM_AGAIN = -2, STREAM_BROKEN = -1, STREAM_END = 0 };

/*
 * Takes the connection over, after libwebsockets was told not to read it; not
 * from within a callback of its own.  ready is called when what
 * stream_want() said may be possible, or the client is gone.  0, or -1 with
 * errno.
 */
int	stream_open(struct stream *, uv_loop_t *, struct lws *,
	    void (*ready)(void *, bool gone), void *arg);
/* Nothing is called back any more; the connection itself stays. */
void	stream_close(struct stream *);

/* How many bytes, or one of the above; never more than INT_MAX at a time. */
ssize_t	stream_read(struct stream *, void *, size_t);
ssize_t	stream_write(struct stream *, const void *, size_t);
/* Says goodbye: nothing more is written. */
void	stream_shutdown(struct stream *);
/* What to wait for; that the client goes away is always noticed. */
void	stream_want(struct stream *, bool read, bool write);

#endif
