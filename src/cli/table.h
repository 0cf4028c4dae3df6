/*
 * Tables of texts for people, with columns as wide as they need to be and as
 * the terminal allows.
 */
#ifndef HF_CLI_TABLE_H
#define HF_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

struct table	*table_new(size_t columns);
/* NULL is fine. */
void		 table_free(struct table *);

/* Numbers stand at the right. */
void		 table_right(struct table *, size_t column);
/*
 * The texts of a row, one a column, in any form; the head is the first row.
 * NULL is the empty text.
 */
void		 table_row(struct table *, const char *const cells[]);

/* Leaves a column out, or says whether it is. */
void		 table_hide(struct table *, size_t column);
bool		 table_hidden(const struct table *, size_t column);
/* Whether it can be shown in that width with every text cut to some sense. */
bool		 table_fits(const struct table *, int width);
/* Prints it, indented, with long texts cut to fit into width. */
void		 table_print(FILE *, const struct table *, int indent,
		    int width);

#endif
