/*
 * What the system log says of logins and of files: see source_words.h.
 */
#include "audit/source_words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/tally.h"
#include "lib/xalloc.h"

#define TURN_MS 5000
#define FILES_SINGLY 600 /* of a user, a minute; then a sum */
#define KNOWN_MAX 256
#define PIDS_MAX 64
#define PROBES_MAX 8
#define PROBE_MS 120000 /* within which it has to take its leave */

/* A part of a line. */
struct part {
	const char *text;
	size_t len;
};

/* --- sshd's lines ----------------------------------------------------------- */

static bool
takes(struct part *part, const char *begin)
{
	size_t len = strlen(begin);

	if (part->len < len || memcmp(part->text, begin, len) != 0)
		return false;
	part->text += len;
	part->len -= len;
	return true;
}

static bool
takes_end(struct part *part, const char *end)
{
	size_t len = strlen(end);

	if (part->len < len ||
	    memcmp(part->text + part->len - len, end, len) != 0)
		return false;
	part->len -= len;
	return true;
}

/* What stands behind the last such text; the part then ends before it. */
static bool
takes_last(struct part *part, const char *mark, struct part *behind)
{
	size_t len = strlen(mark), at;

	for (at = part->len; at-- > 0;) {
		if (part->len - at < len ||
		    memcmp(part->text + at, mark, len) != 0)
			continue;
		behind->text = part->text + at + len;
		behind->len = part->len - at - len;
		part->len = at;
		return true;
	}
	return false;
}

static void
keep(char *to, size_t size, const struct part *part)
{
	(void)snprintf(to, size, "%.*s",
	    (int)(part->len < size ? part->len : size - 1), part->text);
}

static bool
all(const struct part *part, int (*is)(int))
{
	size_t i;

	for (i = 0; i < part->len; i++)
		if (!is((unsigned char)part->text[i]))
			return false;
	return part->len > 0;
}

static int
is_of_address(int c)
{
	return isalnum(c) || c == '.' || c == ':' || c == '-' || c == '_' ||
	    c == '%';
}

/* "NAME from ADDRESS" (or with another mark between), to the end. */
static bool
take_from(struct part part, const char *mark, struct words *words)
{
	struct part address;

	if (!takes_last(&part, mark, &address) || !all(&address, is_of_address))
		return false;
	keep(words->address, sizeof(words->address), &address);
	(void)(takes(&part, "invalid user ") || takes(&part, "illegal user "));
	keep(words->user, sizeof(words->user), &part);
	return true;
}

/* "... port NUMBER", to the end. */
static bool
take_port(struct part *part)
{
	struct part rest = *part, number;

	if (!takes_last(&rest, " port ", &number) || !all(&number, isdigit))
		return false;
	*part = rest;
	return true;
}

/*
 * "METHOD for NAME from ADDRESS port NUMBER ssh2", and of a key ": KEY".  What
 * follows is the client's own choice when it is a certificate: then it is told
 * only when there is no other way to read it.
 */
static bool
take_method(struct part part, struct words *words)
{
	struct part whole = part, behind, name;
	size_t space;

	space = 0;
	while (space < part.len && part.text[space] != ' ')
		space++;
	name = (struct part){ part.text, space };
	keep(words->how, sizeof(words->how), &name);
	part.text += space;
	part.len -= space;
	/* Each client tries the first; of the second PAM says more. */
	if (!takes(&part, " for ") || strcmp(words->how, "none") == 0 ||
	    strncmp(words->how, "keyboard-", 9) == 0)
		return false;
	words->address[0] = '\0';
	keep(words->user, sizeof(words->user), &part);
	if (takes_end(&part, " ssh2"))
		return take_port(&part) && take_from(part, " from ", words);
	if (!takes_last(&part, " ssh2: ", &behind))
		return false;
	whole = part;
	if (takes_last(&whole, " ssh2: ", &behind))
		return true;
	return take_port(&part) && take_from(part, " from ", words);
}

/* PAM's reason for NAME from ADDRESS. */
static bool
take_reason(struct part part, struct words *words)
{
	size_t at;

	for (at = 0; at < part.len && at < 128; at++) {
		struct part rest = { part.text + at, part.len - at };

		if (takes(&rest, " for "))
			return take_from(rest, " from ", words);
	}
	return false;
}

/* One that went away; of one that is logged in, that is no news. */
static bool
take_end(struct part part, struct words *words)
{
	struct part rest = part;

	if (!takes(&part, "authenticating user ") &&
	    !takes(&rest, "invalid user "))
		return false;
	return take_port(&part) && take_from(part, " ", words);
}

