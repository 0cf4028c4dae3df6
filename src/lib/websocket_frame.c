/*
 * The client's side of WebSocket apart from any socket: see websocket_frame.h.
 */
#include "lib/websocket_frame.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "lib/xalloc.h"

#define CONTROL_MAX 125 /* RFC 6455 section 5.5 */

struct buffer {
	uint8_t *data;
	size_t len, size;
};

struct websocket_parser {
	size_t message_max;
	struct buffer input;
	size_t at; /* input before it was read */
	struct buffer message; /* what came of a fragmented one */
	bool fragmented; /* a message has begun */
	bool given; /* message was handed out: reset it */
	struct buffer control;
	uint16_t code; /* not 0: broken */
	const char *why;
};

struct frame {
	bool final;
	enum websocket_opcode opcode;
	const uint8_t *payload;
	size_t len, total;
};

static void
buffer_add(struct buffer *buffer, const void *data, size_t len)
{
	size_t size = buffer->size == 0 ? 512 : buffer->size;
	uint8_t *bigger;

	if (len > SIZE_MAX / 4 - buffer->len)
		abort();
	while (size < buffer->len + len + 1)
		size *= 2;
	if (size > buffer->size) {
		bigger = xmalloc(size);
		if (buffer->len > 0)
			memcpy(bigger, buffer->data, buffer->len);
		freezero(buffer->data, buffer->size);
		buffer->data = bigger;
		buffer->size = size;
	}
	if (len > 0)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}

static void
buffer_free(struct buffer *buffer)
{
	freezero(buffer->data, buffer->size);
	memset(buffer, 0, sizeof(*buffer));
}

struct websocket_parser *
websocket_parser_new(size_t message_max)
{
	struct websocket_parser *parser;

	parser = xcalloc(1, sizeof(*parser));
	parser->message_max = message_max;
	return parser;
}

void
websocket_parser_free(struct websocket_parser *parser)
{
	if (parser == NULL)
		return;
	buffer_free(&parser->input);
	buffer_free(&parser->message);
	buffer_free(&parser->control);
	free(parser);
}

void
websocket_parser_feed(
    struct websocket_parser *parser, const void *data, size_t len)
{
	struct buffer *input = &parser->input;

	if (parser->code != 0)
		return;
	if (parser->at > 0) {
		memmove(input->data, input->data + parser->at,
		    input->len - parser->at);
		input->len -= parser->at;
		parser->at = 0;
	}
	buffer_add(input, data, len);
}

static int
parser_break(struct websocket_parser *parser, uint16_t code, const char *why)
{
	parser->code = code;
	parser->why = why;
	return -1;
}

/* What the first two bytes alone forbid.  0 or -1. */
static int
head_check(struct websocket_parser *parser, const uint8_t *head)
{
	unsigned int opcode = head[0] & 0x0f;
	bool final = (head[0] & 0x80) != 0;

	if ((head[0] & 0x70) != 0)
		return parser_break(parser, 1002, "reserved bits are set");
	if ((head[1] & 0x80) != 0)
		return parser_break(parser, 1002, "a server does not mask");
	switch (opcode) {
	case WEBSOCKET_CONTINUATION:
		if (!parser->fragmented)
			return parser_break(
			    parser, 1002, "a continuation of nothing");
		return 0;
	case WEBSOCKET_TEXT:
		if (parser->fragmented)
			return parser_break(
			    parser, 1002, "a message within a message");
		return 0;
	case WEBSOCKET_BINARY:
		return parser_break(parser, 1003, "a binary message");
	case WEBSOCKET_CLOSE:
	case WEBSOCKET_PING:
	case WEBSOCKET_PONG:
		if (!final || (head[1] & 0x7f) > CONTROL_MAX)
			return parser_break(parser, 1002,
			    "a control frame is fragmented or too long");
		return 0;
	default:
		return parser_break(parser, 1002, "an unknown opcode");
	}
}

/* Reads a frame at the front of the input.  1, 0 (not whole yet) or -1. */
static int
frame_read(struct websocket_parser *parser, struct frame *frame)
{
	size_t have = parser->input.len - parser->at, i, extra = 0;
	const uint8_t *head;
	uint64_t len;

	if (have < 2)
		return 0;
	head = parser->input.data + parser->at;
	if (head_check(parser, head) == -1)
		return -1;
	len = head[1] & 0x7f;
	if (len == 126)
		extra = 2;
	else if (len == 127)
		extra = 8;
	if (have < 2 + extra)
		return 0;
	if (extra > 0)
		for (len = 0, i = 0; i < extra; i++)
			len = len << 8 | head[2 + i];
	if ((extra == 2 && len < 126) || (extra == 8 && len <= UINT16_MAX))
		return parser_break(parser, 1002, "a length in too many bytes");
	/* Control frames (bit 3 of the opcode) are no part of a message. */
	if ((head[0] & 0x08) == 0 &&
	    (len > parser->message_max ||
		parser->message.len > parser->message_max - (size_t)len))
		return parser_break(parser, 1009, "a message is too long");
	if (have - 2 - extra < len)
		return 0;
	frame->final = (head[0] & 0x80) != 0;
	frame->opcode = (enum websocket_opcode)(head[0] & 0x0f);
	frame->payload = head + 2 + extra;
	frame->len = (size_t)len;
	frame->total = 2 + extra + (size_t)len;
	return 1;
}

