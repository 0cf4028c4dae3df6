/*
 * A load generator for JSON-RPC over WebSocket: sends one text again and again
 * and measures how long each answer takes.
 *
 *	bench_load --target tls:ADDR:PORT|unix:PATH [--path /api/current]
 *	    [--login JSON] --message JSON
 *	    --mode sequential|pipelined|many [--seconds N]
 *
 * sequential: one connection, one call at a time.  pipelined: one connection,
 * ten calls in flight, those that may be sent at once in one write.  many:
 * fifty connections, one call at a time each.  On each connection --login is
 * sent first and its one answer awaited, outside the measure.  Every --message
 * counts one text message as its answer.  After N seconds (5) it prints one
 * JSON object; cpu_us is this program's own time for each call:
 *	{"mode": ..., "connections": n, "calls": n, "seconds": s,
 *	 "calls_per_second": x, "p50_us": x, "p99_us": x, "max_us": x,
 *	 "cpu_us": x, "last": how the last answer begins, as a string}
 * Exit 1 with a line on standard error when a connection fails or is closed.
 * The certificate is not checked: this is a measure of a trial instance.
 */
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IN_FLIGHT_MAX 10
#define CONNECTIONS_MAX 50
#define SAMPLES_MAX ((size_t)1 << 23)

enum {
	OP_CONTINUATION = 0,
	OP_TEXT = 1,
	OP_CLOSE = 8,
	OP_PING = 9,
	OP_PONG = 10
};

struct connection {
	int fd;
	SSL *ssl; /* NULL on a Unix socket */
	uint8_t *in; /* received, not yet taken */
	size_t in_len, in_size;
	uint64_t sent[IN_FLIGHT_MAX]; /* when, nanoseconds */
	unsigned int first, flying;
	bool wants_write;
	const uint8_t *out; /* what a full socket did not take */
	size_t out_len;
	unsigned int owed; /* messages still to be written */
};

struct load {
	const char *target, *path, *login, *message, *mode;
	double seconds;
	unsigned int connections, in_flight;
	SSL_CTX *tls;
	uint8_t *frames; /* the message, framed once, IN_FLIGHT_MAX times */
	size_t frame_len;
	uint32_t *samples; /* microseconds times ten */
	size_t nsamples;
	size_t calls;
	double cpu; /* seconds of ours */
	char last[1024];
};

static void die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "bench_load: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/*
 * In 127/8 each connection comes from an address of its own, since a server
 * limits logins and calls by address.
 */
static void
bind_own_address(int fd)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	uint32_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		die("getrandom: %s", strerror(errno));
	sin.sin_addr.s_addr = htonl(0x7f010000 + number % 0xfd0000);
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		die("bind: %s", strerror(errno));
}

static int
connect_tcp(const char *target)
{
	struct addrinfo hints = { 0 }, *found;
	char host[256];
	const char *colon = strrchr(target, ':');
	int fd, one = 1;

	if (colon == NULL || (size_t)(colon - target) >= sizeof(host))
		die("%s is not ADDR:PORT", target);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - target), target);
	if (host[0] == '[') {
		memmove(host, host + 1, strlen(host));
		host[strcspn(host, "]")] = '\0';
	}
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		die("%s is not ADDR:PORT", target);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		die("socket: %s", strerror(errno));
	if (strncmp(host, "127.", 4) == 0)
		bind_own_address(fd);
	if (connect(fd, found->ai_addr, found->ai_addrlen) == -1)
		die("%s: %s", target, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	freeaddrinfo(found);
	return fd;
}

/* A path longer than sun_path is reached through its folder's descriptor. */
static int
connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int dir, fd, len;

	dir = open(path, O_PATH | O_CLOEXEC);
	if (dir == -1)
		die("%s: %s", path, strerror(errno));
	len = snprintf(address.sun_path, sizeof(address.sun_path),
	    "/proc/self/fd/%d", dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || len < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		die("%s: %s", path, strerror(errno));
	close(dir);
	return fd;
}

/* Bytes read, 0 when there are none now; an end or an error ends us. */
static size_t
connection_read(struct connection *c, void *data, size_t size)
{
	ssize_t n;
	size_t got;

	if (c->ssl != NULL) {
		if (SSL_read_ex(c->ssl, data, size, &got) == 1)
			return got;
		switch (SSL_get_error(c->ssl, 0)) {
		case SSL_ERROR_WANT_READ:
		case SSL_ERROR_WANT_WRITE:
			return 0;
		default:
			die("connection lost");
		}
	}
	n = read(c->fd, data, size);
	if (n > 0)
		return (size_t)n;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	die("connection lost%s%s", n == 0 ? "" : ": ",
	    n == 0 ? "" : strerror(errno));
}

