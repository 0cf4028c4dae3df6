/*
 * Framing of messages, descriptors along with them, checks against the table.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/ipc_packet.h"
#include "lib/log.h"

/* Header flag: the body is in the last descriptor, a sealed memfd. */
#define FLAG_MEMFD 1u

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

/*
 * Sending.
 */

const struct message_info *
packet_info(enum role self, enum role peer, enum message_type type, size_t len,
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

/* What a msghdr points to. */
struct parcel {
	uint8_t head[PACKET_HEADER];
	struct iovec parts[2];
	_Alignas(
	    struct cmsghdr) char control[CMSG_SPACE(PACKET_FDS * sizeof(int))];
	int memfd; /* to close after sending, or -1 */
};

static void
attach(struct msghdr *msg, struct parcel *p, const int *fds, unsigned int nfds)
{
	struct cmsghdr *header;

	memset(p->control, 0, sizeof(p->control));
	msg->msg_control = p->control;
	msg->msg_controllen = CMSG_SPACE(nfds * sizeof(*fds));
	header = CMSG_FIRSTHDR(msg);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(nfds * sizeof(*fds));
	memcpy(CMSG_DATA(header), fds, nfds * sizeof(*fds));
}

/* 0, or -1 with errno when there is no memory file for the body. */
static int
pack(const struct outgoing *out, struct parcel *p, struct msghdr *msg)
{
	unsigned int nfds = out->nfds;
	int fds[PACKET_FDS];

	if (nfds > 0)
		memcpy(fds, out->fds, nfds * sizeof(*fds));
	memset(msg, 0, sizeof(*msg));
	p->memfd = -1;
	put_le(p->head, out->info->type, 2);
	put_le(p->head + 2, 0, 2);
	put_le(p->head + 4, out->id, 4);
	put_le(p->head + 8, (uint32_t)out->len, 4);
	p->parts[0].iov_base = p->head;
	p->parts[0].iov_len = sizeof(p->head);
	msg->msg_iov = p->parts;
	msg->msg_iovlen = 1;
	if (out->len > MESSAGE_INLINE_MAX) {
		p->memfd = memfd_sealed("message", out->body, out->len);
		if (p->memfd == -1)
			return -1;
		fds[nfds++] = p->memfd;
		put_le(p->head + 2, FLAG_MEMFD, 2);
	} else if (out->len > 0) {
		p->parts[1].iov_base = (void *)(uintptr_t)out->body;
		p->parts[1].iov_len = out->len;
		msg->msg_iovlen = 2;
	}
	if (nfds > 0)
		attach(msg, p, fds, nfds);
	return 0;
}

int
packets_send(int fd, const struct outgoing *out, unsigned int n)
{
	struct parcel parcels[PACKET_BATCH];
	struct mmsghdr msgs[PACKET_BATCH];
	unsigned int packed, i;
	int sent, error;

	for (packed = 0; packed < n && packed < PACKET_BATCH; packed++)
		if (pack(&out[packed], &parcels[packed],
			&msgs[packed].msg_hdr) == -1)
			break;
	if (packed == 0)
		return -1;
	do
		sent = sendmmsg(fd, msgs, packed, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	error = errno;
	for (i = 0; i < packed; i++)
		if (parcels[i].memfd != -1)
			close(parcels[i].memfd);
	errno = error;
	return sent;
}

/*
 * Receiving.
 */

/* Takes the descriptors out of the control data. */
static void
take_fds(struct packet *got, struct msghdr *msg)
{
	struct cmsghdr *c;
	size_t i, n;
	int fd;

	memset(got->fds, -1, sizeof(got->fds));
	got->nfds = 0;
	got->surplus = (msg->msg_flags & MSG_CTRUNC) != 0;
	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			got->surplus = true;
			continue;
		}
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (got->nfds < PACKET_FDS) {
				got->fds[got->nfds++] = fd;
			} else {
				close(fd);
				got->surplus = true;
			}
		}
	}
}

int
packets_receive(int fd, struct packet *packets, unsigned int n)
{
	struct {
		/* Room for one too many, so that it is seen and closed. */
		_Alignas(struct cmsghdr) char space[CMSG_SPACE(
		    (PACKET_FDS + 1) * sizeof(int))];
	} control[PACKET_BATCH];
	struct mmsghdr msgs[PACKET_BATCH];
	struct iovec parts[PACKET_BATCH];
	int got, i;

	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < (int)n && i < PACKET_BATCH; i++) {
		parts[i].iov_base = packets[i].data;
		parts[i].iov_len = sizeof(packets[i].data);
		msgs[i].msg_hdr.msg_iov = &parts[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_control = &control[i];
		msgs[i].msg_hdr.msg_controllen = sizeof(control[i]);
	}
	do
		got = recvmmsg(fd, msgs, (unsigned int)i,
		    MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	while (got == -1 && errno == EINTR);
	if (got == -1 &&
	    (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
		return 0;
	for (i = 0; i < got; i++) {
		packets[i].size = msgs[i].msg_len;
		packets[i].truncated =
		    (msgs[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
		packets[i].map = NULL;
		take_fds(&packets[i], &msgs[i].msg_hdr);
	}
	return got;
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

/* Everything the header and the table say; false with the reason. */
static bool
check_header(struct packet *got, enum role self, enum role peer, char *reason,
    size_t size)
{
	const uint8_t *data = got->data;
	size_t n = got->size;
	unsigned int type;
	bool memfd;

	if (n < PACKET_HEADER)
		return breach(reason, size, "a message of %zu bytes", n);
	type = get_le(data, 2);
	got->flags = get_le(data + 2, 2);
	got->id = get_le(data + 4, 4);
	got->len = get_le(data + 8, 4);
	got->body = data + PACKET_HEADER;
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
	if (n != PACKET_HEADER + (memfd ? 0 : got->len) ||
	    (memfd && got->len <= MESSAGE_INLINE_MAX))
		return breach(reason, size, "%s: %zu bytes announced, %zu sent",
		    got->info->name, got->len, n - PACKET_HEADER);
	return true;
}

/* Body out of the memfd, and the number of the other descriptors. */
static bool
check_fds(struct packet *got, char *reason, size_t size)
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

enum outcome
packet_check(struct packet *got, enum role self, enum role peer, char *reason,
    size_t size)
{
	bool fine;

	if (got->size == 0 && got->nfds == 0 && !got->surplus)
		return GONE;
	if (got->surplus)
		fine = breach(
		    reason, size, "control data that does not belong there");
	else if (got->truncated)
		fine = breach(reason, size, "a message longer than %u bytes",
		    PACKET_HEADER + MESSAGE_INLINE_MAX);
	else
		fine = check_header(got, self, peer, reason, size) &&
		    check_fds(got, reason, size);
	return fine ? DONE : BREACH;
}

void
packet_done(struct packet *got)
{
	unsigned int i;

	for (i = 0; i < PACKET_FDS; i++)
		if (got->fds[i] != -1)
			close(got->fds[i]);
	if (got->map != NULL)
		munmap(got->map, got->len);
	explicit_bzero(got->data, got->size);
}
