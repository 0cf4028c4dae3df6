/*
 * Lines of the journal as records: see journal.h.
 */
#include "audit/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/audit_internal.h"
#include "audit/console.h"
#include "audit/journal_file.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define FILE_NAME "journal"
#define FILE_MAX ((size_t)4096)
#define SETTLE_MS                                                              \
	15000 /* after a line at most, unless the log is not written */

struct journal_reader {
	struct audit *audit;
	struct ipc *ipc; /* NULL: the journal role is away */
	struct journal_place place; /* what is read next, from there on */
	struct journal_place kept; /* on disk */
	bool asked; /* an answer comes */
	bool again; /* what comes may have been read before a crash */
	bool settling;
	uv_timer_t settle;
};

/* --- How far it came --------------------------------------------------------- */

static bool
kept_read(struct journal_reader *reader)
{
	struct journal_place *place = &reader->place;
	char *text = NULL, *rest, *cursor, *since, *seen;
	size_t len;
	bool good;

	if (file_read_at(
		reader->audit->dirfd, FILE_NAME, FILE_MAX, &text, &len) == -1)
		return false;
	rest = text;
	cursor = strsep(&rest, "\n");
	since = strsep(&rest, "\n");
	seen = strsep(&rest, "\n");
	good = seen != NULL && strlen(cursor) < sizeof(place->cursor);
	if (good) {
		memcpy(place->cursor, cursor, strlen(cursor) + 1);
		place->since_us = strtoll(since, NULL, 10);
		place->seen_us = strtoll(seen, NULL, 10);
		reader->kept = *place;
	}
	free(text);
	return good;
}

static void
kept_write(struct journal_reader *reader)
{
	const struct journal_place *place = &reader->place;
	char *text = xasprintf("%s\n%" PRId64 "\n%" PRId64 "\n", place->cursor,
	    place->since_us, place->seen_us);

	if (file_install(reader->audit->dirfd, FILE_NAME, text, strlen(text),
		0600, FILE_OWN_UID, FILE_OWN_GID, NULL) == 0)
		reader->kept = *place;
	else
		log_warn("audit.journal", "%s: %s", FILE_NAME, strerror(errno));
	free(text);
}

/* The first time: what was said before is none of this log. */
static void
begin(struct journal_reader *reader)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	reader->place.since_us = (int64_t)now.tv_sec * 1000000;
	reader->place.seen_us = reader->place.since_us;
	kept_write(reader);
}

static void on_settle(uv_timer_t *);

static void
settle_later(struct journal_reader *reader)
{
	if (!uv_is_active((uv_handle_t *)&reader->settle))
		uv_timer_start(&reader->settle, on_settle, SETTLE_MS, 0);
}

/* All that was read, on disk: then that it was read. */
static void
settle(struct journal_reader *reader)
{
	struct audit *audit = reader->audit;

	reader->settling = true;
	words_reader_flush(audit->words);
	login_failures_flush(audit->failures);
	audit_commit(audit);
	reader->settling = false;
	if (sources_waiting(audit->sources) > 0) {
		settle_later(reader);
		return;
	}
	sources_summed(audit->sources, true);
	if (memcmp(&reader->place, &reader->kept, sizeof(reader->kept)) != 0)
		kept_write(reader);
}

/* --- Lines ------------------------------------------------------------------- */

static void
ask(struct journal_reader *reader)
{
	struct wire_out body = { 0 };

	if (reader->ipc == NULL || reader->asked ||
	    sources_waiting(reader->audit->sources) > SOURCE_BYTES_MAX / 2)
		return;
	wire_put_str(&body, reader->place.cursor);
	wire_put_u64(&body, (uint64_t)reader->place.since_us);
	wire_put_u64(&body, (uint64_t)reader->place.seen_us);
	reader->asked =
	    ipc_send(reader->ipc, MSG_JOURNAL_READ, 0, &body, NULL, 0) == 0;
	wire_free(&body);
}

static void
on_settle(uv_timer_t *timer)
{
	struct journal_reader *reader = timer->data;

	settle(reader);
	ask(reader);
}

/* The same for the same line, whenever: RFC 9562 section 5.8. */
static void
id_of_line(const char *cursor, char id[static UUID_LEN])
{
	static const char form[] = "xxxxxxxx-xxxx-8xxx-9xxx-xxxxxxxxxxxx";
	const char *line = journal_cursor_line(cursor);
	unsigned char hash[EVP_MAX_MD_SIZE];
	size_t i, digit = 0;

	if (EVP_Digest(line, strlen(line), hash, NULL, EVP_sha256(), NULL) != 1)
		fatal("no SHA-256");
	for (i = 0; form[i] != '\0'; i++) {
		id[i] = form[i];
		if (form[i] != 'x')
			continue;
		id[i] = "0123456789abcdef"[hash[digit / 2] >>
			(digit % 2 == 0 ? 4 : 0) &
		    0xf];
		digit++;
	}
	id[i] = '\0';
}

