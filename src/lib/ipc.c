/*
 * Channels between the roles: queueing, turns, the end; on a libuv loop or
 * blocking.  What a packet is, ipc_packet.c knows.
 */
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "lib/ipc_packet.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* Batches of messages handled before other channels get their turn. */
#define READ_TURN 8
/*
 * Room for several inline messages (the kernel doubles it), yet not for so
 * many small ones that the memory files under way could not be counted.
 */
#define BUFFER_BYTES (256 * 1024)
/* When descriptors or memory run short: tried again after, in ms. */
#define RETRY_MS 20

/* A message that waits; body and descriptors are its own. */
struct item {
	struct item *next;
	struct outgoing out;
	uint8_t *body;
	int fds[IPC_FDS_MAX];
};

/* What a queue that is not empty waits for. */
enum waiting { TURN_END, SHORTAGE, SOCKET };

/*
 * Dead: nothing is sent any more, closed() is due or was called.  The memory
 * lives until libuv has let go of both handles.
 */
struct ipc {
	uv_poll_t poll;
	/* Continues elsewhere than in ipc_send: turns, retries, the end. */
	uv_timer_t later;
	unsigned int handles; /* not yet closed by libuv */
	int fd;
	enum role self, peer;
	struct ipc_callbacks callbacks;
	void *arg;
	struct item *first, **last;
	size_t queued; /* bytes */
	unsigned int gathered; /* messages since the queue was empty */
	enum waiting waiting;
	bool gathers; /* see ipc_gather */
	bool dead; /* can not send */
	bool hangup; /* nothing new will arrive */
	bool reset; /* that the peer was, was seen */
	bool freed;
	char reason[120];
};

static void ipc_events(uv_poll_t *, int, int);
static void ipc_later(uv_timer_t *);

/*
 * Sending.
 */

/* Shortages that pass; the socket itself is fine. */
static bool
passes(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	    error == ENOBUFS || error == ETOOMANYREFS || error == ENOSPC;
}

static void
item_free(struct item *item)
{
	unsigned int i;

	for (i = 0; i < item->out.nfds; i++)
		close(item->fds[i]);
	freezero(item->body, item->out.len);
	free(item);
}

static void
queue_drop(struct ipc *ipc)
{
	struct item *item;

	while ((item = ipc->first) != NULL) {
		ipc->first = item->next;
		item_free(item);
	}
	ipc->last = &ipc->first;
	ipc->queued = 0;
}

static void
poll_for(struct ipc *ipc, int events)
{
	uv_poll_start(&ipc->poll, events, ipc_events);
}

/* No more sending; closed() comes from the loop, after what can be read. */
static void
send_dead(struct ipc *ipc)
{
	ipc->dead = true;
	queue_drop(ipc);
	uv_timer_start(&ipc->later, ipc_later, 0, 0);
}

/* Why the first of the queue did not go out, and what follows from that. */
static void
queue_stuck(struct ipc *ipc, int error)
{
	if (passes(error)) {
		/* Writable all the time: not polled for. */
		if (ipc->waiting == SOCKET)
			poll_for(ipc, UV_READABLE);
		ipc->waiting = SHORTAGE;
		uv_timer_start(&ipc->later, ipc_later, RETRY_MS, 0);
	} else if (error == EAGAIN) {
		ipc->waiting = SOCKET;
		poll_for(ipc, UV_READABLE | UV_WRITABLE);
	} else {
		send_dead(ipc);
	}
}

/* The first ones of the queue, in one system call. */
static int
queue_send(struct ipc *ipc)
{
	struct outgoing out[PACKET_BATCH];
	struct item *item = ipc->first;
	unsigned int n;
	int sent, i;

	for (n = 0; n < PACKET_BATCH && item != NULL; item = item->next)
		out[n++] = item->out;
	sent = packets_send(ipc->fd, out, n);
	for (i = 0; i < sent && ipc->first != NULL; i++) {
		item = ipc->first;
		ipc->first = item->next;
		ipc->queued -= PACKET_HEADER + item->out.len;
		item_free(item);
	}
	if (ipc->first == NULL)
		ipc->last = &ipc->first;
	return sent;
}

/* Sends what waits, as far as it goes. */
static void
queue_flush(struct ipc *ipc)
{
	while (ipc->first != NULL)
		if (queue_send(ipc) == -1) {
			queue_stuck(ipc, errno);
			return;
		}
	ipc->gathered = 0;
	if (ipc->waiting == SOCKET)
		poll_for(ipc, UV_READABLE);
	ipc->waiting = TURN_END;
}

