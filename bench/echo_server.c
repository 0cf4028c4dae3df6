/*
 * A bare libwebsockets echo server: what the library alone costs, as the
 * measure for core.ping of the whole server.
 *
 *	bench_echo [--relay] --tls CERT KEY ADDR:PORT
 *	bench_echo [--relay] --unix PATH
 *
 * Serves WebSockets on every path; each text message is sent back as it came.
 * With --relay a second process echoes it, over the kind of socket that the
 * roles use: what two processes cost that do nothing else.
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

#define MESSAGE_MAX ((size_t)60 * 1024)
#define QUEUE_MAX 64
#define CLIENTS_MAX 1024

struct message {
	unsigned char *data; /* LWS_PRE, then len bytes */
	size_t len;
};

struct client {
	struct lws *wsi;
	uint32_t slot;
	struct message queue[QUEUE_MAX];
	unsigned int first, count;
	unsigned char *building;
	size_t len;
};

/* By slot; a packet of the relay begins with it. */
static struct client *clients[CLIENTS_MAX];
static int relay = -1;

/* The message, LWS_PRE before it, is the queue's from now on. */
static int
message_queue(struct client *c, unsigned char *data, size_t len)
{
	struct message *m;

	if (c->count == QUEUE_MAX) {
		free(data);
		return -1;
	}
	m = &c->queue[(c->first + c->count) % QUEUE_MAX];
	m->data = data;
	m->len = len;
	c->count++;
	lws_callback_on_writable(c->wsi);
	return 0;
}

static int
message_relay(struct client *c, unsigned char *data, size_t len)
{
	ssize_t sent;

	memcpy(data + LWS_PRE - sizeof(c->slot), &c->slot, sizeof(c->slot));
	sent = send(relay, data + LWS_PRE - sizeof(c->slot),
	    sizeof(c->slot) + len, MSG_NOSIGNAL);
	free(data);
	return sent == -1 ? -1 : 0;
}

static void
relay_readable(uv_poll_t *poll, int status, int events)
{
	static unsigned char packet[sizeof(uint32_t) + MESSAGE_MAX];
	unsigned char *data;
	uint32_t slot;
	ssize_t n;

	(void)poll;
	(void)status;
	(void)events;
	while ((n = recv(relay, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		memcpy(&slot, packet, sizeof(slot));
		if (clients[slot] == NULL)
			continue;
		data = malloc(LWS_PRE + (size_t)n);
		if (data == NULL)
			continue;
		memcpy(data + LWS_PRE, packet + sizeof(slot),
		    (size_t)n - sizeof(slot));
		message_queue(clients[slot], data, (size_t)n - sizeof(slot));
	}
}

/* The other process: blocks, sends back, ends with us. */
static int
relay_start(void)
{
	static unsigned char packet[sizeof(uint32_t) + MESSAGE_MAX];
	int pair[2];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	switch (fork()) {
	case -1:
		return -1;
	case 0:
		close(pair[0]);
		while ((n = recv(pair[1], packet, sizeof(packet), 0)) > 0)
			send(pair[1], packet, (size_t)n, MSG_NOSIGNAL);
		_exit(0);
	default:
		close(pair[1]);
		relay = pair[0];
		return 0;
	}
}

static void
client_open(struct client *c, struct lws *wsi)
{
	memset(c, 0, sizeof(*c));
	c->wsi = wsi;
	while (clients[c->slot] != NULL && c->slot < CLIENTS_MAX - 1)
		c->slot++;
	clients[c->slot] = c;
}

static void
client_close(struct client *c)
{
	unsigned int i;

	clients[c->slot] = NULL;
	free(c->building);
	for (i = 0; i < QUEUE_MAX; i++)
		free(c->queue[i].data);
	memset(c, 0, sizeof(*c));
}

static int
client_received(struct lws *wsi, struct client *c, const void *in, size_t len)
{
	unsigned char *larger, *data;

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
	data = c->building;
	len = c->len;
	c->building = NULL;
	c->len = 0;
	if (relay != -1)
		return message_relay(c, data, len);
	return message_queue(c, data, len);
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
		client_open(c, wsi);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return client_received(wsi, c, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return client_writable(wsi, c);
	case LWS_CALLBACK_CLOSED:
		client_close(c);
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
	info.options =
	    LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
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
	uv_poll_t poll, relayed;

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
	if (relay != -1 && uv_poll_init(&loop, &relayed, relay) == 0)
		uv_poll_start(&relayed, UV_READABLE, relay_readable);
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
	if (argc > 1 && strcmp(argv[1], "--relay") == 0) {
		if (relay_start() == -1) {
			fprintf(stderr, "bench_echo: %s\n", strerror(errno));
			return 1;
		}
		argc--;
		argv++;
	}
	if (argc == 5 && strcmp(argv[1], "--tls") == 0)
		return serve(listen_tcp(argv[4]), argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "--unix") == 0)
		return serve(listen_unix(argv[2]), NULL, NULL);
	fprintf(stderr,
	    "usage: bench_echo [--relay] --tls CERT KEY ADDR:PORT\n"
	    "       bench_echo [--relay] --unix PATH\n");
	return 2;
}
