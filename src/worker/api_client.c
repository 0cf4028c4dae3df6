/*
 * Another machine's API: see api_client.h.
 */
#include "worker/api_client.h"

#include <sys/random.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "lib/address.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/websocket_frame.h"
#include "lib/xalloc.h"
#include "worker/api_tls.h"

#define PATH "/api/current"
#define HEAD_MAX 8192
#define MESSAGE_MAX ((size_t)1024 * 1024)
#define MESSAGES_MAX 1000 /* that are no answer, before one that is */
#define POLL_MS 200

struct api_client {
	struct api_tls *tls;
	struct websocket_parser *parser;
	int64_t end;
	json_int_t id;
};

static char complaint[512];

void
api_client_prepare(void)
{
	api_tls_prepare();
}

/* --- Frames --------------------------------------------------------------- */

static int
send_frame(struct api_client *c, enum websocket_opcode opcode, const void *data,
    size_t len)
{
	uint8_t mask[4], *frame;
	size_t frame_len;
	int rc;

	if (getrandom(mask, sizeof(mask), 0) != sizeof(mask))
		return -1;
	frame = websocket_frame(opcode, data, len, mask, &frame_len);
	rc = api_tls_send(c->tls, frame, frame_len);
	freezero(frame, frame_len);
	return rc;
}

/* 0, or -1: the connection is over. */
static int
fill(struct api_client *c)
{
	unsigned char data[16384];
	int n = api_tls_recv(c->tls, data, sizeof(data));

	if (n <= 0)
		return -1;
	websocket_parser_feed(c->parser, data, (size_t)n);
	explicit_bzero(data, (size_t)n);
	return 0;
}

/* The next text; NULL with *why. */
static const char *
receive(struct api_client *c, size_t *lenp, const char **why)
{
	struct websocket_message message;
	uint16_t code;
	int got;

	for (;;) {
		got = websocket_parser_next(c->parser, &message, &code, why);
		if (got == -1)
			return NULL;
		if (got == 0) {
			*why = "it gave no answer";
			if (fill(c) == -1)
				return NULL;
			continue;
		}
		if (message.opcode == WEBSOCKET_TEXT) {
			*lenp = message.len;
			return message.data;
		}
		*why = "it closed the connection";
		if (message.opcode == WEBSOCKET_CLOSE)
			return NULL;
		if (message.opcode == WEBSOCKET_PING &&
		    send_frame(c, WEBSOCKET_PONG, message.data, message.len) ==
			-1)
			return NULL;
	}
}

/* --- The handshake -------------------------------------------------------- */

/* Byte by byte, so that nothing of a first frame is taken with it. */
static const char *
read_head(struct api_tls *tls, char head[static HEAD_MAX])
{
	size_t len = 0;

	while (len < HEAD_MAX - 1) {
		if (api_tls_recv(tls, head + len, 1) != 1)
			return "it gave no answer";
		if (head[len] == '\0')
			break;
		head[++len] = '\0';
		if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
			return NULL;
	}
	return "it speaks no HTTP";
}

static const char *
upgrade(struct api_tls *tls, const struct api_server *server)
{
	unsigned char random[16];
	char key[WEBSOCKET_KEY_SIZE], head[HEAD_MAX], *request, *host;
	const char *why = "it gave no answer";

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return "no randomness";
	EVP_EncodeBlock((unsigned char *)key, random, sizeof(random));
	host = address_port(server->host, server->port);
	request = xasprintf("GET " PATH " HTTP/1.1\r\n"
			    "Host: %s\r\n"
			    "Upgrade: websocket\r\n"
			    "Connection: Upgrade\r\n"
			    "Sec-WebSocket-Key: %s\r\n"
			    "Sec-WebSocket-Version: 13\r\n\r\n",
	    host, key);
	if (api_tls_send(tls, request, strlen(request)) == 0 &&
	    (why = read_head(tls, head)) == NULL)
		why = websocket_answer_wrong(head, key);
	free(request);
	free(host);
	return why;
}

int
api_client_open(
    const struct api_server *server, struct api_client **cp, const char **why)
{
	struct api_client *c;
	struct api_tls *tls;
	int error = api_tls_open(server, &tls, why);

	*cp = NULL;
	if (error != 0)
		return error;
	if ((*why = upgrade(tls, server)) != NULL) {
		api_tls_free(tls);
		return EPROTO;
	}
	c = xcalloc(1, sizeof(*c));
	c->tls = tls;
	c->parser = websocket_parser_new(MESSAGE_MAX);
	c->end = server->end;
	*cp = c;
	return 0;
}

