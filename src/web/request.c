/*
 * How an up- or download begins: what its request says, and whether it may.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"
#include "web/request.h"
#include "web/transfer.h"

#define CREDENTIAL_MAX 4096

/* clang-format off */
static const struct {
	const char *scheme;
	enum transfer_credential kind;
} schemes[] = {
	{ "Token ", GIVEN_TOKEN },
	{ "Basic ", GIVEN_BASIC },
	{ "Bearer ", GIVEN_BEARER },
};
/* clang-format on */

int
request_header(struct web_client *c, char *value, size_t size,
    enum lws_token_indexes token)
{
	int len;

	value[0] = '\0';
	if (lws_hdr_total_length(c->wsi, token) <= 0)
		return -1;
	len = lws_hdr_copy(c->wsi, value, (int)size, token);
	return len > 0 && (size_t)len < size ? 0 : -1;
}

/* "user:password" of a Basic one; -1: it is none. */
static int
basic_decode(char text[static CREDENTIAL_MAX])
{
	char plain[CREDENTIAL_MAX];
	int len = lws_b64_decode_string(text, plain, sizeof(plain));
	int r = -1;

	if (len > 0 && (size_t)len < sizeof(plain) &&
	    memchr(plain, '\0', (size_t)len) == NULL) {
		memcpy(text, plain, (size_t)len);
		text[len] = '\0';
		r = 0;
	}
	explicit_bzero(plain, sizeof(plain));
	return r;
}

/* The Authorization header; 0, or -1: it is there and makes no sense. */
static int
authorization(struct transfer *t)
{
	char text[CREDENTIAL_MAX];
	size_t i, len;
	int r = -1;

	if (lws_hdr_total_length(
		t->client->wsi, WSI_TOKEN_HTTP_AUTHORIZATION) <= 0)
		return 0;
	if (request_header(t->client, text, sizeof(text),
		WSI_TOKEN_HTTP_AUTHORIZATION) == -1)
		return -1;
	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		len = strlen(schemes[i].scheme);
		if (strncasecmp(text, schemes[i].scheme, len) != 0)
			continue;
		memmove(text, text + len, strlen(text + len) + 1);
		t->credential_kind = schemes[i].kind;
		if (t->credential_kind != GIVEN_BASIC ||
		    basic_decode(text) == 0)
			r = 0;
		if (r == 0)
			t->credential = xstrdup(text);
		break;
	}
	explicit_bzero(text, sizeof(text));
	return r;
}

/* One of the two ways to say who it is, or none. */
static int
credential(struct transfer *t)
{
	char text[CREDENTIAL_MAX];
	const char *token;

	if (authorization(t) == -1)
		return -1;
	token = lws_get_urlarg_by_name(
	    t->client->wsi, "auth_token=", text, (int)sizeof(text) - 1);
	if (token != NULL && t->credential == NULL) {
		t->credential_kind = GIVEN_TOKEN;
		t->credential = xstrdup(token);
	}
	explicit_bzero(text, sizeof(text));
	return 0;
}

/* Of the body; false: it is not said, or not in digits. */
static bool
content_length(struct web_client *c, uint64_t *lengthp)
{
	char text[20];
	size_t len;

	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) >
		0 ||
	    request_header(
		c, text, sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH) == -1)
		return false;
	len = strlen(text);
	if (len > 18 || strspn(text, "0123456789") != len)
		return false;
	*lengthp = strtoull(text, NULL, 10);
	return true;
}

/* Those that send much ask first whether they should. */
static void
invite(struct transfer *t)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (lws_hdr_total_length(t->client->wsi, WSI_TOKEN_HTTP_EXPECT) > 0)
		transfer_put(t, text, sizeof(text) - 1);
}

/* On the Unix socket core knows it without. */
static bool
says_who(const struct transfer *t)
{
	return t->credential_kind != GIVEN_NOTHING ||
	    t->client->web->role == ROLE_LOCAL;
}

static void
upload_begin(struct transfer *t)
{
	char type[256], boundary[MULTIPART_BOUNDARY_MAX + 1];

	if (!content_length(t->client, &t->expected))
		transfer_refuse(t, 411, NULL);
	else if (!says_who(t))
		transfer_refuse(t, 401, NULL);
	else if (request_header(t->client, type, sizeof(type),
		     WSI_TOKEN_HTTP_CONTENT_TYPE) == -1 ||
	    multipart_boundary(type, boundary) == -1)
		transfer_refuse(
		    t, 400, "An upload is multipart/form-data with a boundary");
	else {
		multipart_init(&t->form, boundary);
		invite(t);
	}
}

static void
download_begin(struct transfer *t, const char *number)
{
	size_t len = strlen(number);

	if (len == 0 || len > 18 || strspn(number, "0123456789") != len)
		transfer_refuse(t, 404, NULL);
	else if (t->credential_kind != GIVEN_TOKEN)
		transfer_refuse(t, 401, NULL);
	else {
		memcpy(t->data, number, len + 1);
		transfer_begin(t);
	}
}

bool
request_transfer_room(struct web *w, const struct web_client *new)
{
	const struct web_client *c;
	unsigned int count = 0;

	if (w->core == NULL || w->stopping ||
	    w->ntransfers >= WEB_TRANSFERS_MAX)
		return false;
	TAILQ_FOREACH(c, &w->clients, all)
	if (c->transfer != NULL && IN6_ARE_ADDR_EQUAL(&c->source, &new->source))
		count++;
	return count < WEB_TRANSFERS_ADDRESS;
}

void
request_transfer(
    struct web_client *c, enum transfer_kind kind, const char *number)
{
	struct transfer *t = web_transfer_new(c, kind);

	/* From here on libwebsockets keeps its hands off. */
	lws_rx_flow_control(c->wsi, 0);
	c->state = WEB_CLIENT_TRANSFER;
	c->protocol = PROTOCOL_TRANSFER;
	c->deadline = uv_now(&c->web->loop) + WEB_HANDSHAKE_TIME;
	web_client_announce(c);
	if (credential(t) == -1)
		transfer_refuse(t, 401, NULL);
	else if (kind == TRANSFER_UPLOAD)
		upload_begin(t);
	else if (kind == TRANSFER_DOWNLOAD)
		download_begin(t, number);
	else if (says_who(t))
		transfer_begin(t);
	else
		transfer_refuse(t, 401, NULL);
	uv_timer_start(&c->web->transfer_timer, web_transfers_go_on, 0, 0);
}
