/*
 * The configuration store in SQLite: entries in memory, written through;
 * revisions and the audit outbox in the same transaction.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/store_internal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* 0 when the change may begin, -1 with ESTALE, EBUSY or EIO. */
static int
may_begin(const struct store *s, const struct revision *r, int64_t if_revision)
{
	sqlite3_stmt *st = sql_statement(s, ST_PENDING_OF);
	int step, error;

	if (if_revision >= 0 &&
	    store_revision(s, r->resource, r->entry) != if_revision) {
		errno = ESTALE;
		return -1;
	}
	sql_bind_text(st, 1, r->resource);
	sql_bind_number(st, 2, r->entry);
	step = sqlite3_step(st);
	error = step == SQLITE_ROW ? EBUSY : sql_error(s);
	sql_done(st);
	errno = error;
	return step == SQLITE_DONE ? 0 : -1;
}

static int
put_record(const struct store *s, enum statement statement,
    const char *audit_id, bool held, const json_t *record)
{
	sqlite3_stmt *st = sql_statement(s, statement);

	sql_bind_text(st, 1, audit_id);
	sql_bind_number(st, 2, held);
	sql_bind_json(st, 3, record);
	return sql_execute(s, st);
}

static int
add_record(const struct store *s, const char *audit_id, bool held,
    const json_t *record)
{
	return put_record(s, ST_OUTBOX_ADD, audit_id, held, record);
}

/* One revision, of that change; 0: it is the first.  Its number or -1. */
static int64_t
add_revision(const struct store *s, const struct revision *r, int64_t change,
    const char *audit_id)
{
	sqlite3_stmt *st = sql_statement(s, ST_REVISION_ADD);
	int64_t number;

	sql_bind_number(st, 1, change);
	sql_bind_number(st, 2, r->time);
	sql_bind_text(st, 3, r->who);
	sql_bind_text(st, 4, r->origin);
	sql_bind_text(st, 5, r->resource);
	sql_bind_number(st, 6, r->entry);
	sql_bind_text(st, 7, audit_id);
	sql_bind_document(
	    s, st, 8, STORE_REVISION, r->resource, r->entry, r->before);
	sql_bind_document(
	    s, st, 9, STORE_REVISION, r->resource, r->entry, r->after);
	if (sql_execute(s, st) == -1)
		return -1;
	number = sqlite3_last_insert_rowid(s->db);
	if (change != 0)
		return number;
	st = sql_statement(s, ST_REVISION_HEAD);
	sql_bind_number(st, 1, number);
	return sql_execute(s, st) == -1 ? -1 : number;
}

/* The revisions and their audit record, within a transaction. */
static int64_t
add_change(const struct store *s, const struct revision *list, size_t count,
    const char *audit_id, const json_t *record)
{
	int64_t change = 0, number;
	size_t i;

	for (i = 0; i < count; i++) {
		number =
		    add_revision(s, &list[i], change, i == 0 ? audit_id : NULL);
		if (number == -1)
			return -1;
		if (i == 0)
			change = number;
	}
	if (audit_id != NULL && record != NULL &&
	    add_record(s, audit_id, true, record) == -1)
		return -1;
	return change;
}

/* What a change does when it ends, within a transaction. */
struct ending {
	int64_t change;
	char *audit_id; /* NULL: no record */
	struct revision *list;
	size_t count;
	bool erased; /* old secrets */
};

static void
ending_clear(struct ending *e)
{
	free(e->audit_id);
	revisions_free(e->list, e->count);
}

/* The pending revisions of that change.  0 or -1 with errno (ENOENT). */
static int
get_pending(const struct store *s, int64_t change, struct ending *e)
{
	sqlite3_stmt *st = sql_statement(s, ST_REVISION_GET);
	struct revision *r;
	int step, error;
	bool bad = false;

	memset(e, 0, sizeof *e);
	e->change = change;
	sql_bind_number(st, 1, change);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		e->list = xreallocarray(e->list, e->count + 1, sizeof *r);
		r = &e->list[e->count++];
		*r = (struct revision){ .number = sqlite3_column_int64(st, 0),
			.resource = sql_column_text(st, 1),
			.entry = sqlite3_column_int64(st, 2) };
		r->after = sql_column_document(
		    s, st, 4, STORE_REVISION, r->resource, r->entry, &bad);
		if (e->audit_id == NULL)
			e->audit_id = sql_column_text(st, 3);
	}
	error = step == SQLITE_DONE ? ENOENT : sql_error(s);
	sql_done(st);
	errno = bad ? EIO : error;
	return step == SQLITE_DONE && e->count > 0 && !bad ? 0 : -1;
}

