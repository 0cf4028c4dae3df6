/*
 * What programs tell, as records: see source_fact.h.
 *
 *	try login refused logout	of PAM: pid service user by host tty
 *					how why uid UID gid GID auid AUID,
 *					target: the number of user
 *	accept reject error		of sudo: pid why, members of what sudo
 *					itself writes as JSON (sudo_members[]),
 *					asked_user asked_group, arg...
 *	cut				of all: so many texts had no room
 *
 * A try is kept until the same process tells what came of it; else it was
 * killed, and that is recorded as a refusal.
 */
#include "audit/source_fact.h"

#include <sys/socket.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/boottime.h"
#include "lib/fact.h"
#include "lib/json.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define TURN_MAX 64 /* packets before others get their turn */
#define TRIES_MAX 64
#define TRY_MS (10 * 60 * 1000) /* somebody may type slowly */
#define TRIES_MS 30000

struct attempt {
	char *packet; /* NULL: free */
	size_t len;
	int64_t since;
};

struct fact_reader {
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int open; /* handles */
	struct sources *sources;
	struct login_failures *failures;
	struct words_reader *words;
	struct attempt tries[TRIES_MAX];
	char packet[FACT_PACKET + 1];
};

/* --- Packets ---------------------------------------------------------------- */

bool
fact_parse(const char *packet, size_t len, struct fact_text *fact)
{
	const char *nul;

	if (len < 2 || packet[0] != FACT_VERSION || packet[len - 1] != '\0')
		return false;
	nul = memchr(packet + 1, '\0', len - 1);
	fact->kind = packet + 1;
	fact->at = nul + 1;
	fact->end = packet + len;
	return true;
}

/* The next value of that name from *at on, which then is behind it. */
static const char *
next_value(const struct fact_text *fact, const char **at, const char *name)
{
	size_t len = strlen(name);
	const char *text;

	while (*at < fact->end) {
		text = *at;
		*at += strlen(text) + 1;
		if (strncmp(text, name, len) == 0 && text[len] == '=')
			return text + len + 1;
	}
	return NULL;
}

const char *
fact_value(const struct fact_text *fact, const char *name)
{
	const char *at = fact->at;

	return next_value(fact, &at, name);
}

/* --- Logins ----------------------------------------------------------------- */

static const char *
value_or(const struct fact_text *fact, const char *name, const char *other)
{
	const char *value = fact_value(fact, name);

	return value != NULL && *value != '\0' ? value : other;
}

/* Of su, it is who calls it that does something. */
static struct login
login_of(const struct fact_text *fact)
{
	const char *program = fact_value(fact, "service");
	const char *user = value_or(fact, "user", NULL);
	bool su = program != NULL && strncmp(program, "su", 2) == 0;
	struct login l = { .program = program,
		.target = user,
		.username = user,
		.address = fact_value(fact, "host"),
		.session = fact_value(fact, "pid"),
		.tty = value_or(fact, "tty", NULL),
		.how = fact_value(fact, "how"),
		.why = fact_value(fact, "why"),
		.ids = { .auid = fact_value(fact, "auid"),
		    .auid_name = fact_value(fact, "AUID"),
		    .uid = fact_value(fact, "uid"),
		    .uid_name = fact_value(fact, "UID"),
		    .gid = fact_value(fact, "gid"),
		    .gid_name = fact_value(fact, "GID") } };

	if (su)
		l.username = value_or(fact, "UID", fact_value(fact, "by"));
	return l;
}

static void
try_end(struct attempt *attempt)
{
	free(attempt->packet);
	attempt->packet = NULL;
}

static void
try_is_over(
    struct fact_reader *reader, struct attempt *attempt, const char *why)
{
	struct fact_text fact;
	struct login l;

	if (fact_parse(attempt->packet, attempt->len, &fact)) {
		l = login_of(&fact);
		l.why = why;
		source_login_refused(reader->failures, &l);
	}
	try_end(attempt);
}

static const char *
pid_of(const struct fact_text *fact)
{
	return value_or(fact, "pid", "");
}

/* That of the same process, or NULL. */
static struct attempt *
try_of(struct fact_reader *reader, const struct fact_text *fact)
{
	struct fact_text other;
	struct attempt *attempt;
	size_t i;

	for (i = 0; i < TRIES_MAX; i++) {
		attempt = &reader->tries[i];
		if (attempt->packet != NULL &&
		    fact_parse(attempt->packet, attempt->len, &other) &&
		    strcmp(pid_of(&other), pid_of(fact)) == 0)
			return attempt;
	}
	return NULL;
}

