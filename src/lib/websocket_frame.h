/*
 * The client's side of WebSocket (RFC 6455) apart from any socket: frames out,
 * the parser of what a server sends.
 */
#ifndef HF_WEBSOCKET_FRAME_H
#define HF_WEBSOCKET_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define WEBSOCKET_KEY_SIZE	25	/* base64 of 16 bytes, terminated */

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

#endif
