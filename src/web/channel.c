/*
 * The messages exchanged with the monitor and with core, and what follows
 * when one of them goes away.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "web/shell.h"
#include "web/web.h"

/* How often to look whether core caught up, milliseconds. */
#define THROTTLE_PERIOD 20

/* What core may say of a transfer. */
#define FILENAME_BYTES 4096
#define TYPE_BYTES 128
#define LISTENER_BYTES 4096

static void
throttle_set(struct web *w, bool on)
{
	struct web_client *c;

	w->throttled = on;
	TAILQ_FOREACH(c, &w->clients, all)
	{
		if (c->state != WEB_CLIENT_OPEN)
			continue;
		web_client_flow(c);
	}
	if (!on) {
		uv_timer_stop(&w->throttle_timer);
		/* What was read before is served from its loop. */
		lws_cancel_service(w->context);
	}
}

static void
throttle_look(uv_timer_t *timer)
{
	struct web *w = timer->data;

	if (w->core == NULL || ipc_queued(w->core) < WEB_CORE_BYTES / 2)
		throttle_set(w, false);
}

void
web_core_throttle(struct web *w)
{
	if (w->throttled || ipc_queued(w->core) <= WEB_CORE_BYTES)
		return;
	log_warn(
	    "web.throttled", "%zu bytes wait for core", ipc_queued(w->core));
	throttle_set(w, true);
	uv_timer_start(&w->throttle_timer, throttle_look, THROTTLE_PERIOD,
	    THROTTLE_PERIOD);
}

/* Messages of core: a wrong one is a fault of ours, and core stands above. */
static void
core_frame(struct web *w, struct ipc_msg *msg)
{
	struct web_client *c;
	const void *data;
	uint32_t finished;
	size_t len;

	finished = wire_get_u32(&msg->body);
	data = wire_get_bytes(&msg->body, &len);
	if (wire_end(&msg->body) == -1)
		fatal("wrong frame from core");
	c = web_client_find(w, msg->id);
	if (c == NULL)
		return;
	if (len > 0)
		web_client_send(c, data, len, FRAME_ANSWER);
	web_client_finished(c, finished);
}

static void
core_event(struct web *w, struct ipc_msg *msg)
{
	struct web_client *c;
	const void *data;
	size_t len;

	data = wire_get_bytes(&msg->body, &len);
	if (wire_end(&msg->body) == -1)
		fatal("wrong event from core");
	c = web_client_find(w, msg->id);
	if (c != NULL)
		web_client_send(c, data, len, FRAME_EVENT);
}

static void
core_limit(struct web *w, struct ipc_msg *msg)
{
	struct web_client *c;
	uint32_t limit;

	limit = wire_get_u32(&msg->body);
	if (wire_end(&msg->body) == -1)
		fatal("wrong limit from core");
	c = web_client_find(w, msg->id);
	if (c == NULL)
		return;
	c->in.limit = limit;
	if (!c->held)
		return;
	c->held = false;
	if (c->transfer != NULL) {
		web_transfer_identified(c);
		return;
	}
	web_client_flow(c);
	lws_cancel_service(w->context);
}

static void
core_close(struct web *w, struct ipc_msg *msg)
{
	struct web_client *c;
	uint16_t code;
	char *reason;

	code = wire_get_u16(&msg->body);
	reason = wire_get_str(&msg->body, WEB_REASON_MAX);
	if (wire_end(&msg->body) == -1)
		fatal("wrong close from core");
	c = web_client_find(w, msg->id);
	if (c != NULL) {
		web_shell_drain(c);
		web_client_close(c, code, reason, true);
	}
	free(reason);
}

static void
core_file(struct web *w, struct ipc_msg *msg)
{
	char *filename = wire_get_str(&msg->body, FILENAME_BYTES);
	uint8_t whole = wire_get_u8(&msg->body);
	struct web_client *c = web_client_find(w, msg->id);

	if (wire_end(&msg->body) == -1)
		fatal("wrong file from core");
	if (c != NULL)
		web_transfer_file(c, filename, whole != 0, &msg->fds[0]);
	free(filename);
}

static void
core_shell(struct web *w, struct ipc_msg *msg)
{
	struct web_client *c = web_client_find(w, msg->id);

	if (c != NULL)
		web_shell_open(c, &msg->fds[0]);
}

static void
core_status(struct web *w, struct ipc_msg *msg)
{
	uint16_t status = wire_get_u16(&msg->body);
	char *type = wire_get_str(&msg->body, TYPE_BYTES);
	struct web_client *c = web_client_find(w, msg->id);
	const void *body;
	size_t len;

	body = wire_get_bytes(&msg->body, &len);
	if (wire_end(&msg->body) == -1)
		fatal("wrong status from core");
	if (c != NULL)
		web_transfer_status(c, status, type, body, len);
	free(type);
}

