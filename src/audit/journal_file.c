/*
 * Lines of systemd's journal: see journal_file.h.
 */
#include "audit/journal_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "lib/xalloc.h"

struct journal_file {
	sd_journal *journal;
	bool ready; /* the entry it is at was not given yet */
	char last[JOURNAL_CURSOR];
};

/* Whose lines source_words.c looks at. */
static const char *const wanted[] = { "SYSLOG_IDENTIFIER=sshd",
	"SYSLOG_IDENTIFIER=sshd-session", "SYSLOG_IDENTIFIER=sshd-auth",
	"SYSLOG_IDENTIFIER=internal-sftp", "SYSLOG_IDENTIFIER=sftp-server" };

/* What journald compresses long fields by; libsystemd loads them when asked. */
static const char *const libraries[] = { "libzstd.so.1", "liblz4.so.1",
	"liblzma.so.5" };

void
journal_file_prepare(void)
{
	size_t i;

	for (i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		(void)dlopen(libraries[i], RTLD_NOW | RTLD_NODELETE);
}

static int
match(sd_journal *journal)
{
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < sizeof(wanted) / sizeof(wanted[0]); i++)
		r = sd_journal_add_match(journal, wanted[i], 0);
	return r;
}

struct journal_file *
journal_file_open(const char *path)
{
	struct journal_file *file = xcalloc(1, sizeof(*file));
	int r;

	/* Users' own files too: what their sftp says is in them. */
	r = path != NULL ?
	    sd_journal_open_directory(&file->journal, path, 0) :
	    sd_journal_open(&file->journal, SD_JOURNAL_LOCAL_ONLY);
	if (r < 0)
		file->journal = NULL;
	if (r >= 0)
		r = sd_journal_set_data_threshold(
		    file->journal, JOURNAL_TEXT + sizeof("MESSAGE="));
	if (r >= 0)
		r = match(file->journal);
	if (r >= 0)
		r = sd_journal_get_fd(file->journal);
	if (r >= 0)
		return file;
	journal_file_close(file);
	errno = -r;
	return NULL;
}

void
journal_file_close(struct journal_file *file)
{
	if (file == NULL)
		return;
	sd_journal_close(file->journal);
	free(file);
}

int
journal_file_fd(const struct journal_file *file)
{
	return sd_journal_get_fd(file->journal);
}

bool
journal_file_changed(struct journal_file *file)
{
	return sd_journal_process(file->journal) == SD_JOURNAL_INVALIDATE;
}

bool
journal_file_is_kept(const struct journal_file *file)
{
	return sd_journal_has_runtime_files(file->journal) > 0 ||
	    sd_journal_has_persistent_files(file->journal) > 0;
}

/*
 * "s=FILE;i=NUMBER;b=BOOT;m=...;t=...;x=HASH": a line that journald moves to
 * another file (systemd-journald.service(8), --flush) has other first two.
 */
const char *
journal_cursor_line(const char *cursor)
{
	const char *boot = strstr(cursor, ";b=");

	return boot != NULL ? boot : cursor;
}

bool
journal_cursor_same(const char *a, const char *b)
{
	return strcmp(journal_cursor_line(a), journal_cursor_line(b)) == 0;
}

/* Of the entry it is at: 0, or a negative errno. */
static int
cursor_of(sd_journal *journal, char cursor[JOURNAL_CURSOR])
{
	char *text;
	int r = sd_journal_get_cursor(journal, &text);

	if (r < 0)
		return r;
	r = strlen(text) < JOURNAL_CURSOR ? 0 : -EBADMSG;
	if (r == 0)
		memcpy(cursor, text, strlen(text) + 1);
	free(text);
	return r;
}

/* Did journald drop what came since? */
static bool
begins_after(sd_journal *journal, int64_t seen_us)
{
	uint64_t from;

	return sd_journal_get_cutoff_realtime_usec(journal, &from, NULL) <= 0 ||
	    (int64_t)from > seen_us;
}

