/*
 * Opening the store: making a new one, or refusing with a reason what is
 * damaged, foreign or too new.  A file that is refused is left as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store_copies.h"
#include "core/store_internal.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

/* clang-format off */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "PRAGMA application_id = " NUMBER(STORE_APPLICATION) ";"
    "PRAGMA user_version = " NUMBER(STORE_SCHEMA) ";"
    /* A document that is NULL: the entry was removed by that revision. */
    "CREATE TABLE entry ("
    " resource TEXT NOT NULL,"
    " id INTEGER NOT NULL,"
    " revision INTEGER NOT NULL,"
    " document TEXT,"
    " PRIMARY KEY (resource, id)) WITHOUT ROWID;"
    "CREATE TABLE revision ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " change INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " time INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " origin TEXT NOT NULL,"
    " resource TEXT NOT NULL,"
    " entry INTEGER NOT NULL,"
    " audit_id TEXT,"
    " before TEXT,"
    " after TEXT);"
    /* Two changes of one entry at once would undo each other wrongly. */
    "CREATE UNIQUE INDEX revision_pending ON revision (resource, entry)"
    " WHERE state = 0;"
    "CREATE INDEX revision_change ON revision (change);"
    "CREATE TABLE outbox ("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    " audit_id TEXT NOT NULL UNIQUE,"
    " held INTEGER NOT NULL,"
    " record TEXT NOT NULL);"
    "CREATE TABLE value ("
    " name TEXT PRIMARY KEY,"
    " value TEXT NOT NULL) WITHOUT ROWID;"
    "COMMIT";

_Static_assert(REVISION_PENDING == 0, "the index and the statements say 0");

static const char *const sql[ST_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_PENDING_OF] = "SELECT 1 FROM revision"
	    " WHERE resource = ?1 AND entry = ?2 AND state = 0",
	[ST_REVISION_ADD] = "INSERT INTO revision (change, state, time, who,"
	    " origin, resource, entry, audit_id, before, after)"
	    " VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[ST_REVISION_HEAD] = "UPDATE revision SET change = ?1"
	    " WHERE number = ?1",
	[ST_REVISION_GET] = "SELECT number, resource, entry, audit_id, after"
	    " FROM revision WHERE change = ?1 AND state = 0 ORDER BY number",
	[ST_REVISION_END] = "UPDATE revision SET state = ?2"
	    " WHERE change = ?1 AND state = 0",
	[ST_ENTRY_SET] = "INSERT OR REPLACE INTO entry"
	    " (resource, id, revision, document) VALUES (?1, ?2, ?3, ?4)",
	[ST_PENDING] = "SELECT number, change, time, who, origin, resource,"
	    " entry, before, after FROM revision WHERE state = 0"
	    " ORDER BY number",
	[ST_HISTORY] = "SELECT number, change, state, time, who, origin,"
	    " resource, entry, before, after FROM revision"
	    " WHERE number >= ?1 ORDER BY number",
	[ST_REVISIONS_OF] = "SELECT number, before, after FROM revision"
	    " WHERE resource = ?1 AND entry = ?2 AND state <> 0",
	[ST_REVISION_SET] = "UPDATE revision SET before = ?2, after = ?3"
	    " WHERE number = ?1",
	[ST_REVISIONS_PRUNE] = "WITH last AS (SELECT number, time"
	    " FROM revision ORDER BY number DESC LIMIT 1)"
	    " DELETE FROM revision WHERE state <> 0"
	    " AND number IN (SELECT number FROM revision ORDER BY number"
	    " LIMIT 64) AND (number <= (SELECT number FROM last) - ?1"
	    " OR time < (SELECT time FROM last) - ?2)",
	[ST_OUTBOX_ADD] = "INSERT INTO outbox (audit_id, held, record)"
	    " VALUES (?1, ?2, ?3)",
	[ST_OUTBOX_ADD_NEW] = "INSERT OR IGNORE INTO outbox"
	    " (audit_id, held, record) VALUES (?1, ?2, ?3)",
	[ST_OUTBOX_RELEASE] = "UPDATE outbox SET held = 0,"
	    " record = ifnull(?2, json_set(record, '$.success', json(?3)))"
	    " WHERE audit_id = ?1",
	[ST_OUTBOX_LIST] = "SELECT audit_id, record FROM outbox"
	    " WHERE held = 0 ORDER BY sequence",
	[ST_OUTBOX_HAS] = "SELECT 1 FROM outbox WHERE audit_id = ?1",
	[ST_OUTBOX_DONE] = "DELETE FROM outbox WHERE audit_id = ?1",
	[ST_VALUE_GET] = "SELECT value FROM value WHERE name = ?1",
	[ST_VALUE_LIST] = "SELECT substr(name, length(?1) + 1), value"
	    " FROM value WHERE substr(name, 1, length(?1)) = ?1",
	[ST_VALUE_SET] = "INSERT OR REPLACE INTO value (name, value)"
	    " VALUES (?1, ?2)",
	[ST_VALUE_REMOVE] = "DELETE FROM value WHERE name = ?1"
};
/* clang-format on */

