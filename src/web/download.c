/*
 * A download: what a job writes into its pipe, in chunks (RFC 9112 section
 * 7.1), for nobody knows its length.  The last chunk is sent only when core
 * said that the content is whole: else the client would take a part for it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/wire.h"
#include "lib/xalloc.h"
#include "web/transfer.h"

static void
put(struct wire_out *out, const char *text)
{
	wire_put_raw(out, text, strlen(text));
}

/*
 * The name as a browser suggests it (RFC 6266): plain for those who know no
 * more, quoted and in UTF-8 for the others.
 */
static void
put_filename(struct wire_out *out, const char *name)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789-._~";
	const char *p;
	char code[4];

	put(out, "Content-Disposition: attachment; filename=\"");
	for (p = name; *p != '\0'; p++)
		wire_put_raw(out,
		    *p >= ' ' && *p <= '~' && *p != '"' && *p != '\\' ? p : "_",
		    1);
	put(out, "\"");
	if (name[strspn(name, safe)] != '\0') {
		put(out, "; filename*=UTF-8''");
		for (p = name; *p != '\0'; p++) {
			snprintf(code, sizeof(code), "%%%02X",
			    (unsigned int)(unsigned char)*p);
			put(out,
			    strchr(safe, *p) != NULL ? (char[]){ *p, '\0' } :
						       code);
		}
	}
	put(out, "\r\n");
}

void
download_start(struct transfer *t, const char *filename)
{
	struct wire_out extra = { 0 };
	struct http_answer answer = { .status = 200,
		.type = "application/octet-stream",
		.chunked = true };
	char *text;
	size_t len;

	put_filename(&extra, filename);
	wire_put_u8(&extra, '\0');
	answer.extra = (const char *)extra.data;
	text = http_text(&answer, t->client->web->tls, false, false, &len);
	transfer_put(t, text, len);
	free(text);
	wire_free(&extra);
	t->state = TRANSFER_SENDING;
}

void
download_end(struct transfer *t)
{
	static const char last[] = "0\r\n\r\n";

	transfer_close_file(t);
	transfer_put(t, last, sizeof(last) - 1);
	t->state = TRANSFER_ANSWERING;
}

/* Nothing waits to be sent: the next chunk. */
bool
download_step(struct transfer *t)
{
	static uint8_t piece[TRANSFER_PIECE];
	char head[16];
	ssize_t n;
	int len;

	n = read(t->file, piece, sizeof(piece));
	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		transfer_await_file(t, UV_READABLE);
		return false;
	}
	if (n <= 0) {
		transfer_close_file(t);
		if (n == 0 && t->whole)
			download_end(t);
		else
			t->state = TRANSFER_WAITING;
		return n == 0 && t->whole;
	}
	len = snprintf(head, sizeof(head), "%zx\r\n", (size_t)n);
	transfer_put(t, head, (size_t)len);
	transfer_put(t, piece, (size_t)n);
	transfer_put(t, "\r\n", 2);
	explicit_bzero(piece, (size_t)n);
	return true;
}