/* To the place, or behind it: whether its line is still there. */
static int
seek_line(struct journal_file *file, const char *cursor, bool *found)
{
	char there[JOURNAL_CURSOR];
	int r = sd_journal_seek_cursor(file->journal, cursor);

	*found = false;
	if (r < 0 || (r = sd_journal_next(file->journal)) <= 0)
		return r;
	if ((r = cursor_of(file->journal, there)) < 0)
		return r;
	*found = journal_cursor_same(there, cursor);
	file->ready = !*found;
	return 0;
}

int
journal_file_seek(
    struct journal_file *file, const struct journal_place *place, bool *gap)
{
	bool found = true;
	int r = 0;

	file->ready = false;
	memcpy(file->last, place->cursor, sizeof(file->last));
	if (place->cursor[0] != '\0')
		r = seek_line(file, place->cursor, &found);
	if (place->cursor[0] == '\0' || r < 0)
		r = sd_journal_seek_realtime_usec(
		    file->journal, (uint64_t)place->since_us);
	*gap = !found && begins_after(file->journal, place->seen_us);
	errno = -r;
	return r < 0 ? -1 : 0;
}

/* A field of the entry, borrowed until the next one is asked for. */
static bool
field(sd_journal *journal, const char *name, const char **textp, size_t *lenp)
{
	const size_t head = strlen(name) + 1;
	const void *data;

	if (sd_journal_get_data(journal, name, &data, lenp) < 0 || *lenp < head)
		return false;
	*textp = (const char *)data + head;
	*lenp -= head;
	return true;
}

/* At most size - 1 bytes, up to a NUL; "" when there is none. */
static void
name_of(sd_journal *journal, const char *name, char *to, size_t size)
{
	const char *text;
	size_t len;

	to[0] = '\0';
	if (field(journal, name, &text, &len))
		(void)snprintf(
		    to, size, "%.*s", (int)(len < size ? len : size - 1), text);
}

static bool
number_of(sd_journal *journal, const char *name, unsigned long *number)
{
	char text[16];

	name_of(journal, name, text, sizeof(text));
	if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
		return false;
	*number = strtoul(text, NULL, 10);
	return *number < UINT32_MAX;
}

/* False: nobody knows whose it is, or it says nothing. */
static bool
fields(sd_journal *journal, struct journal_line *line)
{
	unsigned long uid, pid;
	const char *text;
	uint64_t time;

	if (!number_of(journal, "_UID", &uid) ||
	    !number_of(journal, "_PID", &pid) || pid == 0 || pid > INT32_MAX ||
	    sd_journal_get_realtime_usec(journal, &time) < 0)
		return false;
	line->uid = (uid_t)uid;
	line->pid = (pid_t)pid;
	line->time_us = (int64_t)time;
	name_of(journal, "_COMM", line->program, sizeof(line->program));
	name_of(journal, "SYSLOG_IDENTIFIER", line->identifier,
	    sizeof(line->identifier));
	if (!field(journal, "MESSAGE", &text, &line->len))
		return false;
	if (line->len > sizeof(line->text))
		line->len = sizeof(line->text);
	memcpy(line->text, text, line->len);
	return true;
}

int
journal_file_next(struct journal_file *file, struct journal_line *line)
{
	int r;

	for (;;) {
		r = file->ready ? 1 : sd_journal_next(file->journal);
		file->ready = false;
		if (r > 0 && (r = cursor_of(file->journal, line->cursor)) == 0)
			r = 1;
		if (r <= 0) {
			errno = -r;
			return r < 0 ? -1 : 0;
		}
		/* The same one, in the file that it was moved to. */
		if (journal_cursor_same(line->cursor, file->last))
			continue;
		memcpy(file->last, line->cursor, sizeof(file->last));
		if (fields(file->journal, line))
			return 1;
	}
}
