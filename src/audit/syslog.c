/*
 * /dev/log of the instance: see syslog.h.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/console.h"
#include "audit/source_words.h"
#include "audit/syslog.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define DATAGRAM_MAX 8192
#define TURN_MAX 64 /* datagrams before others get their turn */

struct syslog_reader {
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int open; /* handles */
	struct words_reader *words;
	struct syslog_budget budget;
	unsigned int dropped;
	void (*root)(pid_t, void *); /* NULL: nobody asks */
	void *root_arg;
	struct console *console; /* NULL: nobody looks */
};

/* clang-format off */
static const char *const facilities[] = {
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
	"uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6",
	"local7"
};
static const char *const severities[] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"
};
/* clang-format on */

/* Length of "Nov  1 09:15:00 " at the beginning, or 0. */
static size_t
timestamp_length(const char *text, size_t len)
{
	static const char form[] = "Aaa ?0 00:00:00 ";
	size_t i;
	char c;

	if (len < sizeof(form) - 1)
		return 0;
	for (i = 0; i < sizeof(form) - 1; i++) {
		c = text[i];
		switch (form[i]) {
		case 'A':
			if (c < 'A' || c > 'Z')
				return 0;
			break;
		case 'a':
			if (c < 'a' || c > 'z')
				return 0;
			break;
		case '?':
			if (c == ' ')
				break;
			/* FALLTHROUGH */
		case '0':
			if (c < '0' || c > '9')
				return 0;
			break;
		default:
			if (c != form[i])
				return 0;
		}
	}
	return sizeof(form) - 1;
}

void
syslog_parse(const char *data, size_t len, struct syslog_line *line)
{
	unsigned int priority = 0;
	size_t at;

	line->facility = "user";
	line->severity = "notice";
	if (len > 0 && data[0] == '<') {
		for (at = 1;
		     at < len && at <= 3 && data[at] >= '0' && data[at] <= '9';
		     at++)
			priority =
			    priority * 10 + (unsigned int)(data[at] - '0');
		if (at > 1 && at < len && data[at] == '>' &&
		    priority / 8 < sizeof(facilities) / sizeof(*facilities)) {
			line->facility = facilities[priority / 8];
			line->severity = severities[priority % 8];
			data += at + 1;
			len -= at + 1;
		}
	}
	at = timestamp_length(data, len); /* ours stands in the log */
	data += at;
	len -= at;
	while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\0'))
		len--;
	line->text = data;
	line->len = len;
}

bool
syslog_permit(struct syslog_budget *budget, uint64_t now, bool root)
{
	if (now / 1000 != budget->second) {
		budget->second = now / 1000;
		budget->lines = budget->others = 0;
	}
	if (budget->lines >= SYSLOG_LINES ||
	    (!root && budget->others >= SYSLOG_LINES_OTHERS))
		return false;
	budget->lines++;
	if (!root)
		budget->others++;
	return true;
}

static void
reader_report(uv_timer_t *timer)
{
	struct syslog_reader *reader = timer->data;

	log_warn(
	    "syslog.dropped", "%u lines, too many a second", reader->dropped);
	reader->dropped = 0;
}

/* What the kernel says of the sender; descriptors that came along go. */
static bool
sender_credentials(struct msghdr *message, struct ucred *sender)
{
	struct cmsghdr *control;
	size_t i, count;
	bool found = false;
	int fd;

	for (control = CMSG_FIRSTHDR(message); control != NULL;
	     control = CMSG_NXTHDR(message, control)) {
		if (control->cmsg_level != SOL_SOCKET)
			continue;
		if (control->cmsg_type == SCM_CREDENTIALS &&
		    control->cmsg_len == CMSG_LEN(sizeof(*sender))) {
			memcpy(sender, CMSG_DATA(control), sizeof(*sender));
			found = true;
		} else if (control->cmsg_type == SCM_RIGHTS) {
			count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
			for (i = 0; i < count; i++) {
				memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd),
				    sizeof(fd));
				close(fd);
			}
		}
	}
	return found && sender->pid != 0;
}

