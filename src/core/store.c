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

/* The errno of what SQLite just refused. */
static int
error_of(const struct store *s)
{
	if (sqlite3_errcode(s->db) == SQLITE_FULL ||
	    sqlite3_system_errno(s->db) == ENOSPC)
		return ENOSPC;
	return EIO;
}

static sqlite3_stmt *
statement(const struct store *s, enum statement which)
{
	return s->statements[which];
}

static void
bind_text(sqlite3_stmt *st, int i, const char *text)
{
	/* Copied, so that the caller may go on at once. */
	if (sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT) != SQLITE_OK)
		fatal("store: out of memory");
}

static void
bind_json(sqlite3_stmt *st, int i, const json_t *value)
{
	char *text = value == NULL ? NULL : json_text(value);

	if (value != NULL && text == NULL)
		fatal("store: a document that is no JSON");
	bind_text(st, i, text);
	freezero_str(text);
}

static void
bind_number(sqlite3_stmt *st, int i, int64_t number)
{
	sqlite3_bind_int64(st, i, number);
}

/* Ready for the next use; what was bound may be secret and is dropped. */
static void
done(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

/* Runs one that gives no rows.  0 or -1 with errno. */
static int
execute(const struct store *s, sqlite3_stmt *st)
{
	int result = 0, error = 0;

	if (sqlite3_step(st) != SQLITE_DONE) {
		error = error_of(s);
		result = -1;
	}
	done(st);
	errno = error;
	return result;
}

static int
begin(const struct store *s)
{
	return execute(s, statement(s, ST_BEGIN));
}

static int
commit(const struct store *s)
{
	return execute(s, statement(s, ST_COMMIT));
}

/* SQLite may have rolled back by itself.  errno is kept. */
static void
rollback(const struct store *s)
{
	int error = errno;

	if (!sqlite3_get_autocommit(s->db))
		execute(s, statement(s, ST_ROLLBACK));
	errno = error;
}

static char *
column_text(sqlite3_stmt *st, int i)
{
	const char *text = (const char *)sqlite3_column_text(st, i);

	return text == NULL ? NULL : xstrdup(text);
}

static json_t *
column_json(sqlite3_stmt *st, int i)
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

/* 0 when the change may begin, -1 with ESTALE, EBUSY or EIO. */
static int
may_begin(const struct store *s, const struct revision *r, int64_t if_revision)
{
	sqlite3_stmt *st = statement(s, ST_PENDING_OF);
	int step, error;

	if (if_revision >= 0 &&
	    store_revision(s, r->resource, r->entry) != if_revision) {
		errno = ESTALE;
		return -1;
	}
	bind_text(st, 1, r->resource);
	bind_number(st, 2, r->entry);
	step = sqlite3_step(st);
	error = step == SQLITE_ROW ? EBUSY : error_of(s);
	done(st);
	errno = error;
	return step == SQLITE_DONE ? 0 : -1;
}

static int
add_record(const struct store *s, const char *audit_id, bool held,
    const json_t *record)
{
	sqlite3_stmt *st = statement(s, ST_OUTBOX_ADD);

	bind_text(st, 1, audit_id);
	bind_number(st, 2, held);
	bind_json(st, 3, record);
	return execute(s, st);
}

/* One revision, of that change; 0: it is the first.  Its number or -1. */
static int64_t
add_revision(const struct store *s, const struct revision *r, int64_t change,
    const char *audit_id)
{
	sqlite3_stmt *st = statement(s, ST_REVISION_ADD);
	int64_t number;

	bind_number(st, 1, change);
	bind_number(st, 2, r->time);
	bind_text(st, 3, r->who);
	bind_text(st, 4, r->origin);
	bind_text(st, 5, r->resource);
	bind_number(st, 6, r->entry);
	bind_text(st, 7, audit_id);
	bind_json(st, 8, r->before);
	bind_json(st, 9, r->after);
	if (execute(s, st) == -1)
		return -1;
	number = sqlite3_last_insert_rowid(s->db);
	if (change != 0)
		return number;
	st = statement(s, ST_REVISION_HEAD);
	bind_number(st, 1, number);
	return execute(s, st) == -1 ? -1 : number;
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
	sqlite3_stmt *st = statement(s, ST_REVISION_GET);
	struct revision *r;
	int step, error;

	memset(e, 0, sizeof *e);
	e->change = change;
	bind_number(st, 1, change);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		e->list = xreallocarray(e->list, e->count + 1, sizeof *r);
		r = &e->list[e->count++];
		*r = (struct revision){ .number = sqlite3_column_int64(st, 0),
			.resource = column_text(st, 1),
			.entry = sqlite3_column_int64(st, 2),
			.after = column_json(st, 4) };
		if (e->audit_id == NULL)
			e->audit_id = column_text(st, 3);
	}
	error = step == SQLITE_DONE ? ENOENT : error_of(s);
	done(st);
	errno = error;
	return step == SQLITE_DONE && e->count > 0 ? 0 : -1;
}