/* From schema n + 1 to n + 2: what a file of an older Holdfast lacks. */
static const char *const migrations[STORE_SCHEMA - 1] = {
	"ALTER TABLE revision ADD COLUMN change INTEGER NOT NULL DEFAULT 0;"
	"UPDATE revision SET change = number;"
	"CREATE INDEX revision_change ON revision (change)",
	/* The first administrator was one of the system's own once. */
	"UPDATE entry SET document = json_set(document, '$.builtin',"
	" json('false')) WHERE resource = 'user'"
	" AND json_extract(document, '$.username') = 'truenas_admin'"
};

#define WHAT_TO_DO "restore a copy of it, or move it away to begin anew"

static int
damaged(const char *file, const char *detail, char **whyp)
{
	*whyp = xasprintf("%s is damaged (%s): " WHAT_TO_DO, file, detail);
	return -1;
}

/* What SQLite complains of, as one line with what to do. */
static int
refused(const struct store *s, const char *file, char **whyp)
{
	if (sql_error(s) == ENOSPC) {
		*whyp = xasprintf(
		    "%s can not be written, the disk is full: make room", file);
		return -1;
	}
	switch (sqlite3_errcode(s->db)) {
	case SQLITE_BUSY:
		*whyp = xasprintf(
		    "%s is in use by another process: end it first", file);
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return damaged(file, sqlite3_errmsg(s->db), whyp);
	default:
		*whyp = xasprintf("%s can not be used (%s): look at the disk "
				  "and at who owns it",
		    file, sqlite3_errmsg(s->db));
		break;
	}
	return -1;
}

static int
run(const struct store *s, const char *text)
{
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : -1;
}

/* The first column of the first row; caller frees, NULL on failure. */
static char *
ask(const struct store *s, const char *text)
{
	sqlite3_stmt *st = NULL;
	char *answer = NULL;

	if (sqlite3_prepare_v2(s->db, text, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		answer = xstrdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return answer;
}

static int
ask_number(const struct store *s, const char *text, int64_t *number)
{
	char *answer = ask(s, text);

	if (answer == NULL)
		return -1;
	*number = strtoll(answer, NULL, 10);
	free(answer);
	return 0;
}

/*
 * Whose file is it, and of which version?  Looked at before anything that
 * would write to it.  An empty one becomes ours.
 */
static int
check_identity(const struct store *s, const char *file, char **whyp)
{
	int64_t application, version, tables;

	if (ask_number(s, "PRAGMA application_id", &application) == -1 ||
	    ask_number(s, "PRAGMA user_version", &version) == -1 ||
	    ask_number(s, "SELECT count(*) FROM sqlite_schema", &tables) == -1)
		return refused(s, file, whyp);
	if (application == 0 && tables == 0)
		return 0;
	if (application != STORE_APPLICATION) {
		*whyp = xasprintf("%s is not a configuration of Holdfast but "
				  "another program's database: move it away",
		    file);
		return -1;
	}
	if (version > STORE_SCHEMA) {
		*whyp = xasprintf(
		    "%s was written by a newer Holdfast (schema %lld, this one "
		    "knows %d): install that version again, or restore the "
		    "copy made before the upgrade",
		    file, (long long)version, STORE_SCHEMA);
		return -1;
	}
	if (version < 1 || tables == 0)
		return damaged(file, "no schema version", whyp);
	return 0;
}

/*
 * What is read later has to be JSON as well; nobody could do anything about
 * it then.
 */
static int
check_documents(const struct store *s, const char *file, char **whyp)
{
	static const char text[] =
	    "SELECT (SELECT count(*) FROM outbox WHERE NOT json_valid(record))"
	    " + (SELECT count(*) FROM revision WHERE state = 0"
	    " AND (before NOT NULL AND NOT json_valid(before)"
	    " OR after NOT NULL AND NOT json_valid(after)))";
	int64_t count;

	if (ask_number(s, text, &count) == -1)
		return refused(s, file, whyp);
	return count == 0 ? 0 : damaged(file, "a record is no JSON", whyp);
}

/*
 * All steps in one transaction: it is of the old schema or of this one.
 * Before, a copy is made, for whoever has to go back to the old Holdfast.
 */
static int
migrate(struct store *s, const char *path, const char *file, char **whyp)
{
	int64_t version;

	if (ask_number(s, "PRAGMA user_version", &version) == -1)
		return refused(s, file, whyp);
	if (version == STORE_SCHEMA)
		return 0;
	if (store_copy(s, path, whyp) == -1)
		return -1;
	if (run(s, "BEGIN IMMEDIATE") == -1)
		return refused(s, file, whyp);
	for (; version < STORE_SCHEMA; version++)
		if (run(s, migrations[version - 1]) == -1)
			goto failed;
	if (run(s, "PRAGMA user_version = " NUMBER(STORE_SCHEMA)) == 0 &&
	    run(s, "COMMIT") == 0)
		return 0;
failed:
	refused(s, file, whyp);
	run(s, "ROLLBACK");
	return -1;
}

/*
 * Exclusive: only core has it open, a second one is told so, and SQLite needs
 * no shared memory file.
 */
static int
prepare(struct store *s, const char *path, const char *file, char **whyp)
{
	static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
				       "PRAGMA journal_mode = WAL;"
				       "PRAGMA synchronous = FULL;"
				       "PRAGMA secure_delete = ON;"
				       "PRAGMA foreign_keys = ON;"
				       "PRAGMA temp_store = MEMORY;"
				       "PRAGMA trusted_schema = OFF";
	int64_t tables;
	char *check;
	size_t i;

	if (run(s, settings) == -1 ||
	    ask_number(s, "SELECT count(*) FROM sqlite_schema", &tables) == -1)
		return refused(s, file, whyp);
	if (tables == 0 && run(s, schema) == -1)
		return refused(s, file, whyp);
	if (tables != 0 && migrate(s, path, file, whyp) == -1)
		return -1;
	check = ask(s, "PRAGMA quick_check(1)");
	if (check == NULL)
		return refused(s, file, whyp);
	if (strcmp(check, "ok") != 0) {
		check[strcspn(check, "\n")] = '\0';
		damaged(file, check, whyp);
		free(check);
		return -1;
	}
	free(check);
	if (check_documents(s, file, whyp) == -1)
		return -1;
	for (i = 0; i < ST_COUNT; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->statements[i],
			NULL) != SQLITE_OK)
			return damaged(file, sqlite3_errmsg(s->db), whyp);
	return 0;
}

/* All entries into memory. */
static int
load(struct store *s, const char *file, char **whyp)
{
	sqlite3_stmt *st = NULL;
	const char *text, *resource;
	json_t *document;
	int64_t id;
	char *bad = NULL;
	int result, step;

	if (sqlite3_prepare_v2(s->db,
		"SELECT resource, id, revision, document FROM entry"
		" ORDER BY resource, id",
		-1, &st, NULL) != SQLITE_OK)
		return refused(s, file, whyp);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(st, 3);
		document =
		    text == NULL ? NULL : json_parse(text, strlen(text), NULL);
		if (text != NULL && document == NULL)
			break;
		resource = (const char *)sqlite3_column_text(st, 0);
		id = sqlite3_column_int64(st, 1);
		document = store_from_disk(
		    s, STORE_ENTRY, resource, id, document, &bad);
		if (bad != NULL)
			break;
		store_remember(
		    s, resource, id, sqlite3_column_int64(st, 2), document);
	}
	if (step == SQLITE_DONE)
		result = 0;
	else if (step == SQLITE_ROW)
		result = damaged(
		    file, bad != NULL ? bad : "an entry is no JSON", whyp);
	else
		result = refused(s, file, whyp);
	free(bad);
	sqlite3_finalize(st);
	return result;
}

