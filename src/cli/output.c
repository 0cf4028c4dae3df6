/*
 * What the commands print: see output.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/show.h"
#include "cli/text.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* JSON stays JSON by these escapes: its texts are UTF-8. */
void
print_text(FILE *file, const char *text)
{
	char *clean = text_clean(text, true);

	fputs(clean, file);
	free(clean);
}

void
complain(const char *fmt, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, fmt);
	if (vasprintf(&text, fmt, arguments) == -1)
		abort();
	va_end(arguments);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	print_text(stderr, text);
	putc('\n', stderr);
	free(text);
}

void
print_json(FILE *file, const json_t *value)
{
	json_malloc_t allocate;
	json_free_t release;
	char *text;

	if (isatty(fileno(file)))
		text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
	else
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text == NULL) {
		complain("out of memory");
		return;
	}
	print_text(file, text);
	putc('\n', file);
	json_get_alloc_funcs(&allocate, &release);
	release(text);
}

void
print_result(const json_t *value, bool json)
{
	if (json || !isatty(STDOUT_FILENO))
		print_json(stdout, value);
	else
		show_value(stdout, value, text_columns(stdout));
}

/* [[attribute, message, errno], ...] of a validation error. */
static bool
print_validation(const json_t *extra)
{
	const char *attribute, *message;
	json_t *one;
	size_t i;

	if (json_array_size(extra) == 0)
		return false;
	json_array_foreach(extra, i, one)
		if (json_string_value(json_array_get(one, 1)) == NULL)
			return false;
	json_array_foreach(extra, i, one) {
		attribute = json_string_value(json_array_get(one, 0));
		message = json_string_value(json_array_get(one, 1));
		if (attribute == NULL || *attribute == '\0')
			complain("%s", message);
		else
			complain("%s: %s", attribute, message);
	}
	return true;
}

void
print_failure(const json_t *error, bool json)
{
	const json_t *data = json_object_get(error, "data");
	const char *message = json_str(error, "message", "unknown error");
	char *reason, *newline;

	if (json) {
		print_json(stderr, error);
		return;
	}
	if (json_int(error, "code", 0) == -32602 &&
	    print_validation(json_object_get(data, "extra")))
		return;
	reason = xstrdup(json_str(data, "reason", message));
	while ((newline = strrchr(reason, '\n')) != NULL && newline[1] == '\0')
		*newline = '\0';
	complain("%s", reason);
	free(reason);
}
