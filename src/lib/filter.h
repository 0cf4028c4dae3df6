/*
 * The API's query filters and options (shared wire language of every .query
 * method): parsed once into a tree, then evaluated over JSON in memory, or by
 * SQLite (filter_sql.h).
 */
#ifndef HF_FILTER_H
#define HF_FILTER_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/verr.h"

#define FILTER_TESTS_MAX	1000	/* conditions of one filter */
#define FILTER_REGEXES_MAX	20	/* of them with "~" */
#define QUERY_LIMIT_MAX		10000
#define QUERY_ORDER_MAX		16

struct filter;

/*
 * Parses query-filters (an array).  On a wrong one NULL, with errors added
 * under the given attribute ("filters").  Caller frees.
 */
struct filter	*filter_parse(const json_t *filters, const char *attribute,
		    struct verr *);
/*
 * The same in the language that the query-options (an object) choose: with
 * "force_sql_filters" there are fewer operators, and "~" finds its expression
 * anywhere, whatever the case.
 */
struct filter	*filter_parse_with(const json_t *filters,
		    const json_t *options, const char *attribute,
		    struct verr *);
void		 filter_free(struct filter *);
/*
 * Filters that parse to the same tree (of the same of the two languages):
 * operands case-folded, times as {"$date"}.  A new reference.
 */
json_t		*filter_write(const struct filter *);

bool		 filter_match(const struct filter *, const json_t *entry);
/*
 * Whether an entry may match whose JSON text (any that says it) this is: false
 * only when it does not.  Many times cheaper than parsing the text.
 */
bool		 filter_possible(const struct filter *, const char *text,
		    size_t len);
/*
 * Why the evaluation ended without an answer (from then on nothing matches),
 * for the user; NULL: it did not, or there is no filter.
 */
const char	*filter_problem(const struct filter *);

/*
 * Calls with each member of the entry that is asked to be greater or less
 * than an operand; a path further down is not.
 */
void		 filter_compared(const struct filter *,
		    void (*call)(const char *field, const json_t *operand,
			void *arg), void *arg);
/* How many regular expressions a match may have to try: what costs time. */
size_t		 filter_regexes(const struct filter *);

/*
 * For look-ups in an index: the string or integer that the field (a member of
 * the entry, no path) has in every match, borrowed; NULL when there is none.
 * What is found by it must still be matched.
 */
const json_t	*filter_equals(const struct filter *, const char *field);
/* The same for "in": an array of strings and integers. */
const json_t	*filter_among(const struct filter *, const char *field);

struct query_options {
	json_t		*select;	/* arrays, borrowed from the options */
	json_t		*order_by;
	bool		 count;
	bool		 get;
	bool		 sql;		/* force_sql_filters */
	json_int_t	 offset;
	json_int_t	 limit;
};

/*
 * Checks and reads query-options (validated by its schema before, so types
 * are right; the rules across members are checked here).  0 or -1.
 */
int	 query_options_parse(const json_t *options, const char *attribute,
	    struct query_options *, struct verr *);

/*
 * The whole evaluation over an array of entries, in the documented order:
 * filters, select, count, order_by, get, offset, limit.  Entries are neither
 * copied nor changed, and shared with the result.  A new reference: an array,
 * an object (get) or an integer (count); NULL when get found nothing, or when
 * filter_problem says so: one that takes too much time is given up.
 */
json_t	*query_run(const json_t *entries, const struct filter *,
	    const struct query_options *);

#endif