void
api_client_free(struct api_client *c)
{
	static const uint8_t normal[2] = { 1000 >> 8, 1000 & 0xff };

	if (c == NULL)
		return;
	(void)send_frame(c, WEBSOCKET_CLOSE, normal, sizeof(normal));
	api_tls_free(c->tls);
	websocket_parser_free(c->parser);
	free(c);
}

/* --- Calls ---------------------------------------------------------------- */

/* What it says of an error, in one line of plain text. */
static const char *
quote(const char *method, const json_t *error, const char *secret)
{
	const char *text =
	    json_str(json_object_get(error, "data"), "reason", NULL);
	char plain[256];
	size_t i;

	if (text == NULL)
		text = json_str(error, "message", "");
	if (secret != NULL && *secret != '\0' && strstr(text, secret) != NULL)
		text = "";
	for (i = 0; text[i] != '\0' && i < sizeof(plain) - 1; i++)
		plain[i] = isprint((unsigned char)text[i]) ? text[i] : ' ';
	plain[i] = '\0';
	snprintf(complaint, sizeof(complaint), "its %s failed: %s", method,
	    i > 0 ? plain : "it does not say why");
	return complaint;
}

static int
request(struct api_client *c, const char *method, json_t *params)
{
	json_t *whole = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0",
	    "id", ++c->id, "method", method, "params", params);
	char *text = json_text(whole);
	int rc = -1;

	if (text != NULL)
		rc = send_frame(c, WEBSOCKET_TEXT, text, strlen(text));
	freezero_str(text);
	json_decref(whole);
	return rc;
}

/* The message that answers the last request; the others are events. */
static json_t *
answer(struct api_client *c, const char **why)
{
	const char *text;
	json_t *message;
	size_t len;
	int n;

	for (n = 0; n < MESSAGES_MAX; n++) {
		if ((text = receive(c, &len, why)) == NULL)
			return NULL;
		message = json_parse(text, len, why);
		*why = "its answer is no JSON";
		if (message == NULL)
			return NULL;
		if (json_int(message, "id", -1) == c->id)
			return message;
		json_decref(message);
	}
	*why = "it gave no answer";
	return NULL;
}

json_t *
api_client_call(struct api_client *c, const char *method, json_t *params,
    const char *secret, const char **why)
{
	json_t *message, *result;

	*why = "it gave no answer";
	if (request(c, method, params) == -1 ||
	    (message = answer(c, why)) == NULL)
		return NULL;
	result = json_incref(json_object_get(message, "result"));
	if (result == NULL)
		*why = quote(method, json_object_get(message, "error"), secret);
	json_decref(message);
	return result;
}

static json_t *
entry_of(struct api_client *c, json_int_t job, const char **why)
{
	json_t *list = api_client_call(c, "core.get_jobs",
	    json_pack("[[[s, s, I]]]", "id", "=", job), NULL, why);
	json_t *entry = json_incref(json_array_get(list, 0));

	if (list != NULL && entry == NULL)
		*why = "it forgot a job";
	json_decref(list);
	return entry;
}

/* Does it go on?  Else *resultp is what it gave, or NULL with *why. */
static bool
job_goes_on(struct api_client *c, const char *method, const json_t *entry,
    json_t **resultp, const char **why)
{
	const char *state = json_str(entry, "state", "");
	json_t *error;

	*why = "it took too long";
	if (strcmp(state, "RUNNING") == 0 || strcmp(state, "WAITING") == 0)
		return boottime_ms() < c->end;
	if (strcmp(state, "SUCCESS") == 0) {
		*resultp = json_incref(json_object_get(entry, "result"));
		*why = "it gave no result";
		return false;
	}
	error = json_pack("{s:s}", "message", json_str(entry, "error", ""));
	*why = quote(method, error, NULL);
	json_decref(error);
	return false;
}

json_t *
api_client_job(
    struct api_client *c, const char *method, json_t *params, const char **why)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	json_t *number = api_client_call(c, method, params, NULL, why);
	json_t *entry, *result = NULL;
	bool goes_on = number != NULL;

	while (goes_on) {
		entry = entry_of(c, json_integer_value(number), why);
		goes_on = entry != NULL &&
		    job_goes_on(c, method, entry, &result, why);
		if (goes_on)
			nanosleep(&pause, NULL);
		json_decref(entry);
	}
	json_decref(number);
	return result;
}
