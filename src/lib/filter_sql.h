/*
 * The second back end of filters: a filter and its options as a statement of
 * SQLite, over a table with entries as JSON texts.  It finds what query_run
 * finds, in the same order; a unit test compares both.
 *
 * Nothing that a user sent becomes part of a statement's text: values, paths
 * and whole conditions are bound to parameters.
 */
#ifndef HF_FILTER_SQL_H
#define HF_FILTER_SQL_H

#include <jansson.h>
#include <sqlite3.h>

#include "lib/filter.h"

/*
 * A column that repeats a member of the entries, so that an index over it can
 * be used and the entry need not be read.  In every entry the member is of the
 * type given, or null, or absent; the column is then NULL.  JSON_STRING: text,
 * compared as BINARY; JSON_INTEGER: an integer; JSON_TRUE: a truth, 0 or 1;
 * JSON_OBJECT: a time, its "$date" as an integer.
 */
struct filter_sql_column {
	const char	*field;		/* NULL ends the list */
	const char	*column;
	json_type	 type;
};

/* What to search; these texts are the program's own. */
struct filter_sql {
	const char	*table;
	/* Column with the entry, as json_write wrote it; or what makes it. */
	const char	*document;
	/* What a step gives of a row; NULL: the document. */
	const char	*row;
	/*
	 * How entries stand before they are sorted: "rowid".  NULL: rows come
	 * as they come, whatever the options' order_by.
	 */
	const char	*order;
	/*
	 * A condition on the rows beside the filter, or NULL; its parameters
	 * (so many, ?1 the first) are bound by the caller.
	 */
	const char	*where;
	size_t		 parameters;
	const struct filter_sql_column	*columns;	/* or NULL */
};

/* Makes the functions known that statements use; SQLite's code. */
int	 filter_sql_register(sqlite3 *);
/*
 * The statement, ready to be stepped: each row an entry (its text), or with
 * "count" one row, the number.  NULL on failure (sqlite3_errmsg).  Filter and
 * options must outlive it.  A step that fails because the filter gave up
 * leaves filter_problem.
 */
sqlite3_stmt	*filter_sql_prepare(sqlite3 *, const struct filter_sql *,
		    const struct filter *, const struct query_options *);
/*
 * What is left to be done with the entries found: query_run with these and no
 * filter.  Selects, and cuts where a number below 0 counts from the end.
 */
struct query_options	 filter_sql_rest(const struct query_options *);

#endif