static int
queue_add(struct ipc *ipc, const struct outgoing *out)
{
	struct item *item = xcalloc(1, sizeof(*item));
	unsigned int i;

	item->out = *out;
	for (i = 0; i < out->nfds; i++) {
		item->fds[i] = fcntl(out->fds[i], F_DUPFD_CLOEXEC, 3);
		if (item->fds[i] == -1) {
			item->out.nfds = i;
			item_free(item);
			return -1;
		}
	}
	item->body = out->len > 0 ? xmemdup(out->body, out->len) : NULL;
	item->out.body = item->body;
	item->out.fds = item->fds;
	*ipc->last = item;
	ipc->last = &item->next;
	ipc->queued += PACKET_HEADER + out->len;
	return 0;
}

/* The queue has one more, and nothing was tried with it. */
static void
queue_gather(struct ipc *ipc)
{
	if (ipc->waiting != TURN_END)
		return;
	if (ipc->gathered++ == 0)
		uv_timer_start(&ipc->later, ipc_later, 0, 0);
	else if (ipc->gathered == PACKET_BATCH)
		queue_flush(ipc);
}

int
ipc_send(struct ipc *ipc, enum message_type type, uint32_t id,
    const struct wire_out *body, const int *fds, unsigned int nfds)
{
	struct outgoing out = { .id = id, .fds = fds, .nfds = nfds };
	bool tried = ipc->first == NULL && !ipc->gathers;
	int error = 0;

	if (body != NULL) {
		out.body = body->data;
		out.len = body->len;
	}
	out.info = packet_info(ipc->self, ipc->peer, type, out.len, nfds);
	if (ipc->dead || ipc->freed)
		return -1;
	if (tried) {
		if (packets_send(ipc->fd, &out, 1) == 1)
			return 0;
		error = errno;
	}
	if (queue_add(ipc, &out) == -1) {
		/* The peer would wait for ever for what is lost. */
		snprintf(ipc->reason, sizeof(ipc->reason),
		    "no descriptors left for sending %s", out.info->name);
		send_dead(ipc);
		return -1;
	}
	if (tried)
		queue_stuck(ipc, error);
	else
		queue_gather(ipc);
	return ipc->dead ? -1 : 0;
}

void
ipc_gather(struct ipc *ipc)
{
	ipc->gathers = true;
}

size_t
ipc_queued(const struct ipc *ipc)
{
	return ipc->queued;
}

/*
 * Receiving.
 */

static void
to_message(struct ipc_msg *msg, struct packet *got)
{
	memset(msg, 0, sizeof(*msg));
	msg->type = got->info->type;
	msg->id = got->id;
	wire_in_init(&msg->body, got->body, got->len);
	msg->nfds = got->nfds;
	memcpy(msg->fds, got->fds, sizeof(msg->fds));
}

/* The end: tells the owner, who may free us. */
static void
report_closed(struct ipc *ipc)
{
	ipc->dead = true;
	queue_drop(ipc);
	uv_poll_stop(&ipc->poll);
	uv_timer_stop(&ipc->later);
	ipc->callbacks.closed(
	    ipc, ipc->reason[0] != '\0' ? ipc->reason : NULL, ipc->arg);
}

/* One message to the owner, who may free us. */
static enum outcome
deliver(struct ipc *ipc, struct packet *got)
{
	enum outcome outcome;
	struct ipc_msg msg;

	outcome = packet_check(
	    got, ipc->self, ipc->peer, ipc->reason, sizeof(ipc->reason));
	if (outcome == DONE) {
		to_message(&msg, got);
		ipc->callbacks.message(ipc, &msg, ipc->arg);
		/* Those that were not taken. */
		memcpy(got->fds, msg.fds, sizeof(msg.fds));
	}
	return outcome;
}

/* What arrived, one after the other.  Whether there may be more. */
static enum outcome
read_batch(struct ipc *ipc)
{
	/* No message is handled within another one, so all channels share. */
	static struct packet packets[PACKET_BATCH];
	enum outcome outcome = DONE;
	int i, n;

	n = packets_receive(ipc->fd, packets, PACKET_BATCH);
	if (n == -1)
		return GONE;
	for (i = 0; i < n; i++) {
		if (outcome == DONE && !ipc->freed)
			outcome = deliver(ipc, &packets[i]);
		packet_done(&packets[i]);
	}
	if (outcome == GONE)
		errno = 0;
	/* What comes before an error of the socket is not the last. */
	if (n == 0 || (n < PACKET_BATCH && outcome == DONE && !ipc->hangup))
		return EMPTY;
	return outcome;
}

/*
 * A turn of reading.  After it the ipc may be freed (but its memory is
 * there until the loop has closed the handles).
 */
static void
read_turn(struct ipc *ipc)
{
	enum outcome outcome = DONE;
	int i;

	for (i = 0; i < READ_TURN && outcome == DONE; i++) {
		outcome = read_batch(ipc);
		if (ipc->freed)
			return;
		/*
		 * A peer that dies with our messages unread: its last ones
		 * come after this error, which the socket reports once.
		 */
		if (outcome == GONE && errno == ECONNRESET && !ipc->reset) {
			ipc->hangup = ipc->reset = true;
			outcome = DONE;
		}
	}
	if (outcome == GONE || outcome == BREACH ||
	    (outcome == EMPTY && (ipc->dead || ipc->hangup)))
		report_closed(ipc);
	else if (outcome == DONE && (ipc->dead || ipc->hangup))
		uv_timer_start(&ipc->later, ipc_later, 0, 0);
}

