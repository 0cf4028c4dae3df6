/*
 * The file of the index over the audit log: see index_file.h.
 */
#include "audit/index_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

#define APPLICATION 0x48466978 /* "HFix" */
#define FORM 2

/* clang-format off */
static const char settings[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -16384;"
    "PRAGMA journal_size_limit = 16777216;"
    "PRAGMA trusted_schema = OFF";

/*
 * What queries compare comes first, so that a scan reads little of a row.  The
 * last column of each index is the record's number, unsaid.
 */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "PRAGMA application_id = " NUMBER(APPLICATION) ";"
    "PRAGMA user_version = " NUMBER(FORM) ";"
    "CREATE TABLE record ("
    " leaf INTEGER PRIMARY KEY,"
    " service TEXT,"
    " event TEXT,"
    " username TEXT,"
    " success INTEGER,"
    " message_timestamp INTEGER,"
    " timestamp INTEGER,"
    " time_us INTEGER,"
    " segment INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " length INTEGER NOT NULL,"
    " address TEXT,"
    " session TEXT,"
    " audit_id TEXT);"
    "CREATE INDEX record_username"
    " ON record (service, username, message_timestamp);"
    "CREATE INDEX record_event"
    " ON record (service, event, message_timestamp);"
    "CREATE INDEX record_received ON record (service, message_timestamp);"
    "CREATE INDEX record_time ON record (service, timestamp);"
    "CREATE INDEX record_exact ON record (service, time_us);"
    "CREATE INDEX record_session ON record (session);"
    "CREATE TABLE state ("
    " id INTEGER PRIMARY KEY CHECK (id = 1),"
    " log TEXT NOT NULL DEFAULT '',"
    " boot TEXT NOT NULL DEFAULT '',"
    " leaf INTEGER NOT NULL DEFAULT 0,"
    " segment INTEGER NOT NULL DEFAULT 0,"
    " bytes INTEGER NOT NULL DEFAULT 0,"
    " odd INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO state (id) VALUES (1);"
    "COMMIT";

static const char *const files[] = { INDEX_FILE, INDEX_FILE "-wal",
	INDEX_FILE "-journal", INDEX_FILE "-shm" };
/* clang-format on */

static int
run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* The one number that a statement gives. */
static int
ask(sqlite3 *db, const char *text, int64_t *number)
{
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		*number = sqlite3_column_int64(st, 0);
		rc = 0;
	}
	sqlite3_finalize(st);
	return rc;
}

/* Ours alone, and not through a link. */
static int
make_file(int dirfd)
{
	struct stat st;
	int fd, rc = -1;

	fd = openat(
	    dirfd, INDEX_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		rc = 0;
	close(fd);
	return rc;
}

int
index_file_open(const char *folder, int dirfd, sqlite3 **dbp)
{
	int64_t application, form, tables;
	char *path;
	int rc;

	*dbp = NULL;
	if (make_file(dirfd) == -1)
		return -1;
	path = xasprintf("%s/" INDEX_FILE, folder);
	rc = sqlite3_open_v2(path, dbp,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE |
		SQLITE_OPEN_NOMUTEX,
	    NULL);
	free(path);
	if (rc != SQLITE_OK ||
	    sqlite3_db_config(*dbp, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) !=
		SQLITE_OK ||
	    run(*dbp, settings) == -1 ||
	    ask(*dbp, "PRAGMA application_id", &application) == -1 ||
	    ask(*dbp, "PRAGMA user_version", &form) == -1 ||
	    ask(*dbp, "SELECT count(*) FROM sqlite_schema", &tables) == -1)
		return -1;
	if (application == 0 && tables == 0)
		return 0;
	return application == APPLICATION && form == FORM ? 1 : -1;
}

void
index_file_remove(int dirfd)
{
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(dirfd, files[i], 0);
}

int
index_file_form(sqlite3 *db)
{
	return run(db, schema);
}

static char *
column_text(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return xstrdup(text != NULL ? text : "");
}

int
index_state_read(sqlite3 *db, struct index_state *state)
{
	static const char text[] =
	    "SELECT log, boot, leaf, segment, bytes, odd FROM state";
	sqlite3_stmt *st = NULL;
	int rc = -1;

	memset(state, 0, sizeof(*state));
	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		state->log = column_text(st, 0);
		state->boot = column_text(st, 1);
		state->leaf = (uint64_t)sqlite3_column_int64(st, 2);
		state->segment = (uint32_t)sqlite3_column_int64(st, 3);
		state->bytes = (uint64_t)sqlite3_column_int64(st, 4);
		state->odd = (unsigned int)sqlite3_column_int(st, 5);
		rc = 0;
	}
	sqlite3_finalize(st);
	return rc;
}

int
index_state_write(sqlite3 *db, const struct index_state *state)
{
	static const char text[] =
	    "UPDATE state SET log = ?1, leaf = ?2, segment = ?3, bytes = ?4,"
	    " odd = ?5";
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_text(st, 1, state->log, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 2, (sqlite3_int64)state->leaf);
		sqlite3_bind_int64(st, 3, state->segment);
		sqlite3_bind_int64(st, 4, (sqlite3_int64)state->bytes);
		sqlite3_bind_int64(st, 5, state->odd);
		rc = sqlite3_step(st) == SQLITE_DONE ? 0 : -1;
	}
	sqlite3_finalize(st);
	return rc;
}

void
index_state_free(struct index_state *state)
{
	free(state->log);
	free(state->boot);
}

static int
set_boot(sqlite3 *db, const char *boot)
{
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(
		db, "UPDATE state SET boot = ?1", -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_text(st, 1, boot, -1, SQLITE_STATIC);
		rc = sqlite3_step(st) == SQLITE_DONE ? 0 : -1;
	}
	sqlite3_finalize(st);
	return rc;
}

/* In this order: it is not said to be closed before everything is on disk. */
int
index_file_mark(sqlite3 *db, const char *boot)
{
	static const char sync_all[] = "PRAGMA synchronous = FULL;"
				       "PRAGMA wal_checkpoint(TRUNCATE)";

	if (run(db, sync_all) == -1 || set_boot(db, boot) == -1)
		return -1;
	return run(db, "PRAGMA synchronous = OFF");
}

/* The row that a statement finds by a record's number; segment 0: none. */
static int
find_row(sqlite3 *db, const char *text, uint64_t leaf, struct line_place *row)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_ERROR;

	memset(row, 0, sizeof(*row));
	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, (sqlite3_int64)leaf);
		rc = sqlite3_step(st);
	}
	if (rc == SQLITE_ROW) {
		row->leaf = (uint64_t)sqlite3_column_int64(st, 0);
		row->segment = (uint32_t)sqlite3_column_int64(st, 1);
		row->at = (uint64_t)sqlite3_column_int64(st, 2);
		row->length = (uint64_t)sqlite3_column_int64(st, 3);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

int
index_row(sqlite3 *db, uint64_t leaf, struct line_place *row)
{
	static const char text[] =
	    "SELECT leaf, segment, at, length FROM record WHERE leaf <= ?1"
	    " ORDER BY leaf DESC LIMIT 1";

	return find_row(db, text, leaf, row);
}

int
index_row_from(sqlite3 *db, uint64_t leaf, struct line_place *row)
{
	static const char text[] =
	    "SELECT leaf, segment, at, length FROM record WHERE leaf >= ?1"
	    " ORDER BY leaf LIMIT 1";

	return find_row(db, text, leaf, row);
}
