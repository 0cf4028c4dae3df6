/*
 * Comma-separated values: see csv.h.
 */
#include "cli/csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* One field; *out has room for all that is left. */
static int
read_field(struct csv *c, char *out)
{
	bool quoted = *c->at == '"';

	if (quoted)
		c->at++;
	while (*c->at != '\0') {
		if (quoted && *c->at == '"') {
			if (*++c->at != '"')
				quoted = false;
			else
				*out++ = *c->at++;
			continue;
		}
		if (!quoted && strchr(",\r\n", *c->at) != NULL)
			break;
		if (*c->at == '\n')
			c->lines++;
		*out++ = *c->at++;
	}
	*out = '\0';
	return quoted ? -1 : 0;
}

static void
end_of_line(struct csv *c)
{
	if (*c->at == '\r')
		c->at++;
	if (*c->at == '\n')
		c->at++;
	c->lines++;
}

json_t *
csv_read(struct csv *c)
{
	json_t *record = json_array(), *text;
	char *field;

	c->problem = NULL;
	while (*c->at == '\r' || *c->at == '\n')
		end_of_line(c);
	c->line = c->lines + 1;
	field = xmalloc(strlen(c->at) + 1);
	while (*c->at != '\0') {
		if (read_field(c, field) == -1)
			c->problem = "a quote is not closed";
		else if ((text = json_string(field)) == NULL)
			c->problem = "no UTF-8";
		else
			json_array_append_new(record, text);
		if (*c->at != ',' || c->problem != NULL)
			break;
		c->at++;
	}
	free(field);
	if (*c->at != '\0')
		end_of_line(c);
	if (c->problem == NULL && json_array_size(record) > 0)
		return record;
	json_decref(record);
	return NULL;
}

void
csv_write(FILE *file, const json_t *texts)
{
	const char *text;
	json_t *one;
	size_t i;

	json_array_foreach(texts, i, one) {
		text = json_string_value(one);
		if (i > 0)
			putc(',', file);
		if (strpbrk(text, ",\"\r\n") == NULL) {
			fputs(text, file);
			continue;
		}
		putc('"', file);
		for (; *text != '\0'; text++) {
			if (*text == '"')
				putc('"', file);
			putc(*text, file);
		}
		putc('"', file);
	}
	putc('\n', file);
}
