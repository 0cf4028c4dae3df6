/*
 * Accepts connections: our own polling of the listeners, so that the limits
 * come before TLS and HTTP see a byte.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "web/web.h"

/* Accepted in one go before clients get their turn. */
#define ACCEPT_ROUND 32

union any_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

static void listener_readable(uv_poll_t *, int status, int events);

static void
accept_poll(struct web *w)
{
	struct web_listener *listener;

	LIST_FOREACH(listener, &w->listeners, next)
	uv_poll_start(&listener->poll, UV_READABLE, listener_readable);
}

static void
accept_pause(struct web *w)
{
	struct web_listener *listener;

	w->paused = true;
	LIST_FOREACH(listener, &w->listeners, next)
	uv_poll_stop(&listener->poll);
}

void
web_accept_resume(struct web *w)
{
	if (!w->paused || w->stopping || w->nclients >= w->clients_max)
		return;
	/* Those that wait for descriptors wait for their timer as well. */
	if (uv_is_active((uv_handle_t *)&w->pause_timer))
		return;
	w->paused = false;
	accept_poll(w);
}

static void
pause_over(uv_timer_t *timer)
{
	web_accept_resume(timer->data);
}

/* Where it comes from: as text for people and logs, as a key for counting. */
static void
client_address(struct web_client *c, const union any_address *from)
{
	if (from->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &from->in.sin_addr, c->address,
		    sizeof(c->address));
		c->port = ntohs(from->in.sin_port);
		memcpy(&c->source.s6_addr[12], &from->in.sin_addr, 4);
	} else if (from->any.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&from->in6.sin6_addr)) {
		inet_ntop(AF_INET, &from->in6.sin6_addr.s6_addr[12], c->address,
		    sizeof(c->address));
		c->port = ntohs(from->in6.sin6_port);
		memcpy(&c->source.s6_addr[12], &from->in6.sin6_addr.s6_addr[12],
		    4);
	} else if (from->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &from->in6.sin6_addr, c->address,
		    sizeof(c->address));
		c->port = ntohs(from->in6.sin6_port);
		/* One customer is a /64: its addresses are not to be told. */
		memcpy(&c->source, &from->in6.sin6_addr, 8);
	}
}

static bool
source_is_full(struct web *w, const struct web_client *new)
{
	struct web_client *c;
	unsigned int count;

	if (w->role == ROLE_LOCAL)
		return false; /* core limits per uid */
	count = 0;
	TAILQ_FOREACH(c, &w->clients, all)
	{
		if (IN6_ARE_ADDR_EQUAL(&c->source, &new->source) &&
		    ++count > WEB_ADDRESS_MAX)
			return true;
	}
	return false;
}

/*
 * Hands the socket to libwebsockets.  When that fails, it has closed the
 * socket; whether it still reports the end of the connection depends on how
 * far it came, so note what happened meanwhile.
 */
static void
client_adopt(struct web *w, struct web_client *c, int fd)
{
	lws_adopt_desc_t adopt;

	memset(&adopt, 0, sizeof(adopt));
	adopt.vh = w->vhost;
	adopt.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP;
	if (w->tls && !c->plain)
		adopt.type |= LWS_ADOPT_ALLOW_SSL;
	adopt.fd.sockfd = fd;
	adopt.opaque = c;
	c->adopting = true;
	w->adopted = c;
	if (lws_adopt_descriptor_vhost_via_info(&adopt) == NULL)
		web_refused(w, c, "connection not taken");
	w->adopted = NULL;
	c->adopting = false;
	/* Never begun, or destroyed already: nothing will be reported. */
	if (c->wsi == NULL)
		web_client_free(c);
}

static void
client_accept(
    const struct web_listener *listener, int fd, const union any_address *from)
{
	struct web *w = listener->web;
	struct web_client *c = web_client_new(w);

	c->plain = listener->plain;
	client_address(c, from);
	if (source_is_full(w, c)) {
		web_refused(w, c, "too many connections from there");
		web_client_free(c);
		close(fd);
		return;
	}
	client_adopt(w, c, fd);
	if (!uv_is_active((uv_handle_t *)&w->tick_timer))
		uv_timer_start(&w->tick_timer, web_tick, 1000, 1000);
}

static void
listener_readable(uv_poll_t *poll, int status, int events)
{
	struct web_listener *listener = poll->data;
	struct web *w = listener->web;
	union any_address from;
	socklen_t len;
	int fd, i;

	(void)events;
	if (status < 0)
		fatal(
		    "listener %s: %s", listener->address, uv_strerror(status));
	for (i = 0; i < ACCEPT_ROUND; i++) {
		if (w->nclients >= w->clients_max) {
			log_warn("web.full", "%u connections: not accepting",
			    w->nclients);
			accept_pause(w);
			web_client_make_room(w);
			return;
		}
		memset(&from, 0, sizeof(from));
		len = sizeof(from);
		fd = accept4(listener->fd, &from.any, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			client_accept(listener, fd, &from);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			log_warn("web.accept", "%s: pausing", strerror(errno));
			accept_pause(w);
			uv_timer_start(
			    &w->pause_timer, pause_over, WEB_PAUSE_TIME, 0);
			return;
		}
		/* The others are the connection's errors, accept(2). */
	}
}

void
web_accept_start(struct web *w)
{
	if (w->accepting)
		return;
	w->accepting = true;
	accept_poll(w);
}

void
web_accept_add(struct web *w, const char *address, int fd)
{
	struct web_listener *listener = xcalloc(1, sizeof(*listener));
	int one = 1;

	listener->web = w;
	listener->fd = fd;
	listener->address = xstrdup(address);
	listener->plain =
	    strncmp(address, LISTEN_PLAIN, strlen(LISTEN_PLAIN)) == 0;
	listener->poll.data = listener;
	/* Accepted sockets inherit it. */
	if (w->role == ROLE_WEB &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1)
		fatal("listener %s: %s", address, strerror(errno));
	if (uv_poll_init(&w->loop, &listener->poll, fd) != 0)
		fatal("listener %s: no event loop", address);
	LIST_INSERT_HEAD(&w->listeners, listener, next);
	if (w->accepting && !w->paused)
		accept_poll(w);
}

static void
listener_closed(uv_handle_t *handle)
{
	struct web_listener *listener = handle->data;

	close(listener->fd);
	free(listener->address);
	free(listener);
}

/* Who came by it stays. */
void
web_accept_remove(struct web *w, const char *address)
{
	struct web_listener *listener;

	LIST_FOREACH(listener, &w->listeners, next)
	if (strcmp(listener->address, address) == 0)
		break;
	if (listener == NULL)
		return;
	LIST_REMOVE(listener, next);
	uv_close((uv_handle_t *)&listener->poll, listener_closed);
}

void
web_accept_stop(struct web *w)
{
	accept_pause(w);
	uv_timer_stop(&w->pause_timer);
}