static size_t
connection_write(struct connection *c, const void *data, size_t len)
{
	ssize_t n;
	size_t put;

	if (c->ssl != NULL) {
		if (SSL_write_ex(c->ssl, data, len, &put) == 1)
			return put;
		switch (SSL_get_error(c->ssl, 0)) {
		case SSL_ERROR_WANT_READ:
		case SSL_ERROR_WANT_WRITE:
			return 0;
		default:
			die("connection lost");
		}
	}
	n = send(c->fd, data, len, MSG_NOSIGNAL);
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	die("connection lost: %s", strerror(errno));
}

/* For the set-up, when the socket still blocks. */
static void
write_all(struct connection *c, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n;

	while (len > 0) {
		n = connection_write(c, p, len);
		p += n;
		len -= n;
	}
}

/*
 * A client's frame (RFC 6455, section 5.2).  Clients mask; a mask of zeros
 * would be one too, but servers might have a shorter way for it.
 */
static uint8_t *
frame_make(uint8_t opcode, const void *payload, size_t len, size_t *frame_len)
{
	const uint8_t *p = payload;
	uint8_t *frame, *mask;
	uint64_t wide;
	size_t at, i;

	frame = malloc(len + 14);
	if (frame == NULL)
		die("no memory");
	frame[0] = 0x80 | opcode;
	at = 2;
	if (len < 126)
		frame[1] = (uint8_t)(0x80 | len);
	else if (len < 65536) {
		frame[1] = 0x80 | 126;
		frame[2] = (uint8_t)(len >> 8);
		frame[3] = (uint8_t)(len & 0xff);
		at = 4;
	} else {
		frame[1] = 0x80 | 127;
		wide = htobe64(len);
		memcpy(frame + 2, &wide, 8);
		at = 10;
	}
	mask = frame + at;
	if (getrandom(mask, 4, 0) != 4)
		die("getrandom: %s", strerror(errno));
	at += 4;
	for (i = 0; i < len; i++)
		frame[at + i] = p[i] ^ mask[i % 4];
	*frame_len = at + len;
	return frame;
}

static void
send_frame(struct connection *c, uint8_t opcode, const void *data, size_t len)
{
	uint8_t *frame;
	size_t frame_len;

	frame = frame_make(opcode, data, len, &frame_len);
	write_all(c, frame, frame_len);
	free(frame);
}

/* Appends what can be read now; whether there was something. */
static bool
fill(struct connection *c)
{
	size_t n;

	if (c->in_size - c->in_len < 32768) {
		c->in_size = c->in_size == 0 ? 65536 : c->in_size * 2;
		c->in = realloc(c->in, c->in_size);
		if (c->in == NULL)
			die("no memory");
	}
	n = connection_read(c, c->in + c->in_len, c->in_size - c->in_len);
	c->in_len += n;
	return n > 0;
}

struct frame {
	uint8_t opcode;
	bool final;
	const uint8_t *payload;
	size_t len, whole;
};

/* The first frame of data; false when it is not complete. */
static bool
frame_take(const uint8_t *data, size_t len, struct frame *f)
{
	uint64_t wide;
	size_t at;

	if (len < 2)
		return false;
	f->opcode = data[0] & 0x0f;
	f->final = (data[0] & 0x80) != 0;
	if ((data[0] & 0x70) != 0 || (data[1] & 0x80) != 0)
		die("frame that a server does not send");
	f->len = data[1];
	at = 2;
	if (f->len == 126) {
		if (len < 4)
			return false;
		f->len = ((size_t)data[2] << 8) | data[3];
		at = 4;
	} else if (f->len == 127) {
		if (len < 10)
			return false;
		memcpy(&wide, data + 2, 8);
		wide = be64toh(wide);
		if (wide > ((uint64_t)1 << 32))
			die("frame too long");
		f->len = (size_t)wide;
		at = 10;
	}
	if (len - at < f->len)
		return false;
	f->payload = data + at;
	f->whole = at + f->len;
	return true;
}

/*
 * Takes whole frames off the buffer until max messages ended; how many did.
 * Answers pings.
 */
