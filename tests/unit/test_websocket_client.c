/*
 * The command line's WebSocket client: what it accepts from a server, byte by
 * byte, and what it sends.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "cli/websocket.h"
#include "lib/xalloc.h"

#define MAX ((size_t)1000)

/* Feeds all at once; the outcome of asking once. */
static int
parse(const void *data, size_t len, uint16_t *codep)
{
	struct websocket_parser *parser = websocket_parser_new(MAX);
	struct websocket_message message;
	const char *why;
	int result;

	*codep = 0;
	websocket_parser_feed(parser, data, len);
	result = websocket_parser_next(parser, &message, codep, &why);
	if (result == -1) {
		assert_non_null(why);
		websocket_parser_feed(parser, "\x81\x01x", 3);
		assert_int_equal(
		    websocket_parser_next(parser, &message, codep, &why), -1);
	}
	websocket_parser_free(parser);
	return result;
}

struct sample {
	const char *data;
	size_t len;
	uint16_t code; /* 0: more is wanted, 1: a message */
};

#define SAMPLE(text, code)                                                     \
	{                                                                      \
		text, sizeof(text) - 1, code                                   \
	}

static void
test_one_frame(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("", 0),
		SAMPLE("\x81", 0),
		SAMPLE("\x81\x02", 0),
		SAMPLE("\x81\x02{", 0),
		SAMPLE("\x81\x02{}", 1),
		SAMPLE("\x81\x00", 1),
		SAMPLE("\x81\x7e\x00", 0),
		SAMPLE("\x81\x7f\x00\x00\x00\x00\x00\x00\x00", 0),
		SAMPLE("\x89\x00", 1),
		SAMPLE("\x8a\x01x", 1),
		SAMPLE("\x88\x00", 1),
		SAMPLE("\x88\x02\x03\xe8", 1),
		SAMPLE("\x88\x05\x0b\xb8"
		       "bye",
		    1),
		/* RFC 6455 section 5.1: a server must not mask. */
		SAMPLE("\x81\x82"
		       "0000{}",
		    1002),
		/* Section 5.2: reserved bits and opcodes. */
		SAMPLE("\xc1\x00", 1002),
		SAMPLE("\xa1\x00", 1002),
		SAMPLE("\x91\x00", 1002),
		SAMPLE("\x83\x00", 1002),
		SAMPLE("\x8b\x00", 1002),
		SAMPLE("\x82\x00", 1003),
		/* The shortest form of a length is the only one. */
		SAMPLE("\x81\x7e\x00\x7d", 1002),
		SAMPLE("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 1002),
		/* Longer than it may be, said before it is there. */
		SAMPLE("\x81\x7e\x03\xe9", 1009),
		SAMPLE("\x81\x7f\x00\x00\x00\x00\x01\x00\x00\x00", 1009),
		SAMPLE("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 1009),
		/* Section 5.5: control frames are short and whole. */
		SAMPLE("\x09\x00", 1002),
		SAMPLE("\x08\x00", 1002),
		SAMPLE("\x89\x7e\x00\x7e", 1002),
		SAMPLE("\x88\x01\x03", 1002),
		SAMPLE("\x88\x02\x00\x00", 1002),
		SAMPLE("\x88\x02\x03\xed", 1002),
		SAMPLE("\x88\x02\x13\x88", 1002),
		/* Section 5.4: nothing to continue. */
		SAMPLE("\x80\x00", 1002),
		SAMPLE("\x00\x00", 1002),
	};
	uint16_t code;
	size_t i;
	int result;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		result = parse(samples[i].data, samples[i].len, &code);
		if (samples[i].code <= 1)
			assert_int_equal(result, samples[i].code);
		else {
			assert_int_equal(result, -1);
			assert_int_equal(code, samples[i].code);
		}
	}
}

static void
expect(struct websocket_parser *parser, enum websocket_opcode opcode,
    const char *text)
{
	struct websocket_message message;
	const char *why;
	uint16_t code;

	assert_int_equal(
	    websocket_parser_next(parser, &message, &code, &why), 1);
	assert_int_equal(message.opcode, opcode);
	assert_int_equal(message.len, strlen(text));
	assert_string_equal(message.data, text);
}

static void
expect_nothing(struct websocket_parser *parser)
{
	struct websocket_message message;
	const char *why;
	uint16_t code;

	assert_int_equal(
	    websocket_parser_next(parser, &message, &code, &why), 0);
}

static const char stream[] = "\x81\x03one" /* whole */
			     "\x01\x02tw"
			     "\x89\x02hi"
			     "\x80\x01o" /* with a ping inside */
			     "\x01\x00"
			     "\x00\x00"
			     "\x80\x05three" /* empty pieces */
			     "\x81\x00" /* empty */
			     "\x88\x05\x03\xe8"
			     "end";

