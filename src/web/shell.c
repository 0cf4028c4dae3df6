/*
 * A web shell as the front roles see it: see shell.h.
 */
#include "web/shell.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "web/web.h"

#define PIECE ((size_t)16 << 10)
#define TYPED_MAX ((size_t)256 << 10) /* not yet taken by the terminal */
#define DRAIN_PIECES 16
#define USED_TIME 5000 /* how often core is told that it is used, ms */

struct shell {
	int fd; /* -1: core has not answered */
	uv_poll_t *poll;
	uint8_t *typed;
	size_t len, at;
	uint64_t told;
	bool over; /* nothing more is shown */
};

static void ready(uv_poll_t *, int status, int events);

/* --- What is waited for ----------------------------------------------------- */

static bool
client_takes(const struct web_client *c)
{
	return STAILQ_EMPTY(&c->queue) && !lws_partial_buffered(c->wsi);
}

/* Who types faster than it is taken is not read from. */
static void
want(struct web_client *c)
{
	struct shell *s = c->shell;
	bool waits = s->len > s->at;
	int events = waits ? UV_WRITABLE : 0;

	if (c->state != WEB_CLIENT_OPEN || s->poll == NULL)
		return;
	if (!s->over && client_takes(c))
		events |= UV_READABLE;
	if (events == 0)
		uv_poll_stop(s->poll);
	else
		uv_poll_start(s->poll, events, ready);
	if (c->busy == waits)
		return;
	c->busy = waits;
	web_client_flow(c);
	/* What was read before is served from its loop. */
	lws_cancel_service(c->web->context);
}

/* --- The terminal ----------------------------------------------------------- */

/* One piece; false: there is none now, or ever. */
static bool
show(struct web_client *c)
{
	static uint8_t piece[PIECE];
	struct shell *s = c->shell;
	ssize_t n = read(s->fd, piece, sizeof(piece));

	if (n > 0) {
		web_client_send(c, piece, (size_t)n, FRAME_BYTES);
		explicit_bzero(piece, (size_t)n);
		return true;
	}
	/* EIO: nobody has it open any more. */
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		s->over = true;
	return false;
}

static void
type(struct shell *s)
{
	ssize_t n;

	while (s->at < s->len) {
		n = write(s->fd, s->typed + s->at, s->len - s->at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		/* Gone: what was typed is for nobody. */
		s->at = n == -1 ? s->len : s->at + (size_t)n;
	}
	freezero(s->typed, s->len);
	s->typed = NULL;
	s->len = s->at = 0;
}

static void
ready(uv_poll_t *poll, int status, int events)
{
	struct web_client *c = poll->data;

	if ((events & UV_WRITABLE) != 0)
		type(c->shell);
	if (status < 0 || (events & UV_READABLE) != 0)
		show(c);
	if (c->shell == NULL)
		return;
	if (c->shell->over)
		web_client_close(c, 1000, "", true);
	else
		want(c);
}

/* --- The client ------------------------------------------------------------- */

void
web_shell_begin(struct web_client *c, const char *text, size_t len)
{
	static const char *const elsewhere[] = { "vm_id", "app_name",
		"container_id" };
	struct wire_out body = { 0 };
	const char *why;
	json_t *message = json_parse(text, len, &why);
	const char *token = json_str(message, "token", NULL);
	const json_t *options = json_object_get(message, "options"), *option;
	bool other = false;
	size_t i;

	for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		option = json_object_get(options, elsewhere[i]);
		other |= option != NULL && !json_is_null(option);
	}
	if (token == NULL) {
		web_client_close(c, 1007, "No token", true);
	} else if (c->web->core != NULL && c->announced) {
		c->shell = xcalloc(1, sizeof(*c->shell));
		c->shell->fd = -1;
		/* Not read until there is where to put it. */
		c->busy = true;
		web_client_flow(c);
		wire_put_str(&body, token);
		wire_put_u8(&body, other);
		ipc_send(c->web->core, MSG_SHELL_BEGIN, c->id, &body, NULL, 0);
	}
	wire_free(&body);
	json_decref(message);
}

void
web_shell_open(struct web_client *c, int *fdp)
{
	struct shell *s = c->shell;

	if (s == NULL || s->fd != -1 || c->state != WEB_CLIENT_OPEN)
		return;
	s->fd = *fdp;
	*fdp = -1; /* transferred */
	s->poll = xcalloc(1, sizeof(*s->poll));
	if (uv_poll_init(&c->web->loop, s->poll, s->fd) != 0) {
		free(s->poll);
		s->poll = NULL;
		web_client_close(c, 1011, "No terminal", true);
		return;
	}
	s->poll->data = c;
	/* It may have been typed on already. */
	type(s);
	c->busy = true;
	want(c);
}

/* Now and then: the session is not an idle one. */
static void
tell_used(struct web_client *c)
{
	uint64_t now = uv_now(&c->web->loop);

	if (c->web->core == NULL || !c->announced ||
	    (c->shell->told != 0 && now - c->shell->told < USED_TIME))
		return;
	c->shell->told = now;
	ipc_send(c->web->core, MSG_SHELL_USED, c->id, NULL, NULL, 0);
}

void
web_shell_typed(struct web_client *c, const void *data, size_t len)
{
	struct shell *s = c->shell;
	uint8_t *typed;

	if (s->over || len == 0)
		return;
	if (len > TYPED_MAX - s->len) {
		web_client_close(c, 1009, "Typed too fast", false);
		return;
	}
	typed = xmalloc(s->len + len);
	if (s->len > 0)
		memcpy(typed, s->typed, s->len);
	memcpy(typed + s->len, data, len);
	freezero(s->typed, s->len);
	s->typed = typed;
	s->len += len;
	tell_used(c);
	if (s->fd == -1)
		return;
	type(s);
	want(c);
}

void
web_shell_go_on(struct web_client *c)
{
	if (c->shell != NULL)
		want(c);
}

/* A terminal that never stops showing something is cut. */
void
web_shell_drain(struct web_client *c)
{
	unsigned int i = 0;

	if (c->shell == NULL || c->shell->fd == -1)
		return;
	while (i++ < DRAIN_PIECES && c->state == WEB_CLIENT_OPEN && show(c))
		;
}

static void
poll_closed(uv_handle_t *handle)
{
	free(handle);
}

void
web_shell_free(struct web_client *c)
{
	struct shell *s = c->shell;

	if (s == NULL)
		return;
	c->shell = NULL;
	if (s->poll != NULL)
		uv_close((uv_handle_t *)s->poll, poll_closed);
	if (s->fd != -1)
		close(s->fd);
	freezero(s->typed, s->len);
	free(s);
}