/* A free place; the oldest try is over for it when there is none. */
static struct attempt *
try_place(struct fact_reader *reader)
{
	struct attempt *oldest = &reader->tries[0];
	size_t i;

	for (i = 0; i < TRIES_MAX; i++) {
		if (reader->tries[i].packet == NULL)
			return &reader->tries[i];
		if (reader->tries[i].since < oldest->since)
			oldest = &reader->tries[i];
	}
	try_is_over(reader, oldest, "too many others");
	return oldest;
}

/* Those that began before that time; true: there are others left. */
static bool
tries_over(struct fact_reader *reader, int64_t before, const char *why)
{
	bool left = false;
	struct attempt *attempt;
	size_t i;

	for (i = 0; i < TRIES_MAX; i++) {
		attempt = &reader->tries[i];
		if (attempt->packet != NULL && attempt->since < before)
			try_is_over(reader, attempt, why);
		left = left || attempt->packet != NULL;
	}
	return left;
}

static void
tries_turn(uv_timer_t *timer)
{
	if (!tries_over(
		timer->data, boottime_ms() - TRY_MS, "nothing came of it"))
		uv_timer_stop(timer);
}

static void
on_try(struct fact_reader *reader, const struct fact_text *fact,
    const char *packet, size_t len)
{
	struct attempt *attempt = try_of(reader, fact);

	if (attempt != NULL)
		try_is_over(reader, attempt, "Authentication failure");
	attempt = try_place(reader);
	attempt->packet = xmalloc(len);
	memcpy(attempt->packet, packet, len);
	attempt->len = len;
	attempt->since = boottime_ms();
	if (!uv_is_active((uv_handle_t *)&reader->timer))
		uv_timer_start(&reader->timer, tries_turn, TRIES_MS, TRIES_MS);
}

/* The number that the system log will say of him. */
static void
know(struct fact_reader *reader, const struct fact_text *fact)
{
	const char *number = fact_value(fact, "target");
	const char *name = fact_value(fact, "user");

	if (number != NULL && name != NULL && *number != '-')
		words_know(
		    reader->words, (uid_t)strtoul(number, NULL, 10), name);
}

static void
on_login(struct fact_reader *reader, const struct fact_text *fact)
{
	struct attempt *attempt = try_of(reader, fact);
	struct login l = login_of(fact);

	if (attempt != NULL)
		try_end(attempt);
	know(reader, fact);
	if (strcmp(fact->kind, "login") == 0)
		source_login_began(reader->sources, &l);
	else if (strcmp(fact->kind, "logout") == 0)
		source_login_ended(reader->sources, &l);
	else
		source_login_refused(reader->failures, &l);
}

/* --- sudo ------------------------------------------------------------------- */

/* clang-format off */
/* As in the JSON that sudo writes itself. */
static const struct {
	const char	*name;
	bool		 number;
} sudo_members[] = {
	{ "submituser" }, { "submituid", true }, { "submitcwd" },
	{ "submithost" }, { "ttyname" },
	{ "command" }, { "runuser" }, { "runuid", true }, { "rungroup" },
	{ "rungid", true }, { "runcwd" }, { "runchroot" },
	{ "lines", true }, { "columns", true }
};
/* clang-format on */

static json_t *
server_time(const struct timespec *now)
{
	char iso[32], local[32];
	struct tm broken;

	gmtime_r(&now->tv_sec, &broken);
	strftime(iso, sizeof(iso), "%Y%m%d%H%M%SZ", &broken);
	strftime(local, sizeof(local), "%b %e %H:%M:%S", &broken);
	return json_pack("{s:I, s:I, s:s, s:s}", "seconds",
	    (json_int_t)now->tv_sec, "nanoseconds", (json_int_t)now->tv_nsec,
	    "iso8601", iso, "localtime", local);
}

static void
set_text(json_t *object, const char *name, const char *value)
{
	if (value != NULL)
		json_object_set_new(
		    object, name, source_text(value, strlen(value)));
}

/* Where sudo has not said it yet, what was asked for. */
static void
set_asked(json_t *data, const struct fact_text *fact)
{
	if (json_object_get(data, "runuser") == NULL)
		set_text(data, "runuser", value_or(fact, "asked_user", "root"));
	if (json_object_get(data, "rungroup") == NULL)
		set_text(data, "rungroup", fact_value(fact, "asked_group"));
}