static void
expect_stream(struct websocket_parser *parser)
{
	expect(parser, WEBSOCKET_TEXT, "one");
	expect(parser, WEBSOCKET_PING, "hi");
	expect(parser, WEBSOCKET_TEXT, "two");
	expect(parser, WEBSOCKET_TEXT, "three");
	expect(parser, WEBSOCKET_TEXT, "");
	expect(parser, WEBSOCKET_CLOSE,
	    "\x03\xe8"
	    "end");
	expect_nothing(parser);
}

static void
test_stream(void **state)
{
	struct websocket_parser *parser = websocket_parser_new(MAX);

	(void)state;
	websocket_parser_feed(parser, stream, sizeof(stream) - 1);
	expect_stream(parser);
	websocket_parser_free(parser);
	websocket_parser_free(NULL);
}

/* However the bytes are cut, the messages are the same. */
static void
test_stream_in_pieces(void **state)
{
	static const char *const texts[] = { "one", "hi", "two", "three", "",
		"\003\350end" };
	struct websocket_parser *parser;
	struct websocket_message message;
	const char *why;
	uint16_t code;
	size_t piece, at, len, count;
	int got;

	(void)state;
	for (piece = 1; piece < sizeof(stream); piece++) {
		parser = websocket_parser_new(MAX);
		count = 0;
		for (at = 0; at < sizeof(stream) - 1; at += len) {
			len = sizeof(stream) - 1 - at;
			len = len < piece ? len : piece;
			websocket_parser_feed(parser, stream + at, len);
			while ((got = websocket_parser_next(
				    parser, &message, &code, &why)) == 1)
				assert_string_equal(
				    message.data, texts[count++]);
			assert_int_equal(got, 0);
		}
		assert_int_equal(count, sizeof(texts) / sizeof(*texts));
		websocket_parser_free(parser);
	}
}

static void
test_fragments(void **state)
{
	static const char nested[] = "\x01\x01"
				     "a"
				     "\x81\x01"
				     "b";
	static const char after[] = "\x81\x01"
				    "a"
				    "\x80\x01"
				    "b";
	struct websocket_parser *parser;
	struct websocket_message message;
	char piece[102];
	const char *why;
	uint16_t code;
	size_t i;
	int got = 0;

	(void)state;
	assert_int_equal(parse(nested, sizeof(nested) - 1, &code), -1);
	assert_int_equal(code, 1002);
	parser = websocket_parser_new(MAX);
	websocket_parser_feed(parser, after, sizeof(after) - 1);
	expect(parser, WEBSOCKET_TEXT, "a");
	assert_int_equal(
	    websocket_parser_next(parser, &message, &code, &why), -1);
	assert_int_equal(code, 1002);
	websocket_parser_free(parser);

	/* The limit is the message's, not the frame's. */
	parser = websocket_parser_new(MAX);
	memset(piece, 'x', sizeof(piece));
	piece[0] = 0x01;
	piece[1] = 100;
	for (i = 0; i < 11; i++) {
		websocket_parser_feed(parser, piece, sizeof(piece));
		got = websocket_parser_next(parser, &message, &code, &why);
		assert_int_equal(got, i < 10 ? 0 : -1);
		piece[0] = 0x00;
	}
	assert_int_equal(code, 1009);
	websocket_parser_free(parser);
}

static void
test_long_message(void **state)
{
	static const size_t lengths[] = { 125, 126, 65535, 65536, 300000 };
	static const uint8_t mask[4] = { 0, 0, 0, 0 };
	struct websocket_parser *parser;
	uint8_t *frame, *unmasked;
	size_t i, frame_len, head;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		text = xmalloc(lengths[i] + 1);
		memset(text, 'y', lengths[i]);
		text[lengths[i]] = '\0';
		frame = websocket_frame(
		    WEBSOCKET_TEXT, text, lengths[i], mask, &frame_len);
		/* As a server would send it: no mask, neither bit nor key. */
		head = frame_len - lengths[i] - 4;
		unmasked = xmalloc(frame_len - 4);
		memcpy(unmasked, frame, head);
		unmasked[1] &= 0x7f;
		memcpy(unmasked + head, frame + head + 4, lengths[i]);
		parser = websocket_parser_new(WEBSOCKET_MESSAGE_MAX);
		websocket_parser_feed(parser, unmasked, frame_len - 5);
		expect_nothing(parser);
		websocket_parser_feed(parser, unmasked + frame_len - 5, 1);
		expect(parser, WEBSOCKET_TEXT, text);
		websocket_parser_free(parser);
		freezero(frame, frame_len);
		free(unmasked);
		free(text);
	}
}

