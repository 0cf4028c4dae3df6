/*
 * A query over the index, in slices of the processor's time.
 *
 * What the keys of the index answer is asked as one statement, whose rows come
 * one by one and in their order.  Where a step of it takes too long, it is
 * asked over one window of records after the other; the order over all of
 * them is then the caller's to make.  Where a window would have to look at the
 * text of many records, the caller reads through a stretch of them instead:
 * that is cheaper than one by one.
 */
#ifndef HF_AUDIT_INDEX_QUERY_H
#define HF_AUDIT_INDEX_QUERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "audit/index.h"
#include "lib/filter.h"

#define INDEX_SLICE_US	10000	/* about how long a step may take */

struct index_query;

/*
 * Over the records that the index has now.  services: an array of the names
 * that are wanted, NULL: all.  needed: so many of the sorted matches matter,
 * 0: all.  Everything is borrowed.  NULL: the index can not answer that.
 */
struct index_query *index_query_new(struct record_index *,
		    const json_t *services, const struct filter *,
		    const struct query_options *, uint64_t needed, bool hide);
/* NULL is fine. */
void		 index_query_free(struct index_query *);

enum index_found {
	INDEX_FOUND,	/* the next one */
	INDEX_END,
	INDEX_LATER,	/* the slice is used up: go on in the next turn */
	INDEX_WINDOWS,	/* forget what was found: it begins again, in windows */
	INDEX_STRETCH,	/* read the lines of index_query_stretch() for yourself */
	INDEX_FAILED	/* forget it, and read the segments */
};

/*
 * Begins a slice.  The processor's time of what the caller does between the
 * calls of index_query_next() counts.
 */
void		 index_query_slice(struct index_query *);
/*
 * The next match.  At first as the options say: sorted, with offset and limit
 * applied (unless they count from the end; and not for "count").  In windows:
 * in the order of the log, or when there is an order_by those of each window
 * as it says, at most as many of each as are needed.  Where they are is not said
 * for "count".
 */
enum index_found index_query_next(struct index_query *, struct line_place *);
bool		 index_query_windows(const struct index_query *);
/*
 * After INDEX_STRETCH: from where on, and up to where (not included).  What is
 * read there follows what was found, as one more window.
 */
void		 index_query_stretch(const struct index_query *,
		    struct index_place *from, struct index_place *end);

#endif