/* RFC 6455 section 7.4: what may stand in a close frame. */
static bool
close_payload_ok(const struct frame *frame)
{
	unsigned int code;

	if (frame->len == 0)
		return true;
	if (frame->len == 1)
		return false;
	code = (unsigned int)frame->payload[0] << 8 | frame->payload[1];
	return code >= 1000 && code < 5000 && code != 1004 && code != 1005 &&
	    code != 1006 && code != 1015;
}

static void
message_set(struct websocket_message *message, enum websocket_opcode opcode,
    const struct buffer *buffer)
{
	message->opcode = opcode;
	message->data = (const char *)buffer->data;
	message->len = buffer->len;
}

int
websocket_parser_next(struct websocket_parser *parser,
    struct websocket_message *message, uint16_t *codep, const char **whyp)
{
	struct frame frame;
	int got;

	if (parser->given) {
		/* It may have carried a secret, and may have been large. */
		buffer_free(&parser->message);
		parser->given = false;
	}
	while (parser->code == 0) {
		if ((got = frame_read(parser, &frame)) != 1) {
			if (got == 0)
				return 0;
			break;
		}
		if (frame.opcode == WEBSOCKET_CLOSE &&
		    !close_payload_ok(&frame)) {
			parser_break(parser, 1002, "a malformed close");
			break;
		}
		parser->at += frame.total;
		if (frame.opcode >= WEBSOCKET_CLOSE) {
			parser->control.len = 0;
			buffer_add(&parser->control, frame.payload, frame.len);
			message_set(message, frame.opcode, &parser->control);
			return 1;
		}
		buffer_add(&parser->message, frame.payload, frame.len);
		parser->fragmented = !frame.final;
		if (frame.final) {
			parser->given = true;
			message_set(message, WEBSOCKET_TEXT, &parser->message);
			return 1;
		}
	}
	*codep = parser->code;
	*whyp = parser->why;
	return -1;
}

uint8_t *
websocket_frame(enum websocket_opcode opcode, const void *data, size_t len,
    const uint8_t mask[4], size_t *framelenp)
{
	const uint8_t *payload = data;
	size_t at = 2, i, length_bytes = 0, length = len;
	uint8_t *frame;

	if (len > UINT16_MAX) {
		length_bytes = 8;
		length = 127;
	} else if (len > CONTROL_MAX) {
		length_bytes = 2;
		length = 126;
	}
	frame = xmalloc(2 + length_bytes + 4 + len);
	frame[0] = (uint8_t)(0x80 | opcode);
	frame[1] = (uint8_t)(0x80 | length);
	for (i = length_bytes; i > 0; i--)
		frame[at++] = (uint8_t)((uint64_t)len >> 8 * (i - 1) & 0xff);
	memcpy(frame + at, mask, 4);
	at += 4;
	for (i = 0; i < len; i++)
		frame[at + i] = payload[i] ^ mask[i % 4];
	*framelenp = at + len;
	return frame;
}

/* The value of a header in a head, without blanks around it; len 0: none. */
static const char *
header(const char *head, const char *name, size_t *lenp)
{
	const char *line = head, *end, *value;
	size_t name_len = strlen(name);

	*lenp = 0;
	while ((end = strstr(line, "\r\n")) != NULL) {
		if ((size_t)(end - line) > name_len &&
		    strncasecmp(line, name, name_len) == 0 &&
		    line[name_len] == ':') {
			value = line + name_len + 1;
			while (value < end && (*value == ' ' || *value == '\t'))
				value++;
			while (
			    end > value && (end[-1] == ' ' || end[-1] == '\t'))
				end--;
			*lenp = (size_t)(end - value);
			return value;
		}
		line = end + 2;
	}
	return "";
}

static bool
header_is(const char *head, const char *name, const char *expected,
    int (*compare)(const char *, const char *, size_t))
{
	const char *value;
	size_t len;

	value = header(head, name, &len);
	return len == strlen(expected) && compare(value, expected, len) == 0;
}

const char *
websocket_answer_wrong(const char *head, const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char digest[SHA_DIGEST_LENGTH];
	char joined[WEBSOCKET_KEY_SIZE + sizeof(guid)], accept[32];

	if (strncmp(head, "HTTP/1.1 101 ", 13) != 0)
		return "the server speaks no WebSocket here";
	if (!header_is(head, "Upgrade", "websocket", strncasecmp) ||
	    !header_is(head, "Connection", "upgrade", strncasecmp))
		return "the server did not upgrade to WebSocket";
	snprintf(joined, sizeof(joined), "%s%s", key, guid);
	SHA1((const unsigned char *)joined, strlen(joined), digest);
	EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
	if (!header_is(head, "Sec-WebSocket-Accept", accept, strncmp))
		return "the server's WebSocket answer is not for us";
	return NULL;
}
