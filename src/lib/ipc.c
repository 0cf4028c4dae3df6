/*
 * Channels between the roles: framing, checks against the table, descriptors,
 * queueing; on a libuv loop or blocking.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define HEADER_LEN 12
/* Header flag: the body is in the last descriptor, a sealed memfd. */
#define FLAG_MEMFD 1u
/* The message's own descriptors and the memfd. */
#define ALL_FDS (IPC_FDS_MAX + 1)

/* Messages handled before other channels get their turn. */
#define READ_TURN 64
/*
 * Room for several inline messages (the kernel doubles it), yet not for so
 * many small ones that the memory files under way could not be counted.
 */
#define BUFFER_BYTES (256 * 1024)
/* When descriptors or memory run short: tried again after, in ms. */
#define RETRY_MS 20

struct item {
	struct item *next;
	const struct message_info *info;
	uint32_t id;
	uint8_t *body;
	size_t len;
	int fds[IPC_FDS_MAX];
	unsigned int nfds;
};

/*
 * Dead: nothing is sent any more, closed() is due or was called.  The memory
 * lives until libuv has let go of both handles.
 */
struct ipc {
	uv_poll_t poll;
	/* Continues elsewhere than in ipc_send: retries, the end. */
	uv_timer_t later;
	unsigned int handles; /* not yet closed by libuv */
	int fd;
	enum role self, peer;
	struct ipc_callbacks callbacks;
	void *arg;
	struct item *first, **last;
	size_t queued;
	bool dead; /* can not send */
	bool hangup; /* nothing new will arrive */
	bool reset; /* that the peer was, was seen */
	bool freed;
	char reason[120];
	uint8_t buffer[HEADER_LEN + MESSAGE_INLINE_MAX];
};

/* What was received, before and after the checks. */
struct received {
	const struct message_info *info;
	unsigned int flags;
	uint32_t id;
	const uint8_t *body;
	size_t len;
	void *map; /* to unmap */
	int fds[ALL_FDS];
	unsigned int nfds;
};

enum outcome { DONE, EMPTY, GONE, BREACH };

static void ipc_events(uv_poll_t *, int, int);
static void ipc_later(uv_timer_t *);

static void
put_le(uint8_t *at, uint32_t value, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t
get_le(const uint8_t *at, size_t len)
{
	uint32_t value = 0;
	size_t i;

	for (i = 0; i < len; i++)
		value |= (uint32_t)at[i] << (8 * i);
	return value;
}

static void
close_all(int *fds, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (fds[i] != -1)
			close(fds[i]);
		fds[i] = -1;
	}
}

static bool __attribute__((format(printf, 3, 4)))
breach(char *reason, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, size, fmt, ap);
	va_end(ap);
	return false;
}

/*
 * Sending.
 */

/* The row of a message that we mean to send; what it forbids is our bug. */
static const struct message_info *
sendable(enum role self, enum role peer, enum message_type type, size_t len,
    unsigned int nfds)
{
	const struct message_info *info = message_info((uint16_t)type);

	if (info == NULL || !(info->from & ROLE_BIT(self)) ||
	    !(info->to & ROLE_BIT(peer)) || len < info->min ||
	    len > info->max || nfds < info->nfds_min || nfds > info->nfds_max ||
	    nfds > IPC_FDS_MAX)
		fatal(
		    "%s may not send %s of %zu bytes with %u descriptors to %s",
		    role_info(self)->name,
		    info != NULL ? info->name : "an unknown message", len, nfds,
		    role_info(peer)->name);
	return info;
}

