/*
 * Values of the API for people, on a terminal.
 */
#ifndef HF_CLI_SHOW_H
#define HF_CLI_SHOW_H

#include <jansson.h>
#include <stdio.h>

/*
 * Prints a value for people: a list of objects as a table, without the columns
 * for which width has no room; an object, or the only one of a list where it
 * has too many columns, as names and values; anything else as a line.
 */
void	 show_value(FILE *, const json_t *, int width);

/*
 * A value in a line: a date in local time, a list with commas, the empty text
 * for NULL.  Free it.
 */
char	*show_line(const json_t *);

#endif
