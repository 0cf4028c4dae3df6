/*
 * The life of an up- or download: see transfer.h.
 */
#include "web/transfer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/xalloc.h"

static void pump(struct transfer *);

/*
 * The end.
 */
void
transfer_close_file(struct transfer *t)
{
	if (t->file_poll != NULL)
		uv_close((uv_handle_t *)t->file_poll, (uv_close_cb)free);
	t->file_poll = NULL;
	if (t->file != -1)
		close(t->file);
	t->file = -1;
}

void
web_transfer_free(struct transfer *t)
{
	if (t == NULL)
		return;
	t->client->web->ntransfers--;
	transfer_close_file(t);
	stream_close(&t->stream);
	freezero_str(t->credential);
	freezero(t->in, t->in_size);
	freezero(t->out, t->out_size);
	freezero(t->data, TRANSFER_DATA_MAX + 1);
	free(t);
}

static void
gone(struct transfer *t)
{
	t->dead = true;
	t->again = false;
	stream_close(&t->stream);
	transfer_close_file(t);
	web_client_kill(t->client);
}

/*
 * The answer.
 */
void
transfer_put(struct transfer *t, const void *data, size_t len)
{
	uint8_t *out;
	size_t size;

	if (t->out_at == t->out_len)
		t->out_at = t->out_len = 0;
	if (t->out == NULL || len > t->out_size - t->out_len) {
		size = t->out_len + len;
		out = xmalloc(size);
		if (t->out != NULL)
			memcpy(out, t->out, t->out_len);
		freezero(t->out, t->out_size);
		t->out = out;
		t->out_size = size;
	}
	memcpy(t->out + t->out_len, data, len);
	t->out_len += len;
}

void
transfer_answer(struct transfer *t, const struct http_answer *answer)
{
	struct web *w = t->client->web;
	size_t len;
	char *text;

	if (answer->status >= 400)
		web_refused(w, t->client, http_phrase(answer->status));
	transfer_close_file(t);
	t->slice_len = 0;
	text = http_text(answer, w->tls, false, false, &len);
	transfer_put(t, text, len);
	freezero(text, len);
	t->state = TRANSFER_ANSWERING;
}

void
transfer_refuse(struct transfer *t, unsigned int status, const char *text)
{
	const struct http_answer answer = { .status = status, .body = text };

	transfer_answer(t, &answer);
}

/*
 * Core.
 */
void
transfer_begin(struct transfer *t)
{
	struct web *w = t->client->web;
	struct wire_out body = { 0 };

	if (w->core == NULL || !t->client->announced) {
		transfer_refuse(t, 503, NULL);
		return;
	}
	t->state = TRANSFER_WAITING;
	t->begin_due = t->client->held;
	if (t->begin_due)
		return;
	wire_put_u8(&body, (uint8_t)t->kind);
	wire_put_u8(&body, (uint8_t)t->credential_kind);
	wire_put_str(&body, t->credential);
	wire_put_u64(&body, t->expected);
	wire_put_str(&body, t->data);
	ipc_send(w->core, MSG_TRANSFER_BEGIN, t->client->id, &body, NULL, 0);
	wire_free(&body);
	freezero_str(t->credential);
	t->credential = NULL;
}

void
transfer_next(struct transfer *t, enum transfer_step step)
{
	struct web *w = t->client->web;
	struct wire_out body = { 0 };

	wire_put_u8(&body, (uint8_t)step);
	if (w->core != NULL && t->client->announced)
		ipc_send(
		    w->core, MSG_TRANSFER_NEXT, t->client->id, &body, NULL, 0);
	wire_free(&body);
	t->state = TRANSFER_WAITING;
}

void
web_transfer_file(
    struct web_client *c, const char *filename, bool whole, int *fdp)
{
	struct transfer *t = c->transfer;

	if (t == NULL || t->state != TRANSFER_WAITING || t->file != -1)
		return;
	t->file = *fdp;
	*fdp = -1; /* transferred */
	t->whole = whole;
	(void)fcntl(t->file, F_SETFL, fcntl(t->file, F_GETFL) | O_NONBLOCK);
	t->moved = uv_now(&c->web->loop);
	if (t->kind == TRANSFER_DOWNLOAD)
		download_start(t, filename);
	else
		t->state = TRANSFER_RECEIVING;
	pump(t);
}

