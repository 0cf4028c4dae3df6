/*
 * Copies of the store's file, kept beside it in the folder "copies": each a
 * whole database of its own, named with its schema and the time.  Made before
 * the file is migrated, and before everything in it is replaced.
 */
#ifndef HF_STORE_COPIES_H
#define HF_STORE_COPIES_H

#include <jansson.h>

#include "core/store.h"

#define STORE_COPIES	5	/* older ones are removed */

/* Makes one, on disk when this returns; 0 or -1 with *whyp (malloc'd). */
int	 store_copy(struct store *, const char *path, char **whyp);
/*
 * Those there are, the newest first, as {name, schema, time ($date), size,
 * usable}: one that is damaged or newer than this Holdfast is not usable.  A
 * new reference.
 */
json_t	*store_copies(const char *path);
/*
 * Puts one in place of the store's file, which nobody may have open; that one
 * is kept as config.db.refused.  0, or -1 with *whyp, and then the file is as
 * it was.
 */
int	 store_copy_restore(const char *path, const char *name, char **whyp);

#endif
