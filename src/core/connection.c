/*
 * The clients that the front roles hold.  What they send was parsed by web or
 * local, which an attacker may own: nothing here believes more of it than its
 * connection's own number.
 */
#include "core/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/account.h"
#include "core/dispatch.h"
#include "core/event.h"
#include "core/legacy.h"
#include "core/limits.h"
#include "core/op.h"
#include "core/pending_login.h"
#include "core/sessions.h"
#include "core/shell.h"
#include "core/transfer.h"
#include "lib/address.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define BUCKETS 256

static struct connection *connections[BUCKETS];
static unsigned int count;
/* The web role's certificate, as it says: TLS is its matter anyway. */
static uint8_t end_point[END_POINT_MAX];
static size_t end_point_len;

static struct connection **
find(enum role front, uint32_t id)
{
	struct connection **c = &connections[(id ^ front) % BUCKETS];

	while (*c != NULL && ((*c)->id != id || (*c)->front != front))
		c = &(*c)->next;
	return c;
}

static void
destroy(struct connection **at)
{
	struct connection *c = *at;

	*at = c->next;
	count--;
	dispatch_abandon(c);
	pending_login_abandon(c);
	event_forget(c);
	legacy_forget(c);
	transfer_forget(c);
	shell_forget(c);
	if (c->session != NULL)
		sessions_removed(c->session);
	session_release(c->session);
	scram_free(c->scram);
	free(c->address);
	free(c);
}

unsigned int
connection_count(void)
{
	return count;
}

void
connection_each(void (*each)(struct connection *, void *), void *arg)
{
	struct connection *c, *next;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		for (c = connections[i]; c != NULL; c = next) {
			next = c->next;
			each(c, arg);
		}
}

char *
connection_origin(const struct connection *c)
{
	if (c->front == ROLE_LOCAL)
		return xasprintf("pid:%u", c->pid);
	return address_port(c->address, c->port);
}

bool
connection_secure(const struct connection *c)
{
	return c->secure || c->front == ROLE_LOCAL ||
	    strncmp(c->address, "127.", 4) == 0 ||
	    strcmp(c->address, "::1") == 0;
}

struct scram_binding
connection_binding(const struct connection *c)
{
	struct scram_binding binding = { .len = 0 };

	if (c->front == ROLE_WEB && c->secure) {
		binding.data = c->end_point;
		binding.len = c->end_point_len;
	}
	return binding;
}

struct token_origin
connection_token_origin(const struct connection *c)
{
	struct token_origin origin = { .uid = c->uid };

	if (c->front == ROLE_WEB)
		origin.address = c->address;
	return origin;
}

void
connection_send(
    struct connection *c, const struct wire_out *text, uint32_t finished)
{
	struct wire_out out = { 0 };
	struct ipc *front = core_peer(c->front);

	if (front == NULL)
		return;
	wire_put_u32(&out, finished);
	wire_put_bytes(&out, text->data, text->len);
	ipc_send(front, MSG_CLIENT_FRAME, c->id, &out, NULL, 0);
	wire_free(&out);
}

void
connection_event(struct connection *c, const struct wire_out *text)
{
	struct wire_out out = { 0 };
	struct ipc *front = core_peer(c->front);

	if (front == NULL || c->deaf)
		return;
	/* The second: a front role that does not read, whatever it says. */
	if (c->events >= LIMIT_EVENTS ||
	    ipc_queued(front) >= LIMIT_EVENTS_FRONT) {
		c->deaf = true;
		connection_close(c, 1008, "Too many events waiting");
		return;
	}
	c->events += MESSAGE_EVENT_COST(text->len);
	wire_put_bytes(&out, text->data, text->len);
	ipc_send(front, MSG_CLIENT_EVENT, c->id, &out, NULL, 0);
	wire_free(&out);
}

static int
taken_message(struct connection *c, struct ipc_msg *msg)
{
	uint32_t taken = wire_get_u32(&msg->body);

	if (wire_end(&msg->body) == -1)
		return -1;
	/* Gone meanwhile. */
	if (c == NULL)
		return 0;
	if (taken > c->events)
		return -1;
	c->events -= taken;
	return 0;
}