/* One sendmsg(); 0, or -1 with errno. */
static int
send_once(int fd, const struct message_info *info, uint32_t id,
    const uint8_t *body, size_t len, const int *fds, unsigned int nfds)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(ALL_FDS * sizeof(int))];
	} control;
	uint8_t head[HEADER_LEN];
	struct iovec parts[2];
	struct msghdr msg;
	int all[ALL_FDS], memfd = -1, error;
	ssize_t n;

	if (nfds > 0)
		memcpy(all, fds, nfds * sizeof(*fds));
	memset(&msg, 0, sizeof(msg));
	parts[0].iov_base = head;
	parts[0].iov_len = sizeof(head);
	msg.msg_iov = parts;
	msg.msg_iovlen = 1;
	put_le(head, info->type, 2);
	put_le(head + 2, 0, 2);
	put_le(head + 4, id, 4);
	put_le(head + 8, (uint32_t)len, 4);
	if (len > MESSAGE_INLINE_MAX) {
		if ((memfd = memfd_sealed("message", body, len)) == -1)
			return -1;
		all[nfds++] = memfd;
		put_le(head + 2, FLAG_MEMFD, 2);
	} else if (len > 0) {
		parts[1].iov_base = (void *)(uintptr_t)body;
		parts[1].iov_len = len;
		msg.msg_iovlen = 2;
	}
	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(nfds * sizeof(*fds));
		memcpy(CMSG_DATA(&control.header), all, nfds * sizeof(*fds));
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(*fds));
	}
	do
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	error = errno;
	if (memfd != -1)
		close(memfd);
	errno = error;
	return n == -1 ? -1 : 0;
}

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
	close_all(item->fds, item->nfds);
	freezero(item->body, item->len);
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

/* Sends what waits, as far as it goes. */
static void
queue_flush(struct ipc *ipc)
{
	struct item *item;

	while ((item = ipc->first) != NULL) {
		if (send_once(ipc->fd, item->info, item->id, item->body,
			item->len, item->fds, item->nfds) == -1) {
			if (passes(errno)) {
				/* Writable all the time: not polled for. */
				poll_for(ipc, UV_READABLE);
				uv_timer_start(
				    &ipc->later, ipc_later, RETRY_MS, 0);
			} else if (errno == EAGAIN) {
				poll_for(ipc, UV_READABLE | UV_WRITABLE);
			} else {
				send_dead(ipc);
			}
			return;
		}
		ipc->first = item->next;
		if (ipc->first == NULL)
			ipc->last = &ipc->first;
		ipc->queued -= HEADER_LEN + item->len;
		item_free(item);
	}
	poll_for(ipc, UV_READABLE);
}

static int
queue_add(struct ipc *ipc, const struct message_info *info, uint32_t id,
    const uint8_t *body, size_t len, const int *fds, unsigned int nfds)
{
	struct item *item = xcalloc(1, sizeof(*item));

	item->info = info;
	item->id = id;
	for (; item->nfds < nfds; item->nfds++) {
		item->fds[item->nfds] =
		    fcntl(fds[item->nfds], F_DUPFD_CLOEXEC, 3);
		if (item->fds[item->nfds] == -1) {
			item_free(item);
			return -1;
		}
	}
	item->body = len > 0 ? xmemdup(body, len) : NULL;
	item->len = len;
	*ipc->last = item;
	ipc->last = &item->next;
	ipc->queued += HEADER_LEN + len;
	return 0;
}

int
ipc_send(struct ipc *ipc, enum message_type type, uint32_t id,
    const struct wire_out *body, const int *fds, unsigned int nfds)
{
	const uint8_t *data = body != NULL ? body->data : NULL;
	size_t len = body != NULL ? body->len : 0;
	const struct message_info *info;
	bool waiting = ipc->first != NULL, shortage = false;

	info = sendable(ipc->self, ipc->peer, type, len, nfds);
	if (ipc->dead || ipc->freed)
		return -1;
	if (!waiting) {
		if (send_once(ipc->fd, info, id, data, len, fds, nfds) == 0)
			return 0;
		shortage = passes(errno);
		if (!shortage && errno != EAGAIN) {
			send_dead(ipc);
			return -1;
		}
	}
	if (queue_add(ipc, info, id, data, len, fds, nfds) == -1) {
		/* The peer would wait for ever for what is lost. */
		breach(ipc->reason, sizeof(ipc->reason),
		    "no descriptors left for sending %s", info->name);
		send_dead(ipc);
		return -1;
	}
	if (!waiting) {
		if (shortage)
			uv_timer_start(&ipc->later, ipc_later, RETRY_MS, 0);
		else
			poll_for(ipc, UV_READABLE | UV_WRITABLE);
	}
	return 0;
}

