/*
 * Values of the API for people: see show.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/show.h"
#include "cli/table.h"
#include "cli/text.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define INDENT 2
#define COLUMNS_MAX 64 /* more are shown one below the other */

static void show(FILE *, const json_t *, int indent, int width);

static bool
is_date(const json_t *value)
{
	return json_object_size(value) == 1 &&
	    json_is_integer(json_object_get(value, "$date"));
}

/* {"$date": ms} in local time; 0 is no date. */
static char *
date_line(const json_t *date)
{
	time_t seconds = (time_t)(json_int(date, "$date", 0) / 1000);
	struct tm tm;
	char text[32];

	if (seconds == 0 || localtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return xstrdup("-");
	return xstrdup(text);
}

static bool
is_simple(const json_t *value)
{
	return !json_is_object(value) && !json_is_array(value);
}

static bool
is_simple_list(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		if (!is_simple(item))
			return false;
	return json_is_array(value);
}

static char *
list_line(const json_t *list)
{
	char *text = xstrdup(""), *longer, *one;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		one = show_line(item);
		longer = xasprintf("%s%s%s", text, i > 0 ? ", " : "", one);
		free(one);
		free(text);
		text = longer;
	}
	return text;
}

char *
show_line(const json_t *value)
{
	if (value == NULL)
		return xstrdup("");
	if (json_is_null(value))
		return xstrdup("-");
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (json_is_real(value))
		return xasprintf("%.6g", json_real_value(value));
	if (is_date(value))
		return date_line(value);
	if (is_simple_list(value))
		return list_line(value);
	return json_text(value);
}

/* The names of all members of all objects, in the order they come up. */
static json_t *
column_names(const json_t *list)
{
	json_t *names = json_object(), *object, *member;
	const char *name;
	size_t i;

	json_array_foreach(list, i, object)
		json_object_foreach(object, name, member)
			json_object_set_new(names, name, json_null());
	return names;
}

static bool
is_number_column(const json_t *list, const char *name)
{
	json_t *object, *value;
	bool numbers = false;
	size_t i;

	json_array_foreach(list, i, object) {
		value = json_object_get(object, name);
		if (json_is_number(value))
			numbers = true;
		else if (value != NULL && !json_is_null(value))
			return false;
	}
	return numbers;
}

static void
add_row(struct table *table, json_t *names, json_t *object)
{
	char *cells[COLUMNS_MAX];
	const char *name;
	size_t n = 0;
	json_t *ignored;

	json_object_foreach(names, name, ignored)
		cells[n++] = show_line(json_object_get(object, name));
	table_row(table, (const char *const *)cells);
	while (n > 0)
		free(cells[--n]);
}

/* NULL when there are too many columns for anybody to read. */
static struct table *
table_of(const json_t *list)
{
	json_t *names = column_names(list), *object;
	const char *heads[COLUMNS_MAX], *name;
	struct table *table = NULL;
	size_t n = 0, i;

	if (json_object_size(names) > COLUMNS_MAX)
		goto out;
	table = table_new(json_object_size(names));
	json_object_foreach(names, name, object) {
		if (is_number_column(list, name))
			table_right(table, n);
		heads[n++] = name;
	}
	table_row(table, heads);
	json_array_foreach(list, i, object)
		add_row(table, names, object);
out:
	json_decref(names);
	return table;
}

static bool
is_nested_column(const json_t *list, const char *name)
{
	json_t *object, *value;
	size_t i;

	json_array_foreach(list, i, object) {
		value = json_object_get(object, name);
		if (!is_simple(value) && !is_date(value) &&
		    !is_simple_list(value))
			return true;
	}
	return false;
}

/*
 * Leaves out columns, from the right and first those with values inside
 * values, until the table fits.
 */
static void
narrow(struct table *table, const json_t *list, int width)
{
	json_t *names = column_names(list), *ignored;
	const char *columns[COLUMNS_MAX], *name;
	size_t count = 0, i;
	int nested;

	json_object_foreach(names, name, ignored)
		columns[count++] = name;
	for (nested = 1; nested >= 0; nested--)
		for (i = count; i > 1 && !table_fits(table, width); i--)
			if (!nested || is_nested_column(list, columns[i - 1]))
				table_hide(table, i - 1);
	json_decref(names);
}