static void
show(struct console *console, const struct syslog_line *line,
    const struct ucred *sender)
{
	struct console_said said = { .facility = line->facility,
		.severity = line->severity,
		.text = line->text,
		.len = line->len,
		.uid = -1 };

	if (console == NULL)
		return;
	if (sender != NULL) {
		said.pid = sender->pid;
		said.uid = sender->uid;
	}
	console_line(console, &said);
}

static void
reader_datagram(struct syslog_reader *reader, const char *data, size_t len,
    const struct ucred *sender, bool cut)
{
	struct syslog_line line;
	struct words_sender whose = { 0 };
	bool root = sender != NULL && sender->uid == 0;

	syslog_parse(data, len, &line);
	/* No record is dropped for the program's log. */
	if (sender != NULL) {
		whose.pid = sender->pid;
		whose.uid = sender->uid;
		words_line(reader->words, &whose, line.text, line.len);
	}
	if (root && reader->root != NULL)
		reader->root(sender->pid, reader->root_arg);
	if (!syslog_permit(&reader->budget, uv_now(reader->timer.loop), root)) {
		if (reader->dropped++ == 0)
			uv_timer_start(&reader->timer, reader_report, 1000, 0);
		return;
	}
	show(reader->console, &line, sender);
	if (sender != NULL)
		log_info("syslog", "pid=%d uid=%u %s.%s %.*s%s",
		    (int)sender->pid, (unsigned int)sender->uid, line.facility,
		    line.severity, (int)line.len, line.text,
		    cut ? " (cut)" : "");
	else
		log_info("syslog", "pid=? uid=? %s.%s %.*s%s", line.facility,
		    line.severity, (int)line.len, line.text,
		    cut ? " (cut)" : "");
}

static void
reader_readable(uv_poll_t *poll, int status, int events)
{
	struct syslog_reader *reader = poll->data;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char data[DATAGRAM_MAX];
	struct iovec vector = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr message;
	struct ucred sender;
	ssize_t got;
	bool known;
	int i;

	(void)events;
	if (status < 0)
		return;
	for (i = 0; i < TURN_MAX; i++) {
		memset(&message, 0, sizeof(message));
		message.msg_iov = &vector;
		message.msg_iovlen = 1;
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		got = recvmsg(
		    reader->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (got == -1)
			break;
		known = sender_credentials(&message, &sender);
		reader_datagram(reader, data, (size_t)got,
		    known ? &sender : NULL,
		    (message.msg_flags & MSG_TRUNC) != 0);
	}
}

static void
reader_handle_closed(uv_handle_t *handle)
{
	struct syslog_reader *reader = handle->data;

	if (--reader->open > 0)
		return;
	close(reader->fd);
	free(reader);
}

struct syslog_reader *
syslog_reader_new(uv_loop_t *loop, int fd, struct words_reader *words)
{
	struct syslog_reader *reader;
	const int on = 1;
	int error;

	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == -1)
		return NULL;
	reader = xcalloc(1, sizeof(*reader));
	if ((error = uv_poll_init(loop, &reader->poll, fd)) != 0) {
		free(reader);
		errno = -error;
		return NULL;
	}
	reader->fd = fd;
	reader->open = 2;
	reader->words = words;
	uv_timer_init(loop, &reader->timer);
	reader->poll.data = reader->timer.data = reader;
	uv_poll_start(&reader->poll, UV_READABLE, reader_readable);
	return reader;
}

void
syslog_reader_watch(
    struct syslog_reader *reader, void (*root)(pid_t, void *), void *arg)
{
	reader->root = root;
	reader->root_arg = arg;
}

void
syslog_reader_show(struct syslog_reader *reader, struct console *console)
{
	reader->console = console;
}

void
syslog_reader_free(struct syslog_reader *reader)
{
	if (reader == NULL)
		return;
	uv_close((uv_handle_t *)&reader->poll, reader_handle_closed);
	uv_close((uv_handle_t *)&reader->timer, reader_handle_closed);
}
