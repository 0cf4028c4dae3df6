/*
 * The plain HTTP of the two roles: which paths there are, which requests may
 * become a WebSocket, and the answers to all others.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/log.h"
#include "web/web.h"

/* The paths that a client may upgrade on. */
static const char *const websocket_paths[] = {
	"/api/current",
	"/api/v26.0.0",
	NULL,
};

/*
 * Origins accepted beside our own, as a browser sends them
 * ("https://nas.example.org"): pages of other hosts that may use this API.
 */
static const char *const origins[] = {
	NULL,
};

struct answer {
	unsigned int status;
	const char *phrase;
	const char *body;
};

static const struct answer not_upgraded = { 400, "Bad Request",
	"No WebSocket UPGRADE hdr: None\n Can \"Upgrade\" only to "
	"\"WebSocket\"." };
static const struct answer no_body = { 400, "Bad Request", "400: Bad Request" };
static const struct answer forbidden = { 403, "Forbidden", "403: Forbidden" };
static const struct answer not_found = { 404, "Not Found", "404: Not Found" };
static const struct answer not_allowed = { 405, "Method Not Allowed",
	"405: Method Not Allowed" };
static const struct answer unavailable = { 503, "Service Unavailable",
	"503: Service Unavailable" };

/* Sends the whole answer, headers and body in one piece.  0 or -1. */
static int
answer_send(struct web *w, struct web_client *c, const struct answer *a,
    bool head, bool keep)
{
	unsigned char buffer[LWS_PRE + 1024];
	char *text = (char *)buffer + LWS_PRE;
	size_t size = sizeof(buffer) - LWS_PRE;
	int len;

	len = snprintf(text, size,
	    "HTTP/1.1 %u %s\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n"
	    "Content-Security-Policy: default-src 'none'\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "X-Frame-Options: DENY\r\n"
	    "%s%s%s\r\n%s",
	    a->status, a->phrase, strlen(a->body),
	    w->tls ? "Strict-Transport-Security: max-age=63072000\r\n" : "",
	    a->status == 405 ? "Allow: GET, HEAD\r\n" : "",
	    keep ? "" : "Connection: close\r\n", head ? "" : a->body);
	if (len < 0 || (size_t)len >= size)
		fatal("answer %u does not fit", a->status);
	if (lws_write(c->wsi, (unsigned char *)text, (size_t)len,
		LWS_WRITE_HTTP_HEADERS) < 0)
		return -1;
	return 0;
}

/* A header's value; -1 when it is absent or longer than size. */
static int
header(struct web_client *c, char *value, size_t size,
    enum lws_token_indexes token)
{
	int len;

	value[0] = '\0';
	if (lws_hdr_total_length(c->wsi, token) <= 0)
		return -1;
	len = lws_hdr_copy(c->wsi, value, (int)size, token);
	return len > 0 && (size_t)len < size ? 0 : -1;
}

static bool
is_websocket_path(struct web_client *c)
{
	char path[64];
	size_t i;

	if (header(c, path, sizeof(path), WSI_TOKEN_GET_URI) == -1 &&
	    header(c, path, sizeof(path), WSI_TOKEN_HEAD_URI) == -1)
		return false;
	for (i = 0; websocket_paths[i] != NULL; i++)
		if (strcmp(path, websocket_paths[i]) == 0)
			return true;
	return false;
}

/*
 * A browser states the page's origin and can not be made to lie about it; it
 * keeps other sites from using a session of the administrator's.  Programs
 * send none, or make one up from the host, as Python's websocket-client does,
 * with http:// whatever it speaks; so the scheme is not compared.
 */
static bool
origin_allowed(struct web_client *c)
{
	char origin[512], host[512], *name;
	size_t i;

	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_ORIGIN) <= 0)
		return true;
	if (header(c, origin, sizeof(origin), WSI_TOKEN_ORIGIN) == -1 ||
	    header(c, host, sizeof(host), WSI_TOKEN_HOST) == -1)
		return false;
	for (i = 0; origins[i] != NULL; i++)
		if (strcasecmp(origin, origins[i]) == 0)
			return true;
	name = strstr(origin, "://");
	return name != NULL && strcasecmp(name + 3, host) == 0;
}

static bool
has_body(struct web_client *c)
{
	char length[16];

	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		return true;
	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
		return false;
	return header(c, length, sizeof(length),
		   WSI_TOKEN_HTTP_CONTENT_LENGTH) == -1 ||
	    strcmp(length, "0") != 0;
}

int
web_http_request(struct web *w, struct web_client *c)
{
	const struct answer *a;
	bool get, head, keep;

	get = lws_hdr_total_length(c->wsi, WSI_TOKEN_GET_URI) > 0;
	head = lws_hdr_total_length(c->wsi, WSI_TOKEN_HEAD_URI) > 0;
	keep = false;
	if (!get && !head)
		a = &not_allowed;
	else if (has_body(c))
		a = &no_body;
	else {
		a = is_websocket_path(c) ? &not_upgraded : &not_found;
		keep = !w->stopping;
	}
	web_refused(w, c, a->phrase);
	if (answer_send(w, c, a, head, keep) == -1 || !keep)
		return -1;
	c->deadline = uv_now(&w->loop) + WEB_KEEPALIVE_TIME;
	return lws_http_transaction_completed(c->wsi) ? -1 : 0;
}

int
web_http_upgrade(struct web *w, struct web_client *c)
{
	const struct answer *a;
	char upgrade[32];

	/*
	 * For another protocol than WebSocket, libwebsockets 4.1 asks after
	 * having answered by itself: then the headers are gone.
	 */
	if (header(c, upgrade, sizeof(upgrade), WSI_TOKEN_UPGRADE) == -1)
		return -1;
	if (strcasecmp(upgrade, "websocket") != 0)
		a = &not_upgraded;
	else if (lws_hdr_total_length(c->wsi, WSI_TOKEN_GET_URI) <= 0)
		a = &not_allowed;
	else if (!is_websocket_path(c))
		a = &not_found;
	else if (!origin_allowed(c))
		a = &forbidden;
	else if (w->core == NULL || w->stopping)
		a = &unavailable;
	else
		return 0;
	web_refused(w, c, a->phrase);
	answer_send(w, c, a, false, false);
	return -1;
}
