/*
 * Console messages: see console.h.
 */
#include "audit/console.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "audit/audit_internal.h"
#include "audit/source.h"
#include "lib/json.h"
#include "lib/xalloc.h"

struct console {
	json_t *lines; /* the newest last */
	uint64_t last; /* the newest one's number */
	bool asked;
	uint32_t id;
	uint64_t after;
	void (*answer)(uint32_t id, json_t *, void *);
	void *arg;
};

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct console *
console_new(void (*answer)(uint32_t id, json_t *, void *), void *arg)
{
	struct console *console = xcalloc(1, sizeof(*console));

	console->lines = json_array();
	console->last = (uint64_t)now_us();
	console->answer = answer;
	console->arg = arg;
	return console;
}

void
console_free(struct console *console)
{
	if (console == NULL)
		return;
	json_decref(console->lines);
	free(console);
}

/* Those above the number that was asked from; they are numbered in a row. */
static void
answer(struct console *console)
{
	uint64_t count = json_array_size(console->lines), i = 0;
	uint64_t first = console->last + 1 - count;
	json_t *lines = json_array();

	if (console->after >= first)
		i = console->after - first + 1;
	for (; i < count; i++)
		json_array_append(lines, json_array_get(console->lines, i));
	console->asked = false;
	console->answer(console->id,
	    json_pack("{s:I, s:o}", "last", (json_int_t)console->last, "lines",
		lines),
	    console->arg);
}

void
console_line(struct console *console, const struct console_said *said)
{
	size_t len = said->len;

	if (len > CONSOLE_TEXT_MAX) {
		len = CONSOLE_TEXT_MAX;
		/* No character of UTF-8 is cut in two. */
		while (
		    len > 0 && ((unsigned char)said->text[len] & 0xc0) == 0x80)
			len--;
	}
	console->last++;
	/* clang-format off */
	json_array_append_new(console->lines, json_pack(
	    "{s:I, s:{s:I}, s:I, s:I, s:s?, s:s?, s:o}",
	    "number", (json_int_t)console->last,
	    "time", "$date", (json_int_t)(now_us() / 1000),
	    "pid", (json_int_t)said->pid, "uid", (json_int_t)said->uid,
	    "facility", said->facility, "severity", said->severity,
	    "text", source_text(said->text, len)));
	/* clang-format on */
	if (json_array_size(console->lines) > CONSOLE_LINES)
		json_array_remove(console->lines, 0);
	if (console->asked)
		answer(console);
}

void
console_ask(struct console *console, uint32_t id, uint64_t after)
{
	if (console->asked)
		answer(console);
	console->id = id;
	console->after = after;
	console->asked = true;
	if (json_array_size(console->lines) > 0 && console->last > after)
		answer(console);
}

void
console_forget(struct console *console)
{
	console->asked = false;
}

/* --- For the role ----------------------------------------------------------- */

static void
console_answer(uint32_t id, json_t *answer, void *arg)
{
	audit_answer_json(arg, id, answer);
}

void
audit_console_start(struct audit *audit)
{
	audit->console = console_new(console_answer, audit);
}

void
audit_console_message(struct audit *audit, struct ipc_msg *message)
{
	const char *text, *why;
	json_t *question = NULL;
	size_t len;

	text = wire_get_bytes(&message->body, &len);
	if (wire_end(&message->body) == 0)
		question = json_parse(text, len, &why);
	if (question == NULL)
		audit_answer(audit, message->id, EINVAL, "no question");
	else
		console_ask(audit->console, message->id,
		    (uint64_t)json_int(question, "after", 0));
	json_decref(question);
}