size_t
ipc_queued(const struct ipc *ipc)
{
	return ipc->queued;
}

/*
 * Receiving.
 */

/* Takes the descriptors out of the control data; false if there is more. */
static bool
take_fds(struct msghdr *msg, struct received *got)
{
	struct cmsghdr *c;
	size_t i, n;
	bool fine = (msg->msg_flags & MSG_CTRUNC) == 0;
	int fd;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			fine = false;
			continue;
		}
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (got->nfds < ALL_FDS) {
				got->fds[got->nfds++] = fd;
			} else {
				close(fd);
				fine = false;
			}
		}
	}
	return fine;
}

/* Everything the header and the table say; false with the reason. */
static bool
check_header(struct received *got, const uint8_t *data, size_t n,
    enum role self, enum role peer, char *reason, size_t size)
{
	unsigned int type;
	bool memfd;

	if (n < HEADER_LEN)
		return breach(reason, size, "a message of %zu bytes", n);
	type = get_le(data, 2);
	got->flags = get_le(data + 2, 2);
	got->id = get_le(data + 4, 4);
	got->len = get_le(data + 8, 4);
	got->body = data + HEADER_LEN;
	if ((got->info = message_info((uint16_t)type)) == NULL)
		return breach(reason, size, "message type %u is unknown", type);
	if (!(got->info->from & ROLE_BIT(peer)) ||
	    !(got->info->to & ROLE_BIT(self)))
		return breach(reason, size, "%s is not %s's to send to %s",
		    got->info->name, role_info(peer)->name,
		    role_info(self)->name);
	if (got->flags & ~FLAG_MEMFD)
		return breach(reason, size, "%s with flags %#x",
		    got->info->name, got->flags);
	if (got->len < got->info->min || got->len > got->info->max)
		return breach(
		    reason, size, "%s of %zu bytes", got->info->name, got->len);
	memfd = (got->flags & FLAG_MEMFD) != 0;
	if (n != HEADER_LEN + (memfd ? 0 : got->len) ||
	    (memfd && got->len <= MESSAGE_INLINE_MAX))
		return breach(reason, size, "%s: %zu bytes announced, %zu sent",
		    got->info->name, got->len, n - HEADER_LEN);
	return true;
}

/* Body out of the memfd, and the number of the other descriptors. */
static bool
check_fds(struct received *got, char *reason, size_t size)
{
	size_t len;
	int fd;

	if (got->flags & FLAG_MEMFD) {
		if (got->nfds == 0)
			return breach(reason, size, "%s without its body",
			    got->info->name);
		fd = got->fds[--got->nfds];
		got->fds[got->nfds] = -1;
		if (memfd_map(fd, MESSAGE_BODY_MAX, &got->map, &len) == -1) {
			close(fd);
			return breach(reason, size, "%s: body refused: %s",
			    got->info->name, strerror(errno));
		}
		close(fd);
		got->body = got->map;
		if (len != got->len) {
			if (got->map != NULL)
				munmap(got->map, len);
			got->map = NULL;
			return breach(reason, size,
			    "%s: %zu bytes announced, %zu in its memory file",
			    got->info->name, got->len, len);
		}
	}
	if (got->nfds < got->info->nfds_min || got->nfds > got->info->nfds_max)
		return breach(reason, size, "%s with %u descriptors",
		    got->info->name, got->nfds);
	return true;
}

/*
 * Receives and checks one message into buffer.  *used says how much of the
 * buffer to zero afterwards, whatever the outcome.  After DONE the caller
 * calls received_end().
 */
