/*
 * The form that documents have in the store's file: their secrets (FF_SECRET
 * of the resource's fields, however deep) sealed, each to its place.
 */
#ifndef HF_SEALED_H
#define HF_SEALED_H

#include "core/store.h"

/*
 * A secret of a revision that was replaced since, or was of an entry that was
 * removed: on disk this text, revealed this object.
 */
#define SEALED_ERASED		"erased"
#define SEALED_ERASED_MEMBER	"$erased"

/*
 * Opening with it makes the key of a new store, refuses a store whose key is
 * missing or another's, and seals what an older Holdfast stored as it was.
 */
extern const struct store_form	sealed_form;

/*
 * An entry's document in that form, opened with another key (NULL: the
 * store's).  lose: what does not open becomes what it is in a new entry.
 * NULL with *whyp.
 */
json_t	*sealed_open_with(const uint8_t *key, const char *resource, int64_t id,
	    const json_t *disk, bool lose, char **whyp);

/*
 * For a store in path that was refused as its key is missing or another's:
 * makes a new key; each secret becomes what it is in a new entry.  0 or -1
 * with *whyp.
 */
int	sealed_forget_all(const char *path, char **whyp);

#endif
