/*
 * The API's query filters and options (shared wire language of every .query
 * method): parsed once into a tree, then evaluated over JSON in memory.
 */
#ifndef HF_FILTER_H
#define HF_FILTER_H

#include <jansson.h>

#include "lib/verr.h"

struct filter;

/*
 * Parses query-filters (an array).  On a wrong one NULL, with errors added
 * under the given attribute ("filters").  Caller frees.
 */
struct filter	*filter_parse(const json_t *filters, const char *attribute,
		    struct verr *);
void		 filter_free(struct filter *);
bool		 filter_match(const struct filter *, const json_t *entry);

struct query_options {
	json_t		*select;	/* arrays, borrowed from the options */
	json_t		*order_by;
	bool		 count;
	bool		 get;
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
 * filters, select, count, order_by, get, offset, limit.  A new reference: an
 * array, an object (get) or an integer (count); NULL when get found nothing.
 */
json_t	*query_run(const json_t *entries, const struct filter *,
	    const struct query_options *);

#endif
