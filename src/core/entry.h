/*
 * The entries of resources as the API shows them: stored objects with what
 * follows from others, secrets for those who may see them; found by id, or by
 * a member that is unique.
 */
#ifndef HF_ENTRY_H
#define HF_ENTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/change.h"
#include "core/method.h"

/* New references, not to be changed: stored objects may be among them. */
json_t	*entry_shown(const struct resource *, int64_t id, bool secrets);
json_t	*entry_shown_all(const struct resource *, bool secrets);
/* What follows from others in its entries did change, unseen by the store. */
void	 entry_extend_again(const struct resource *);
/*
 * The text of one that these gave, and its length; borrowed until the next
 * change.  NULL: it is none of them, or no longer one.
 */
const char *entry_shown_text(const struct resource *, const json_t *entry,
		    bool secrets, size_t *lenp);
/* A config resource's entry as text, borrowed until the next change. */
const char *entry_text(const struct resource *, bool secrets);

/*
 * The id of the entry whose FF_UNIQUE member has that value (a string or an
 * integer), -1: none.  Does not look through them all.
 */
int64_t	 entry_by(const struct resource *, const char *member,
	    const json_t *value);

/* All stored objects as those edits will leave them; a new reference. */
json_t	*entry_all_with(const struct resource *, const struct edit *,
	    size_t count);

/* It was changed, and that is stored: tells who subscribed. */
void	 entry_changed(const struct resource *, int64_t id,
	    const json_t *before, const json_t *after);

#endif
