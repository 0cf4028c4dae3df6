/*
 * audit.query over the index or, where that can not answer, all lines of the
 * segments: in small steps, so that appending goes on meanwhile, and with
 * bounded memory.  Both give the same.
 */
#ifndef HF_AUDIT_QUERY_H
#define HF_AUDIT_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/index.h"
#include "audit/segment.h"

/* Most that a result (and what is kept for sorting) may take, as text. */
#define QUERY_RESULT_MAX	((size_t)15 * 1024 * 1024)

struct record_query;

/*
 * Begins a query over what is committed now.  data is the JSON text of
 * audit.query's argument: services, query-filters, query-options.  Always
 * returns one; what is wrong shows as its outcome.  The store must outlive it.
 */
struct record_query *record_query_new(const struct segments *, const char *data,
    size_t len);
/* By that index (borrowed) if it can: to be said before the first step. */
void	record_query_use(struct record_query *, struct record_index *);
/* NULL is fine. */
void	record_query_free(struct record_query *);

/*
 * Works through about that many bytes, or with the index for INDEX_SLICE_US;
 * true once there is an outcome.
 */
bool	record_query_step(struct record_query *, size_t bytes);

/*
 * The outcome: 0 and the result as JSON text, or an errno and the reason
 * (ENOENT when "get" found nothing; ETIMEDOUT: the filter gave up; E2BIG: too
 * much to answer).  The text is the query's.
 */
int	record_query_outcome(const struct record_query *, const char **textp);
/* Lines passed over because they are no JSON objects. */
size_t	record_query_damaged(const struct record_query *);

#endif