static int
set_entries(const struct store *s, const struct ending *e)
{
	sqlite3_stmt *st = statement(s, ST_ENTRY_SET);
	const struct revision *r;

	for (r = e->list; r < e->list + e->count; r++) {
		bind_text(st, 1, r->resource);
		bind_number(st, 2, r->entry);
		bind_number(st, 3, r->number);
		bind_json(st, 4, r->after);
		if (execute(s, st) == -1)
			return -1;
	}
	return 0;
}

static int
end_change(const struct store *s, const struct ending *e,
    enum revision_state state, const json_t *record)
{
	sqlite3_stmt *st = statement(s, ST_REVISION_END);

	bind_number(st, 1, e->change);
	bind_number(st, 2, state);
	if (execute(s, st) == -1)
		return -1;
	if (state == REVISION_COMMITTED && set_entries(s, e) == -1)
		return -1;
	if (e->audit_id == NULL)
		return 0;
	st = statement(s, ST_OUTBOX_RELEASE);
	bind_text(st, 1, e->audit_id);
	bind_json(st, 2, record);
	bind_text(st, 3, state == REVISION_COMMITTED ? "true" : "false");
	if (execute(s, st) == -1)
		return -1;
	/* Begun without a record, or it was delivered already. */
	if (sqlite3_changes(s->db) == 0 && record != NULL)
		return add_record(s, e->audit_id, false, record);
	return 0;
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

int64_t
store_begin(struct store *s, const struct revision *list, size_t count,
    int64_t if_revision, const char *audit_id, const json_t *record)
{
	int64_t change;
	size_t i;

	for (i = 0; i < count; i++)
		if (may_begin(s, &list[i], i == 0 ? if_revision : -1) == -1)
			return -1;
	if (begin(s) == -1)
		return -1;
	change = add_change(s, list, count, audit_id, record);
	if (change == -1 || commit(s) == -1) {
		rollback(s);
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
	if (get_pending(s, change, &e) == -1 || begin(s) == -1)
		goto out;
	if (end_change(s, &e, state, record) == -1 || commit(s) == -1) {
		rollback(s);
		goto out;
	}
	if (state == REVISION_COMMITTED)
		remember(s, &e);
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
	if (begin(s) == -1)
		return -1;
	change = add_change(s, list, count, audit_id, record);
	if (change == -1 || get_pending(s, change, &e) == -1 ||
	    end_change(s, &e, REVISION_COMMITTED, record) == -1 ||
	    commit(s) == -1) {
		rollback(s);
		change = -1;
	} else
		remember(s, &e);
	ending_clear(&e);
	return change;
}

int
store_pending(struct store *s, struct revision **found, size_t *countp)
{
	sqlite3_stmt *st = statement(s, ST_PENDING);
	struct revision *list = NULL, *r;
	size_t count = 0;
	int step, error;

	*found = NULL;
	*countp = 0;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		list = xreallocarray(list, count + 1, sizeof *list);
		r = &list[count++];
		r->number = sqlite3_column_int64(st, 0);
		r->change = sqlite3_column_int64(st, 1);
		r->state = REVISION_PENDING;
		r->time = sqlite3_column_int64(st, 2);
		r->who = column_text(st, 3);
		r->origin = column_text(st, 4);
		r->resource = column_text(st, 5);
		r->entry = sqlite3_column_int64(st, 6);
		r->before = column_json(st, 7);
		r->after = column_json(st, 8);
	}
	error = error_of(s);
	done(st);
	if (step != SQLITE_DONE) {
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
	sqlite3_stmt *st = statement(s, ST_OUTBOX_LIST);
	json_t *list = json_array();

	while (sqlite3_step(st) == SQLITE_ROW)
		json_array_append_new(list,
		    json_pack("[s, o]",
			(const char *)sqlite3_column_text(st, 0),
			column_json(st, 1)));
	done(st);
	return list;
}

int
store_outbox_add(struct store *s, const char *audit_id, const json_t *record)
{
	return add_record(s, audit_id, false, record);
}

int
store_outbox_done(struct store *s, const char *audit_id)
{
	sqlite3_stmt *st = statement(s, ST_OUTBOX_DONE);

	bind_text(st, 1, audit_id);
	return execute(s, st);
}

char *
store_value(struct store *s, const char *name)
{
	sqlite3_stmt *st = statement(s, ST_VALUE_GET);
	char *value = NULL;

	bind_text(st, 1, name);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = column_text(st, 0);
	done(st);
	return value;
}

int
store_set_value(struct store *s, const char *name, const char *value)
{
	sqlite3_stmt *st =
	    statement(s, value == NULL ? ST_VALUE_REMOVE : ST_VALUE_SET);

	bind_text(st, 1, name);
	if (value != NULL)
		bind_text(st, 2, value);
	return execute(s, st);
}

json_t *
store_values(struct store *s, const char *prefix)
{
	sqlite3_stmt *st = statement(s, ST_VALUE_LIST);
	json_t *values = json_object();

	bind_text(st, 1, prefix);
	while (sqlite3_step(st) == SQLITE_ROW)
		json_object_set_new(values,
		    (const char *)sqlite3_column_text(st, 0),
		    json_string((const char *)sqlite3_column_text(st, 1)));
	done(st);
	return values;
}
