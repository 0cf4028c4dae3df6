/*
 * Records that were committed a moment ago, as they were parsed then: the
 * index takes them in without parsing their lines again.  Those that nobody
 * took in time are forgotten.
 */
#ifndef HF_AUDIT_RECENT_H
#define HF_AUDIT_RECENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct recent;

struct recent	*recent_new(void);
/* NULL is fine. */
void		 recent_free(struct recent *);
/*
 * The record that becomes that leaf, the next one after those that were put
 * before, of a line that long.  A new reference is taken.
 */
void		 recent_put(struct recent *, uint64_t leaf, json_t *record,
		    size_t len);
/* Forgets all, as when they were not committed after all. */
void		 recent_clear(struct recent *);
/* The record, the caller's, and those before it are forgotten; NULL. */
json_t		*recent_take(struct recent *, uint64_t leaf);

#endif