static json_t *
sudo_data(
    const struct fact_text *fact, const char *id, const struct timespec *now)
{
	json_t *data = json_object(), *arguments = json_array();
	const char *value, *at = fact->at;
	size_t i;

	json_object_set_new(data, "uuid", json_string(id));
	json_object_set_new(data, "server_time", server_time(now));
	set_text(data, "reason", fact_value(fact, "why"));
	for (i = 0; i < sizeof(sudo_members) / sizeof(sudo_members[0]); i++) {
		value = fact_value(fact, sudo_members[i].name);
		if (value != NULL && sudo_members[i].number)
			json_object_set_new(data, sudo_members[i].name,
			    json_integer(strtoll(value, NULL, 10)));
		else
			set_text(data, sudo_members[i].name, value);
	}
	set_asked(data, fact);
	while ((value = next_value(fact, &at, "arg")) != NULL)
		json_array_append_new(
		    arguments, source_text(value, strlen(value)));
	if (json_array_size(arguments) > 0 &&
	    json_object_get(data, "command") == NULL)
		json_object_set(data, "command", json_array_get(arguments, 0));
	json_object_set_new(data, "runargv", arguments);
	if ((value = fact_value(fact, "cut")) != NULL)
		json_object_set_new(
		    data, "cut", json_integer(strtoll(value, NULL, 10)));
	return data;
}

static void
on_sudo(struct fact_reader *reader, const struct fact_text *fact)
{
	bool accepted = strcmp(fact->kind, "accept") == 0;
	struct source_record r = { .service = "SUDO",
		.event = accepted ? "ACCEPT" : "REJECT",
		.username = fact_value(fact, "submituser"),
		.address = fact_value(fact, "submithost"),
		.session = fact_value(fact, "pid"),
		.success = accepted };
	struct timespec now;
	char id[UUID_LEN];

	clock_gettime(CLOCK_REALTIME, &now);
	uuid_new(id);
	r.origin.audit_id = id;
	r.origin.time_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	/* clang-format off */
	r.event_data = json_pack("{s:{s:o}, s:{s:i, s:i}}", "sudo",
	    accepted ? "accept" : "reject", sudo_data(fact, id, &now),
	    "vers", "major", 0, "minor", 1);
	/* clang-format on */
	source_append(reader->sources, &r);
}

/* --- The socket ------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char	*kind;
	void		(*take)(struct fact_reader *, const struct fact_text *);
} kinds[] = {
	{ "login", on_login }, { "refused", on_login }, { "logout", on_login },
	{ "accept", on_sudo }, { "reject", on_sudo }, { "error", on_sudo }
};
/* clang-format on */

static void
reader_packet(struct fact_reader *reader, size_t len)
{
	struct fact_text fact;
	size_t i;

	if (len > FACT_PACKET || !fact_parse(reader->packet, len, &fact)) {
		source_lost(reader->sources, 1, "a fact of another form");
		return;
	}
	if (strcmp(fact.kind, "try") == 0) {
		on_try(reader, &fact, reader->packet, len);
		return;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].kind, fact.kind) == 0) {
			kinds[i].take(reader, &fact);
			return;
		}
	source_lost(reader->sources, 1, "a fact of another kind");
}

static void
reader_readable(uv_poll_t *poll, int status, int events)
{
	struct fact_reader *reader = poll->data;
	struct iovec part = { reader->packet, sizeof(reader->packet) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t got;
	int i;

	(void)events;
	if (status < 0)
		return;
	for (i = 0; i < TURN_MAX; i++) {
		message.msg_flags = 0;
		got = recvmsg(
		    reader->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (got == -1)
			break;
		reader_packet(reader, (size_t)got);
	}
	explicit_bzero(reader->packet, sizeof(reader->packet));
}

static void
reader_closed(uv_handle_t *handle)
{
	struct fact_reader *reader = handle->data;

	if (--reader->open > 0)
		return;
	close(reader->fd);
	free(reader);
}

struct fact_reader *
fact_reader_new(uv_loop_t *loop, int fd, struct sources *sources,
    struct login_failures *failures, struct words_reader *words)
{
	struct fact_reader *reader = xcalloc(1, sizeof(*reader));
	int error;

	if ((error = uv_poll_init(loop, &reader->poll, fd)) != 0) {
		free(reader);
		errno = -error;
		return NULL;
	}
	reader->fd = fd;
	reader->open = 2;
	reader->sources = sources;
	reader->failures = failures;
	reader->words = words;
	uv_timer_init(loop, &reader->timer);
	reader->poll.data = reader->timer.data = reader;
	uv_poll_start(&reader->poll, UV_READABLE, reader_readable);
	return reader;
}

void
fact_reader_stop(struct fact_reader *reader)
{
	tries_over(reader, INT64_MAX, "the audit log was stopped meanwhile");
}

void
fact_reader_free(struct fact_reader *reader)
{
	if (reader == NULL)
		return;
	uv_close((uv_handle_t *)&reader->poll, reader_closed);
	uv_close((uv_handle_t *)&reader->timer, reader_closed);
}
