/*
 * The client's side of WebSocket: see websocket.h.
 *
 * Written here rather than taken from libwebsockets, because one blocking
 * request at a time over a Unix socket needs none of its event loop, contexts
 * and protocol tables, and a command that ends after 10 ms should not spend
 * 5 of them on setting these up.
 */
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "cli/websocket.h"
#include "lib/xalloc.h"

#define HEAD_MAX 8192 /* of the answer to the handshake */
#define HANDSHAKE_SECONDS 10
#define READ_SIZE 65536

struct websocket {
	int fd;
	struct websocket_parser *parser;
	char why[192];
	bool over;
	int64_t deadline; /* by now_ms(); 0: none */
};

static int
write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;
	ssize_t sent;

	while (len > 0) {
		sent = send(fd, at, len, MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			return -1;
		at += sent;
		len -= (size_t)sent;
	}
	return 0;
}

static int
random_bytes(void *data, size_t len)
{
	return getrandom(data, len, 0) == (ssize_t)len ? 0 : -1;
}

static int
frame_send(int fd, enum websocket_opcode opcode, const void *data, size_t len)
{
	uint8_t mask[4], *frame;
	size_t frame_len;
	int result;

	if (random_bytes(mask, sizeof(mask)) == -1)
		return -1;
	frame = websocket_frame(opcode, data, len, mask, &frame_len);
	result = write_all(fd, frame, frame_len);
	freezero(frame, frame_len);
	return result;
}

/*
 * Reads the answer's head, byte by byte so that nothing of a first frame is
 * taken with it.  NULL or why not.
 */
static const char *
head_read(int fd, char head[HEAD_MAX])
{
	size_t len = 0;
	ssize_t got;

	while (len < HEAD_MAX - 1) {
		got = read(fd, head + len, 1);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return errno == EAGAIN ? "no answer" : strerror(errno);
		if (got == 0)
			return "the server closed the connection";
		if (head[len] == '\0')
			break;
		head[++len] = '\0';
		if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
			return NULL;
	}
	return "the server speaks no HTTP";
}

static const char *
handshake(int fd, const char *path)
{
	struct timeval limit = { .tv_sec = HANDSHAKE_SECONDS };
	struct timeval none = { 0 };
	unsigned char random[16];
	char key[WEBSOCKET_KEY_SIZE], head[HEAD_MAX], *request;
	const char *why;

	if (random_bytes(random, sizeof(random)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ==
		-1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ==
		-1)
		return strerror(errno);
	EVP_EncodeBlock((unsigned char *)key, random, sizeof(random));
	request = xasprintf("GET %s HTTP/1.1\r\n"
			    "Host: localhost\r\n"
			    "Upgrade: websocket\r\n"
			    "Connection: Upgrade\r\n"
			    "Sec-WebSocket-Key: %s\r\n"
			    "Sec-WebSocket-Version: 13\r\n\r\n",
	    path, key);
	if (write_all(fd, request, strlen(request)) == -1)
		why = strerror(errno);
	else if ((why = head_read(fd, head)) == NULL)
		why = websocket_answer_wrong(head, key);
	free(request);
	/* From now on a call may take its time. */
	if (why == NULL &&
	    (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none)) ==
		    -1 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none)) ==
		    -1))
		why = strerror(errno);
	return why;
}

struct websocket *
websocket_open(int fd, const char *path, const char **whyp)
{
	struct websocket *websocket;

	if ((*whyp = handshake(fd, path)) != NULL) {
		close(fd);
		return NULL;
	}
	websocket = xcalloc(1, sizeof(*websocket));
	websocket->fd = fd;
	websocket->parser = websocket_parser_new(WEBSOCKET_MESSAGE_MAX);
	return websocket;
}

static void
websocket_end(struct websocket *websocket, const char *why)
{
	snprintf(websocket->why, sizeof(websocket->why), "%s", why);
	websocket->over = true;
}

int
websocket_send(struct websocket *websocket, const char *text, size_t len)
{
	if (websocket->over)
		return -1;
	if (frame_send(websocket->fd, WEBSOCKET_TEXT, text, len) == -1) {
		websocket_end(websocket, strerror(errno));
		return -1;
	}
	return 0;
}