/* How often there is " port NUMBER: "; *before ends with the last NUMBER. */
static size_t
count_ports(const struct part *part, struct part *before)
{
	struct part rest;
	size_t at, count = 0;

	for (at = 0; at < part->len; at++) {
		rest = (struct part){ part->text + at, part->len - at };
		if (!takes(&rest, " port "))
			continue;
		while (rest.len > 0 && isdigit((unsigned char)*rest.text)) {
			rest.text++;
			rest.len--;
		}
		*before = (struct part){ part->text, part->len - rest.len };
		count += takes(&rest, ": ");
	}
	return count;
}

/*
 * "... port NUMBER: REASON".  One reason has names that the client chose; if
 * it, or the name before it, looks like sshd's own words, nobody can tell
 * which of them are.
 */
static bool
take_reasoned(struct part part, struct words *words)
{
	static const char changed[] =
	    ": Change of username or service not allowed: (";
	struct part before, behind, whole = part;
	size_t count = count_ports(&part, &before);

	if (count == 0)
		return false;
	if (count == 1 || !takes_last(&part, changed, &behind))
		return take_end(before, words);
	if (!takes(&whole, "authenticating user ") &&
	    !takes(&whole, "invalid user "))
		return false;
	keep(words->user, sizeof(words->user), &whole);
	return true;
}

static bool
take_broken(struct part part, struct words *words)
{
	struct part whole = part;

	return (takes_end(&part, " timed out") && take_end(part, words)) ||
	    take_reasoned(whole, words);
}

static bool
take_exceeded(struct part part, struct words *words)
{
	return takes_end(&part, " ssh2") && take_port(&part) &&
	    take_from(part, " from ", words);
}

/* An account that there is, and what sshd_config says of it. */
static bool
take_not_allowed(struct part part, struct words *words)
{
	struct part reason;

	if (!takes_last(&part, " not allowed because ", &reason))
		return false;
	(void)snprintf(words->why, sizeof(words->why),
	    "Not allowed because %.*s",
	    (int)(reason.len < sizeof(words->why) ? reason.len :
						    sizeof(words->why)),
	    reason.text);
	if (!take_from(part, " from ", words))
		keep(words->user, sizeof(words->user), &part);
	return true;
}

static bool
take_denied(struct part part, struct words *words)
{
	if (!takes_end(&part, " by PAM account configuration"))
		return false;
	(void)snprintf(words->why, sizeof(words->why), "%s",
	    "PAM does not let this account in now");
	keep(words->user, sizeof(words->user), &part);
	return true;
}

/* What it showed was right. */
static bool
take_root(struct part part, struct words *words)
{
	(void)snprintf(words->user, sizeof(words->user), "root");
	(void)snprintf(
	    words->why, sizeof(words->why), "root may not log in so");
	if (!take_port(&part) || !all(&part, is_of_address))
		return false;
	keep(words->address, sizeof(words->address), &part);
	return true;
}

/*
 * Nobody knows who it was.  Until OpenSSH 9.7 its own process says so
 * ("ADDRESS port NUMBER"), then the one that listens.
 */
static bool
take_timeout(struct part part, struct words *words)
{
	struct part pid, to;
	char number[16];

	(void)snprintf(words->why, sizeof(words->why),
	    "It did not log in within the time that sshd gives");
	if (takes(&part, "connection from ")) {
		if (!takes_last(&part, ", pid = ", &pid) ||
		    !all(&pid, isdigit) || !takes_last(&part, " to ", &to))
			return false;
		keep(number, sizeof(number), &pid);
		words->pid = (pid_t)strtol(number, NULL, 10);
	} else if (!take_port(&part))
		return false;
	keep(words->address, sizeof(words->address), &part);
	return all(&part, is_of_address);
}

/* As OpenSSH 9.2 to 10.0 says it of logins from the level INFO on. */
/* "ADDRESS port NUMBER:11: TEXT", where 11 is RFC 4253's "by application". */
static bool
take_farewell(struct part part, struct words *words)
{
	struct part rest = { part.text, 0 };

	for (; part.len > 0 && !takes(&part, " port "); part.text++, part.len--)
		;
	rest = part;
	while (rest.len > 0 && isdigit((unsigned char)*rest.text)) {
		rest.text++;
		rest.len--;
	}
	if (!takes(&rest, ":11: "))
		return false;
	keep(words->why, sizeof(words->why), &rest);
	return true;
}