static int
set_entries(const struct store *s, const struct ending *e)
{
	const struct revision *r;

	for (r = e->list; r < e->list + e->count; r++)
		if (sql_set_entry(
			s, r->resource, r->entry, r->number, r->after) == -1)
			return -1;
	return 0;
}

static int
release_record(const struct store *s, const struct ending *e,
    enum revision_state state, const json_t *record)
{
	sqlite3_stmt *st;

	if (e->audit_id == NULL)
		return 0;
	st = sql_statement(s, ST_OUTBOX_RELEASE);
	sql_bind_text(st, 1, e->audit_id);
	sql_bind_json(st, 2, record);
	sql_bind_text(st, 3, state == REVISION_COMMITTED ? "true" : "false");
	if (sql_execute(s, st) == -1)
		return -1;
	/* Begun without a record, or it was delivered already. */
	if (sqlite3_changes(s->db) == 0 && record != NULL)
		return add_record(s, e->audit_id, false, record);
	return 0;
}

static int
end_change(const struct store *s, struct ending *e, enum revision_state state,
    const json_t *record)
{
	sqlite3_stmt *st = sql_statement(s, ST_REVISION_END);
	size_t i;

	sql_bind_number(st, 1, e->change);
	sql_bind_number(st, 2, state);
	if (sql_execute(s, st) == -1)
		return -1;
	if (state == REVISION_COMMITTED && set_entries(s, e) == -1)
		return -1;
	for (i = 0; i < e->count; i++)
		if (history_erase(s, &e->list[i], state, &e->erased) == -1)
			return -1;
	if (history_prune(s) == -1)
		return -1;
	return release_record(s, e, state, record);
}

/* After the commit: memory follows the disk. */
static void
remember(struct store *s, const struct ending *e)
{
	const struct revision *r;

	for (r = e->list; r < e->list + e->count; r++)
		store_remember(s, r->resource, r->entry, r->number,
		    r->after == NULL ? NULL : json_deep_copy(r->after));
}

/*
 * Secrets that are gone leave the write-ahead log too; that this fails is not
 * worth an error, the log is overwritten sooner or later.
 */
