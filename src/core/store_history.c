/*
 * The revisions of the store: read one by one, kept for a while, and without
 * the secrets that are no more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/store_internal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define SECONDS_A_DAY 86400

static void
read_row(sqlite3_stmt *st, struct revision *r)
{
	*r = (struct revision){ .number = sqlite3_column_int64(st, 0),
		.change = sqlite3_column_int64(st, 1),
		.state = (enum revision_state)sqlite3_column_int(st, 2),
		.time = sqlite3_column_int64(st, 3),
		.who = sql_column_text(st, 4),
		.origin = sql_column_text(st, 5),
		.resource = sql_column_text(st, 6),
		.entry = sqlite3_column_int64(st, 7),
		.before = sql_column_json(st, 8),
		.after = sql_column_json(st, 9) };
}

int
store_history(struct store *s, int64_t from,
    bool (*each)(const struct revision *, void *), void *arg)
{
	sqlite3_stmt *st = sql_statement(s, ST_HISTORY);
	struct revision *r;
	int step, error;
	bool more = true;

	sql_bind_number(st, 1, from);
	while (more && (step = sqlite3_step(st)) == SQLITE_ROW) {
		r = xcalloc(1, sizeof(*r));
		read_row(st, r);
		more = each(r, arg);
		revisions_free(r, 1);
	}
	error = sql_error(s);
	sql_done(st);
	errno = error;
	return !more || step == SQLITE_DONE ? 0 : -1;
}

json_t *
store_reveal(
    const struct store *s, const struct revision *r, const json_t *disk)
{
	char *why;
	json_t *document = store_from_disk(s, STORE_REVISION, r->resource,
	    r->entry, json_incref((json_t *)(uintptr_t)disk), &why);

	if (why != NULL)
		log_warn("store.reveal", "revision %lld: %s",
		    (long long)r->number, why);
	free(why);
	return document;
}

/* One row that is to be written again. */
struct row {
	int64_t number;
	json_t *before, *after;
};

struct rows {
	struct row *list;
	size_t count;
};

static void
rows_free(struct rows *rows)
{
	size_t i;

	for (i = 0; i < rows->count; i++) {
		json_decref(rows->list[i].before);
		json_decref(rows->list[i].after);
	}
	free(rows->list);
}

static int
write_rows(const struct store *s, const struct rows *rows)
{
	sqlite3_stmt *st = sql_statement(s, ST_REVISION_SET);
	const struct row *row;

	for (row = rows->list; row < rows->list + rows->count; row++) {
		sql_bind_number(st, 1, row->number);
		sql_bind_json(st, 2, row->before);
		sql_bind_json(st, 3, row->after);
		if (sql_execute(s, st) == -1)
			return -1;
	}
	return 0;
}

static json_t *
without(const struct store *s, const struct revision *r, json_t *disk,
    const json_t *entry)
{
	json_t *rest;

	if (disk == NULL)
		return NULL;
	rest = s->form->without(r->resource, r->entry, disk, entry);
	json_decref(disk);
	return rest;
}

/* All of the entry's, as they shall be: read before any is written. */
static int
read_without(const struct store *s, const struct revision *r,
    const json_t *entry, struct rows *rows)
{
	sqlite3_stmt *st = sql_statement(s, ST_REVISIONS_OF);
	struct row *row;
	int step, error;

	sql_bind_text(st, 1, r->resource);
	sql_bind_number(st, 2, r->entry);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		rows->list =
		    xreallocarray(rows->list, rows->count + 1, sizeof(*row));
		row = &rows->list[rows->count++];
		row->number = sqlite3_column_int64(st, 0);
		row->before = without(s, r, sql_column_json(st, 1), entry);
		row->after = without(s, r, sql_column_json(st, 2), entry);
	}
	error = sql_error(s);
	sql_done(st);
	errno = error;
	return step == SQLITE_DONE ? 0 : -1;
}

int
history_erase(const struct store *s, const struct revision *r,
    enum revision_state state, bool *erasedp)
{
	const json_t *now = store_get(s, r->resource, r->entry);
	const json_t *gone = now, *entry = r->after;
	struct rows rows = { 0 };
	int rc;

	/* One that was undone leaves the secrets it would have set. */
	if (state == REVISION_UNDONE) {
		gone = r->after;
		entry = now;
	}
	if (s->form == NULL || !s->form->secret_gone(r->resource, gone, entry))
		return 0;
	rc = read_without(s, r, entry, &rows);
	if (rc == 0)
		rc = write_rows(s, &rows);
	rows_free(&rows);
	*erasedp = true;
	return rc;
}

int
history_prune(const struct store *s)
{
	sqlite3_stmt *st = sql_statement(s, ST_REVISIONS_PRUNE);

	sql_bind_number(st, 1, STORE_REVISIONS);
	sql_bind_number(st, 2, (int64_t)STORE_REVISION_DAYS * SECONDS_A_DAY);
	return sql_execute(s, st);
}

struct renewal {
	const struct store *store;
	struct rows rows;
};

static json_t *
renewed(const struct renewal *renewal, const struct revision *r, json_t *disk)
{
	json_t *document = store_reveal(renewal->store, r, disk), *fresh;

	/* What cannot be told stays as it is. */
	if (document == NULL)
		return json_incref(disk);
	fresh = renewal->store->form->to_disk(
	    STORE_REVISION, r->resource, r->entry, document);
	json_decref(document);
	return fresh;
}

static bool
renew(const struct revision *r, void *arg)
{
	struct renewal *renewal = arg;
	struct rows *rows = &renewal->rows;
	struct row *row;

	rows->list =
	    xreallocarray(rows->list, rows->count + 1, sizeof(*rows->list));
	row = &rows->list[rows->count++];
	*row = (struct row){ .number = r->number,
		.before = renewed(renewal, r, r->before),
		.after = renewed(renewal, r, r->after) };
	return true;
}

int
store_rewrite(struct store *s, const char *name, const char *value)
{
	struct renewal renewal = { .store = s };
	int rc;

	if (sql_begin(s) == -1)
		return -1;
	rc = store_history(s, 0, renew, &renewal);
	if (rc == 0)
		rc = write_rows(s, &renewal.rows);
	if (rc == 0)
		rc = store_write_entries(s);
	if (rc == 0)
		rc = store_set_value(s, name, value);
	if (rc == 0)
		rc = sql_commit(s);
	if (rc == -1)
		sql_rollback(s);
	rows_free(&renewal.rows);
	sqlite3_wal_checkpoint_v2(
	    s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return rc;
}
