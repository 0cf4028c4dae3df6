/*
 * The configuration as a file that people keep: all entries of all resources
 * that have a table, as JSON.  Neither audit log, revisions, alerts nor jobs
 * are in it, so none of them can be taken back by it.
 *
 * Secrets in it are sealed as in the store; whoever shall read them elsewhere
 * needs the key too (with_key: in it, plain), or a passphrase, under which the
 * whole file with its key lies sealed (scrypt, AES-256-GCM).
 */
#ifndef HF_BACKUP_H
#define HF_BACKUP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/store.h"
#include "lib/verr.h"

#define BACKUP_FORMAT	1
#define BACKUP_MAX	(32u << 20)	/* bytes of one that is read */

/*
 * The file's text; free with freezero_str().  passphrase NULL: none.
 */
char	*backup_write(const struct store *, bool with_key,
	    const char *passphrase);

/*
 * What such a file says: [{resource, entry, document}], each document plain
 * and valid by its table, with its defaults.  Members that nobody may set
 * (read-only) are those of the entry in the store, or their defaults.  NULL
 * with at least one error (attributes begin with "file" or "options").
 * lose_secrets: those that do not open become what a new entry has, instead
 * of an error.  text of at most BACKUP_MAX bytes.
 */
json_t	*backup_read(const struct store *, const char *text, size_t len,
	    const char *passphrase, bool lose_secrets, struct verr *);

/*
 * What it would change: [{resource, entry, before, after}], null where there
 * is no entry.  A config resource that the file does not name stays; an entry
 * of another that it does not name goes.  Resources it has no entries of at
 * all stay as they are too: it may come from an older Holdfast.
 */
json_t	*backup_differences(const struct store *, const json_t *entries);

#endif
