/*
 * What opening a store and using it share.
 */
#ifndef HF_STORE_INTERNAL_H
#define HF_STORE_INTERNAL_H

#include <sqlite3.h>

#include "core/store.h"

#define STORE_FILE		"config.db"
#define STORE_APPLICATION	0x48464346	/* "HFCF" */

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
	ST_HISTORY,
	ST_REVISIONS_OF, /* with documents: those that may hold secrets */
	ST_REVISION_SET,
	ST_REVISIONS_PRUNE,
	ST_OUTBOX_ADD,
	ST_OUTBOX_ADD_NEW,
	ST_OUTBOX_RELEASE,
	ST_OUTBOX_LIST,
	ST_OUTBOX_HAS,
	ST_OUTBOX_DONE,
	ST_VALUE_GET,
	ST_VALUE_LIST,
	ST_VALUE_SET,
	ST_VALUE_REMOVE,
	ST_COUNT
};

struct store {
	sqlite3		*db;
	const struct store_form *form;	/* NULL: as they are */
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
/* All of them to the disk again, within a transaction; 0 or -1 with errno. */
int	store_write_entries(const struct store *);

/* store_sql.c: prepared statements; 0 or -1 with errno where not void. */
int	 sql_error(const struct store *);	/* errno of the last failure */
sqlite3_stmt *sql_statement(const struct store *, enum statement);
void	 sql_bind_text(sqlite3_stmt *, int, const char *);
void	 sql_bind_number(sqlite3_stmt *, int, int64_t);
void	 sql_bind_json(sqlite3_stmt *, int, const json_t *);
void	 sql_done(sqlite3_stmt *);
int	 sql_execute(const struct store *, sqlite3_stmt *);
int	 sql_begin(const struct store *);
int	 sql_commit(const struct store *);
void	 sql_rollback(const struct store *);	/* errno is kept */
char	*sql_column_text(sqlite3_stmt *, int);
json_t	*sql_column_json(sqlite3_stmt *, int);
/* A document in the form that it has on disk; NULL: none. */
void	 sql_bind_document(const struct store *, sqlite3_stmt *, int,
	    enum store_part, const char *resource, int64_t id, const json_t *);
/* Back from it; NULL with *whyp set when it cannot be told. */
json_t	*store_from_disk(const struct store *, enum store_part,
	    const char *resource, int64_t id, json_t *disk, char **whyp);
/* The same of a column; *badp is set when it cannot be told. */
json_t	*sql_column_document(const struct store *, sqlite3_stmt *, int,
	    enum store_part, const char *resource, int64_t id, bool *badp);
int	 sql_set_entry(const struct store *, const char *resource, int64_t id,
	    int64_t revision, const json_t *entry);

/*
 * store_history.c, within the transaction that ends a change: old secrets out
 * of an entry's revisions, when one is gone (true in *erasedp); what is too
 * old.
 */
int	 history_erase(const struct store *, const struct revision *,
	    enum revision_state, bool *erasedp);
int	 history_prune(const struct store *);

#endif