/*
 * Made by us, so that nobody else may ever read it, and not through a link.
 * The folder is synced so that the file's name outlives a crash.
 */
static int
make_file(const char *folder, const char *file, char **whyp)
{
	struct stat st;
	int dir = -1, fd = -1, result = -1;

	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		goto out;
	fd = openat(
	    dir, STORE_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1 || fstat(fd, &st) == -1 || fsync(dir) == -1)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	result = 0;
out:
	if (result == -1)
		*whyp = xasprintf("%s can not be opened (%s): look at the disk "
				  "and at who owns it",
		    file, strerror(errno));
	if (fd != -1)
		close(fd);
	if (dir != -1)
		close(dir);
	return result;
}

static int
read_all(struct store *s, const char *path, const char *file, char **whyp)
{
	if (s->form != NULL && s->form->opening(s, path, whyp) == -1)
		return -1;
	if (load(s, file, whyp) == -1)
		return -1;
	return s->form != NULL ? s->form->opened(s, whyp) : 0;
}

struct store *
store_open(const char *path, const struct store_form *form, char **whyp)
{
	struct store *s = xcalloc(1, sizeof *s);
	char *file = xasprintf("%s/" STORE_FILE, path);

	*whyp = NULL;
	s->form = form;
	if (make_file(path, file, whyp) == -1)
		goto failed;
	if (sqlite3_open_v2(file, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK) {
		refused(s, file, whyp);
		goto failed;
	}
	sqlite3_extended_result_codes(s->db, 0);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (check_identity(s, file, whyp) == -1 ||
	    prepare(s, path, file, whyp) == -1 ||
	    read_all(s, path, file, whyp) == -1)
		goto failed;
	free(file);
	return s;
failed:
	free(file);
	store_close(s);
	return NULL;
}

bool
store_exists(const char *path)
{
	char *file = xasprintf("%s/" STORE_FILE, path);
	bool there = access(file, F_OK) == 0;

	free(file);
	return there;
}

void
store_remove(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-journal" };
	char *file;
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		file = xasprintf("%s/" STORE_FILE "%s", path, suffixes[i]);
		unlink(file);
		free(file);
	}
}

void
store_close(struct store *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	store_forget(s);
	free(s);
}