static unsigned int
messages_take(struct load *l, struct connection *c, unsigned int max)
{
	struct frame f;
	unsigned int ended;
	size_t at, keep;

	ended = 0;
	at = 0;
	while (ended < max && frame_take(c->in + at, c->in_len - at, &f)) {
		switch (f.opcode) {
		case OP_TEXT:
			keep = f.len < sizeof(l->last) - 1 ?
			    f.len :
			    sizeof(l->last) - 1;
			memcpy(l->last, f.payload, keep);
			l->last[keep] = '\0';
			ended += f.final;
			break;
		case OP_CONTINUATION:
			ended += f.final;
			break;
		case OP_PING:
			send_frame(c, OP_PONG, f.payload, f.len);
			break;
		case OP_PONG:
			break;
		case OP_CLOSE:
			die("closed by the server: %d %.*s",
			    f.len >= 2 ? f.payload[0] << 8 | f.payload[1] : 0,
			    f.len > 2 ? (int)f.len - 2 : 0,
			    f.len > 2 ? (const char *)f.payload + 2 : "");
		default:
			die("frame of unknown kind");
		}
		at += f.whole;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	return ended;
}

static void
upgrade(struct load *l, struct connection *c)
{
	char request[1024];
	char *end;
	int len;

	len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: aG9sZGZhc3QgYmVuY2gxMg==\r\n\r\n",
	    l->path);
	if (len < 0 || (size_t)len >= sizeof(request))
		die("path too long");
	write_all(c, request, (size_t)len);
	for (;;) {
		fill(c);
		end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
		if (end != NULL)
			break;
	}
	if (c->in_len < 12 || memcmp(c->in, "HTTP/1.1 101", 12) != 0)
		die("no WebSocket: %.*s",
		    (int)strcspn((const char *)c->in, "\r"),
		    (const char *)c->in);
	len = (int)((uint8_t *)end + 4 - c->in);
	memmove(c->in, end + 4, c->in_len - (size_t)len);
	c->in_len -= (size_t)len;
}

static void
connection_open(struct load *l, struct connection *c)
{
	memset(c, 0, sizeof(*c));
	if (strncmp(l->target, "tls:", 4) == 0) {
		c->fd = connect_tcp(l->target + 4);
		c->ssl = SSL_new(l->tls);
		if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 ||
		    SSL_connect(c->ssl) != 1)
			die("TLS: %s",
			    ERR_reason_error_string(ERR_peek_last_error()));
	} else if (strncmp(l->target, "unix:", 5) == 0)
		c->fd = connect_unix(l->target + 5);
	else
		die("--target wants tls:ADDR:PORT or unix:PATH");
	upgrade(l, c);
	if (l->login != NULL) {
		send_frame(c, OP_TEXT, l->login, strlen(l->login));
		while (messages_take(l, c, 1) == 0)
			fill(c);
	}
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1)
		die("fcntl: %s", strerror(errno));
}

/* Sends what is owed, as far as the socket takes it. */
static void
calls_send(struct load *l, struct connection *c)
{
	size_t n;

	if (c->out_len == 0) {
		c->out = l->frames;
		c->out_len = c->owed * l->frame_len;
		for (; c->owed > 0; c->owed--)
			c->sent[(c->first + c->flying++) % IN_FLIGHT_MAX] =
			    now();
	}
	while (c->out_len > 0) {
		n = connection_write(c, c->out, c->out_len);
		if (n == 0)
			return;
		c->out += n;
		c->out_len -= n;
	}
}

/* Answers come in no certain order; each ends the oldest call, on average. */
static void
calls_ended(struct load *l, struct connection *c, unsigned int count)
{
	uint64_t taken, end = now();

	if (count > c->flying)
		die("more answers than calls");
	l->calls += count;
	while (count-- > 0) {
		taken = (end - c->sent[c->first]) / 100;
		if (l->nsamples < SAMPLES_MAX)
			l->samples[l->nsamples++] =
			    taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
		c->first = (c->first + 1) % IN_FLIGHT_MAX;
		c->flying--;
		c->owed++;
	}
}

static void
connection_serve(struct load *l, struct connection *c)
{
	unsigned int count;

	/* One read a turn, unless OpenSSL holds more that epoll can not see. */
	do {
		if (!fill(c))
			break;
		count = messages_take(l, c, IN_FLIGHT_MAX);
		calls_ended(l, c, count);
	} while (c->ssl != NULL && SSL_has_pending(c->ssl));
	calls_send(l, c);
}

static void
poll_change(int epoll, int operation, struct connection *c)
{
	struct epoll_event event = { 0 };

	c->wants_write = c->out_len > 0;
	event.events = EPOLLIN | (c->wants_write ? EPOLLOUT : 0);
	event.data.ptr = c;
	if (epoll_ctl(epoll, operation, c->fd, &event) == -1)
		die("epoll_ctl: %s", strerror(errno));
}

static double
cpu_used(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The measured part; returns how many seconds it took. */
static double
run(struct load *l, struct connection *connections)
{
	struct epoll_event events[CONNECTIONS_MAX];
	struct connection *c;
	uint64_t start, end;
	unsigned int i;
	int epoll, n, k;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll == -1)
		die("epoll_create1: %s", strerror(errno));
	l->cpu = -cpu_used();
	start = now();
	end = start + (uint64_t)(l->seconds * 1e9);
	for (i = 0; i < l->connections; i++) {
		c = &connections[i];
		c->owed = l->in_flight;
		calls_send(l, c);
		poll_change(epoll, EPOLL_CTL_ADD, c);
	}
	while (now() < end) {
		n = epoll_wait(epoll, events, CONNECTIONS_MAX, 1000);
		if (n == -1 && errno != EINTR)
			die("epoll_wait: %s", strerror(errno));
		if (n == 0)
			die("no answer within a second");
		for (k = 0; k < n; k++) {
			c = events[k].data.ptr;
			connection_serve(l, c);
			if (c->wants_write != (c->out_len > 0))
				poll_change(epoll, EPOLL_CTL_MOD, c);
		}
	}
	l->cpu += cpu_used();
	close(epoll);
	return (double)(now() - start) / 1e9;
}

