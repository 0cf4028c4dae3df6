/*
 * What the file of the second factors is made of: see ssh_codes_file.h.
 */
#include "lib/ssh_codes_file.h"

#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"

/* The end of a word; in options a blank may stand between quotes. */
static size_t
word_length(const char *text)
{
	bool quoted = false;
	size_t i;

	for (i = 0; text[i] != '\0' && text[i] != '\n'; i++) {
		if (text[i] == '\\' && text[i + 1] == '"')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == ' ' || text[i] == '\t'))
			break;
	}
	return i;
}

/* No option is named so. */
static bool
is_type(const char *word)
{
	static const char *const begins[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-",
		"sk-ecdsa-sha2-", NULL };
	size_t i;

	for (i = 0; begins[i] != NULL; i++)
		if (strncmp(word, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* Is there one of the two among them, outside of quotes? */
static bool
restricts(const char *options, size_t len)
{
	static const char *const names[] = { "from=\"", "command=\"" };
	bool quoted = false, start = true;
	size_t i, n;

	for (i = 0; i < len; i++) {
		for (n = 0; start && n < sizeof(names) / sizeof(names[0]); n++)
			if (strncasecmp(
				options + i, names[n], strlen(names[n])) == 0)
				return true;
		start = !quoted && options[i] == ',';
		if (options[i] == '\\' && options[i + 1] == '"')
			i++;
		else if (options[i] == '"')
			quoted = !quoted;
	}
	return false;
}

static const char *
next_word(const char *word)
{
	word += word_length(word);
	return word + strspn(word, " \t");
}

/* One line; false: a key that nothing restricts. */
static bool
line_restricted(const char *line, json_t *keys)
{
	const char *type = is_type(line) ? line : next_word(line);
	const char *key = next_word(type);

	if (keys != NULL)
		json_array_append_new(keys,
		    json_sprintf("%.*s %.*s", (int)word_length(type), type,
			(int)word_length(key), key));
	return type != line && restricts(line, word_length(line));
}

bool
ssh_codes_restricted(const char *text, json_t *keys)
{
	bool any = false, all = true;
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		text += strspn(text, " \t\r");
		len = strcspn(text, "\n");
		if (len == 0 || *text == '#')
			continue;
		any = true;
		all = line_restricted(text, keys) && all;
	}
	return any && all;
}

/* A name, or a name and the two words of a key. */
static bool
line_valid(const char *line, size_t len)
{
	size_t i, blanks = 0;

	for (i = 0; i < len; i++) {
		if (line[i] == ' ')
			blanks++;
		else if (line[i] < '!' || line[i] > '~')
			return false;
		if (line[i] == ' ' &&
		    (i == 0 || i + 1 == len || line[i + 1] == ' '))
			return false;
	}
	return len > 0 && (blanks == 0 || blanks == 2);
}

int
ssh_codes_vet(const char *content, size_t len, char **whyp)
{
	const char *end = content + len, *nl;

	for (; content < end; content = nl + 1) {
		nl = memchr(content, '\n', (size_t)(end - content));
		if (nl == NULL ||
		    !line_valid(content, (size_t)(nl - content))) {
			*whyp = xstrdup("a line that names no account");
			return -1;
		}
	}
	return 0;
}
