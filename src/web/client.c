/*
 * One client's life: its messages checked and passed to core, core's frames
 * queued and written, its time limits and its end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "web/envelope.h"
#include "web/shell.h"
#include "web/web.h"

/* Written in one go before others get their turn. */
#define WRITE_ROUND ((size_t)1 << 20)

struct web_client *
web_client_new(struct web *w)
{
	struct web_client *c;

	c = xcalloc(1, sizeof(*c));
	c->web = w;
	c->state = WEB_CLIENT_HTTP;
	c->deadline = uv_now(&w->loop) + WEB_HANDSHAKE_TIME;
	assembly_init(&c->in, ASSEMBLY_ANONYMOUS);
	STAILQ_INIT(&c->queue);
	TAILQ_INSERT_TAIL(&w->clients, c, all);
	w->nclients++;
	return c;
}

void
web_client_origin(
    const struct web_client *c, char origin[static WEB_ORIGIN_MAX])
{
	if (c->web->role == ROLE_LOCAL)
		snprintf(origin, WEB_ORIGIN_MAX, "the Unix socket");
	else
		snprintf(
		    origin, WEB_ORIGIN_MAX, "%s port %u", c->address, c->port);
}

static void
queue_drop(struct web_client *c)
{
	struct web_frame *frame;

	while ((frame = STAILQ_FIRST(&c->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->queue, next);
		freezero(frame, sizeof(*frame) + LWS_PRE + frame->len);
	}
	c->queued_bytes = 0;
	c->queued_frames = 0;
}

void
web_client_free(struct web_client *c)
{
	struct web *w;

	if (c == NULL)
		return;
	w = c->web;
	web_client_ended(c);
	TAILQ_REMOVE(&w->clients, c, all);
	w->nclients--;
	if (c->id != 0)
		LIST_REMOVE(c, bucket);
	assembly_clear(&c->in);
	queue_drop(c);
	free(c);
	web_accept_resume(w);
}

struct web_client *
web_client_find(struct web *w, uint32_t id)
{
	struct web_client *c;

	LIST_FOREACH(c, &w->buckets[id % WEB_BUCKETS], bucket)
	{
		if (c->id == id)
			return c;
	}
	return NULL;
}

void
web_client_announce(struct web_client *c)
{
	struct web *w = c->web;
	struct wire_out body = { 0 };
	char origin[WEB_ORIGIN_MAX];
	int fd;

	/* Ids are never reused: core could mistake one client for another. */
	if (w->last_id == UINT32_MAX)
		fatal("connection ids are used up");
	c->id = ++w->last_id;
	LIST_INSERT_HEAD(&w->buckets[c->id % WEB_BUCKETS], c, bucket);
	wire_put_str(&body, c->address);
	wire_put_u16(&body, c->port);
	wire_put_u8(&body, 1);
	wire_put_u8(&body, (uint8_t)c->protocol);
	fd = lws_get_socket_fd(c->wsi);
	ipc_send(w->core, MSG_CLIENT_OPEN, c->id, &body,
	    w->role == ROLE_LOCAL ? &fd : NULL, w->role == ROLE_LOCAL ? 1 : 0);
	wire_free(&body);
	c->announced = true;
	c->held = w->role == ROLE_LOCAL;
	web_client_origin(c, origin);
	log_info(
	    "client.open", "connection %" PRIu32 " from %s", c->id, origin);
}

void
web_client_established(struct web_client *c)
{
	struct web *w = c->web;

	c->state = WEB_CLIENT_OPEN;
	c->heard = c->pinged = c->moved = c->called = uv_now(&w->loop);
	if (w->core == NULL) {
		/* It went between the request and now. */
		web_client_close(
		    c, WEB_RESTART_CODE, WEB_RESTART_REASON, false);
		return;
	}
	if (!web_access_allows(w, c)) {
		web_client_close(c, 1008,
		    "You are not allowed to access this resource", false);
		return;
	}
	web_client_announce(c);
	web_client_flow(c);
}

/*
 * Who has too much in progress is not read from until some of it is done: one
 * client's flood waits in its own socket, not before the others' calls.
 */
void
web_client_flow(struct web_client *c)
{
	if (c->state != WEB_CLIENT_OPEN || c->wsi == NULL)
		return;
	c->heard = uv_now(&c->web->loop);
	lws_rx_flow_control(c->wsi, !c->web->throttled && !c->held && !c->busy);
}

void
web_client_finished(struct web_client *c, uint32_t calls)
{
	c->calls -= calls < c->calls ? calls : c->calls;
	c->called = uv_now(&c->web->loop);
	if (!c->busy || c->calls > WEB_CALLS_MAX / 2)
		return;
	c->busy = false;
	web_client_flow(c);
	/* What was read before is served from its loop. */
	lws_cancel_service(c->web->context);
}

/* A call on its way to core: one more that is in progress there. */
static void
call_send(
    struct web_client *c, enum message_type type, const struct wire_out *body)
{
	struct web *w = c->web;

	ipc_send(w->core, type, c->id, body, NULL, 0);
	c->called = uv_now(&w->loop);
	if (++c->calls >= WEB_CALLS_MAX && !c->busy) {
		c->busy = true;
		web_client_flow(c);
	}
	web_core_throttle(w);
}

/* What the client said goes to core. */
static void
message_pass(struct web_client *c, const struct envelope *e)
{
	struct web *w = c->web;
	struct wire_out body = { 0 };

	if (w->core == NULL || !c->announced)
		return;
	switch (e->verdict) {
	case ENVELOPE_CALL:
		wire_put_str(&body, e->id);
		wire_put_str(&body, e->method);
		wire_put_str(&body, e->params);
		call_send(c, MSG_CLIENT_CALL, &body);
		break;
	case ENVELOPE_LEGACY:
		wire_put_u8(&body, (uint8_t)e->verb);
		wire_put_str(&body, e->id);
		wire_put_str(&body, e->method);
		if (e->verb == LEGACY_SUBSCRIBE)
			call_send(c, MSG_CLIENT_LEGACY, &body);
		else
			ipc_send(
			    w->core, MSG_CLIENT_LEGACY, c->id, &body, NULL, 0);
		break;
	case ENVELOPE_ERROR:
	case ENVELOPE_SILENT:
	case ENVELOPE_CLOSE:
		break;
	}
	wire_free(&body);
}

/* A whole message: answered here when its envelope is wrong, else core's. */
static void
message_done(struct web_client *c)
{
	const char *text = c->in.data == NULL ? "" : c->in.data;
	struct envelope e;
	char *answer;

	if (c->protocol == PROTOCOL_SHELL) {
		web_shell_begin(c, text, c->in.len);
		assembly_reset(&c->in);
		return;
	}
	if (c->protocol == PROTOCOL_LEGACY)
		legacy_check(text, c->in.len, &c->greeted, &e);
	else
		envelope_check(text, c->in.len, &e);
	assembly_reset(&c->in);
	switch (e.verdict) {
	case ENVELOPE_SILENT:
		break;
	case ENVELOPE_ERROR:
		answer = c->protocol == PROTOCOL_LEGACY ? legacy_answer(&e) :
							  envelope_answer(&e);
		web_client_send(c, answer, strlen(answer), FRAME_ANSWER);
		freezero_str(answer);
		break;
	case ENVELOPE_CLOSE:
		web_client_close(c, 1007, e.message, true);
		break;
	case ENVELOPE_CALL:
	case ENVELOPE_LEGACY:
		message_pass(c, &e);
		break;
	}
	envelope_free(&e);
}

static void
message_refuse(struct web_client *c, enum assembly_result result)
{
	char reason[64];

	if (result == ASSEMBLY_NOT_UTF8)
		web_client_close(c, 1007, "Invalid UTF-8", true);
	else if (c->in.limit <= ASSEMBLY_ANONYMOUS)
		web_client_close(c, 1007,
		    "Anonymous connection max message length is 8 kB", true);
	else {
		snprintf(reason, sizeof(reason), "Max message length is %zu kB",
		    c->in.limit / 1024);
		web_client_close(c, 1009, reason, true);
	}
}

/* One piece of a frame, as libwebsockets hands it over; zeroed when used. */
int
web_client_received(struct web_client *c, void *data, size_t len)
{
	enum assembly_result result;

	c->heard = uv_now(&c->web->loop);
	if (c->state != WEB_CLIENT_OPEN)
		result = ASSEMBLY_OK;
	else if (c->shell != NULL) {
		web_shell_typed(c, data, len);
		result = ASSEMBLY_OK;
	} else if (lws_frame_is_binary(c->wsi)) {
		web_client_close(c, 1003,
		    "Invalid websocket message type: <WSMsgType.BINARY: 2>",
		    true);
		result = ASSEMBLY_OK;
	} else {
		result = assembly_add(&c->in, data, len);
		if (result == ASSEMBLY_OK && lws_is_final_fragment(c->wsi)) {
			result = assembly_end(&c->in);
			if (result == ASSEMBLY_OK)
				message_done(c);
		}
	}
	if (result != ASSEMBLY_OK)
		message_refuse(c, result);
	if (len > 0)
		explicit_bzero(data, len);
	return 0;
}

static void
event_taken(struct web_client *c, size_t len)
{
	struct wire_out body = { 0 };

	c->taken += MESSAGE_EVENT_COST(len);
	if (c->taken < MESSAGE_EVENT_STEP || c->web->core == NULL)
		return;
	wire_put_u32(&body, (uint32_t)c->taken);
	ipc_send(c->web->core, MSG_CLIENT_TAKEN, c->id, &body, NULL, 0);
	wire_free(&body);
	c->taken = 0;
}

/*
 * Writes the next piece of the first frame.  A long frame goes out in
 * fragments, so that a slow reader is told from a dead one and control frames
 * get their turn.  0, or -1 when the socket is broken.
 */
static int
frame_write(struct web_client *c, size_t *written)
{
	struct web_frame *frame = STAILQ_FIRST(&c->queue);
	unsigned char *data = frame->data + LWS_PRE + frame->sent;
	size_t len = frame->len - frame->sent;
	int flags;

	flags = frame->sent > 0        ? LWS_WRITE_CONTINUATION :
	    frame->kind == FRAME_BYTES ? LWS_WRITE_BINARY :
					 LWS_WRITE_TEXT;
	if (len > WEB_FRAGMENT) {
		len = WEB_FRAGMENT;
		flags |= LWS_WRITE_NO_FIN;
	}
	/*
	 * The header is written over the bytes before data: LWS_PRE, or what
	 * was sent already.
	 */
	if (lws_write(c->wsi, data, len, (enum lws_write_protocol)flags) < 0)
		return -1;
	c->moved = uv_now(&c->web->loop);
	*written += len;
	frame->sent += len;
	c->queued_bytes -= len;
	if (frame->sent == frame->len) {
		STAILQ_REMOVE_HEAD(&c->queue, next);
		c->queued_frames--;
		if (frame->kind == FRAME_EVENT)
			event_taken(c, frame->len);
		freezero(frame, sizeof(*frame) + LWS_PRE + frame->len);
	}
	return 0;
}

static int
queue_write(struct web_client *c)
{
	size_t written;

	written = 0;
	while (!STAILQ_EMPTY(&c->queue)) {
		if (lws_partial_buffered(c->wsi))
			return 0; /* it calls back when that is out */
		if (written >= WRITE_ROUND) {
			lws_callback_on_writable(c->wsi);
			return 0;
		}
		if (frame_write(c, &written) == -1)
			return -1;
	}
	return 0;
}

/*
 * Once all else is out, the close.  Not from within a callback: Debian 12's
 * libwebsockets (4.1.6 on libuv) closes twice when a callback asks it to, and
 * the second time does not wait until the close frame is written.
 */
static void
close_when_written(struct web_client *c)
{
	if (c->state != WEB_CLIENT_CLOSING || c->close_due)
		return;
	if (!STAILQ_EMPTY(&c->queue) || lws_partial_buffered(c->wsi)) {
		lws_callback_on_writable(c->wsi);
		return;
	}
	c->close_due = true;
	uv_timer_start(&c->web->close_timer, web_close_due, 0, 0);
}

void
web_close_due(uv_timer_t *timer)
{
	struct web *w = timer->data;
	struct web_client *c, *next;

	for (c = TAILQ_FIRST(&w->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		if (c->state != WEB_CLIENT_CLOSING || !c->close_due)
			continue;
		lws_close_reason(c->wsi, (enum lws_close_status)c->close_code,
		    (unsigned char *)c->close_reason, strlen(c->close_reason));
		/* "Kill" sends the close frame and awaits the answer. */
		lws_set_timeout(
		    c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
	}
	/* Have it look at its time limits. */
	lws_cancel_service(w->context);
}

int
web_client_writable(struct web_client *c)
{
	if (c->state != WEB_CLIENT_OPEN && c->state != WEB_CLIENT_CLOSING)
		return 0;
	c->moved = uv_now(&c->web->loop);
	if (queue_write(c) == -1)
		return -1;
	close_when_written(c);
	web_shell_go_on(c);
	return 0;
}

void
web_client_send(struct web_client *c, const void *data, size_t len,
    enum web_frame_kind kind)
{
	struct web_frame *frame;
	bool idle;

	if (c->state != WEB_CLIENT_OPEN)
		return;
	if (c->queued_frames >= WEB_QUEUE_FRAMES ||
	    len > WEB_QUEUE_BYTES - c->queued_bytes) {
		web_client_close(c, 1008, "Too many messages waiting", false);
		return;
	}
	idle = STAILQ_EMPTY(&c->queue);
	frame = xmalloc(sizeof(*frame) + LWS_PRE + len);
	frame->len = len;
	frame->sent = 0;
	frame->kind = kind;
	if (len > 0)
		memcpy(frame->data + LWS_PRE, data, len);
	STAILQ_INSERT_TAIL(&c->queue, frame, next);
	c->queued_frames++;
	c->queued_bytes += len;
	if (!idle)
		return; /* a callback is asked for already */
	/*
	 * Nothing is in the way: write now.  Waiting for the callback costs
	 * three system calls a message (epoll_ctl twice, epoll_wait).
	 */
	c->moved = uv_now(&c->web->loop);
	if (queue_write(c) == -1)
		web_client_kill(c);
	else if (!STAILQ_EMPTY(&c->queue))
		lws_callback_on_writable(c->wsi);
}

void
web_client_close(
    struct web_client *c, uint16_t code, const char *reason, bool flush)
{
	if (c->state == WEB_CLIENT_HTTP || c->state == WEB_CLIENT_TRANSFER) {
		web_client_kill(c);
		return;
	}
	if (c->state != WEB_CLIENT_OPEN)
		return;
	log_info("client.close", "connection %" PRIu32 ", %u %s", c->id, code,
	    reason);
	c->state = WEB_CLIENT_CLOSING;
	c->deadline = uv_now(&c->web->loop) + WEB_CLOSE_TIME;
	c->close_code = code;
	snprintf(c->close_reason, sizeof(c->close_reason), "%s", reason);
	assembly_clear(&c->in);
	web_shell_free(c);
	if (!flush)
		queue_drop(c);
	c->held = false;
	/* Its answer to the close, too, has to get through. */
	lws_rx_flow_control(c->wsi, 1);
	close_when_written(c);
}

void
web_client_kill(struct web_client *c)
{
	if (c->wsi == NULL)
		return;
	/* At once and whatever waits, but not from within a callback of it. */
	lws_set_timeout(
	    c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
	lws_cancel_service(c->web->context);
}

void
web_client_ended(struct web_client *c)
{
	struct web *w = c->web;

	if (c->announced && w->core != NULL)
		ipc_send(w->core, MSG_CLIENT_GONE, c->id, NULL, NULL, 0);
	c->announced = false;
	web_transfer_free(c->transfer);
	c->transfer = NULL;
	web_shell_free(c);
	if (c->state == WEB_CLIENT_OPEN || c->state == WEB_CLIENT_TRANSFER)
		log_info("client.gone", "connection %" PRIu32, c->id);
	if (c->state != WEB_CLIENT_ENDED)
		c->deadline = uv_now(&w->loop) + WEB_CLOSE_TIME;
	c->state = WEB_CLIENT_ENDED;
	assembly_clear(&c->in);
	queue_drop(c);
}

static void
client_ping(struct web_client *c, uint64_t now)
{
	/* With a payload, as only such an answer is reported. */
	unsigned char buffer[LWS_PRE + 4] = { 0 };

	if (lws_partial_buffered(c->wsi))
		return;
	c->pinged = now;
	memcpy(buffer + LWS_PRE, "ping", 4);
	if (lws_write(c->wsi, buffer + LWS_PRE, 4, LWS_WRITE_PING) < 0)
		web_client_kill(c);
}

/* For so long it could be spared: no session, nothing in progress; or 0. */
static uint64_t
spare_time(const struct web_client *c, uint64_t now)
{
	if (c->state != WEB_CLIENT_OPEN || c->calls > 0 ||
	    c->in.limit > ASSEMBLY_ANONYMOUS)
		return 0;
	return now - c->called;
}

/* Cut, as it may not answer a close, and others wait. */
void
web_client_make_room(struct web *w)
{
	struct web_client *c, *longest = NULL;
	uint64_t now = uv_now(&w->loop), most = WEB_SPARE_TIME, time;

	TAILQ_FOREACH(c, &w->clients, all)
	{
		/* There will be room. */
		if (c->state == WEB_CLIENT_ENDED)
			return;
		time = spare_time(c, now);
		if (time > most) {
			most = time;
			longest = c;
		}
	}
	if (longest == NULL)
		return;
	log_info("client.spared", "connection %" PRIu32, longest->id);
	web_client_ended(longest);
	web_client_kill(longest);
}

static void
open_tick(struct web_client *c, uint64_t now)
{
	bool waiting = !STAILQ_EMPTY(&c->queue) || lws_partial_buffered(c->wsi);

	if ((now - c->heard >= WEB_DEAD_TIME && !c->web->throttled &&
		!c->busy) ||
	    (waiting && now - c->moved >= WEB_STALL_TIME)) {
		log_info("client.dead", "connection %" PRIu32, c->id);
		web_client_ended(c);
		web_client_kill(c);
	} else if (spare_time(c, now) >= WEB_IDLE_TIME) {
		web_client_close(c, 1000, "Idle without a session", true);
	} else if (now - c->heard >= WEB_PING_TIME &&
	    now - c->pinged >= WEB_PING_TIME) {
		client_ping(c, now);
	}
}

void
web_client_tick(struct web_client *c, uint64_t now)
{

	switch (c->state) {
	case WEB_CLIENT_HTTP:
		if (now >= c->deadline) {
			web_refused(c->web, c, "no request in time");
			c->deadline = UINT64_MAX;
			web_client_kill(c);
		}
		break;
	case WEB_CLIENT_TRANSFER:
		web_transfer_tick(c, now);
		break;
	case WEB_CLIENT_OPEN:
		open_tick(c, now);
		break;
	case WEB_CLIENT_CLOSING:
	case WEB_CLIENT_ENDED:
		if (now >= c->deadline) {
			c->deadline = UINT64_MAX;
			web_client_kill(c);
		}
		break;
	}
}