static void
core_message(struct ipc *ipc, struct ipc_msg *msg, void *arg)
{
	struct web *w = arg;

	(void)ipc;
	switch (msg->type) {
	case MSG_CLIENT_FRAME:
		core_frame(w, msg);
		break;
	case MSG_CLIENT_EVENT:
		core_event(w, msg);
		break;
	case MSG_TRANSFER_FILE:
		core_file(w, msg);
		break;
	case MSG_TRANSFER_STATUS:
		core_status(w, msg);
		break;
	case MSG_CERTIFICATE:
		web_certificate_message(w, msg);
		break;
	case MSG_ACCESS:
		web_access_message(w, msg);
		break;
	case MSG_SHELL_OPEN:
		core_shell(w, msg);
		break;
	case MSG_CLIENT_LIMIT:
		core_limit(w, msg);
		break;
	case MSG_CLIENT_CLOSE:
		core_close(w, msg);
		break;
	default:
		fatal("message %u from core", msg->type);
	}
}

static void
core_closed(struct ipc *ipc, const char *reason, void *arg)
{
	(void)ipc;
	log_warn("web.core", "core is gone%s%s", reason == NULL ? "" : ": ",
	    reason == NULL ? "" : reason);
	web_core_disconnect(arg);
}

/* The sessions died with it; clients come again and log in again. */
void
web_core_disconnect(struct web *w)
{
	struct web_client *c;

	ipc_free(w->core);
	w->core = NULL;
	TAILQ_FOREACH(c, &w->clients, all)
	{
		c->announced = false;
		if (c->state == WEB_CLIENT_OPEN)
			web_client_close(
			    c, WEB_RESTART_CODE, WEB_RESTART_REASON, true);
		else if (c->transfer != NULL)
			web_transfer_core_gone(c);
	}
	if (w->throttled)
		throttle_set(w, false);
}

void
web_end_point_tell(struct web *w)
{
	struct wire_out body = { 0 };
	uint8_t hash[WEB_END_POINT_MAX];
	size_t len;

	if (!w->tls)
		return;
	len = web_tls_end_point(web_certificate_present(w), hash);
	wire_put_bytes(&body, hash, len);
	ipc_send(w->core, MSG_END_POINT, 0, &body, NULL, 0);
	wire_free(&body);
}

void
web_core_connect(struct web *w, int fd)
{
	static const struct ipc_callbacks callbacks = {
		.message = core_message,
		.closed = core_closed,
	};
	if (w->core != NULL)
		web_core_disconnect(w);
	w->core = ipc_new(&w->loop, fd, w->role, ROLE_CORE, &callbacks, w);
	ipc_gather(w->core);
	web_end_point_tell(w);
}

static void
monitor_peer(struct web *w, struct ipc_msg *msg)
{
	uint8_t role;

	role = wire_get_u8(&msg->body);
	if (wire_end(&msg->body) == -1 || role != ROLE_CORE || msg->nfds != 1)
		fatal("wrong peer from the monitor");
	web_core_connect(w, msg->fds[0]);
	msg->fds[0] = -1;
}

static void
monitor_listener(struct web *w, struct ipc_msg *msg)
{
	char *address = wire_get_str(&msg->body, LISTENER_BYTES);

	if (wire_end(&msg->body) == -1)
		fatal("wrong listener from the monitor");
	if (msg->type == MSG_UNLISTEN)
		web_accept_remove(w, address);
	else {
		web_accept_add(w, address, msg->fds[0]);
		msg->fds[0] = -1; /* transferred */
	}
	free(address);
}

static void
monitor_message(struct ipc *ipc, struct ipc_msg *msg, void *arg)
{
	struct web *w = arg;

	(void)ipc;
	switch (msg->type) {
	case MSG_PEER:
		monitor_peer(w, msg);
		break;
	case MSG_LISTEN:
	case MSG_UNLISTEN:
		monitor_listener(w, msg);
		break;
	case MSG_STOP:
		web_stop(w);
		break;
	default:
		fatal("message %u from the monitor", msg->type);
	}
}

static void
monitor_closed(struct ipc *ipc, const char *reason, void *arg)
{
	(void)ipc;
	(void)arg;
	fatal("the monitor is gone%s%s", reason == NULL ? "" : ": ",
	    reason == NULL ? "" : reason);
}

void
web_monitor_connect(struct web *w, int fd)
{
	static const struct ipc_callbacks callbacks = {
		.message = monitor_message,
		.closed = monitor_closed,
	};

	w->monitor =
	    ipc_new(&w->loop, fd, w->role, ROLE_MONITOR, &callbacks, w);
}
