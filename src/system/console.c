/*
 * Console messages: see console.h.
 *
 * While somebody looks, the audit role is asked for what came behind the last
 * line that is here, and again a while after each answer: it says nothing
 * unasked.  What is kept here serves who comes to look later.
 */
#include "system/console.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit.h"
#include "core/core.h"
#include "core/event.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define KEPT_MAX 100 /* lines */
#define PAUSE_MS 250
#define PAUSE_FAILED_MS 2000

struct follower {
	struct follower *next;
	struct source *source;
};

static struct follower *followers;
static json_t *kept; /* lines, the newest last; NULL: none yet */
static json_int_t last; /* the newest one's number */
static bool asking; /* or about to */

static void ask(void *);

static void
tell(struct source *source, json_t *lines)
{
	event_source_send(
	    source, EVENT_ADDED, NULL, json_pack("{s:O}", "lines", lines));
}

static void
keep(json_t *lines)
{
	if (kept == NULL)
		kept = json_array();
	json_array_extend(kept, lines);
	while (json_array_size(kept) > KEPT_MAX)
		json_array_remove(kept, 0);
}

static void
answered(int error, const char *text, void *arg)
{
	json_t *answer = NULL, *lines;
	const struct follower *f, *next;
	const char *why;

	(void)arg;
	if (error == 0)
		answer = json_parse(text, strlen(text), &why);
	lines = json_object_get(answer, "lines");
	if (json_array_size(lines) > 0) {
		last = json_int(answer, "last", last);
		keep(lines);
		for (f = followers; f != NULL; f = next) {
			next = f->next;
			tell(f->source, lines);
		}
	}
	core_after(answer != NULL ? PAUSE_MS : PAUSE_FAILED_MS, ask, NULL);
	json_decref(answer);
}

/* Nobody looks any more: the next one begins it again. */
static void
ask(void *arg)
{
	json_t *question;

	(void)arg;
	asking = followers != NULL;
	if (!asking)
		return;
	question = json_pack("{s:I}", "after", last);
	audit_ask(MSG_AUDIT_CONSOLE, question, answered, NULL);
	json_decref(question);
}

void *
console_start(struct source *source, const json_t *arguments)
{
	struct follower *f = xcalloc(1, sizeof(*f));

	(void)arguments;
	f->source = source;
	f->next = followers;
	followers = f;
	if (json_array_size(kept) > 0)
		tell(source, kept);
	if (!asking)
		ask(NULL);
	return f;
}

void
console_stop(void *own)
{
	struct follower **at = &followers;

	while (*at != own)
		at = &(*at)->next;
	*at = ((struct follower *)own)->next;
	free(own);
}
