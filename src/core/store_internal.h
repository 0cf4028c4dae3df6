/*
 * What opening a store and using it share.
 */
#ifndef HF_STORE_INTERNAL_H
#define HF_STORE_INTERNAL_H

#include <sqlite3.h>

#include "core/store.h"

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_PENDING_OF,	/* is one pending for this entry? */
	ST_REVISION_ADD,
	ST_REVISION_HEAD, /* the first one of a change says so itself */
	ST_REVISION_GET,
	ST_REVISION_END,
	ST_ENTRY_SET,
	ST_PENDING,
	ST_OUTBOX_ADD,
	ST_OUTBOX_RELEASE,
	ST_OUTBOX_LIST,
	ST_OUTBOX_DONE,
	ST_VALUE_GET,
	ST_VALUE_LIST,
	ST_VALUE_SET,
	ST_VALUE_REMOVE,
	ST_COUNT
};

struct store {
	sqlite3		*db;
	sqlite3_stmt	*statements[ST_COUNT];
	struct store_table *tables;	/* one a resource: store_memory.c */
	size_t		 ntables;
};

/*
 * An entry is as of that revision now (stolen; NULL: removed).  Forgets them
 * all.
 */
void	store_remember(struct store *, const char *resource, int64_t id,
	    int64_t revision, json_t *entry);
void	store_forget(struct store *);

#endif
