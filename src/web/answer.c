/*
 * The text of an HTTP answer: status, the headers that every answer has, and
 * the body.
 */
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/wire.h"
#include "web/http.h"

/* clang-format off */
static const struct {
	unsigned int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 503, "Service Unavailable" },
};

/* No page of ours is meant for a browser yet; nothing is to be kept. */
static const char always[] =
	"Cache-Control: no-store\r\n"
	"Content-Security-Policy: default-src 'none'\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n";
static const char over_tls[] =
	"Strict-Transport-Security: max-age=63072000\r\n";
/* clang-format on */

const char *
http_phrase(unsigned int status)
{
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	fatal("HTTP status %u has no phrase", status);
}

static void
put(struct wire_out *out, const char *text)
{
	wire_put_raw(out, text, strlen(text));
}

char *
http_text(
    const struct http_answer *a, bool tls, bool head, bool keep, size_t *lenp)
{
	const char *phrase = http_phrase(a->status), *body = a->body;
	struct wire_out out = { 0 };
	char line[128], start[256];
	size_t len = a->len;

	if (body == NULL) {
		snprintf(line, sizeof(line), "%u: %s", a->status, phrase);
		body = line;
	}
	if (len == 0)
		len = strlen(body);
	snprintf(start, sizeof(start),
	    "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
	    a->status, phrase,
	    a->type != NULL ? a->type : "text/plain; charset=utf-8", len);
	put(&out, start);
	put(&out, always);
	if (tls)
		put(&out, over_tls);
	if (a->extra != NULL)
		put(&out, a->extra);
	if (!keep)
		put(&out, "Connection: close\r\n");
	put(&out, "\r\n");
	if (!head)
		wire_put_raw(&out, body, len);
	*lenp = out.len;
	return (char *)out.data;
}
