/*
 * libFuzzer target: what another machine's server sends over WebSocket, in
 * pieces of any size, and its answer to our handshake.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/websocket_frame.h"
#include "lib/xalloc.h"

#define MESSAGE_MAX 4096
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_message(const struct websocket_message *message)
{
	if (message->data[message->len] != '\0' || message->len > MESSAGE_MAX ||
	    (message->opcode >= WEBSOCKET_CLOSE && message->len > 125))
		abort();
}

/* How many messages there are does not depend on the pieces. */
static size_t
parse(const uint8_t *data, size_t len, size_t piece)
{
	struct websocket_parser *parser = websocket_parser_new(MESSAGE_MAX);
	struct websocket_message message;
	size_t at = 0, n, count = 0;
	const char *why = NULL;
	uint16_t code = 0;
	int got = 0;

	while (at < len && got != -1) {
		n = len - at < piece ? len - at : piece;
		websocket_parser_feed(parser, data + at, n);
		at += n;
		while ((got = websocket_parser_next(
			    parser, &message, &code, &why)) == 1) {
			check_message(&message);
			count++;
		}
	}
	if (got == -1 && (code < 1002 || why == NULL))
		abort();
	websocket_parser_free(parser);
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *head = xcalloc(len + 1, 1);

	if (len > 0)
		memcpy(head, data, len);
	(void)websocket_answer_wrong(head, KEY);
	free(head);
	if (len > 1 &&
	    parse(data + 1, len - 1, (size_t)data[0] + 1) !=
		parse(data + 1, len - 1, len))
		abort();
	return 0;
}
