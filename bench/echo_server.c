/*
 * A bare libwebsockets echo server: what the library alone costs, as the
 * measure for core.ping of the whole server.
 *
 *	bench_echo --tls CERT KEY ADDR:PORT
 *	bench_echo --unix PATH
 *
 * Serves WebSockets on every path; each text message is sent back as it came.
 * ADDR is a literal address, an IPv6 one in brackets; CERT and KEY are PEM
 * files.  Prints "READY" and a newline on standard output once it listens,
 * runs until killed.  TLS and socket options are those of the role web: TLS
 * 1.2 and 1.3, no compression, no tickets, TCP_NODELAY.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define MESSAGE_MAX ((size_t)256 * 1024)
#define QUEUE_MAX 64

struct message {
	unsigned char *data; /* LWS_PRE, then len bytes */
	size_t len;
};

struct client {
	struct message queue[QUEUE_MAX];
	unsigned int first, count;
	unsigned char *building;
	size_t len;
};

static void
message_add(struct client *c)
{
	struct message *m;

	m = &c->queue[(c->first + c->count) % QUEUE_MAX];
	m->data = c->building;
	m->len = c->len;
	c->count++;
	c->building = NULL;
	c->len = 0;
}

static int
client_received(struct lws *wsi, struct client *c, const void *in, size_t len)
{
	unsigned char *larger;

	if (len > MESSAGE_MAX - c->len)
		return -1;
	/* Most messages come in one piece: as large as that, no larger. */
	larger = realloc(c->building, LWS_PRE + c->len + len);
	if (larger == NULL)
		return -1;
	c->building = larger;
	if (len > 0)
		memcpy(c->building + LWS_PRE + c->len, in, len);
	c->len += len;
	if (!lws_is_final_fragment(wsi))
		return 0;
	if (c->count == QUEUE_MAX)
		return -1;
	message_add(c);
	lws_callback_on_writable(wsi);
	return 0;
}

static int
client_writable(struct lws *wsi, struct client *c)
{
	struct message *m;
	int rv;

	if (c->count == 0)
		return 0;
	m = &c->queue[c->first];
	rv = lws_write(wsi, m->data + LWS_PRE, m->len, LWS_WRITE_TEXT);
	free(m->data);
	m->data = NULL;
	c->first = (c->first + 1) % QUEUE_MAX;
	c->count--;
	if (c->count > 0)
		lws_callback_on_writable(wsi);
	return rv < 0 ? -1 : 0;
}

static int
server_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct client *c = user;
	unsigned int i;

	switch (reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		SSL_CTX_set_min_proto_version(user, TLS1_2_VERSION);
		SSL_CTX_set_options(user,
		    SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
			SSL_OP_NO_RENEGOTIATION);
		SSL_CTX_set_num_tickets(user, 0);
		SSL_CTX_set_session_cache_mode(user, SSL_SESS_CACHE_OFF);
		return 0;
	case LWS_CALLBACK_ESTABLISHED:
		memset(c, 0, sizeof(*c));
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return client_received(wsi, c, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return client_writable(wsi, c);
	case LWS_CALLBACK_CLOSED:
		free(c->building);
		for (i = 0; i < QUEUE_MAX; i++)
			free(c->queue[i].data);
		memset(c, 0, sizeof(*c));
		return 0;
	default:
		return 0;
	}
}

static const struct lws_protocols protocols[] = {
	{
	    .name = "echo",
	    .callback = server_callback,
	    .per_session_data_size = sizeof(struct client),
	    .rx_buffer_size = 16384,
	},
	{ .name = NULL },
};

static int
listen_tcp(const char *target)
{
	struct addrinfo hints = { 0 }, *found;
	char host[64];
	const char *colon = strrchr(target, ':');
	int fd, one = 1;

	if (colon == NULL || (size_t)(colon - target) >= sizeof(host)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(host, sizeof(host), "%.*s", (int)(colon - target), target);
	if (host[0] == '[') {
		memmove(host, host + 1, strlen(host));
		host[strcspn(host, "]")] = '\0';
	}
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (bind(fd, found->ai_addr, found->ai_addrlen) == -1) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

/* A path longer than sun_path is reached through its folder's descriptor. */
static int
listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[4096];
	const char *name = strrchr(path, '/');
	int dir, fd, len;

	snprintf(folder, sizeof(folder), "%.*s",
	    name == NULL ? 1 : (int)(name - path) + 1,
	    name == NULL ? "." : path);
	name = name == NULL ? path : name + 1;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return -1;
	len = snprintf(address.sun_path, sizeof(address.sun_path),
	    "/proc/self/fd/%d/%s", dir, name);
	fd = -1;
	if (len > 0 && (size_t)len < sizeof(address.sun_path)) {
		unlink(address.sun_path);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	if (fd != -1 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		close(fd);
		fd = -1;
	}
	close(dir);
	return fd;
}

static struct lws_context *
server_create(uv_loop_t *loop, const char *certificate, const char *key)
{
	struct lws_context_creation_info info;
	void *loops[1];

	memset(&info, 0, sizeof(info));
	loops[0] = loop;
	info.foreign_loops = loops;
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info.protocols = protocols;
	info.gid = -1;
	info.uid = -1;
	info.alpn = "http/1.1";
	info.options = LWS_SERVER_OPTION_LIBUV;
	if (certificate != NULL) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = certificate;
		info.ssl_private_key_filepath = key;
	}
	return lws_create_context(&info);
}

static void
listener_readable(uv_poll_t *poll, int status, int events)
{
	struct lws_vhost *vhost = poll->data;
	uv_os_fd_t listener;
	int fd;

	(void)events;
	if (status < 0 || uv_fileno((uv_handle_t *)poll, &listener) != 0)
		return;
	while ((fd = accept4(
		    listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1)
		lws_adopt_socket_vhost(vhost, fd);
}

static int
serve(int listener, const char *certificate, const char *key)
{
	struct lws_context *context;
	uv_loop_t loop;
	uv_poll_t poll;

	if (listener == -1 || listen(listener, 1024) == -1 ||
	    fcntl(listener, F_SETFL, O_NONBLOCK) == -1) {
		fprintf(stderr, "bench_echo: %s\n", strerror(errno));
		return 1;
	}
	if (uv_loop_init(&loop) != 0)
		return 1;
	context = server_create(&loop, certificate, key);
	if (context == NULL || uv_poll_init(&loop, &poll, listener) != 0) {
		fprintf(stderr, "bench_echo: libwebsockets does not start\n");
		return 1;
	}
	poll.data = lws_get_vhost_by_name(context, "default");
	uv_poll_start(&poll, UV_READABLE, listener_readable);
	printf("READY\n");
	fflush(stdout);
	uv_run(&loop, UV_RUN_DEFAULT);
	return 0;
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	lws_set_log_level(LLL_ERR, NULL);
	if (argc == 5 && strcmp(argv[1], "--tls") == 0)
		return serve(listen_tcp(argv[4]), argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "--unix") == 0)
		return serve(listen_unix(argv[2]), NULL, NULL);
	fprintf(stderr,
	    "usage: bench_echo --tls CERT KEY ADDR:PORT\n"
	    "       bench_echo --unix PATH\n");
	return 2;
}
