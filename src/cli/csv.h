/*
 * Comma-separated values (RFC 4180): records of lines, with quotes around what
 * has commas, quotes or newlines in it.
 */
#ifndef HF_CLI_CSV_H
#define HF_CLI_CSV_H

#include <jansson.h>
#include <stdio.h>

struct csv {
	const char	*at;		/* the rest; begin with the text */
	unsigned int	 line;		/* of the record that was read last */
	unsigned int	 lines;		/* read before; begin with 0 */
	const char	*problem;
};

/*
 * The next record as an array of texts, a new reference; empty lines are passed
 * over.  NULL at the end, or with problem set when a quote is not closed or a
 * text is no UTF-8.
 */
json_t	*csv_read(struct csv *);
/* Writes a record of texts. */
void	 csv_write(FILE *, const json_t *texts);

#endif