static enum outcome
receive(int fd, enum role self, enum role peer, uint8_t *buffer,
    size_t buffer_size, size_t *used, struct received *got, char *reason,
    size_t size)
{
	union {
		struct cmsghdr header;
		/* Room for one too many, so that it is seen and closed. */
		char space[CMSG_SPACE((ALL_FDS + 1) * sizeof(int))];
	} control;
	struct iovec part = { .iov_base = buffer, .iov_len = buffer_size };
	struct msghdr msg;
	ssize_t n;
	bool fine;

	memset(got, 0, sizeof(*got));
	memset(&msg, 0, sizeof(msg));
	memset(got->fds, -1, sizeof(got->fds));
	*used = 0;
	msg.msg_iov = &part;
	msg.msg_iovlen = 1;
	msg.msg_control = control.space;
	msg.msg_controllen = sizeof(control.space);
	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
		return EMPTY;
	if (n == -1)
		return GONE;
	*used = (size_t)n;
	fine = take_fds(&msg, got);
	if (n == 0 && got->nfds == 0 && fine)
		return GONE;
	if (!fine)
		breach(reason, size, "control data that does not belong there");
	else if ((msg.msg_flags & MSG_TRUNC) != 0)
		fine = breach(reason, size, "a message longer than %u bytes",
		    HEADER_LEN + MESSAGE_INLINE_MAX);
	else
		fine = check_header(
			   got, buffer, (size_t)n, self, peer, reason, size) &&
		    check_fds(got, reason, size);
	if (fine)
		return DONE;
	close_all(got->fds, ALL_FDS);
	if (got->map != NULL)
		munmap(got->map, got->len);
	return BREACH;
}

static void
received_end(struct received *got)
{
	close_all(got->fds, ALL_FDS);
	if (got->map != NULL)
		munmap(got->map, got->len);
}

static void
to_message(struct ipc_msg *msg, struct received *got)
{
	memset(msg, 0, sizeof(*msg));
	msg->type = got->info->type;
	msg->id = got->id;
	wire_in_init(&msg->body, got->body, got->len);
	msg->nfds = got->nfds;
	memcpy(msg->fds, got->fds, sizeof(msg->fds));
	memset(got->fds, -1, sizeof(got->fds)); /* transferred */
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

/* One message to the owner.  Whether there may be more. */
static enum outcome
read_one(struct ipc *ipc)
{
	struct received got;
	struct ipc_msg msg;
	enum outcome outcome;
	size_t used;

	outcome = receive(ipc->fd, ipc->self, ipc->peer, ipc->buffer,
	    sizeof(ipc->buffer), &used, &got, ipc->reason, sizeof(ipc->reason));
	if (outcome == DONE) {
		to_message(&msg, &got);
		ipc->callbacks.message(ipc, &msg, ipc->arg);
		close_all(msg.fds, msg.nfds);
		received_end(&got);
	}
	explicit_bzero(ipc->buffer, used);
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
		outcome = read_one(ipc);
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
	const uint8_t *data = body != NULL ? body->data : NULL;
	size_t len = body != NULL ? body->len : 0;
	const struct message_info *info;

	info = sendable(self, peer, type, len, nfds);
	while (send_once(fd, info, id, data, len, fds, nfds) == -1) {
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
	size_t size = HEADER_LEN + MESSAGE_INLINE_MAX, used;
	uint8_t *buffer = xmalloc(size);
	struct received got;
	enum outcome outcome;
	char reason[120];
	int r = -1;

	*to_free = NULL;
	while ((outcome = receive(fd, self, peer, buffer, size, &used, &got,
		    reason, sizeof(reason))) == EMPTY)
		wait_for(fd, POLLIN);
	if (outcome == DONE) {
		/* Always in memory of the caller's own. */
		got.body = *to_free = xmemdup(got.body, got.len);
		to_message(msg, &got);
		received_end(&got);
		r = 0;
	}
	freezero(buffer, used);
	if (outcome == BREACH)
		log_error(
		    "ipc.breach", "%s: %s", role_info(peer)->name, reason);
	if (r == -1)
		errno = outcome == BREACH ? EPROTO : EPIPE;
	return r;
}
