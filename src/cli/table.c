/*
 * Tables of texts for people: see table.h.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "cli/text.h"
#include "lib/xalloc.h"

#define GAP 2 /* blanks between columns */
#define CUT_MIN 8 /* a column is not cut below this */

struct table {
	size_t columns, rows;
	bool *right, *hidden; /* of each column */
	int *widths; /* of the widest text in it */
	char **cells;
};

struct table *
table_new(size_t columns)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->columns = columns;
	table->right = xcalloc(columns + 1, sizeof(*table->right));
	table->hidden = xcalloc(columns + 1, sizeof(*table->hidden));
	table->widths = xcalloc(columns + 1, sizeof(*table->widths));
	return table;
}

void
table_free(struct table *table)
{
	size_t i;

	if (table == NULL)
		return;
	for (i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->right);
	free(table->hidden);
	free(table->widths);
	free(table);
}

void
table_right(struct table *table, size_t column)
{
	table->right[column] = true;
}

void
table_hide(struct table *table, size_t column)
{
	table->hidden[column] = true;
}

bool
table_hidden(const struct table *table, size_t column)
{
	return table->hidden[column];
}

void
table_row(struct table *table, const char *const cells[])
{
	size_t at = table->rows * table->columns, i;
	char *text;
	int width;

	table->rows++;
	table->cells = xreallocarray(table->cells,
	    table->rows * table->columns + 1, sizeof(*table->cells));
	for (i = 0; i < table->columns; i++) {
		text = text_clean(cells[i] != NULL ? cells[i] : "", false);
		width = text_width(text);
		if (width > table->widths[i])
			table->widths[i] = width;
		table->cells[at + i] = text;
	}
}

/* Of all columns with the gaps between them. */
static int
total(const struct table *table, const int *widths)
{
	int sum = 0;
	size_t i;

	for (i = 0; i < table->columns; i++)
		if (!table->hidden[i])
			sum += widths[i] + (sum > 0 ? GAP : 0);
	return sum;
}

/* The widest column that is shown. */
static size_t
widest(const struct table *table, const int *widths)
{
	size_t found = 0, i;

	for (i = 0; i < table->columns; i++)
		if (!table->hidden[i] &&
		    (table->hidden[found] || widths[i] > widths[found]))
			found = i;
	return found;
}

/*
 * Makes the widest column narrower, again and again, until all fit or none
 * may lose more.  Whether they fit; widths has as many as there are columns.
 */
static bool
fit(const struct table *table, int width, int *widths)
{
	size_t column;
	int over;

	memcpy(widths, table->widths, table->columns * sizeof(*widths));
	for (over = total(table, widths) - width; over > 0; over--) {
		column = widest(table, widths);
		if (widths[column] <= CUT_MIN)
			return false;
		widths[column]--;
	}
	return true;
}

bool
table_fits(const struct table *table, int width)
{
	int *widths = xcalloc(table->columns + 1, sizeof(*widths));
	bool fits = fit(table, width, widths);

	free(widths);
	return fits;
}

/* Nothing stands behind the last text of a row. */
static void
print_row(FILE *file, const struct table *table, size_t row, const int *widths)
{
	char *const *cells = table->cells + row * table->columns, *text;
	int blanks = 0, rest;
	size_t i;

	for (i = 0; i < table->columns; i++) {
		if (table->hidden[i])
			continue;
		text = text_cut(xstrdup(cells[i]), widths[i]);
		rest = widths[i] - text_width(text);
		if (*text != '\0') {
			text_blanks(file, blanks);
			text_blanks(file, table->right[i] ? rest : 0);
			fputs(text, file);
			blanks = table->right[i] ? GAP : GAP + rest;
		} else
			blanks += GAP + rest;
		free(text);
	}
	putc('\n', file);
}

void
table_print(FILE *file, const struct table *table, int indent, int width)
{
	int *widths = xcalloc(table->columns + 1, sizeof(*widths));
	size_t row;

	(void)fit(table, width - indent, widths);
	for (row = 0; row < table->rows; row++) {
		text_blanks(file, indent);
		print_row(file, table, row, widths);
	}
	free(widths);
}
