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
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

static const char always[] =
	"Referrer-Policy: no-referrer\r\n"
	"X-Content-Type-Options: nosniff\r\n";
/* What is no page is not meant for a browser. */
static const char no_page[] =
	"X-Frame-Options: DENY\r\n"
	"Content-Security-Policy: default-src 'none'\r\n";
/*
 * The page runs scripts of its own files, and speaks with this server alone.
 * Its styles are files too: what React sets of an element goes through the
 * CSSOM, which style-src does not look at.
 */
static const char for_page[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; "
	"style-src 'self'; img-src 'self' data:; font-src 'self'; "
	"connect-src 'self'; base-uri 'none'; form-action 'none'";
/* That policy's end, and the same for browsers that do not know it. */
static const char *const for_frames[FRAMES_COUNT] = {
	[FRAMES_NONE] = "; frame-ancestors 'none'\r\nX-Frame-Options: DENY\r\n",
	[FRAMES_OWN] =
	    "; frame-ancestors 'self'\r\nX-Frame-Options: SAMEORIGIN\r\n",
	[FRAMES_ANY] = "\r\n" };
static const char of_page[] =
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Embedder-Policy: require-corp\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n";
static const char over_tls[] =
	"Strict-Transport-Security: max-age=63072000\r\n";
/* clang-format on */

static enum access_frames frames = FRAMES_NONE;

void
http_frames(enum access_frames now)
{
	frames = now;
}

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

/* Status, type, and how long the body is. */
static void
put_start(struct wire_out *out, const struct http_answer *a, size_t len)
{
	char line[256];

	snprintf(line, sizeof(line), "HTTP/1.1 %u %s\r\nContent-Type: %s\r\n",
	    a->status, http_phrase(a->status),
	    a->type != NULL ? a->type : "text/plain; charset=utf-8");
	put(out, line);
	if (a->chunked)
		put(out, "Transfer-Encoding: chunked\r\n");
	else if (a->status != 304) { /* its length would be the file's */
		snprintf(line, sizeof(line), "Content-Length: %zu\r\n", len);
		put(out, line);
	}
	snprintf(line, sizeof(line), "Cache-Control: %s\r\n",
	    a->cache != NULL ? a->cache : "no-store");
	put(out, line);
}

char *
http_text(
    const struct http_answer *a, bool tls, bool head, bool keep, size_t *lenp)
{
	struct wire_out out = { 0 };
	const char *body = a->body;
	size_t len = a->len;
	char usual[64];

	if (body == NULL) {
		snprintf(usual, sizeof(usual), "%u: %s", a->status,
		    http_phrase(a->status));
		body = usual;
	}
	if (len == 0)
		len = strlen(body);
	put_start(&out, a, len);
	put(&out, always);
	if (a->page) {
		put(&out, for_page);
		put(&out, for_frames[frames]);
		put(&out, of_page);
	} else
		put(&out, no_page);
	if (tls)
		put(&out, over_tls);
	if (a->extra != NULL)
		put(&out, a->extra);
	if (!keep)
		put(&out, "Connection: close\r\n");
	put(&out, "\r\n");
	if (!head && !a->chunked)
		wire_put_raw(&out, body, len);
	*lenp = out.len;
	return (char *)out.data;
}
