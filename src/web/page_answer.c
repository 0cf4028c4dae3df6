/*
 * Answers a request with a file of the web interface: headers, then the
 * content piece by piece from where it lies, as the socket takes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "web/http.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web.h"

/* Small enough that who reads slowly has little of it in memory. */
#define PIECE ((size_t)16 << 10)

static const char forever[] = "public, max-age=31536000, immutable";
static const char ask_again[] = "no-cache";

static const char *const names[PAGE_ENCODINGS] = {
	[PAGE_GZIP] = "gzip", [PAGE_BROTLI] = "br"
};

static char *
extra_headers(const struct page_file *file, enum page_encoding encoding)
{
	return xasprintf("ETag: \"%s\"\r\nVary: Accept-Encoding\r\n%s%s%s",
	    file->tag, names[encoding] != NULL ? "Content-Encoding: " : "",
	    names[encoding] != NULL ? names[encoding] : "",
	    names[encoding] != NULL ? "\r\n" : "");
}

static bool
not_modified(struct web_client *c, const struct page_file *file)
{
	char tags[512];

	return request_header(
		   c, tags, sizeof(tags), WSI_TOKEN_HTTP_IF_NONE_MATCH) == 0 &&
	    page_matches(file, tags);
}

static enum page_encoding
encoding_for(struct web_client *c, const struct page_file *file)
{
	char accept[256];

	if (request_header(c, accept, sizeof(accept),
		WSI_TOKEN_HTTP_ACCEPT_ENCODING) == -1)
		return PAGE_PLAIN;
	return page_encoding(file, accept);
}

/* The headers; 0 or -1. */
static int
send_headers(struct web_client *c, const struct http_answer *a)
{
	struct web *w = c->web;
	size_t len;
	char *text = http_text(a, w->tls, true, !w->stopping, &len);
	int r;

	r = lws_write(
	    c->wsi, (unsigned char *)text, len, LWS_WRITE_HTTP_HEADERS);
	free(text);
	return r < 0 ? -1 : 0;
}

/* The next request may come; what the callback has to return. */
static int
done(struct web_client *c)
{
	c->deadline = uv_now(&c->web->loop) + WEB_KEEPALIVE_TIME;
	if (c->web->stopping)
		return -1;
	return lws_http_transaction_completed(c->wsi) ? -1 : 0;
}

int
web_page_answer(struct web_client *c, const struct page_file *file)
{
	enum page_encoding encoding = encoding_for(c, file);
	struct http_answer a = { .status = 200,
		.type = file->type,
		.page = true,
		.cache = file->immutable ? forever : ask_again,
		.body = "",
		.len = file->content[encoding].len };
	char *extra = extra_headers(file, encoding);
	int r;

	a.extra = extra;
	if (not_modified(c, file)) {
		a.status = 304;
		a.len = 0;
	}
	r = send_headers(c, &a);
	free(extra);
	if (r == -1)
		return -1;
	if (a.len == 0 || lws_hdr_total_length(c->wsi, WSI_TOKEN_GET_URI) <= 0)
		return done(c);
	c->content = file->content[encoding].data;
	c->content_len = a.len;
	c->deadline = uv_now(&c->web->loop) + WEB_STALL_TIME;
	/* libwebsockets' time limit would end who reads slowly; ours is above. */
	lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
	lws_callback_on_writable(c->wsi);
	return 0;
}

int
web_page_writable(struct web_client *c)
{
	size_t len = c->content_len < PIECE ? c->content_len : PIECE;

	if (len == 0)
		return 0;
	/* It is only read: HTTP/1.1 needs nothing before it. */
	if (lws_write(c->wsi, (unsigned char *)(uintptr_t)c->content, len,
		LWS_WRITE_HTTP) < (int)len)
		return -1;
	c->content += len;
	c->content_len -= len;
	c->deadline = uv_now(&c->web->loop) + WEB_STALL_TIME;
	if (c->content_len == 0)
		return done(c);
	lws_callback_on_writable(c->wsi);
	return 0;
}