void
connection_close(struct connection *c, uint16_t code, const char *reason)
{
	struct wire_out out = { 0 };
	struct ipc *front = core_peer(c->front);

	if (front == NULL)
		return;
	wire_put_u16(&out, code);
	wire_put_str(&out, reason);
	ipc_send(front, MSG_CLIENT_CLOSE, c->id, &out, NULL, 0);
	wire_free(&out);
}

void
connection_login(struct connection *c, struct session *s)
{
	struct session *old = c->session;
	struct wire_out out = { 0 };
	struct ipc *front = core_peer(c->front);

	c->session = s;
	if (old != NULL)
		sessions_removed(old);
	session_release(old);
	if (s == NULL)
		shell_end(c);
	if (s != NULL && c->front == ROLE_WEB)
		s->address = xstrdup(c->address);
	if (s != NULL)
		sessions_added(c);
	event_session_changed(c);
	if (front == NULL)
		return;
	wire_put_u32(&out, s != NULL ? LIMIT_MESSAGE : LIMIT_MESSAGE_ANONYMOUS);
	ipc_send(front, MSG_CLIENT_LIMIT, c->id, &out, NULL, 0);
	wire_free(&out);
}

/*
 * The Unix socket: a uid is a credential only here, read by us from the
 * accepted socket itself.
 */
static unsigned int
count_uid(uid_t uid)
{
	struct connection *c;
	unsigned int i, n = 0;

	for (i = 0; i < BUCKETS; i++)
		for (c = connections[i]; c != NULL; c = c->next)
			if (c->front == ROLE_LOCAL && c->uid == uid)
				n++;
	return n;
}

/* The connection may be gone: looked up again by its number. */
static void
identified(const struct op_reply *reply, void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg, uid, pid, login_uid;
	struct connection *c = *find(ROLE_LOCAL, id);
	struct wire_in body = reply->body;
	struct session *s;
	char *origin;
	uint8_t inside;

	if (c == NULL)
		return;
	uid = wire_get_u32(&body);
	wire_get_u32(&body);
	pid = wire_get_u32(&body);
	login_uid = wire_get_u32(&body);
	inside = wire_get_u8(&body);
	if (reply->error != 0 || wire_end(&body) == -1 || uid != c->uid ||
	    pid != c->pid) {
		connection_close(c, 1011, "The peer could not be identified");
		return;
	}
	if (!inside) {
		log_warn("client.outside",
		    "uid %u pid %u is not of this instance", uid, pid);
		connection_close(
		    c, 1008, "You are not allowed to access this resource");
		return;
	}
	origin = connection_origin(c);
	if ((s = account_session_of_uid(uid, origin)) != NULL)
		s->login_uid = login_uid;
	free(origin);
	c->opening = false;
	/* From here on local reads what the peer sends. */
	connection_login(c, s);
}

static void
identify(struct connection *c, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1) {
		connection_close(c, 1011, "The peer could not be identified");
		return;
	}
	c->uid = peer.uid;
	c->gid = peer.gid;
	c->pid = (uint32_t)peer.pid;
	if (count_uid(peer.uid) >
	    (peer.uid == 0 ? LIMIT_UNIX_ROOT : LIMIT_UNIX_USER)) {
		connection_close(c, 1013, "Too many connections of this user");
		return;
	}
	op_request(MSG_OP_PEER_IDENTITY, NULL, fd, identified,
	    (void *)(uintptr_t)c->id);
}

/* -1: the front role lies, or is broken. */
static int
open_message(struct ipc *front, struct ipc_msg *msg)
{
	enum role role = ipc_peer(front);
	struct connection *c, **at = find(role, msg->id);
	char *address = wire_get_str(&msg->body, 64);
	uint16_t port = wire_get_u16(&msg->body);
	bool secure = wire_get_u8(&msg->body) != 0;
	uint8_t protocol = wire_get_u8(&msg->body);

	if (wire_end(&msg->body) == -1 || *at != NULL ||
	    protocol >= PROTOCOL_COUNT ||
	    (role == ROLE_LOCAL) != (msg->nfds == 1)) {
		free(address);
		return -1;
	}
	c = xcalloc(1, sizeof(*c));
	c->id = msg->id;
	c->front = role;
	c->address = address;
	c->port = port;
	c->secure = secure;
	c->protocol = protocol;
	c->opened = boottime_ms();
	c->uid = (uid_t)-1;
	c->end_point_len = end_point_len;
	memcpy(c->end_point, end_point, end_point_len);
	*at = c;
	count++;
	if (role == ROLE_LOCAL) {
		c->opening = true;
		identify(c, msg->fds[0]);
	}
	return 0;
}