/* The server's good-bye: remember what it said, answer it. */
static void
websocket_closed(
    struct websocket *websocket, const struct websocket_message *message)
{
	const uint8_t *data = (const uint8_t *)message->data;

	if (message->len >= 2)
		snprintf(websocket->why, sizeof(websocket->why),
		    "the server closed the connection (%u%s%.*s)",
		    (unsigned int)data[0] << 8 | data[1],
		    message->len > 2 ? ": " : "", (int)message->len - 2,
		    message->data + 2);
	else
		websocket_end(websocket, "the server closed the connection");
	websocket->over = true;
	(void)frame_send(websocket->fd, WEBSOCKET_CLOSE, message->data,
	    message->len < 2 ? 0 : 2);
}

static void
websocket_broken(struct websocket *websocket, uint16_t code, const char *why)
{
	uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)(code & 0xff) };

	snprintf(websocket->why, sizeof(websocket->why),
	    "the server broke the protocol: %s", why);
	websocket->over = true;
	(void)frame_send(
	    websocket->fd, WEBSOCKET_CLOSE, payload, sizeof(payload));
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
websocket_patience(struct websocket *websocket, int seconds)
{
	websocket->deadline =
	    seconds > 0 ? now_ms() + (int64_t)seconds * 1000 : 0;
}

/* Whether something came before the deadline. */
static bool
websocket_wait(const struct websocket *websocket)
{
	struct pollfd poller = { .fd = websocket->fd, .events = POLLIN };
	int64_t left;
	int ready;

	do {
		left = websocket->deadline - now_ms();
		ready = poll(&poller, 1,
		    left < 0           ? 0 :
			left > INT_MAX ? INT_MAX :
					 (int)left);
	} while (ready == -1 && errno == EINTR);
	return ready != 0;
}

/* Reads what there is.  0 or -1. */
static int
websocket_fill(struct websocket *websocket)
{
	uint8_t data[READ_SIZE];
	ssize_t got;

	if (websocket->deadline != 0 && !websocket_wait(websocket)) {
		websocket_end(websocket, "no answer in time");
		return -1;
	}
	do
		got = read(websocket->fd, data, sizeof(data));
	while (got == -1 && errno == EINTR);
	if (got == -1) {
		websocket_end(websocket, strerror(errno));
		return -1;
	}
	if (got == 0) {
		websocket_end(websocket, "the server closed the connection");
		return -1;
	}
	websocket_parser_feed(websocket->parser, data, (size_t)got);
	explicit_bzero(data, (size_t)got);
	return 0;
}

const char *
websocket_receive(struct websocket *websocket, size_t *lenp)
{
	struct websocket_message message;
	const char *why;
	uint16_t code;
	int got;

	while (!websocket->over) {
		got = websocket_parser_next(
		    websocket->parser, &message, &code, &why);
		if (got == -1) {
			websocket_broken(websocket, code, why);
			break;
		}
		if (got == 0) {
			if (websocket_fill(websocket) == -1)
				break;
			continue;
		}
		switch (message.opcode) {
		case WEBSOCKET_TEXT:
			*lenp = message.len;
			return message.data;
		case WEBSOCKET_PING:
			(void)frame_send(websocket->fd, WEBSOCKET_PONG,
			    message.data, message.len);
			break;
		case WEBSOCKET_CLOSE:
			websocket_closed(websocket, &message);
			break;
		default:
			break; /* a pong that nobody asked for */
		}
	}
	*lenp = 0;
	return NULL;
}

const char *
websocket_why(const struct websocket *websocket)
{
	return websocket->why;
}

void
websocket_free(struct websocket *websocket)
{
	static const uint8_t normal[2] = { 1000 >> 8, 1000 & 0xff };

	if (websocket == NULL)
		return;
	if (!websocket->over)
		(void)frame_send(
		    websocket->fd, WEBSOCKET_CLOSE, normal, sizeof(normal));
	close(websocket->fd);
	websocket_parser_free(websocket->parser);
	free(websocket);
}
