/* What a unit complained of, from systemd's journal (sd-journal(3)). */
#include "monitor/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "lib/log.h"
#include "monitor/child.h"
#include "monitor/words.h"

#define ENTRIES_MAX 40
#define SECONDS_MAX 5
#define LINE_BYTES 512
/* The journal's own process needs a moment to write what it was sent. */
#define WAITS 8
#define WAIT_US 125000

struct question {
	char match[64];
};

/* NAME=value of the entry, encoded, into out; false when it has none. */
static bool
entry_field(sd_journal *journal, const char *name, char *out, size_t size)
{
	const char *text;
	const void *data;
	size_t len, head = strlen(name) + 1;

	if (sd_journal_get_data(journal, name, &data, &len) < 0 || len <= head)
		return false;
	text = (const char *)data + head;
	len -= head;
	log_encode(out, size, text, len < LINE_BYTES ? len : LINE_BYTES);
	return true;
}

/* Errors of the system log, and all of standard error: it has no levels. */
static bool
complains(sd_journal *journal)
{
	char text[16];

	if (entry_field(journal, "PRIORITY", text, sizeof(text)) &&
	    text[0] >= '0' && text[0] <= '3' && text[1] == '\0')
		return true;
	return entry_field(journal, "_TRANSPORT", text, sizeof(text)) &&
	    strcmp(text, "stdout") == 0;
}

static void
collect(sd_journal *journal, struct words *words)
{
	char line[LINE_BYTES * 4 + 1];
	int i;

	memset(words, 0, sizeof(*words));
	if (sd_journal_seek_tail(journal) < 0 ||
	    sd_journal_previous_skip(journal, ENTRIES_MAX) <= 0)
		return;
	for (i = 0; i < ENTRIES_MAX; i++) {
		if (complains(journal) &&
		    entry_field(journal, "MESSAGE", line, sizeof(line)))
			words_add(words, line);
		if (sd_journal_next(journal) <= 0)
			break;
	}
}

/* Else nobody keeps a journal here, and nothing will come. */
static bool
has_files(sd_journal *journal)
{
	return sd_journal_has_runtime_files(journal) > 0 ||
	    sd_journal_has_persistent_files(journal) > 0;
}

static int
ask_journal(void *arg, char *text, size_t size)
{
	static const int none[] = { -1 };
	const struct question *question = arg;
	struct words words = { 0 }, before;
	sd_journal *journal;
	int i;

	if (child_drop_capabilities(none) == -1 ||
	    sd_journal_open(
		&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0 ||
	    sd_journal_add_match(journal, question->match, 0) < 0)
		return -1;
	/* Until there is something, and then nothing more. */
	for (i = 0; i < WAITS && has_files(journal); i++) {
		before = words;
		collect(journal, &words);
		if (words.text[0] != '\0' &&
		    strcmp(words.text, before.text) == 0)
			break;
		sd_journal_wait(journal, WAIT_US);
	}
	snprintf(text, size, "%s", words.text);
	return 0;
}

void
journal_words(uv_loop_t *loop, const char *invocation,
    void (*done)(const char *, void *), void *arg)
{
	struct question question;

	snprintf(question.match, sizeof(question.match),
	    "_SYSTEMD_INVOCATION_ID=%s", invocation);
	child_ask(loop, ask_journal, &question, SECONDS_MAX, done, arg);
}
