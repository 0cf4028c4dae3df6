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

char *
store_key(const char *resource, int64_t id)
{
	return xasprintf("%s/%lld", resource, (long long)id);
}

const json_t *
store_get(const struct store *s, const char *resource, int64_t id)
{
	char *key = store_key(resource, id);
	const json_t *entry = json_object_get(s->entries, key);

	free(key);
	return entry;
}

int64_t
store_revision(const struct store *s, const char *resource, int64_t id)
{
	char *key = store_key(resource, id);
	int64_t number = json_int(s->revisions, key, 0);

	free(key);
	return number;
}

struct listed {
	int64_t id;
	json_t *entry;
};

static int
compare_ids(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

json_t *
store_list(const struct store *s, const char *resource)
{
	struct listed *found =
	    xcalloc(json_object_size(s->entries) + 1, sizeof *found);
	size_t len = strlen(resource), count = 0, i;
	json_t *list = json_array(), *entry;
	const char *key;

	json_object_foreach(s->entries, key, entry) {
		if (strncmp(key, resource, len) != 0 || key[len] != '/')
			continue;
		found[count].id = strtoll(key + len + 1, NULL, 10);
		found[count++].entry = entry;
	}
	qsort(found, count, sizeof *found, compare_ids);
	for (i = 0; i < count; i++)
		json_array_append(list, found[i].entry);
	free(found);
	return list;
}

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

/* The revision and its audit record, within a transaction. */
static int64_t
add_revision(const struct store *s, const struct revision *r,
    const char *audit_id, const json_t *record)
{
	sqlite3_stmt *st = statement(s, ST_REVISION_ADD);
	int64_t number;

	bind_number(st, 1, r->time);
	bind_text(st, 2, r->who);
	bind_text(st, 3, r->origin);
	bind_text(st, 4, r->resource);
	bind_number(st, 5, r->entry);
	bind_text(st, 6, audit_id);
	bind_json(st, 7, r->before);
	bind_json(st, 8, r->after);
	if (execute(s, st) == -1)
		return -1;
	number = sqlite3_last_insert_rowid(s->db);
	if (audit_id != NULL && record != NULL &&
	    add_record(s, audit_id, true, record) == -1)
		return -1;
	return number;
}

/* What a revision does when it ends, within a transaction. */
struct ending {
	int64_t number;
	char *resource;
	int64_t entry;
	char *audit_id; /* NULL: no record */
	json_t *after; /* NULL: removed */
};

static void
ending_clear(struct ending *e)
{
	free(e->resource);
	free(e->audit_id);
	json_decref(e->after);
}

/* The pending revision of that number.  0 or -1 with errno (ENOENT). */
static int
get_pending(const struct store *s, int64_t number, struct ending *e)
{
	sqlite3_stmt *st = statement(s, ST_REVISION_GET);
	int step, error;

	memset(e, 0, sizeof *e);
	e->number = number;
	bind_number(st, 1, number);
	step = sqlite3_step(st);
	error = step == SQLITE_DONE ? ENOENT : error_of(s);
	if (step == SQLITE_ROW) {
		e->resource = column_text(st, 0);
		e->entry = sqlite3_column_int64(st, 1);
		e->audit_id = column_text(st, 2);
		e->after = column_json(st, 3);
	}
	done(st);
	errno = error;
	return step == SQLITE_ROW ? 0 : -1;
}

static int
end_revision(const struct store *s, const struct ending *e,
    enum revision_state state, const json_t *record)
{
	sqlite3_stmt *st = statement(s, ST_REVISION_END);

	bind_number(st, 1, e->number);
	bind_number(st, 2, state);
	if (execute(s, st) == -1)
		return -1;
	if (state == REVISION_COMMITTED) {
		st = statement(s, ST_ENTRY_SET);
		bind_text(st, 1, e->resource);
		bind_number(st, 2, e->entry);
		bind_number(st, 3, e->number);
		bind_json(st, 4, e->after);
		if (execute(s, st) == -1)
			return -1;
	}
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
	char *key = store_key(e->resource, e->entry);

	json_object_set_new(s->revisions, key, json_integer(e->number));
	if (e->after == NULL)
		json_object_del(s->entries, key);
	else
		json_object_set_new(s->entries, key, json_deep_copy(e->after));
	free(key);
}

int64_t
store_begin(struct store *s, const struct revision *r, int64_t if_revision,
    const char *audit_id, const json_t *record)
{
	int64_t number;

	if (may_begin(s, r, if_revision) == -1 || begin(s) == -1)
		return -1;
	number = add_revision(s, r, audit_id, record);
	if (number == -1 || commit(s) == -1) {
		rollback(s);
		return -1;
	}
	return number;
}

int
store_end(struct store *s, int64_t number, enum revision_state state,
    const json_t *record)
{
	struct ending e;
	int result = -1;

	if (state == REVISION_PENDING) {
		errno = EINVAL;
		return -1;
	}
	if (get_pending(s, number, &e) == -1)
		return -1;
	if (begin(s) == -1)
		goto out;
	if (end_revision(s, &e, state, record) == -1 || commit(s) == -1) {
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
store_change(struct store *s, const struct revision *r, const char *audit_id,
    const json_t *record)
{
	struct ending e = { .entry = r->entry,
		.resource = r->resource,
		.audit_id = (char *)(uintptr_t)audit_id,
		.after = r->after };

	if (may_begin(s, r, -1) == -1 || begin(s) == -1)
		return -1;
	e.number = add_revision(s, r, audit_id, record);
	if (e.number == -1 ||
	    end_revision(s, &e, REVISION_COMMITTED, record) == -1 ||
	    commit(s) == -1) {
		rollback(s);
		return -1;
	}
	remember(s, &e);
	return e.number;
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
		r->state = REVISION_PENDING;
		r->time = sqlite3_column_int64(st, 1);
		r->who = column_text(st, 2);
		r->origin = column_text(st, 3);
		r->resource = column_text(st, 4);
		r->entry = sqlite3_column_int64(st, 5);
		r->before = column_json(st, 6);
		r->after = column_json(st, 7);
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
