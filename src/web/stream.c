/*
 * Reading and writing a connection beside libwebsockets: see stream.h.
 */
#include "web/stream.h"

#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/xalloc.h"

static void
stream_event(uv_poll_t *poll, int status, int events)
{
	struct stream *s = poll->data;

	/* Who reads gets to its end by reading. */
	s->ready(
	    s->arg, status < 0 || ((events & UV_DISCONNECT) != 0 && !s->reads));
}

int
stream_open(struct stream *s, uv_loop_t *loop, struct lws *wsi,
    void (*ready)(void *, bool), void *arg)
{
	s->fd = fcntl(lws_get_socket_fd(wsi), F_DUPFD_CLOEXEC, 0);
	if (s->fd == -1)
		return -1;
	s->poll = xcalloc(1, sizeof(*s->poll));
	if (uv_poll_init(loop, s->poll, s->fd) != 0) {
		close(s->fd);
		free(s->poll);
		s->poll = NULL;
		return -1;
	}
	s->poll->data = s;
	s->ssl = lws_get_ssl(wsi);
	if (s->ssl != NULL)
		SSL_set_mode(s->ssl,
		    SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	s->ready = ready;
	s->arg = arg;
	return 0;
}

static void
poll_closed(uv_handle_t *handle)
{
	free(handle);
}

void
stream_close(struct stream *s)
{
	if (s->poll == NULL)
		return;
	uv_close((uv_handle_t *)s->poll, poll_closed);
	close(s->fd);
	s->poll = NULL;
}

/* What an unsuccessful call of TLS means. */
static ssize_t
tls_outcome(struct stream *s, int result, bool reading)
{
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		s->cross = !reading;
		return STREAM_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		s->cross = reading;
		return STREAM_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return STREAM_END;
	default:
		return STREAM_BROKEN;
	}
}

static ssize_t
plain_outcome(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? STREAM_AGAIN : STREAM_BROKEN;
}

ssize_t
stream_read(struct stream *s, void *data, size_t len)
{
	int n;

	if (s->ssl == NULL)
		return plain_outcome(recv(s->fd, data, len, 0));
	ERR_clear_error();
	n = SSL_read(s->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
	return n > 0 ? n : tls_outcome(s, n, true);
}

ssize_t
stream_write(struct stream *s, const void *data, size_t len)
{
	int n;

	if (s->ssl == NULL)
		return plain_outcome(send(s->fd, data, len, MSG_NOSIGNAL));
	ERR_clear_error();
	n = SSL_write(s->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
	return n > 0 ? n : tls_outcome(s, n, false);
}

void
stream_shutdown(struct stream *s)
{
	if (s->ssl != NULL) {
		ERR_clear_error();
		SSL_shutdown(s->ssl);
	}
	shutdown(s->fd, SHUT_WR);
}

void
stream_want(struct stream *s, bool read, bool write)
{
	int events = UV_DISCONNECT;

	if (s->poll == NULL)
		return;
	if (read || (write && s->cross))
		events |= UV_READABLE;
	if (write || (read && s->cross))
		events |= UV_WRITABLE;
	s->cross = false;
	s->reads = read;
	uv_poll_start(s->poll, events, stream_event);
}
