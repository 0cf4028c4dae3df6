/*
 * Translates sshd's complaints for the sender of the auxiliary parameters.
 */
#include "services/ssh/ssh_complaint.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"
#include "services/ssh/directives.h"
#include "services/ssh/ssh_render.h"

#define COMPLAINT_MAX 400

/* What OpenSSH's servconf.c and the monitor's check are made of. */
/* clang-format off */
static const char *const vocabulary[] = {
	"a", "able", "above", "absolute", "accepted", "address", "after",
	"all", "allowed", "already", "an", "and", "another", "any", "are",
	"argument", "arguments", "at", "attribute", "attributes",
	"authentication", "bad", "badly", "be", "begin", "begins", "block",
	"bound", "by", "can", "carriage", "change", "channel", "character",
	"cipher", "command", "condition", "configuration", "connection",
	"contains", "control", "could", "criteria", "defined", "deprecated",
	"directive", "does", "duplicate", "empty", "end", "ends",
	"environment", "exist", "explicitly", "extra", "facility", "family",
	"few", "file", "folder", "for", "formatted", "has", "here", "host",
	"hostname", "in", "inappropriate", "incomplete", "integer",
	"interface", "invalid", "is", "it", "its", "kex", "key", "keys",
	"keyword", "keywords", "known", "large", "lead", "leads", "level",
	"limit", "line", "lines", "link", "list", "log", "long", "mac", "many",
	"match", "mechanisms", "method", "methods", "missing", "mode", "must",
	"name", "names", "needs", "negative", "newline", "no", "none", "not",
	"number", "numeric", "of", "on", "once", "one", "only", "option",
	"options", "or", "other", "others", "out", "path", "pattern", "plain",
	"port", "possible", "range", "read", "regular", "root", "routing",
	"same", "service", "set", "settings", "signature", "small", "spec",
	"specification", "ssh2", "string", "subsystem", "supported",
	"symbolic", "syntax", "than", "the", "time", "timeout", "to", "token",
	"tokens", "too", "type", "unknown", "unsupported", "user", "value",
	"values", "whitespace", "with", "within", "without", "would", "yes"
};
/* clang-format on */

static int
compare_words(const void *a, const void *b)
{
	return strcasecmp(a, *(const char *const *)b);
}

/* May the word be passed on? */
static bool
word_known(const char *word, const char *sent)
{
	const struct directive *d = directive_find(word, strlen(word));

	return d != NULL || strcasestr(sent, word) != NULL ||
	    bsearch(word, vocabulary,
		sizeof(vocabulary) / sizeof(vocabulary[0]),
		sizeof(vocabulary[0]), compare_words) != NULL;
}

/* The word without the quotes and marks around it. */
static char *
bare(const char *word)
{
	static const char marks[] = "\"'().,:;";
	const char *end = word + strlen(word);

	while (end > word && strchr(marks, end[-1]) != NULL)
		end--;
	while (word < end && strchr(marks, *word) != NULL)
		word++;
	return xstrndup(word, (size_t)(end - word));
}

/* The text with the words that are not to be passed on left out. */
static char *
passed_on(const char *text, const char *sent)
{
	char *copy = xstrdup(text), *rest = copy, *word, *plain, *longer;
	char *out = xstrdup("");
	bool known;

	while ((word = strsep(&rest, " ")) != NULL &&
	    strlen(out) < COMPLAINT_MAX) {
		plain = bare(word);
		known = *plain == '\0' || word_known(plain, sent);
		free(plain);
		longer = xasprintf("%s%s%s", out, *out == '\0' ? "" : " ",
		    known ? word : "...");
		free(out);
		out = longer;
	}
	free(copy);
	return out;
}

/* "... line 12: text": the number, and where the text begins; else 0. */
static unsigned int
numbered(const char *line, const char **textp)
{
	const char *p;
	char *after;
	unsigned long number;

	for (p = line; (p = strstr(p, "line ")) != NULL; p += 5) {
		if (p[5] < '0' || p[5] > '9')
			continue;
		number = strtoul(p + 5, &after, 10);
		if (number > 10000000)
			continue;
		*textp = after + strspn(after, ": ");
		return (unsigned int)number;
	}
	return 0;
}

/* Line `number` of a text; malloc'd. */
static char *
line_of(const char *text, unsigned int number)
{
	const char *p = text;

	while (number-- > 1 && *p != '\0') {
		p = strchrnul(p, '\n');
		if (*p == '\n')
			p++;
	}
	return xstrndup(p, strcspn(p, "\n"));
}

static bool
says_nothing(const char *line)
{
	return *line == '\0' || *line == '@' ||
	    strstr(line, "terminating,") != NULL ||
	    strstr(line, "Deprecated option") != NULL ||
	    strstr(line, "Unsupported option") != NULL;
}

/* One line of a complaint in the sender's terms, malloc'd; NULL: not his. */
static char *
about_a_line(const char *line, const char *rendered, const char *options)
{
	const char *text;
	char *sent, *words, *message;
	unsigned int number = numbered(line, &text);

	if (number != 0)
		number = ssh_render_sent_line(rendered, options, number);
	if (number == 0)
		return NULL;
	sent = line_of(options, number);
	words = passed_on(text, sent);
	message = xasprintf("line %u: %s", number, words);
	free(words);
	free(sent);
	return message;
}

/* The first line that says something and, if asked, names a sent line. */
static char *
first_message(const char *complaint, const char *rendered, const char *options,
    bool numbered_only)
{
	char *copy = xstrdup(complaint), *rest = copy, *line, *words;
	char *message = NULL;

	while (message == NULL && (line = strsep(&rest, "\n")) != NULL) {
		if (says_nothing(line))
			continue;
		if (numbered_only) {
			message = about_a_line(line, rendered, options);
			continue;
		}
		words = passed_on(line, options);
		message = xasprintf("sshd: %s", words);
		free(words);
	}
	free(copy);
	return message;
}

char *
ssh_complaint(const char *complaint, const char *rendered, const char *options)
{
	char *message;

	message = first_message(complaint, rendered, options, true);
	if (message == NULL)
		message = first_message(complaint, rendered, options, false);
	if (message == NULL)
		message = xstrdup("sshd refuses this configuration");
	return message;
}