/* clang-format off */
static const struct {
	const char	*begin;
	bool		(*take)(struct part, struct words *);
	enum words_kind	 kind;
	bool		 stranger;	/* may be said by who talks to them */
} lines[] = {
	{ "Accepted ", take_method, WORDS_ACCEPTED, false },
	{ "Failed ", take_method, WORDS_REFUSED, true },
	{ "error: PAM: ", take_reason, WORDS_REFUSED, true },
	{ "User ", take_not_allowed, WORDS_REFUSED, true },
	{ "fatal: Access denied for user ", take_denied, WORDS_REFUSED, true },
	{ "ROOT LOGIN REFUSED FROM ", take_root, WORDS_GIVEN_UP, true },
	{ "error: maximum authentication attempts exceeded for ",
	  take_exceeded, WORDS_GIVEN_UP, true },
	{ "Connection closed by ", take_end, WORDS_GIVEN_UP, true },
	{ "Connection reset by ", take_end, WORDS_GIVEN_UP, true },
	{ "Disconnected from ", take_end, WORDS_GIVEN_UP, true },
	{ "Disconnecting ", take_reasoned, WORDS_GIVEN_UP, true },
	{ "Received disconnect from ", take_farewell, WORDS_FAREWELL, true },
	{ "Connection from ", take_broken, WORDS_GIVEN_UP, true },
	{ "fatal: Timeout before authentication for ",
	  take_timeout, WORDS_GIVEN_UP, false },
	{ "Timeout before authentication for ",
	  take_timeout, WORDS_GIVEN_UP, false }
};
/* clang-format on */

static int
is_of_function(int c)
{
	return islower(c) || c == '_';
}

/* "ssh_dispatch_run_fatal: Connection from ...": which of its functions. */
static void
skip_function(struct part *line)
{
	struct part name = *line, rest = *line;

	for (name.len = 0; name.len < line->len; name.len++)
		if (!is_of_function((unsigned char)name.text[name.len]))
			break;
	rest.text += name.len;
	rest.len -= name.len;
	if (name.len == 0 || !takes(&rest, ": "))
		return;
	name = rest;
	if (takes(&name, "Connection from "))
		*line = rest;
}

enum words_kind
words_parse(const char *text, size_t len, struct words *words)
{
	struct part line = { text, len };
	/* The part of sshd that strangers talk to may have said that. */
	bool stranger = takes_end(&line, " [preauth]");
	size_t i;

	memset(words, 0, sizeof(*words));
	skip_function(&line);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (takes(&line, lines[i].begin))
			return (lines[i].stranger || !stranger) &&
				lines[i].take(line, words) ?
			    lines[i].kind :
			    WORDS_NOTHING;
	return WORDS_NOTHING;
}

/* --- Records ---------------------------------------------------------------- */

struct known {
	uid_t uid;
	char name[WORDS_NAME]; /* "": free */
};

struct words_reader {
	struct sources *sources;
	struct login_failures *failures;
	struct tally *claims, *files;
	uv_timer_t timer;
	struct known known[KNOWN_MAX];
	size_t next_known;
	pid_t refused[PIDS_MAX]; /* of whom a refusal was told */
	size_t next_refused;
	struct probe {
		char token[64]; /* "": none */
		int64_t until;
		pid_t pid; /* whose client said it; 0: nobody yet */
	} probes[PROBES_MAX];
	size_t next_probe;
};

/* "sshd[7]: text": the program's name; line goes on behind. */
static bool
take_tag(struct part *line, char *program, size_t size)
{
	size_t at = 0;
	struct part name;

	while (at < line->len && line->text[at] != ':' &&
	    line->text[at] != '[' && line->text[at] != ' ')
		at++;
	name = (struct part){ line->text, at };
	keep(program, size, &name);
	while (at < line->len && line->text[at] != ':')
		at++;
	if (at + 2 > line->len || line->text[at + 1] != ' ')
		return false;
	line->text += at + 2;
	line->len -= at + 2;
	return true;
}

/* OpenSSH 9.8 and later have more than one program. */
static bool
is_sshd(const char *program)
{
	return strcmp(program, "sshd") == 0 ||
	    strcmp(program, "sshd-session") == 0 ||
	    strcmp(program, "sshd-auth") == 0;
}

