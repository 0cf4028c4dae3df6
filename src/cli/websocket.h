/*
 * The client's side of WebSocket (RFC 6455) over a connected stream socket:
 * text messages out, text messages in, blocking.
 */
#ifndef HF_CLI_WEBSOCKET_H
#define HF_CLI_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer message ends the connection. */
#define WEBSOCKET_MESSAGE_MAX	((size_t)64 * 1024 * 1024)

/* Opcodes, RFC 6455 section 11.8. */
enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10
};

/*
 * The parser of what a server sends, apart from any socket.  Feed bytes, then
 * ask for messages until it wants more.
 */
struct websocket_parser;

struct websocket_message {
	enum websocket_opcode	 opcode;	/* TEXT, CLOSE, PING, PONG */
	const char		*data;		/* terminated; the parser's, */
	size_t			 len;		/* until the next call */
};

struct websocket_parser *websocket_parser_new(size_t message_max);
/* NULL is fine */
void		 websocket_parser_free(struct websocket_parser *);
void		 websocket_parser_feed(struct websocket_parser *, const void *,
		    size_t);
/*
 * 1: a message; 0: more bytes are needed; -1: the server broke the protocol,
 * *codep is the close code to send (RFC 6455 section 7.4.1) and *whyp a
 * static text.  After -1 always -1.
 */
int		 websocket_parser_next(struct websocket_parser *,
		    struct websocket_message *, uint16_t *codep,
		    const char **whyp);

/*
 * A whole frame as a client sends it, masked with those four bytes: a fresh
 * allocation of *framelenp bytes for freezero().
 */
uint8_t		*websocket_frame(enum websocket_opcode, const void *data,
		    size_t len, const uint8_t mask[4], size_t *framelenp);

/*
 * Checks the server's answer to our handshake (head up to and with the empty
 * line, terminated) against our key.  NULL, or what is wrong as static text.
 */
const char	*websocket_answer_wrong(const char *head, const char *key);

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
