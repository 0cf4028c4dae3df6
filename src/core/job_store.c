/*
 * Jobs on disk, in SQLite: see job_store.h.
 */
#include "core/job_store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define FILE_NAME "jobs.db"

enum { ST_PUT, ST_REMOVE, ST_COUNT };

struct job_store {
	sqlite3 *db;
	sqlite3_stmt *statements[ST_COUNT];
	json_t *rows; /* as they were when it was opened */
};

/* clang-format off */
static const char settings[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA trusted_schema = OFF;"
    "CREATE TABLE IF NOT EXISTS job"
    " (id INTEGER PRIMARY KEY, row TEXT NOT NULL)";

static const char *const sql[ST_COUNT] = {
	[ST_PUT] = "INSERT OR REPLACE INTO job (id, row) VALUES (?1, ?2)",
	[ST_REMOVE] = "DELETE FROM job WHERE id = ?1"
};
/* clang-format on */

/* False: damaged. */
static bool
read_rows(struct job_store *s)
{
	sqlite3_stmt *st = NULL;
	const char *text;
	json_t *row;
	int step;

	s->rows = json_array();
	if (sqlite3_prepare_v2(s->db, "SELECT id, row FROM job ORDER BY id", -1,
		&st, NULL) != SQLITE_OK)
		return false;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(st, 1);
		row =
		    text == NULL ? NULL : json_parse(text, strlen(text), NULL);
		if (!json_is_object(row)) {
			json_decref(row);
			break;
		}
		json_array_append_new(s->rows,
		    json_pack("[I, o]", (json_int_t)sqlite3_column_int64(st, 0),
			row));
	}
	sqlite3_finalize(st);
	return step == SQLITE_DONE;
}

static bool
prepare(struct job_store *s)
{
	size_t i;

	if (sqlite3_exec(s->db, settings, NULL, NULL, NULL) != SQLITE_OK ||
	    !read_rows(s))
		return false;
	for (i = 0; i < ST_COUNT; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->statements[i],
			NULL) != SQLITE_OK)
			return false;
	return true;
}

/* Other than a full disk or a lock, which pass. */
static bool
is_damaged(const struct job_store *s)
{
	int error = s->db == NULL ? SQLITE_CANTOPEN : sqlite3_errcode(s->db);

	return error == SQLITE_OK || error == SQLITE_CORRUPT ||
	    error == SQLITE_NOTADB || error == SQLITE_ERROR;
}

static struct job_store *
open_file(const char *file, bool *damagedp, char **whyp)
{
	struct job_store *s = xcalloc(1, sizeof(*s));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOMUTEX;
	mode_t mask = umask(0077);
	bool opened = sqlite3_open_v2(file, &s->db, flags, NULL) == SQLITE_OK &&
	    prepare(s);

	umask(mask);
	if (opened)
		return s;
	*damagedp = is_damaged(s);
	*whyp = xasprintf("%s cannot be used: %s", file,
	    sqlite3_errcode(s->db) != SQLITE_OK ? sqlite3_errmsg(s->db) :
						  "a row is no JSON");
	job_store_close(s);
	return NULL;
}

/* What was written but not yet taken over would spoil the next one. */
static int
set_aside(const char *file)
{
	char *aside = xasprintf("%s.damaged", file);
	char *wal = xasprintf("%s-wal", file);
	int result = rename(file, aside);

	if (result == 0 && unlink(wal) == -1 && errno != ENOENT)
		result = -1;
	free(aside);
	free(wal);
	return result;
}

struct job_store *
job_store_open(const char *folder, char **whyp)
{
	char *file = xasprintf("%s/" FILE_NAME, folder), *again = NULL;
	struct job_store *s;
	bool damaged = false;

	*whyp = NULL;
	s = open_file(file, &damaged, whyp);
	if (s == NULL && damaged && set_aside(file) == 0) {
		s = open_file(file, &damaged, &again);
		free(again);
	}
	free(file);
	return s;
}

void
job_store_close(struct job_store *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	json_decref(s->rows);
	free(s);
}

json_t *
job_store_rows(struct job_store *s)
{
	json_t *rows = s->rows;

	s->rows = NULL;
	return rows;
}

static int
execute(const struct job_store *s, sqlite3_stmt *st)
{
	int error = 0;

	if (sqlite3_step(st) != SQLITE_DONE)
		error = sqlite3_errcode(s->db) == SQLITE_FULL ? ENOSPC : EIO;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	errno = error;
	return error == 0 ? 0 : -1;
}

int
job_store_put(struct job_store *s, int64_t id, const json_t *row)
{
	sqlite3_stmt *st = s->statements[ST_PUT];
	char *text = json_text(row);
	int result;

	if (text == NULL)
		fatal("a job that is no JSON");
	sqlite3_bind_int64(st, 1, id);
	if (sqlite3_bind_text(st, 2, text, -1, SQLITE_STATIC) != SQLITE_OK)
		fatal("jobs: out of memory");
	result = execute(s, st);
	free(text);
	return result;
}

int
job_store_remove(struct job_store *s, int64_t id)
{
	sqlite3_stmt *st = s->statements[ST_REMOVE];

	sqlite3_bind_int64(st, 1, id);
	return execute(s, st);
}