static void
ipc_events(uv_poll_t *poll, int status, int events)
{
	struct ipc *ipc = poll->data;

	if (status < 0) {
		/* libuv has stopped polling. */
		ipc->hangup = true;
		read_turn(ipc);
		return;
	}
	if ((events & UV_WRITABLE) && !ipc->dead)
		queue_flush(ipc);
	if (events & (UV_READABLE | UV_DISCONNECT))
		read_turn(ipc);
}

static void
ipc_later(uv_timer_t *timer)
{
	struct ipc *ipc = timer->data;

	if (ipc->dead || ipc->hangup)
		read_turn(ipc);
	else
		queue_flush(ipc);
}

/*
 * Life.
 */

struct ipc *
ipc_new(uv_loop_t *loop, int fd, enum role self, enum role peer,
    const struct ipc_callbacks *callbacks, void *arg)
{
	struct ipc *ipc = xcalloc(1, sizeof(*ipc));
	int error;

	ipc->fd = fd;
	ipc->self = self;
	ipc->peer = peer;
	ipc->callbacks = *callbacks;
	ipc->arg = arg;
	ipc->last = &ipc->first;
	ipc->handles = 2;
	if ((error = uv_poll_init(loop, &ipc->poll, fd)) != 0)
		fatal("channel to %s: %s", role_info(peer)->name,
		    uv_strerror(error));
	uv_timer_init(loop, &ipc->later);
	ipc->poll.data = ipc->later.data = ipc;
	poll_for(ipc, UV_READABLE);
	return ipc;
}

static void
handle_closed(uv_handle_t *handle)
{
	struct ipc *ipc = handle->data;

	if (--ipc->handles == 0)
		freezero(ipc, sizeof(*ipc));
}

void
ipc_free(struct ipc *ipc)
{
	if (ipc == NULL || ipc->freed)
		return;
	if (!ipc->dead && ipc->waiting == TURN_END)
		queue_flush(ipc); /* what was gathered */
	ipc->freed = ipc->dead = true;
	queue_drop(ipc);
	uv_close((uv_handle_t *)&ipc->poll, handle_closed);
	uv_close((uv_handle_t *)&ipc->later, handle_closed);
	close(ipc->fd);
	ipc->fd = -1;
}

enum role
ipc_peer(const struct ipc *ipc)
{
	return ipc->peer;
}

int
ipc_pair(int fds[2])
{
	const int size = BUFFER_BYTES;
	int i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	for (i = 0; i < 2; i++)
		/* Past the system's limit for root, else up to it. */
		if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			sizeof(size)) == -1)
			(void)setsockopt(
			    fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

/*
 * Blocking, before there is a loop.
 */

static void
wait_for(int fd, short events)
{
	struct pollfd polled = { .fd = fd, .events = events };

	(void)poll(&polled, 1, -1);
}

int
ipc_send_blocking(int fd, enum role self, enum role peer,
    enum message_type type, uint32_t id, const struct wire_out *body,
    const int *fds, unsigned int nfds)
{
	struct outgoing out = { .id = id, .fds = fds, .nfds = nfds };

	if (body != NULL) {
		out.body = body->data;
		out.len = body->len;
	}
	out.info = packet_info(self, peer, type, out.len, nfds);
	while (packets_send(fd, &out, 1) == -1) {
		if (errno != EAGAIN)
			return -1;
		wait_for(fd, POLLOUT);
	}
	return 0;
}

int
ipc_recv_blocking(
    int fd, enum role self, enum role peer, struct ipc_msg *msg, void **to_free)
{
	struct packet *got = xcalloc(1, sizeof(*got));
	enum outcome outcome = GONE;
	char reason[120];
	int n;

	*to_free = NULL;
	while ((n = packets_receive(fd, got, 1)) == 0)
		wait_for(fd, POLLIN);
	if (n == 1)
		outcome = packet_check(got, self, peer, reason, sizeof(reason));
	if (outcome == DONE) {
		/* Always in memory of the caller's own. */
		to_message(msg, got);
		*to_free = xmemdup(got->body, got->len);
		wire_in_init(&msg->body, *to_free, got->len);
		memset(got->fds, -1, sizeof(got->fds)); /* transferred */
	}
	if (n == 1)
		packet_done(got);
	free(got);
	if (outcome == DONE)
		return 0;
	if (outcome == BREACH)
		log_error(
		    "ipc.breach", "%s: %s", role_info(peer)->name, reason);
	errno = outcome == BREACH ? EPROTO : EPIPE;
	return -1;
}
