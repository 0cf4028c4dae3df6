/*
 * The kernel's audit: see kernel.h.
 */
#include "audit/kernel.h"

#include <sys/socket.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/kernel_event.h"
#include "audit/kernel_record.h"
#include "audit/kernel_session.h"
#include "lib/boottime.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define DATAGRAM_MAX 16384 /* of the kernel's: below 9000 */
#define TURN_MAX 256 /* datagrams before others get their turn */
#define TICK_MS 500
#define HELD_MAX 1024 /* events of sessions nobody knows yet */
#define SPENDERS 64

/* What one person's events took of this second. */
struct spender {
	uint32_t user;
	int64_t second;
	unsigned int made, summed;
};

struct kernel_reader {
	struct sources *sources;
	struct kernel_events *events;
	struct kernel_sessions *sessions;
	struct names *names;
	bool machine;
	int64_t now;
	struct kernel_event *held[HELD_MAX]; /* oldest first */
	size_t held_count;
	struct spender spenders[SPENDERS];
	bool overrun; /* the socket was full */
	int64_t last; /* serial */
	int fd;
	uv_poll_t poll;
	uv_timer_t tick;
	unsigned int open; /* handles */
};

/* --- How many ---------------------------------------------------------------- */

/* What was summed becomes a record: one, of that person. */
static void
tell_summed(struct kernel_reader *reader, struct spender *s)
{
	struct source_record r = { .service = "SYSTEM",
		.event = "GENERIC",
		.username = names_user(reader->names, s->user) };

	if (s->summed == 0)
		return;
	/* clang-format off */
	r.event_data = json_pack("{s:s, s:I, s:s}", "type", "SUMMED",
	    "count", (json_int_t)s->summed, "why",
	    "more of the kernel's records in a second than are kept");
	/* clang-format on */
	s->summed = 0;
	source_append(reader->sources, &r);
}

/* Those that collide share a place: the former one's sum is told. */
static bool
may_spend(struct kernel_reader *reader, uint32_t user)
{
	struct spender *s = &reader->spenders[user % SPENDERS];
	int64_t second = reader->now / 1000;

	if (s->user != user || s->second != second) {
		tell_summed(reader, s);
		*s = (struct spender){ .user = user, .second = second };
	}
	if (s->made < KERNEL_RECORDS_A_SECOND) {
		s->made++;
		return true;
	}
	s->summed++;
	return false;
}

static bool
summed_told(struct kernel_reader *reader, bool all)
{
	int64_t second = reader->now / 1000;
	bool waits = false;
	size_t i;

	for (i = 0; i < SPENDERS; i++)
		if (all || reader->spenders[i].second != second)
			tell_summed(reader, &reader->spenders[i]);
		else
			waits = waits || reader->spenders[i].summed > 0;
	return !waits;
}

/* --- Events ------------------------------------------------------------------ */

static void
make_record(struct kernel_reader *reader, const struct kernel_event *event)
{
	struct kernel_record record;

	if (!may_spend(reader, kernel_event_user(event)))
		return;
	kernel_record_make(event, reader->names, &record);
	source_append(reader->sources, &record.source);
}

static void
hold(struct kernel_reader *reader, struct kernel_event *event)
{
	size_t i;

	if (reader->held_count == HELD_MAX) {
		kernel_event_free(reader->held[0]);
		for (i = 1; i < HELD_MAX; i++)
			reader->held[i - 1] = reader->held[i];
		reader->held_count--;
		source_lost(reader->sources, 1,
		    "the kernel's records came before it was known whose "
		    "session it is");
	}
	reader->held[reader->held_count++] = event;
}

/* True: done with it. */
static bool
settle(struct kernel_reader *reader, struct kernel_event *event)
{
	enum whose whose = kernel_sessions_whose(
	    reader->sessions, kernel_event_session(event), reader->now);

	if (whose == WHOSE_UNKNOWN)
		return false;
	if (whose == WHOSE_OURS)
		make_record(reader, event);
	kernel_event_free(event);
	return true;
}

static void
event_ended(struct kernel_event *event, void *arg)
{
	struct kernel_reader *reader = arg;

	if (!kernel_event_counts(event, reader->machine))
		kernel_event_free(event);
	else if (!settle(reader, event))
		hold(reader, event);
}

/* Those whose session is known by now. */
static void
look_at_held(struct kernel_reader *reader)
{
	size_t i, kept = 0;

	for (i = 0; i < reader->held_count; i++)
		if (!settle(reader, reader->held[i]))
			reader->held[kept++] = reader->held[i];
	reader->held_count = kept;
}

/* audit_log_set_loginuid(): pid=... old-auid=... auid=... ses=... res=1 */
static void
login(struct kernel_reader *reader, struct span text)
{
	int64_t pid, session, result;

	if (kernel_number(text, "pid", 10, &pid) &&
	    kernel_number(text, "ses", 10, &session) &&
	    kernel_number(text, "res", 10, &result) && result == 1 && pid > 0 &&
	    pid <= INT32_MAX && session >= 0 && session < SESSION_NONE)
		kernel_sessions_login(reader->sessions, (pid_t)pid,
		    (uint32_t)session, reader->now);
}

/* How many events there were while the socket took nothing. */
static void
tell_overrun(struct kernel_reader *reader, int64_t serial)
{
	int64_t missed = serial - reader->last - 1;

	reader->overrun = false;
	source_lost(reader->sources, missed > 0 ? (uint64_t)missed : 1,
	    "the kernel's records came faster than they were read");
}