static void
missing(struct journal_reader *reader)
{
	struct source_record r = {
		.service = "SYSTEM", .event = "GENERIC", .username = "_hfaudit"
	};
	static const char why[] = "the journal no longer has what followed the "
				  "last line that was read";

	log_warn("audit.lost", "lines of the journal may be missing: %s", why);
	/* clang-format off */
	r.event_data = json_pack("{s:s, s:n, s:s, s:I}", "type", "LOST",
	    "count", "why", why, "since_us",
	    (json_int_t)reader->place.seen_us);
	/* clang-format on */
	source_append(reader->audit->sources, &r);
}

/* False: it is malformed. */
/* To who looks at the console's messages. */
static void
show(struct journal_reader *reader, const struct words_sender *sender,
    const char *identifier, const char *text, size_t len)
{
	char *line = xasprintf("%s[%d]: %.*s", identifier, (int)sender->pid,
	    (int)(len < CONSOLE_TEXT_MAX ? len : CONSOLE_TEXT_MAX), text);
	struct console_said said = { .pid = sender->pid,
		.uid = sender->uid,
		.text = line,
		.len = strlen(line) };

	if (!reader->again)
		console_line(reader->audit->console, &said);
	free(line);
}

static bool
take_line(struct journal_reader *reader, struct wire_in *body)
{
	char *cursor = wire_get_str(body, JOURNAL_CURSOR - 1);
	int64_t time_us = (int64_t)wire_get_u64(body);
	pid_t pid = (pid_t)wire_get_u32(body);
	uid_t uid = (uid_t)wire_get_u32(body);
	char *program = wire_get_str(body, JOURNAL_NAME);
	char *identifier = wire_get_str(body, JOURNAL_NAME);
	char id[UUID_LEN];
	struct words_sender sender = { .pid = pid,
		.uid = uid,
		.program = program,
		.origin = { .audit_id = id,
		    .time_us = time_us,
		    .again = reader->again } };
	const char *text;
	size_t len;
	bool good;

	text = wire_get_bytes(body, &len);
	good = !body->bad;
	if (good) {
		id_of_line(cursor, id);
		words_said(
		    reader->audit->words, &sender, identifier, text, len);
		show(reader, &sender, identifier, text, len);
		memcpy(reader->place.cursor, cursor, strlen(cursor) + 1);
		reader->place.since_us = time_us;
	}
	free(cursor);
	free(program);
	free(identifier);
	return good;
}

static bool
take_lines(struct journal_reader *reader, struct wire_in *body)
{
	uint8_t flags = wire_get_u8(body);
	int64_t seen_us = (int64_t)wire_get_u64(body);
	uint32_t i, count = wire_get_u32(body);

	if (!body->bad && (flags & JOURNAL_GAP))
		missing(reader);
	for (i = 0; i < count && !body->bad; i++)
		if (!take_line(reader, body))
			break;
	if (wire_end(body) == -1)
		return false;
	reader->place.seen_us = seen_us;
	if (flags & JOURNAL_END)
		reader->again = false;
	return true;
}

static void
drop_peer(struct journal_reader *reader)
{
	ipc_free(reader->ipc);
	reader->ipc = NULL;
	reader->asked = false;
}

static void
on_message(struct ipc *ipc, struct ipc_msg *message, void *arg)
{
	struct journal_reader *reader = arg;

	(void)ipc;
	if (message->type != MSG_JOURNAL_LINES || !reader->asked ||
	    !take_lines(reader, &message->body)) {
		log_warn("audit.peer", "journal: a malformed message");
		drop_peer(reader);
		return;
	}
	reader->asked = false;
	settle_later(reader);
	ask(reader);
}

static void
on_closed(struct ipc *ipc, const char *reason, void *arg)
{
	(void)ipc;
	if (reason != NULL)
		log_warn("audit.peer", "journal: %s", reason);
	drop_peer(arg);
}

void
journal_reader_committed(struct journal_reader *reader)
{
	/* What was summed is in no line any more. */
	if (reader != NULL && !reader->settling &&
	    sources_summed(reader->audit->sources, false))
		settle(reader);
}

/* --- Life -------------------------------------------------------------------- */

struct journal_reader *
journal_reader_new(struct audit *audit, uv_loop_t *loop)
{
	struct journal_reader *reader = xcalloc(1, sizeof(*reader));

	reader->audit = audit;
	reader->again = kept_read(reader);
	if (!reader->again)
		begin(reader);
	uv_timer_init(loop, &reader->settle);
	reader->settle.data = reader;
	return reader;
}

void
journal_reader_peer(struct journal_reader *reader, int fd)
{
	static const struct ipc_callbacks callbacks = { on_message, on_closed };

	drop_peer(reader);
	reader->ipc = ipc_new(&reader->audit->loop, fd, ROLE_AUDIT,
	    ROLE_JOURNAL, &callbacks, reader);
	ask(reader);
}

void
journal_reader_stop(struct journal_reader *reader)
{
	if (reader != NULL)
		settle(reader);
}

static void
closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
journal_reader_free(struct journal_reader *reader)
{
	if (reader == NULL)
		return;
	drop_peer(reader);
	uv_close((uv_handle_t *)&reader->settle, closed);
}