static int
call_message(struct connection *c, struct ipc_msg *msg)
{
	char *id = wire_get_str(&msg->body, LIMIT_MESSAGE * 4);
	char *method = wire_get_str(&msg->body, LIMIT_MESSAGE * 4);
	char *params = wire_get_str(&msg->body, LIMIT_MESSAGE * 8);
	bool opening = c != NULL && c->opening;

	if (wire_end(&msg->body) == -1) {
		free(id);
		free(method);
		freezero_str(params);
		return -1;
	}
	/* Gone meanwhile, by our own close: its last words are dropped. */
	if (c != NULL && !opening && c->protocol != PROTOCOL_SHELL)
		dispatch_call(c, id, method, params);
	free(id);
	free(method);
	freezero_str(params);
	return opening ? -1 : 0;
}

/* What the legacy protocol says that is no call. */
static int
legacy_message(struct connection *c, struct ipc_msg *msg)
{
	uint8_t verb = wire_get_u8(&msg->body);
	char *id = wire_get_str(&msg->body, LIMIT_MESSAGE * 4);
	char *name = wire_get_str(&msg->body, LIMIT_MESSAGE * 4);
	int r = -1;

	if (wire_end(&msg->body) == 0 && verb < LEGACY_VERB_COUNT &&
	    (c == NULL || (c->protocol == PROTOCOL_LEGACY && !c->opening)))
		r = 0;
	if (r == 0 && c != NULL) {
		if (verb == LEGACY_CONNECT)
			legacy_connect(c);
		else if (verb == LEGACY_SUBSCRIBE)
			dispatch_subscribe(c, id, name);
		else
			legacy_unsubscribe(c, id);
	}
	free(id);
	free(name);
	return r;
}

static int
end_point_message(struct ipc *front, struct ipc_msg *msg)
{
	size_t len;
	const void *hash = wire_get_bytes(&msg->body, &len);

	if (wire_end(&msg->body) == -1 || ipc_peer(front) != ROLE_WEB ||
	    len > sizeof(end_point))
		return -1;
	memcpy(end_point, hash, len);
	end_point_len = len;
	return 0;
}

void
connection_message(struct ipc *front, struct ipc_msg *msg)
{
	struct connection **at = find(ipc_peer(front), msg->id);
	int r = 0;

	switch (msg->type) {
	case MSG_CLIENT_OPEN:
		r = open_message(front, msg);
		break;
	case MSG_CLIENT_CALL:
		r = call_message(*at, msg);
		break;
	case MSG_CLIENT_TAKEN:
		r = taken_message(*at, msg);
		break;
	case MSG_TRANSFER_BEGIN:
	case MSG_TRANSFER_NEXT:
		r = transfer_message(*at, msg);
		break;
	case MSG_SHELL_BEGIN:
	case MSG_SHELL_USED:
		r = shell_message(*at, msg);
		break;
	case MSG_CLIENT_LEGACY:
		r = legacy_message(*at, msg);
		break;
	case MSG_END_POINT:
		r = end_point_message(front, msg);
		break;
	case MSG_CLIENT_GONE:
		if (*at != NULL)
			destroy(at);
		break;
	default:
		r = -1;
	}
	if (r == -1)
		log_warn("front.breach",
		    "%s sent a message that is wrong (type %u)",
		    role_info(ipc_peer(front))->name, msg->type);
}

void
connection_front_gone(enum role front)
{
	struct connection **at;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		at = &connections[i];
		while (*at != NULL) {
			if ((*at)->front == front)
				destroy(at);
			else
				at = &(*at)->next;
		}
	}
}