static void
tick(uv_timer_t *timer)
{
	struct kernel_reader *reader = timer->data;
	bool waits;

	reader->now = boottime_ms();
	waits = kernel_events_age(reader->events, reader->now);
	look_at_held(reader);
	if (summed_told(reader, false) && !waits && reader->held_count == 0)
		uv_timer_stop(timer);
}

/* While something waits. */
static void
wake(struct kernel_reader *reader)
{
	if (reader->open > 0 && !uv_is_active((uv_handle_t *)&reader->tick))
		uv_timer_start(&reader->tick, tick, TICK_MS, TICK_MS);
}

void
kernel_reader_take(
    struct kernel_reader *reader, const char *data, size_t len, int64_t now)
{
	struct kernel_head head;
	struct nlmsghdr header;
	struct span text;

	reader->now = now;
	if (len < sizeof(header))
		return;
	memcpy(&header, data, sizeof(header));
	text = (struct span){ data + sizeof(header), len - sizeof(header) };
	while (text.len > 0 &&
	    (text.at[text.len - 1] == '\0' || text.at[text.len - 1] == '\n'))
		text.len--;
	if (!kernel_head(&text, &head))
		return;
	if (reader->overrun)
		tell_overrun(reader, head.serial);
	if (head.serial > reader->last)
		reader->last = head.serial;
	if (header.nlmsg_type == AUDIT_LOGIN)
		login(reader, text);
	kernel_events_take(reader->events, header.nlmsg_type, &head, text, now);
	wake(reader);
}

/* --- Life -------------------------------------------------------------------- */

/* From the kernel, and nobody else. */
static bool
receive(struct kernel_reader *reader, char *data)
{
	struct sockaddr_nl from = { 0 };
	struct iovec vector = { .iov_base = data, .iov_len = DATAGRAM_MAX };
	struct msghdr message = { .msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &vector,
		.msg_iovlen = 1 };
	ssize_t got = recvmsg(reader->fd, &message, MSG_DONTWAIT);

	if (got == -1) {
		if (errno != ENOBUFS)
			return false;
		reader->overrun = true;
		return true;
	}
	if (message.msg_namelen == sizeof(from) && from.nl_pid == 0 &&
	    (message.msg_flags & MSG_TRUNC) == 0)
		kernel_reader_take(reader, data, (size_t)got, boottime_ms());
	return true;
}

/*
 * A full socket has an error pending (ENOBUFS) until it is read, at which
 * libuv stops polling.
 */
static void
readable(uv_poll_t *poll, int status, int events)
{
	struct kernel_reader *reader = poll->data;
	char data[DATAGRAM_MAX];
	int i;

	(void)events;
	for (i = 0; i < TURN_MAX; i++)
		if (!receive(reader, data))
			break;
	if (status < 0 && i > 0)
		uv_poll_start(poll, UV_READABLE, readable);
	else if (status < 0)
		log_error("audit.kernel",
		    "The kernel's records can not be read: %s",
		    strerror(errno));
}

struct kernel_reader *
kernel_reader_new(
    uv_loop_t *loop, struct sources *sources, const struct kernel_place *place)
{
	struct kernel_reader *reader = xcalloc(1, sizeof(*reader));
	int error;

	reader->sources = sources;
	reader->machine = place->machine;
	reader->fd = place->fd;
	if (place->fd != -1) {
		error = uv_poll_init(loop, &reader->poll, place->fd);
		if (error != 0) {
			free(reader);
			errno = -error;
			return NULL;
		}
		uv_timer_init(loop, &reader->tick);
		reader->open = 2;
		reader->poll.data = reader->tick.data = reader;
		uv_poll_start(&reader->poll, UV_READABLE, readable);
	}
	reader->events = kernel_events_new(event_ended, reader);
	reader->sessions =
	    kernel_sessions_new(place->machine, place->dirfd, place->boot);
	reader->names = names_new(place->etc_fd);
	return reader;
}

void
kernel_reader_stop(struct kernel_reader *reader)
{
	if (reader == NULL)
		return;
	(void)kernel_events_age(reader->events, INT64_MAX);
	look_at_held(reader);
	(void)summed_told(reader, true);
}

static void
reader_free(struct kernel_reader *reader)
{
	while (reader->held_count > 0)
		kernel_event_free(reader->held[--reader->held_count]);
	kernel_events_free(reader->events);
	kernel_sessions_free(reader->sessions);
	names_free(reader->names);
	if (reader->fd != -1)
		close(reader->fd);
	free(reader);
}

static void
handle_closed(uv_handle_t *handle)
{
	struct kernel_reader *reader = handle->data;

	if (--reader->open == 0)
		reader_free(reader);
}

void
kernel_reader_free(struct kernel_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->open == 0) {
		reader_free(reader);
		return;
	}
	uv_close((uv_handle_t *)&reader->poll, handle_closed);
	uv_close((uv_handle_t *)&reader->tick, handle_closed);
}

void
kernel_reader_process(struct kernel_reader *reader, pid_t pid)
{
	if (reader == NULL)
		return;
	reader->now = boottime_ms();
	if (kernel_sessions_process(reader->sessions, pid, reader->now))
		look_at_held(reader);
}

void
kernel_reader_lost(struct kernel_reader *reader, uint32_t count)
{
	if (reader != NULL)
		source_lost(reader->sources, count,
		    "the kernel lost them: its own queue was full");
}