/* The example of RFC 6455 section 5.7. */
static void
test_masking(void **state)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	static const uint8_t expected[] = { 0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
		0x7f, 0x9f, 0x4d, 0x51, 0x58 };
	uint8_t *frame;
	size_t len;

	(void)state;
	frame = websocket_frame(WEBSOCKET_TEXT, "Hello", 5, mask, &len);
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(frame, expected, len);
	freezero(frame, len);
}

/* Key and accept are those of RFC 6455 section 1.3. */
static void
test_handshake(void **state)
{
	static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
	static const char *const good[] = {
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		"HTTP/1.1 101 x\r\nconnection:upgrade\r\nUPGRADE: WebSocket "
		"\r\n"
		"sec-websocket-accept:\ts3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	};
	static const char *const bad[] = { "", "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n\r\n",
		"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\n\r\n",
		"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_null(websocket_answer_wrong(good[i], key));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_non_null(websocket_answer_wrong(bad[i], key));
}

/* A server of a few lines: shakes hands, sends, says how the client ended. */
static void
serve(int fd, const char *frames, size_t len)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char digest[SHA_DIGEST_LENGTH];
	char request[2048] = "", joined[128], accept[32], answer[512];
	const char *key;
	ssize_t got;

	if (read(fd, request, sizeof(request) - 1) <= 0 ||
	    (key = strstr(request, "Sec-WebSocket-Key: ")) == NULL)
		_exit(1);
	snprintf(joined, sizeof(joined), "%.24s%s", key + 19, guid);
	SHA1((unsigned char *)joined, strlen(joined), digest);
	EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
	snprintf(answer, sizeof(answer),
	    "HTTP/1.1 101 x\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	if (write(fd, answer, strlen(answer)) == -1 ||
	    write(fd, frames, len) == -1)
		_exit(2);
	shutdown(fd, SHUT_WR);
	while ((got = read(fd, request, sizeof(request))) > 0)
		;
	_exit(got == 0 ? 0 : 3);
}

static struct websocket *
connect_to(const char *frames, size_t len, pid_t *pidp)
{
	struct websocket *websocket;
	const char *why;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	if ((*pidp = fork()) == 0) {
		alarm(30);
		close(fds[0]);
		serve(fds[1], frames, len);
	}
	assert_int_not_equal(*pidp, -1);
	close(fds[1]);
	websocket = websocket_open(fds[0], "/api/current", &why);
	assert_non_null(websocket);
	return websocket;
}

static void
disconnect(struct websocket *websocket, pid_t pid)
{
	int status;

	websocket_free(websocket);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_conversation(void **state)
{
	struct websocket *websocket;
	const char *text;
	size_t len;
	pid_t pid;

	(void)state;
	websocket = connect_to(stream, sizeof(stream) - 1, &pid);
	assert_int_equal(websocket_send(websocket, "{}", 2), 0);
	assert_string_equal(websocket_receive(websocket, &len), "one");
	assert_int_equal(len, 3);
	assert_string_equal(websocket_receive(websocket, &len), "two");
	assert_string_equal(websocket_receive(websocket, &len), "three");
	text = websocket_receive(websocket, &len);
	assert_non_null(text);
	assert_int_equal(len, 0);
	assert_null(websocket_receive(websocket, &len));
	assert_string_equal(websocket_why(websocket),
	    "the server closed the connection (1000: end)");
	assert_null(websocket_receive(websocket, &len));
	assert_int_equal(websocket_send(websocket, "{}", 2), -1);
	disconnect(websocket, pid);

	websocket = connect_to("\x81\x05half", 6, &pid);
	assert_null(websocket_receive(websocket, &len));
	assert_string_equal(
	    websocket_why(websocket), "the server closed the connection");
	disconnect(websocket, pid);

	websocket = connect_to("\x82\x00", 2, &pid);
	assert_null(websocket_receive(websocket, &len));
	assert_non_null(strstr(websocket_why(websocket), "broke the protocol"));
	disconnect(websocket, pid);
}

static void
test_no_server(void **state)
{
	const char *why = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "SSH-2.0-x\r\n", 11), 11);
	shutdown(fds[1], SHUT_WR);
	assert_null(websocket_open(fds[0], "/", &why));
	assert_non_null(why);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[1]);
	assert_null(websocket_open(fds[0], "/", &why));
	assert_non_null(why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_frame),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_stream_in_pieces),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_long_message),
		cmocka_unit_test(test_masking),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_no_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