static const char *
name_of(const struct words_reader *reader, uid_t uid)
{
	size_t i;

	if (uid == 0)
		return "root";
	for (i = 0; i < KNOWN_MAX; i++)
		if (reader->known[i].name[0] != '\0' &&
		    reader->known[i].uid == uid)
			return reader->known[i].name;
	return "";
}

void
words_know(struct words_reader *reader, uid_t uid, const char *name)
{
	struct known *known = NULL;
	size_t i;

	for (i = 0; i < KNOWN_MAX && known == NULL; i++)
		if (reader->known[i].name[0] != '\0' &&
		    reader->known[i].uid == uid)
			known = &reader->known[i];
	if (known == NULL)
		known = &reader->known[reader->next_known++ % KNOWN_MAX];
	known->uid = uid;
	(void)snprintf(known->name, sizeof(known->name), "%s", name);
}

static bool
was_refused(const struct words_reader *reader, pid_t pid)
{
	size_t i;

	for (i = 0; i < PIDS_MAX; i++)
		if (reader->refused[i] == pid)
			return true;
	return false;
}

void
words_expect(struct words_reader *reader, const char *token)
{
	struct probe *p = &reader->probes[reader->next_probe++ % PROBES_MAX];

	(void)snprintf(p->token, sizeof(p->token), "%s", token);
	p->until = boottime_ms() + PROBE_MS;
	p->pid = 0;
}

/* The word is used up by who says it first, which is the probe. */
static void
said_farewell(struct words_reader *reader, pid_t pid, const char *text)
{
	struct probe *p;
	size_t i;

	for (i = 0; i < PROBES_MAX; i++) {
		p = &reader->probes[i];
		if (p->token[0] == '\0' || strcmp(p->token, text) != 0)
			continue;
		p->token[0] = '\0';
		p->pid = boottime_ms() <= p->until ? pid : 0;
	}
}

static bool
was_probe(struct words_reader *reader, pid_t pid)
{
	size_t i;

	for (i = 0; i < PROBES_MAX; i++)
		if (reader->probes[i].pid == pid) {
			reader->probes[i].pid = 0;
			return true;
		}
	return false;
}

static void
refused(struct words_reader *reader, const struct words_sender *sender,
    enum words_kind kind, const struct words *words)
{
	char pid[16];
	struct login l = { .program = "sshd",
		.username = words->user,
		.target = words->user,
		.address =
		    words->address[0] != '\0' ? words->address : ".UNKNOWN",
		.session = pid,
		.tty = "ssh",
		.origin = sender->origin };

	pid_t whose = words->pid != 0 ? words->pid : sender->pid;
	bool before = was_refused(reader, whose);

	if (kind == WORDS_GIVEN_UP && before)
		return;
	if (!before)
		reader->refused[reader->next_refused++ % PIDS_MAX] = whose;
	(void)snprintf(pid, sizeof(pid), "%d", (int)whose);
	if (words->how[0] != '\0')
		l.how = words->how;
	l.why = words->why;
	if (words->why[0] == '\0')
		l.why = kind == WORDS_GIVEN_UP ?
		    "Nothing that it showed was accepted" :
		    "Authentication failure";
	if (kind == WORDS_GIVEN_UP && was_probe(reader, whose)) {
		l.why = "This machine looked at itself";
		source_login_probed(reader->sources, &l);
		return;
	}
	source_login_refused(reader->failures, &l);
}

/* His own words: nothing in them is believed, but that he sent them. */
static void
said(struct words_reader *reader, const struct words_sender *sender,
    const char *event, const char *type, const char *program,
    const struct part *text)
{
	const char *name = name_of(reader, sender->uid);
	struct source_record r = { .service = "SYSTEM",
		.event = event,
		.username = name,
		.origin = sender->origin,
		.success = true };
	char pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", (int)sender->pid);
	r.session = pid;
	/* clang-format off */
	r.event_data = json_pack("{s:s, s:I, s:I, s:o, s:o}", "type", type,
	    "uid", (json_int_t)sender->uid, "pid", (json_int_t)sender->pid,
	    "program", source_text(program, strlen(program)),
	    "text", source_text(text->text, text->len));
	/* clang-format on */
	source_append(reader->sources, &r);
}

static void
tell_sum(const struct tally_sum *sum, void *arg)
{
	struct words_reader *reader = arg;
	bool claim = strcmp(sum->what, "CLAIM") == 0;
	struct source_record r = { .service = "SYSTEM",
		.event = claim ? "GENERIC" : "SFTP",
		.username = sum->account,
		.sum = true,
		.success = true };

	r.event_data = json_pack("{s:s, s:I, s:I}", "type", sum->what, "count",
	    (json_int_t)sum->count, "seconds",
	    (json_int_t)((sum->until - sum->from + 999) / 1000));
	source_append(reader->sources, &r);
}

