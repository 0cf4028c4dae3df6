/*
 * The client's side of WebSocket (RFC 6455) over a connected stream socket:
 * text messages out, text messages in, blocking.
 */
#ifndef HF_CLI_WEBSOCKET_H
#define HF_CLI_WEBSOCKET_H

#include <stddef.h>

#include "lib/websocket_frame.h"

/* A longer message ends the connection. */
#define WEBSOCKET_MESSAGE_MAX	((size_t)64 * 1024 * 1024)

struct websocket;

/*
 * Makes the handshake on fd, which is taken over in any case.  NULL with
 * *whyp, a static text or strerror()'s.
 */
struct websocket *websocket_open(int fd, const char *path, const char **whyp);
/* 0, or -1 with websocket_why(). */
int		 websocket_send(struct websocket *, const char *text,
		    size_t len);
/*
 * The next text message, terminated, of the websocket's own until the next
 * call.  Pings are answered on the way.  NULL with websocket_why().
 */
const char	*websocket_receive(struct websocket *, size_t *lenp);
/*
 * From now on it is over when nothing whole has come within so many seconds of
 * this call; 0: never.
 */
void		 websocket_patience(struct websocket *, int seconds);
/* Why it is over, for people; the websocket's. */
const char	*websocket_why(const struct websocket *);
/* Says good-bye and frees; NULL is fine. */
void		 websocket_free(struct websocket *);

#endif
