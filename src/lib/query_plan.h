/*
 * Query options made ready for many entries: paths parsed once, and each sort
 * key traced back to the entry it comes from.  For the two back ends alone.
 */
#ifndef HF_QUERY_PLAN_H
#define HF_QUERY_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/filter.h"
#include "lib/filter_value.h"

struct select_item {
	struct path	 source;	/* in the entry */
	struct path	 target;	/* in the result */
};

enum nulls { NULLS_AS_VALUE, NULLS_FIRST, NULLS_LAST };

struct order_key {
	/*
	 * In the entry; of what is selected when that differs in a way that
	 * a path cannot say (an object put together from several parts).
	 */
	struct path	 path;
	bool		 of_selected;
	bool		 descending;
	enum nulls	 nulls;
};

struct query_plan {
	struct select_item	*select;
	size_t			 selects;
	struct order_key	*order;		/* the first one counts most */
	size_t			 orders;
};

/* The options have been checked by query_options_parse. */
struct query_plan	*query_plan_new(const struct query_options *);
void			 query_plan_free(struct query_plan *);
/* The entry as it is to be returned; a new reference. */
json_t			*query_plan_select(const struct query_plan *,
			    json_t *entry);
/*
 * The value to sort by: borrowed from the entry, or NULL for none (null).
 * When of_selected, from what query_plan_select gave for it.
 */
const json_t		*order_key_value(const struct order_key *,
			    const json_t *entry);

#endif