void
web_transfer_status(struct web_client *c, unsigned int status, const char *type,
    const void *body, size_t len)
{
	struct http_answer answer = { .status = status };
	struct transfer *t = c->transfer;

	if (t == NULL || t->state == TRANSFER_ANSWERING ||
	    t->state == TRANSFER_LINGERING)
		return;
	/* A download that began: what is in the pipe is the rest, or cut. */
	if (t->kind == TRANSFER_DOWNLOAD && t->out != NULL) {
		t->whole = status == 200;
		if (!t->whole)
			gone(t);
		else if (t->file == -1)
			download_end(t);
	} else {
		answer.type = type[0] == '\0' ? NULL : type;
		answer.body = len > 0 ? body : NULL;
		answer.len = len;
		transfer_answer(t, &answer);
	}
	t->moved = uv_now(&c->web->loop);
	pump(t);
}

void
web_transfer_identified(struct web_client *c)
{
	struct transfer *t = c->transfer;

	if (!t->begin_due)
		return;
	transfer_begin(t);
	pump(t);
}

void
web_transfer_core_gone(struct web_client *c)
{
	struct transfer *t = c->transfer;

	if (t->state == TRANSFER_ANSWERING || t->state == TRANSFER_LINGERING)
		return;
	if (t->kind == TRANSFER_DOWNLOAD && t->out != NULL)
		gone(t);
	else
		transfer_refuse(t, 503, NULL);
	pump(t);
}

/*
 * The pipe.
 */
static void
file_ready(uv_poll_t *poll, int status, int events)
{
	struct transfer *t = poll->data;

	(void)status;
	(void)events;
	uv_poll_stop(poll);
	pump(t);
}

void
transfer_await_file(struct transfer *t, int events)
{
	if (t->file_poll == NULL) {
		t->file_poll = xcalloc(1, sizeof(*t->file_poll));
		if (uv_poll_init(
			&t->client->web->loop, t->file_poll, t->file) != 0) {
			free(t->file_poll);
			t->file_poll = NULL;
			gone(t);
			return;
		}
		t->file_poll->data = t;
	}
	uv_poll_start(t->file_poll, events, file_ready);
}

/*
 * The client.
 */

/* True: all is out. */
static bool
flush(struct transfer *t)
{
	ssize_t n;

	while (t->out_at < t->out_len) {
		n = stream_write(
		    &t->stream, t->out + t->out_at, t->out_len - t->out_at);
		if (n == STREAM_AGAIN)
			return false;
		if (n < 0) {
			gone(t);
			return false;
		}
		t->out_at += (size_t)n;
		t->moved = uv_now(&t->client->web->loop);
	}
	return true;
}

/* The next piece of the request; false: there is none now. */
static bool
receive(struct transfer *t)
{
	uint64_t left = t->expected - t->got;
	size_t len = left < TRANSFER_PIECE ? (size_t)left : TRANSFER_PIECE;
	ssize_t n = stream_read(&t->stream, t->in, len);

	if (n == STREAM_AGAIN)
		return false;
	if (n <= 0) {
		gone(t); /* cut short: core learns it by that */
		return false;
	}
	t->in_at = 0;
	t->in_len = (size_t)n;
	t->got += (uint64_t)n;
	t->moved = uv_now(&t->client->web->loop);
	return true;
}

/* What comes after the answer is thrown away, lest it be lost to a reset. */
static void
linger(struct transfer *t)
{
	unsigned int i;
	ssize_t n = 1;

	for (i = 0; i < TRANSFER_STEPS && n > 0; i++)
		n = stream_read(&t->stream, t->in, TRANSFER_PIECE);
	if (n == STREAM_END || n == STREAM_BROKEN)
		gone(t);
	else
		t->again = n > 0;
}