static void
turn(uv_timer_t *timer)
{
	struct words_reader *reader = timer->data;
	bool claims = tally_turn(reader->claims, boottime_ms());

	if (!tally_turn(reader->files, boottime_ms()) && !claims)
		uv_timer_stop(timer);
}

/* The name, or the number where it has none. */
static bool
singly(struct words_reader *reader, struct tally *tally, const char *what,
    const struct words_sender *sender)
{
	char account[TALLY_TEXT];
	const char *name = name_of(reader, sender->uid);

	(void)snprintf(account, sizeof(account), "%s", name);
	if (*name == '\0')
		(void)snprintf(
		    account, sizeof(account), "#%u", (unsigned)sender->uid);
	if (!uv_is_active((uv_handle_t *)&reader->timer))
		uv_timer_start(&reader->timer, turn, TURN_MS, TURN_MS);
	return tally_one(tally, boottime_ms(), what, account, "");
}

/* Begins of the lines of sftp that tell of a file; closed, with its bytes. */
static const char *const files[] = { "close ", "forced close ", "remove ",
	"rename ", "posix-rename ", "mkdir ", "rmdir ", "symlink ", "hardlink ",
	"set ", "session opened ", "session closed ", NULL };

static void
file_line(struct words_reader *reader, const struct words_sender *sender,
    const char *program, const struct part *line)
{
	struct part rest = *line;
	size_t i;

	for (i = 0; files[i] != NULL; i++)
		if (takes(&rest, files[i]))
			break;
	if (files[i] != NULL && singly(reader, reader->files, "SFTP", sender))
		said(reader, sender, "SFTP", "SFTP", program, line);
}

/* Root may run what he likes; what only says that it is sshd is his words. */
static bool
believed(const struct words_sender *sender)
{
	return sender->uid == 0 &&
	    (sender->program == NULL || *sender->program == '\0' ||
		is_sshd(sender->program));
}

void
words_said(struct words_reader *reader, const struct words_sender *sender,
    const char *tag, const char *text, size_t len)
{
	struct part line = { text, len };
	enum words_kind kind;
	struct words words;

	if (strcmp(tag, "internal-sftp") == 0 ||
	    strcmp(tag, "sftp-server") == 0) {
		file_line(reader, sender, tag, &line);
		return;
	}
	if (!is_sshd(tag))
		return;
	kind = words_parse(text, len, &words);
	if (kind == WORDS_FAREWELL && believed(sender))
		said_farewell(reader, sender->pid, words.why);
	if (kind == WORDS_NOTHING || kind == WORDS_FAREWELL)
		return;
	if (!believed(sender)) {
		if (singly(reader, reader->claims, "CLAIM", sender))
			said(reader, sender, "GENERIC", "CLAIM", tag, &line);
	} else if (kind != WORDS_ACCEPTED)
		refused(reader, sender, kind, &words);
}

void
words_line(struct words_reader *reader, const struct words_sender *sender,
    const char *text, size_t len)
{
	struct part line = { text, len };
	char tag[32];

	if (take_tag(&line, tag, sizeof(tag)))
		words_said(reader, sender, tag, line.text, line.len);
}

/* --- Life ------------------------------------------------------------------- */

struct words_reader *
words_reader_new(
    uv_loop_t *loop, struct sources *sources, struct login_failures *failures)
{
	struct words_reader *reader = xcalloc(1, sizeof(*reader));

	reader->sources = sources;
	reader->failures = failures;
	reader->claims = tally_new(TALLY_SINGLY, tell_sum, reader);
	reader->files = tally_new(FILES_SINGLY, tell_sum, reader);
	uv_timer_init(loop, &reader->timer);
	reader->timer.data = reader;
	return reader;
}

void
words_reader_flush(struct words_reader *reader)
{
	tally_flush(reader->claims);
	tally_flush(reader->files);
}

static void
closed(uv_handle_t *handle)
{
	struct words_reader *reader = handle->data;

	tally_free(reader->claims);
	tally_free(reader->files);
	free(reader);
}

void
words_reader_free(struct words_reader *reader)
{
	if (reader != NULL)
		uv_close((uv_handle_t *)&reader->timer, closed);
}
