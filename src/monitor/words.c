/*
 * The last words of a service: the newest lines in which it complained,
 * bounded and printable, for whoever asks why it ended.
 */
#include "monitor/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_SHOWN 240

/* Quotes and backslashes are harmless here; other escapes stay. */
static size_t
unquote(char *out, size_t size, const char *line)
{
	size_t n = 0;

	for (; *line != '\0' && n + 1 < size; line++) {
		if (line[0] == '\\' && (line[1] == '"' || line[1] == '\\'))
			line++;
		out[n++] = *line;
	}
	/* Not in the middle of a character. */
	if (*line != '\0')
		while (n > 0 && ((unsigned char)out[n - 1] & 0x80) != 0)
			n--;
	while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '.'))
		n--;
	out[n] = '\0';
	return n;
}

static bool
says_something(const char *text)
{
	for (; *text != '\0'; text++)
		if (isalnum((unsigned char)*text))
			return true;
	return false;
}

void
words_add(struct words *words, const char *line)
{
	char text[LINE_MAX_SHOWN], *at;
	size_t n, used = strlen(words->text);

	n = unquote(text, sizeof(text), line);
	if (!says_something(text) || strstr(words->text, text) != NULL)
		return;
	while (used > 0 && used + 2 + n >= sizeof(words->text)) {
		at = strstr(words->text, "; ");
		if (at == NULL)
			used = 0;
		else
			used -= (size_t)(at + 2 - words->text);
		memmove(words->text, at == NULL ? "" : at + 2, used + 1);
	}
	snprintf(words->text + used, sizeof(words->text) - used, "%s%s",
	    used > 0 ? "; " : "", text);
}

/* What stands behind "name[123]: ", of which the reader knows. */
static const char *
behind_tag(const char *text)
{
	size_t len = strcspn(text, " ");

	return len > 2 && text[len] == ' ' && text[len - 1] == ':' &&
		text[len - 2] == ']' ?
	    text + len + 1 :
	    text;
}

bool
words_syslog(const char *message, pid_t *pidp, bool *errorp, const char **textp)
{
	static const char *const errors[] = { ".emerg ", ".alert ", ".crit ",
		".err " };
	const char *severity, *text;
	char *end;
	long pid;
	size_t i;

	if (strncmp(message, "pid=", 4) != 0)
		return false;
	pid = strtol(message + 4, &end, 10);
	if (pid <= 0 || strncmp(end, " uid=", 5) != 0 ||
	    (severity = strchr(end + 5, '.')) == NULL ||
	    (text = strchr(severity, ' ')) == NULL)
		return false;
	*errorp = false;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strncmp(severity, errors[i], strlen(errors[i])) == 0)
			*errorp = true;
	*pidp = (pid_t)pid;
	*textp = behind_tag(text + 1);
	return true;
}
