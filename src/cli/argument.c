/*
 * What the command line takes as parameters of a method: see argument.h.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/argument.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define INPUT_MAX ((size_t)16 * 1024 * 1024)

/* Of standard input when it is "-"; NULL: there is no text there. */
static char *
text_of(const char *argument)
{
	char *text;
	size_t len;

	if (strcmp(argument, "-") != 0)
		return xstrdup(argument);
	if (file_read_fd(STDIN_FILENO, INPUT_MAX, &text, &len) == -1)
		return NULL;
	if (memchr(text, '\0', len) == NULL)
		return text;
	freezero(text, len);
	return NULL;
}

/* START, ssh, or /mnt/tank: nobody mistyped an object there. */
static bool
is_word(const char *text)
{
	return (isalpha((unsigned char)*text) || *text == '/') &&
	    strpbrk(text, "\"'{}[]:, \t\n\\") == NULL;
}

json_t *
argument_json(const char *argument, const char **problem)
{
	char *text = text_of(argument);
	json_t *value = NULL;

	if (text == NULL)
		*problem = "standard input can not be read as a text";
	else
		value = json_parse(text, strlen(text), problem);
	if (text != NULL && value == NULL && is_word(text))
		value = json_string(text);
	freezero_str(text);
	return value;
}

json_t *
argument_or_text(const char *argument, const char **problem)
{
	char *text = text_of(argument);
	json_t *value = NULL;

	*problem = "standard input can not be read as a text";
	if (text != NULL &&
	    (value = json_parse(text, strlen(text), NULL)) == NULL) {
		value = json_string(text);
		*problem = "no UTF-8";
	}
	freezero_str(text);
	return value;
}