static int
sample_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double
percentile(const struct load *l, double part)
{
	size_t at;

	if (l->nsamples == 0)
		return 0;
	at = (size_t)(part * (double)(l->nsamples - 1) + 0.5);
	return l->samples[at] / 10.0;
}

static void
print_json_string(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			printf("\\u%04x", (unsigned int)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void
report(struct load *l, double seconds)
{
	qsort(l->samples, l->nsamples, sizeof(*l->samples), sample_compare);
	printf("{\"mode\": \"%s\", \"connections\": %u, \"calls\": %zu, "
	       "\"seconds\": %.3f, \"calls_per_second\": %.1f, "
	       "\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, "
	       "\"cpu_us\": %.2f, \"last\": ",
	    l->mode, l->connections, l->calls, seconds,
	    (double)l->calls / seconds, percentile(l, 0.50),
	    percentile(l, 0.99), percentile(l, 1.0),
	    l->cpu * 1e6 / (double)l->calls);
	print_json_string(l->last);
	printf("}\n");
}

static void
options(struct load *l, int argc, char **argv)
{
	int i;

	l->path = "/api/current";
	l->seconds = 5;
	for (i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--target") == 0)
			l->target = argv[i + 1];
		else if (strcmp(argv[i], "--path") == 0)
			l->path = argv[i + 1];
		else if (strcmp(argv[i], "--login") == 0)
			l->login = argv[i + 1];
		else if (strcmp(argv[i], "--message") == 0)
			l->message = argv[i + 1];
		else if (strcmp(argv[i], "--mode") == 0)
			l->mode = argv[i + 1];
		else if (strcmp(argv[i], "--seconds") == 0)
			l->seconds = strtod(argv[i + 1], NULL);
		else
			break;
	}
	l->connections = 1;
	l->in_flight = 1;
	if (l->mode != NULL && strcmp(l->mode, "pipelined") == 0)
		l->in_flight = IN_FLIGHT_MAX;
	else if (l->mode != NULL && strcmp(l->mode, "many") == 0)
		l->connections = CONNECTIONS_MAX;
	else if (l->mode == NULL || strcmp(l->mode, "sequential") != 0)
		l->mode = NULL;
	if (i < argc || l->target == NULL || l->message == NULL ||
	    l->mode == NULL || !(l->seconds > 0 && l->seconds <= 3600)) {
		fprintf(stderr,
		    "usage: bench_load --target tls:ADDR:PORT|unix:PATH "
		    "[--path /api/current]\n"
		    "           [--login JSON] --message JSON\n"
		    "           --mode sequential|pipelined|many "
		    "[--seconds N]\n");
		exit(2);
	}
}

/* Copies of one frame are as good as frames of their own, and cheaper. */
static void
frames_make(struct load *l)
{
	uint8_t *frame;
	size_t i;

	frame =
	    frame_make(OP_TEXT, l->message, strlen(l->message), &l->frame_len);
	l->frames = reallocarray(NULL, IN_FLIGHT_MAX, l->frame_len);
	if (l->frames == NULL)
		die("no memory");
	for (i = 0; i < IN_FLIGHT_MAX; i++)
		memcpy(l->frames + i * l->frame_len, frame, l->frame_len);
	free(frame);
}

int
main(int argc, char **argv)
{
	static struct connection connections[CONNECTIONS_MAX];
	static struct load load;
	unsigned int i;
	double seconds;

	options(&load, argc, argv);
	load.tls = SSL_CTX_new(TLS_client_method());
	load.samples = calloc(SAMPLES_MAX, sizeof(*load.samples));
	if (load.tls == NULL || load.samples == NULL)
		die("no memory");
	SSL_CTX_set_min_proto_version(load.tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(load.tls,
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_AUTO_RETRY);
	/* All that arrived in one read; connection_serve() knows. */
	SSL_CTX_set_read_ahead(load.tls, 1);
	SSL_CTX_set_verify(load.tls, SSL_VERIFY_NONE, NULL);
	frames_make(&load);
	for (i = 0; i < load.connections; i++)
		connection_open(&load, &connections[i]);
	seconds = run(&load, connections);
	report(&load, seconds);
	return 0;
}
