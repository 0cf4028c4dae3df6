/*
 * What the parts of the store say to SQLite, and how documents get there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/store_internal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* The errno of what SQLite just refused. */
int
sql_error(const struct store *s)
{
	if (sqlite3_errcode(s->db) == SQLITE_FULL ||
	    sqlite3_system_errno(s->db) == ENOSPC)
		return ENOSPC;
	return EIO;
}

sqlite3_stmt *
sql_statement(const struct store *s, enum statement which)
{
	return s->statements[which];
}

void
sql_bind_text(sqlite3_stmt *st, int i, const char *text)
{
	/* Copied, so that the caller may go on at once. */
	if (sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT) != SQLITE_OK)
		fatal("store: out of memory");
}

void
sql_bind_json(sqlite3_stmt *st, int i, const json_t *value)
{
	char *text = value == NULL ? NULL : json_text(value);

	if (value != NULL && text == NULL)
		fatal("store: a document that is no JSON");
	sql_bind_text(st, i, text);
	freezero_str(text);
}

void
sql_bind_number(sqlite3_stmt *st, int i, int64_t number)
{
	sqlite3_bind_int64(st, i, number);
}

/* Ready for the next use; what was bound may be secret and is dropped. */
void
sql_done(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

/* Runs one that gives no rows.  0 or -1 with errno. */
int
sql_execute(const struct store *s, sqlite3_stmt *st)
{
	int result = 0, error = 0;

	if (sqlite3_step(st) != SQLITE_DONE) {
		error = sql_error(s);
		result = -1;
	}
	sql_done(st);
	errno = error;
	return result;
}

int
sql_begin(const struct store *s)
{
	return sql_execute(s, sql_statement(s, ST_BEGIN));
}

int
sql_commit(const struct store *s)
{
	return sql_execute(s, sql_statement(s, ST_COMMIT));
}

/* SQLite may have rolled back by itself.  errno is kept. */
void
sql_rollback(const struct store *s)
{
	int error = errno;

	if (!sqlite3_get_autocommit(s->db))
		sql_execute(s, sql_statement(s, ST_ROLLBACK));
	errno = error;
}

char *
sql_column_text(sqlite3_stmt *st, int i)
{
	const char *text = (const char *)sqlite3_column_text(st, i);

	return text == NULL ? NULL : xstrdup(text);
}

json_t *
sql_column_json(sqlite3_stmt *st, int i)
{
	const char *text = (const char *)sqlite3_column_text(st, i);
	json_t *value;

	if (text == NULL)
		return NULL;
	value = json_parse(text, strlen(text), NULL);
	if (value == NULL)
		fatal("store: a stored document is no JSON");
	return value;
}

void
sql_bind_document(const struct store *s, sqlite3_stmt *st, int i,
    enum store_part part, const char *resource, int64_t id,
    const json_t *document)
{
	json_t *disk;

	if (document == NULL || s->form == NULL) {
		sql_bind_json(st, i, document);
		return;
	}
	disk = s->form->to_disk(part, resource, id, document);
	sql_bind_json(st, i, disk);
	json_decref(disk);
}

/* Steals what was on the disk. */
json_t *
store_from_disk(const struct store *s, enum store_part part,
    const char *resource, int64_t id, json_t *disk, char **whyp)
{
	json_t *document;

	*whyp = NULL;
	if (disk == NULL || s->form == NULL)
		return disk;
	document = s->form->from_disk(part, resource, id, disk, whyp);
	json_decref(disk);
	return document;
}

json_t *
sql_column_document(const struct store *s, sqlite3_stmt *st, int i,
    enum store_part part, const char *resource, int64_t id, bool *badp)
{
	char *why;
	json_t *document = store_from_disk(
	    s, part, resource, id, sql_column_json(st, i), &why);

	if (why == NULL)
		return document;
	log_error(
	    "store.document", "%s %lld: %s", resource, (long long)id, why);
	free(why);
	*badp = true;
	return NULL;
}

int
sql_set_entry(const struct store *s, const char *resource, int64_t id,
    int64_t revision, const json_t *entry)
{
	sqlite3_stmt *st = sql_statement(s, ST_ENTRY_SET);

	sql_bind_text(st, 1, resource);
	sql_bind_number(st, 2, id);
	sql_bind_number(st, 3, revision);
	sql_bind_document(s, st, 4, STORE_ENTRY, resource, id, entry);
	return sql_execute(s, st);
}
