/*
 * What all .query and .get_instance methods share: their parameters, and the
 * answer from a list of entries.
 */
#ifndef HF_QUERY_H
#define HF_QUERY_H

#include <jansson.h>

#include "core/call.h"
#include "core/schema.h"
#include "lib/filter.h"

extern const struct field query_params[];		/* filters, options */
extern const struct field query_option_fields[];	/* members of options */

/*
 * Answers a .query call from all its entries (stolen) and the first two
 * parameters.  Entries must be what the caller may see, redacted: whatever
 * can be filtered or sorted by can be found out.
 */
void	query_reply(struct call *, json_t *entries);
/*
 * The same from those that can match at all: candidates gives them (a new
 * reference) once the filter is known; text that of one of them, borrowed, or
 * NULL when it has to be made.
 */
typedef json_t *query_candidates(const struct call *, const struct filter *);
typedef const char *query_text(const struct call *, const json_t *entry,
    size_t *lenp);
struct query_from {
	query_candidates	*candidates;
	query_text		*text;
};
void	query_reply_from(struct call *, const struct query_from *);
/*
 * Answers a .get_instance call: the entry (stolen; NULL: there is none) with
 * the options of the second parameter.  name is for "Service 5 does not
 * exist".
 */
void	query_reply_instance(struct call *, json_t *entry, const char *name);

/* What both answer where they are not used: "get" found nothing, ... */
void	query_fail_none(struct call *);
/* ... or the filter gave up (filter_problem): an error of that attribute. */
void	query_fail_problem(struct call *, const char *attribute,
	    const char *problem);

#endif