static void
ended(struct store *s, const struct ending *e, enum revision_state state)
{
	if (state == REVISION_COMMITTED)
		remember(s, e);
	if (e->erased)
		sqlite3_wal_checkpoint_v2(
		    s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

int64_t
store_begin(struct store *s, const struct revision *list, size_t count,
    int64_t if_revision, const char *audit_id, const json_t *record)
{
	int64_t change;
	size_t i;

	for (i = 0; i < count; i++)
		if (may_begin(s, &list[i], i == 0 ? if_revision : -1) == -1)
			return -1;
	if (sql_begin(s) == -1)
		return -1;
	change = add_change(s, list, count, audit_id, record);
	if (change == -1 || sql_commit(s) == -1) {
		sql_rollback(s);
		return -1;
	}
	return change;
}

int
store_end(struct store *s, int64_t change, enum revision_state state,
    const json_t *record)
{
	struct ending e;
	int result = -1;

	if (state == REVISION_PENDING) {
		errno = EINVAL;
		return -1;
	}
	if (get_pending(s, change, &e) == -1 || sql_begin(s) == -1)
		goto out;
	if (end_change(s, &e, state, record) == -1 || sql_commit(s) == -1) {
		sql_rollback(s);
		goto out;
	}
	ended(s, &e, state);
	result = 0;
out:
	ending_clear(&e);
	return result;
}

int64_t
store_change(struct store *s, const struct revision *list, size_t count,
    const char *audit_id, const json_t *record)
{
	struct ending e = { 0 };
	int64_t change = -1;
	size_t i;

	for (i = 0; i < count; i++)
		if (may_begin(s, &list[i], -1) == -1)
			return -1;
	if (sql_begin(s) == -1)
		return -1;
	change = add_change(s, list, count, audit_id, record);
	if (change == -1 || get_pending(s, change, &e) == -1 ||
	    end_change(s, &e, REVISION_COMMITTED, record) == -1 ||
	    sql_commit(s) == -1) {
		sql_rollback(s);
		change = -1;
	} else
		ended(s, &e, REVISION_COMMITTED);
	ending_clear(&e);
	return change;
}

int
store_pending(struct store *s, struct revision **found, size_t *countp)
{
	sqlite3_stmt *st = sql_statement(s, ST_PENDING);
	struct revision *list = NULL, *r;
	size_t count = 0;
	int step, error;
	bool bad = false;

	*found = NULL;
	*countp = 0;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		list = xreallocarray(list, count + 1, sizeof *list);
		r = &list[count++];
		r->number = sqlite3_column_int64(st, 0);
		r->change = sqlite3_column_int64(st, 1);
		r->state = REVISION_PENDING;
		r->time = sqlite3_column_int64(st, 2);
		r->who = sql_column_text(st, 3);
		r->origin = sql_column_text(st, 4);
		r->resource = sql_column_text(st, 5);
		r->entry = sqlite3_column_int64(st, 6);
		r->before = sql_column_document(
		    s, st, 7, STORE_REVISION, r->resource, r->entry, &bad);
		r->after = sql_column_document(
		    s, st, 8, STORE_REVISION, r->resource, r->entry, &bad);
	}
	error = bad ? EIO : sql_error(s);
	sql_done(st);
	if (step != SQLITE_DONE || bad) {
		revisions_free(list, count);
		errno = error;
		return -1;
	}
	*found = list;
	*countp = count;
	return 0;
}

void
revisions_free(struct revision *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(list[i].who);
		free(list[i].origin);
		free(list[i].resource);
		json_decref(list[i].before);
		json_decref(list[i].after);
	}
	free(list);
}

json_t *
store_outbox(struct store *s)
{
	sqlite3_stmt *st = sql_statement(s, ST_OUTBOX_LIST);
	json_t *list = json_array();

	while (sqlite3_step(st) == SQLITE_ROW)
		json_array_append_new(list,
		    json_pack("[s, o]",
			(const char *)sqlite3_column_text(st, 0),
			sql_column_json(st, 1)));
	sql_done(st);
	return list;
}

int
store_outbox_add(struct store *s, const char *audit_id, const json_t *record)
{
	return put_record(s, ST_OUTBOX_ADD_NEW, audit_id, false, record);
}

bool
store_outbox_has(struct store *s, const char *audit_id)
{
	sqlite3_stmt *st = sql_statement(s, ST_OUTBOX_HAS);
	bool has;

	sql_bind_text(st, 1, audit_id);
	has = sqlite3_step(st) != SQLITE_DONE;
	sql_done(st);
	return has;
}

int
store_outbox_done(struct store *s, const char *audit_id)
{
	sqlite3_stmt *st = sql_statement(s, ST_OUTBOX_DONE);

	sql_bind_text(st, 1, audit_id);
	return sql_execute(s, st);
}

char *
store_value(struct store *s, const char *name)
{
	sqlite3_stmt *st = sql_statement(s, ST_VALUE_GET);
	char *value = NULL;

	sql_bind_text(st, 1, name);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = sql_column_text(st, 0);
	sql_done(st);
	return value;
}

int
store_set_value(struct store *s, const char *name, const char *value)
{
	sqlite3_stmt *st =
	    sql_statement(s, value == NULL ? ST_VALUE_REMOVE : ST_VALUE_SET);

	sql_bind_text(st, 1, name);
	if (value != NULL)
		sql_bind_text(st, 2, value);
	return sql_execute(s, st);
}

json_t *
store_values(struct store *s, const char *prefix)
{
	sqlite3_stmt *st = sql_statement(s, ST_VALUE_LIST);
	json_t *values = json_object();

	sql_bind_text(st, 1, prefix);
	while (sqlite3_step(st) == SQLITE_ROW)
		json_object_set_new(values,
		    (const char *)sqlite3_column_text(st, 0),
		    json_string((const char *)sqlite3_column_text(st, 1)));
	sql_done(st);
	return values;
}