static void
print_hidden(
    FILE *file, const struct table *table, const json_t *list, int indent)
{
	json_t *names = column_names(list), *ignored;
	const char *name, *before = "Not shown: ";
	size_t i = 0;
	char *text;

	json_object_foreach(names, name, ignored) {
		if (!table_hidden(table, i++))
			continue;
		text_blanks(file, *before == ',' ? 0 : indent);
		text = text_clean(name, false);
		fprintf(file, "%s%s", before, text);
		free(text);
		before = ", ";
	}
	if (*before == ',')
		fputs("; --json has all\n", file);
	json_decref(names);
}

static void
show_list(FILE *file, const json_t *list, int indent, int width)
{
	struct table *table = table_of(list);
	json_t *object;
	size_t i;

	if (table != NULL &&
	    (json_array_size(list) > 1 || table_fits(table, width - indent))) {
		narrow(table, list, width - indent);
		table_print(file, table, indent, width);
		print_hidden(file, table, list, indent);
	} else {
		json_array_foreach(list, i, object) {
			if (i > 0)
				putc('\n', file);
			show(file, object, indent, width);
		}
	}
	table_free(table);
}

/* Each line of a text at the same column. */
static void
show_lines(FILE *file, const char *text, int column)
{
	char *clean = text_clean(text, true), *rest = clean, *line;
	bool first = true;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (rest == NULL && *line == '\0' && !first)
			break;
		text_blanks(file, first ? 0 : column);
		fputs(line, file);
		putc('\n', file);
		first = false;
	}
	free(clean);
}

/* What does not go in a line stands below its name. */
static bool
stands_below(const json_t *value)
{
	if (json_is_object(value))
		return json_object_size(value) > 0 && !is_date(value);
	return json_is_array(value) && !is_simple_list(value);
}

static int
name_width(const char *name)
{
	char *clean = text_clean(name, false);
	int width = text_width(clean);

	free(clean);
	return width;
}

static void
show_member(FILE *file, const char *name, const json_t *value, int indent,
    int names_width, int width)
{
	char *text = text_clean(name, false), *line;

	text_blanks(file, indent);
	fputs(text, file);
	if (stands_below(value)) {
		putc('\n', file);
		show(file, value, indent + INDENT, width);
	} else {
		line = show_line(value);
		if (*line != '\0')
			text_blanks(
			    file, names_width - text_width(text) + INDENT);
		show_lines(file, line, indent + names_width + INDENT);
		free(line);
	}
	free(text);
}

static void
show_object(FILE *file, const json_t *object, int indent, int width)
{
	json_t *value, *borrowed = (json_t *)(uintptr_t)object;
	const char *name;
	int widest = 0;

	json_object_foreach(borrowed, name, value)
		if (!stands_below(value) && name_width(name) > widest)
			widest = name_width(name);
	json_object_foreach(borrowed, name, value)
		show_member(file, name, value, indent, widest, width);
}

static bool
is_list_of_objects(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		if (!json_is_object(item) || is_date(item))
			return false;
	return json_array_size(value) > 0;
}

static void
show(FILE *file, const json_t *value, int indent, int width)
{
	char *text;
	json_t *item;
	size_t i;

	if (json_is_object(value) && stands_below(value)) {
		show_object(file, value, indent, width);
	} else if (is_list_of_objects(value)) {
		show_list(file, value, indent, width);
	} else if (json_array_size(value) > 0) {
		json_array_foreach(value, i, item)
			show(file, item, indent, width);
	} else {
		text_blanks(file, indent);
		text =
		    json_is_array(value) ? xstrdup("(none)") : show_line(value);
		show_lines(file, text, indent);
		free(text);
	}
}

void
show_value(FILE *file, const json_t *value, int width)
{
	if (json_is_null(value))
		fputs("null\n", file);
	else
		show(file, value, 0, width);
}