/* One step; true: another one may follow at once. */
static bool
step(struct transfer *t)
{
	switch (t->state) {
	case TRANSFER_DATA:
	case TRANSFER_RECEIVING:
		return upload_step(t) ||
		    (t->slice_len == 0 && !t->dead &&
			t->state != TRANSFER_WAITING && receive(t));
	case TRANSFER_SENDING:
		return download_step(t);
	case TRANSFER_ANSWERING:
		stream_shutdown(&t->stream);
		t->state = TRANSFER_LINGERING;
		/* Not so long as others could use the place. */
		t->client->deadline =
		    uv_now(&t->client->web->loop) + WEB_LINGER_TIME;
		return true;
	default:
		return false;
	}
}

static void
want(struct transfer *t)
{
	bool reads = false, writes = t->out_at < t->out_len;

	switch (t->state) {
	case TRANSFER_DATA:
	case TRANSFER_RECEIVING:
		reads = t->slice_len == 0;
		break;
	case TRANSFER_LINGERING:
		reads = true;
		break;
	default:
		break;
	}
	stream_want(&t->stream, reads, writes);
}

/* As far as it goes without waiting, for one turn. */
static void
pump(struct transfer *t)
{
	unsigned int steps = 0;

	if (t->stream.poll == NULL)
		return;
	t->again = false;
	while (flush(t) && !t->dead && step(t))
		if (++steps == TRANSFER_STEPS) {
			t->again = true;
			break;
		}
	if (t->dead)
		return;
	if (t->state == TRANSFER_LINGERING)
		linger(t);
	want(t);
	if (t->again)
		uv_timer_start(
		    &t->client->web->transfer_timer, web_transfers_go_on, 0, 0);
}

static void
ready(void *arg, bool client_gone)
{
	struct transfer *t = arg;

	if (client_gone)
		gone(t);
	else
		pump(t);
}

/* After the callback in which it began, or when there was more to do. */
void
web_transfers_go_on(uv_timer_t *timer)
{
	struct web *w = timer->data;
	struct web_client *c, *next;
	struct transfer *t;

	for (c = TAILQ_FIRST(&w->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		t = c->transfer;
		if (t == NULL || !t->again || t->dead || c->wsi == NULL)
			continue;
		/* Its time limits are ours now. */
		lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
		if (t->stream.poll == NULL &&
		    stream_open(&t->stream, &w->loop, c->wsi, ready, t) == -1)
			web_client_kill(c);
		else
			pump(t);
	}
}

/* The part of the body that came with the headers. */
int
web_transfer_body(struct web_client *c, const void *data, size_t len)
{
	struct transfer *t = c->transfer;
	uint8_t *in;

	if (t == NULL)
		return -1;
	if (t->stream.poll != NULL || len > t->expected - t->got)
		return -1;
	if (t->in_len + len > t->in_size) {
		in = xmalloc(t->in_len + len);
		if (t->in_len > 0)
			memcpy(in, t->in, t->in_len);
		freezero(t->in, t->in_size);
		t->in = in;
		t->in_size = t->in_len + len;
	}
	if (len > 0)
		memcpy(t->in + t->in_len, data, len);
	t->in_len += len;
	t->got += len;
	return 0;
}

void
web_transfer_tick(struct web_client *c, uint64_t now)
{
	struct transfer *t = c->transfer;
	bool waits = t->state == TRANSFER_DATA || t->out_at < t->out_len ||
	    (t->state == TRANSFER_RECEIVING && t->slice_len == 0);

	lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
	if ((t->state == TRANSFER_DATA || t->state == TRANSFER_LINGERING) &&
	    now >= c->deadline)
		gone(t);
	else if (waits && now - t->moved >= WEB_STALL_TIME)
		gone(t);
}

struct transfer *
web_transfer_new(struct web_client *c, enum transfer_kind kind)
{
	struct transfer *t = xcalloc(1, sizeof(*t));

	t->client = c;
	t->kind = kind;
	t->file = -1;
	t->in_size = TRANSFER_PIECE;
	t->in = xmalloc(t->in_size);
	t->data = xcalloc(1, TRANSFER_DATA_MAX + 1);
	t->moved = uv_now(&c->web->loop);
	t->state = kind == TRANSFER_UPLOAD ? TRANSFER_DATA : TRANSFER_WAITING;
	t->again = true;
	c->transfer = t;
	c->web->ntransfers++;
	return t;
}
