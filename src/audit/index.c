/*
 * The index over the audit log: see index.h.
 *
 * Nothing is synced but when it is opened and closed: a process that ends
 * leaves a whole database (WAL); a machine that ends may not, and that shows
 * by the boot that it was open in.
 */
#include "audit/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/hide.h"
#include "audit/index_file.h"
#include "audit/line.h"
#include "audit/recent.h"
#include "audit/tree.h"
#include "lib/filter_value.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define REMAKES_MAX 3 /* in one run */
#define SAMPLES 4
#define CLOCK_EVERY 16 /* records */
#define TRANSACTION_ROWS 5000
#define PROGRESS_OPS 200 /* of SQLite's machine, between looks at the clock */

/* clang-format off */
static const char insert_text[] =
    "INSERT INTO record (leaf, segment, at, length, service, event, username,"
    " session, address, audit_id, message_timestamp, timestamp, time_us,"
    " success)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
#define INSERT_COLUMNS	5	/* the parameter of the first of these */

static const struct filter_sql_column columns[INDEX_COLUMNS] = {
	{ "service", "service", JSON_STRING },
	{ "event", "event", JSON_STRING },
	{ "username", "username", JSON_STRING },
	{ "session", "session", JSON_STRING },
	{ "address", "address", JSON_STRING },
	{ "audit_id", "audit_id", JSON_STRING },
	{ "message_timestamp", "message_timestamp", JSON_INTEGER },
	{ "timestamp", "timestamp", JSON_OBJECT },
	{ "time_us", "time_us", JSON_INTEGER },
	{ "success", "success", JSON_TRUE },
};

/* Some at a time: each has an entry in every index. */
static const char prune_text[] =
    "DELETE FROM record WHERE leaf IN"
    " (SELECT leaf FROM record WHERE leaf < ?1 ORDER BY leaf LIMIT 200)";
/* clang-format on */

struct record_index {
	char *folder;
	int dirfd;
	const struct segments *segments;
	char *log, *boot;
	sqlite3 *db; /* NULL: there is none */
	sqlite3_stmt *insert;
	unsigned int generation, remakes;
	/* What comes next: the record's number, and where it is. */
	uint64_t leaf;
	struct index_place place;
	unsigned int odd; /* bits of columns that do not say it all */
	struct segment_reader *reader; /* NULL: none is begun */
	struct index_place reader_end;
	/* A transaction, where it began, and how many rows are in it. */
	bool changing;
	unsigned int rows;
	uint64_t begun_leaf;
	struct index_place begun;
	struct recent *recent;
	uint32_t oldest; /* the segment that there are rows from on */
	uint64_t oldest_leaf;
	bool pruned; /* none of its rows are older */
	bool complete, doubted;
	struct line_files *files;
	int64_t deadline;
	uint64_t documents, last_document; /* that statements asked for */
};

int64_t
index_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
index_deadline(struct record_index *idx, int64_t us)
{
	idx->deadline = us;
}

static int
too_long(void *arg)
{
	const struct record_index *idx = arg;

	return idx->deadline != 0 && index_clock() > idx->deadline;
}

/* --- What records say ------------------------------------------------------- */

/*
 * At the first time it may be the index that is wrong, which then is made
 * anew; at the next it is the log.
 */
static void
tell_difference(struct record_index *idx, uint64_t leaf)
{
	if (idx->remakes == 0)
		log_warn("audit.index",
		    "The index of the audit log says something else of record "
		    "%llu",
		    (unsigned long long)leaf);
	else
		log_error("audit.differs",
		    "Record %llu of the audit log is not what was written: "
		    "verify it",
		    (unsigned long long)leaf);
	idx->doubted = idx->remakes == 0;
}

int
index_line(struct record_index *idx, const struct line_place *place,
    const char **linep)
{
	if (line_read(idx->files, place, linep) == 0)
		return 0;
	if (errno == EBADMSG)
		tell_difference(idx, place->leaf);
	return -1;
}

static void
give_hidden(sqlite3_context *context, const char *line, size_t len)
{
	json_t *record = record_parse(line, len);
	char *text;

	record_hide_arguments(record);
	text = json_text(record);
	if (text == NULL)
		sqlite3_result_error(context, "no such record", -1);
	else
		sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
	freezero_str(text);
	json_decref(record);
}

/* record_document(leaf, segment, at, length), and record_hidden() */
static void
give_document(sqlite3_context *context, sqlite3_value **values, bool hide)
{
	struct record_index *idx = sqlite3_user_data(context);
	struct line_place place = { .leaf = (uint64_t)sqlite3_value_int64(
					values[0]),
		.segment = (uint32_t)sqlite3_value_int64(values[1]),
		.at = (uint64_t)sqlite3_value_int64(values[2]),
		.length = (uint64_t)sqlite3_value_int64(values[3]) };
	const char *line;

	if (idx->documents == 0 || place.leaf != idx->last_document)
		idx->documents++;
	idx->last_document = place.leaf;
	if (index_line(idx, &place, &line) == -1)
		sqlite3_result_error(context, "no such record", -1);
	else if (hide)
		give_hidden(context, line, (size_t)place.length);
	else
		sqlite3_result_text(
		    context, line, (int)place.length, SQLITE_TRANSIENT);
}

static void
call_document(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	give_document(context, values, false);
}

static void
call_hidden(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	give_document(context, values, true);
}

/* --- Taking up what is there, or beginning anew ------------------------------ */

/* Queries may still have statements: it goes with the last of them. */
static void
disconnect(struct record_index *idx)
{
	sqlite3_finalize(idx->insert);
	idx->changing = false;
	if (idx->db != NULL)
		sqlite3_progress_handler(idx->db, 0, NULL, NULL);
	sqlite3_close_v2(idx->db);
	segment_reader_free(idx->reader);
	idx->reader = NULL;
	idx->insert = NULL;
	idx->db = NULL;
	idx->generation++;
}

static int
prepare(struct record_index *idx)
{
	sqlite3_progress_handler(idx->db, PROGRESS_OPS, too_long, idx);
	if (filter_sql_register(idx->db) != SQLITE_OK ||
	    sqlite3_create_function_v2(idx->db, "record_document", 4,
		SQLITE_UTF8 | SQLITE_DIRECTONLY, idx, call_document, NULL, NULL,
		NULL) != SQLITE_OK ||
	    sqlite3_create_function_v2(idx->db, "record_hidden", 4,
		SQLITE_UTF8 | SQLITE_DIRECTONLY, idx, call_hidden, NULL, NULL,
		NULL) != SQLITE_OK ||
	    sqlite3_prepare_v3(idx->db, insert_text, -1,
		SQLITE_PREPARE_PERSISTENT, &idx->insert, NULL) != SQLITE_OK)
		return -1;
	return index_file_mark(idx->db, idx->boot);
}

/* Which segment is the oldest, and the number of its first record. */
static int
find_oldest(struct record_index *idx)
{
	const uint32_t *numbers;
	struct merkle before;
	size_t count;

	numbers = segments_numbers(idx->segments, &count);
	if (count == 0 || numbers[0] == idx->oldest)
		return 0;
	if (tree_before(idx->dirfd, numbers[0], &before) == -1)
		return -1;
	idx->oldest = numbers[0];
	idx->oldest_leaf = before.size;
	idx->pruned = false;
	return 0;
}

static bool
not_behind(const struct index_place *a, const struct index_place *b)
{
	return a->segment < b->segment ||
	    (a->segment == b->segment && a->bytes <= b->bytes);
}

/*
 * Rows at several places, the last one among them: are these the lines?  Rows
 * of dropped segments are still to go.
 */
static bool
samples_fit(const struct record_index *idx)
{
	struct line_place row;
	const char *line;
	unsigned int i;

	for (i = 1; i <= SAMPLES; i++) {
		if (index_row(idx->db, idx->leaf / SAMPLES * i + SAMPLES,
			&row) == -1 ||
		    row.leaf >= idx->leaf + (row.segment == 0))
			return false;
		if (row.segment != 0 && row.leaf >= idx->oldest_leaf &&
		    line_read(idx->files, &row, &line) == -1)
			return false;
	}
	return true;
}

/* NULL when what is there goes on here, or why not; "": it is new. */
static const char *
take_up(struct record_index *idx)
{
	struct index_place end = index_log_end(idx);
	struct index_state state;
	bool ours, whole;
	int form;

	form = index_file_open(idx->folder, idx->dirfd, &idx->db);
	if (form != 1)
		return form == 0 ? "" : "it is damaged, or of another form";
	if (index_state_read(idx->db, &state) == -1)
		return "it is damaged";
	ours = strcmp(state.log, idx->log) == 0;
	whole = state.boot[0] == '\0' || strcmp(state.boot, idx->boot) == 0;
	idx->leaf = state.leaf;
	idx->place = (struct index_place){ .segment = state.segment,
		.bytes = state.bytes };
	idx->odd = state.odd;
	index_state_free(&state);
	if (!ours)
		return "it is of another log";
	if (!whole)
		return "the machine ended before it was closed";
	if (!not_behind(&idx->place, &end) || find_oldest(idx) == -1 ||
	    !samples_fit(idx))
		return "it does not fit the records";
	return prepare(idx) == 0 ? NULL : "it is damaged";
}

static int
keep_state(const struct record_index *idx)
{
	struct index_state state = { .log = idx->log,
		.leaf = idx->leaf,
		.segment = idx->place.segment,
		.bytes = idx->place.bytes,
		.odd = idx->odd };

	return index_state_write(idx->db, &state);
}

static void
begin_anew(struct record_index *idx)
{
	disconnect(idx);
	index_file_remove(idx->dirfd);
	idx->leaf = 0;
	idx->place = (struct index_place){ 0 };
	idx->odd = 0;
	idx->complete = idx->doubted = false;
	if (index_file_open(idx->folder, idx->dirfd, &idx->db) == 0 &&
	    index_file_form(idx->db) == 0 && keep_state(idx) == 0 &&
	    prepare(idx) == 0)
		return;
	log_warn("audit.index",
	    "There is no index of the audit log (%s): queries read all of it",
	    idx->db != NULL ? sqlite3_errmsg(idx->db) : strerror(errno));
	disconnect(idx);
}

struct record_index *
index_open(const char *folder, int dirfd, const struct segments *segments,
    const char *log, const char *boot)
{
	struct record_index *idx = xcalloc(1, sizeof(*idx));
	const char *why;

	idx->folder = xstrdup(folder);
	idx->dirfd = dirfd;
	idx->segments = segments;
	idx->log = xstrdup(log);
	idx->boot = xstrdup(boot);
	idx->files = line_files_new(dirfd, segments);
	idx->recent = recent_new();
	if ((why = take_up(idx)) == NULL)
		return idx;
	if (why[0] != '\0')
		log_info("audit.index",
		    "The index of the audit log is made anew: %s", why);
	begin_anew(idx);
	return idx;
}

void
index_failed(struct record_index *idx, int code)
{
	/* What passes by itself, as a full disk, is no damage. */
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
	    code == SQLITE_CONSTRAINT)
		idx->doubted = true;
}

/* --- Following the log ------------------------------------------------------- */

void
index_expect(
    struct record_index *idx, uint64_t leaf, json_t *record, size_t len)
{
	if (idx->db != NULL)
		recent_put(idx->recent, leaf, record, len);
}

void
index_forget(struct record_index *idx)
{
	recent_clear(idx->recent);
}

struct index_place
index_log_end(const struct record_index *idx)
{
	struct index_place end;

	end.segment = segments_end(idx->segments, &end.bytes);
	return end;
}

bool
index_has(const struct record_index *idx, const struct index_place *place)
{
	return not_behind(place, &idx->place);
}

bool
index_usable(const struct record_index *idx)
{
	return idx->db != NULL && idx->complete && !idx->doubted;
}

/* NULL where the column does not say it; *oddp: nor that there is nothing. */
static void
bind_member(sqlite3_stmt *st, int number,
    const struct filter_sql_column *column, const json_t *value, bool *oddp)
{
	const json_t *date = date_value(value);

	*oddp = false;
	if (column->type == JSON_STRING && json_is_string(value))
		sqlite3_bind_text(
		    st, number, json_string_value(value), -1, SQLITE_TRANSIENT);
	else if (column->type == JSON_INTEGER && json_is_integer(value))
		sqlite3_bind_int64(st, number, json_integer_value(value));
	else if (column->type == JSON_OBJECT && date != NULL)
		sqlite3_bind_int64(st, number, json_integer_value(date));
	else if (column->type == JSON_TRUE && json_is_boolean(value))
		sqlite3_bind_int(st, number, json_is_true(value));
	else {
		sqlite3_bind_null(st, number);
		*oddp = value != NULL && !json_is_null(value);
	}
}

static int
add_row(struct record_index *idx, const struct line_place *place,
    const json_t *record)
{
	sqlite3_stmt *st = idx->insert;
	unsigned int i;
	bool odd;
	int rc;

	sqlite3_bind_int64(st, 1, (sqlite3_int64)place->leaf);
	sqlite3_bind_int64(st, 2, place->segment);
	sqlite3_bind_int64(st, 3, (sqlite3_int64)place->at);
	sqlite3_bind_int64(st, 4, (sqlite3_int64)place->length);
	for (i = 0; i < INDEX_COLUMNS; i++) {
		bind_member(st, INSERT_COLUMNS + (int)i, &columns[i],
		    json_object_get(record, columns[i].field), &odd);
		idx->odd |= (unsigned int)odd << i;
	}
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* One more line, the next of the log or the first of the next segment. */
static int
take_line(struct record_index *idx, const char *line, size_t len)
{
	struct line_place place = { .length = len };
	struct merkle before;
	json_t *record;
	int rc = 0;

	place.segment = segment_reader_place(idx->reader, &place.at);
	if (place.segment != idx->place.segment) {
		if (tree_before(idx->dirfd, place.segment, &before) == -1)
			return -1;
		idx->leaf = before.size;
	}
	place.leaf = idx->leaf;
	record = recent_take(idx->recent, idx->leaf);
	/* What is no record has a place in the tree, and no row. */
	if (record != NULL || (record = record_parse(line, len)) != NULL)
		rc = add_row(idx, &place, record);
	json_decref(record);
	idx->leaf++;
	idx->rows++;
	idx->place = (struct index_place){ .segment = place.segment,
		.bytes = place.at + len + 1 };
	return rc;
}

/* 1: there is more; 0: that was all; -1. */
static int
take_lines(struct record_index *idx, int64_t until)
{
	unsigned int count = 0;
	const char *line;
	size_t len;
	int got;

	if (idx->reader == NULL) {
		idx->reader = segment_reader_at(
		    idx->segments, idx->place.segment, idx->place.bytes);
		idx->reader_end = index_log_end(idx);
	}
	while ((got = segment_reader_next(idx->reader, &line, &len)) == 1) {
		if (take_line(idx, line, len) == -1)
			return -1;
		if (++count % CLOCK_EVERY == 0 && index_clock() > until)
			return 1;
	}
	/* Lines that the reader passes over may be the last ones. */
	if (got == 0 && idx->place.segment == idx->reader_end.segment)
		idx->place = idx->reader_end;
	return got;
}

static int
run(struct record_index *idx, const char *text)
{
	int code = sqlite3_exec(idx->db, text, NULL, NULL, NULL);

	if (code != SQLITE_OK)
		index_failed(idx, code);
	return code == SQLITE_OK ? 0 : -1;
}

static int
begin(struct record_index *idx)
{
	if (idx->changing)
		return 0;
	if (run(idx, "BEGIN IMMEDIATE") == -1)
		return -1;
	idx->changing = true;
	idx->rows = 0;
	idx->begun = idx->place;
	idx->begun_leaf = idx->leaf;
	return 0;
}

/* SQLite may have ended it by itself, as when the disk is full. */
static int
commit(struct record_index *idx)
{
	if (!idx->changing || sqlite3_get_autocommit(idx->db) ||
	    keep_state(idx) == -1 || run(idx, "COMMIT") == -1)
		return -1;
	idx->changing = false;
	return 0;
}

/* It stands where it stood. */
static void
roll_back(struct record_index *idx)
{
	index_failed(idx, sqlite3_errcode(idx->db));
	sqlite3_exec(idx->db, "ROLLBACK", NULL, NULL, NULL);
	idx->changing = false;
	idx->place = idx->begun;
	idx->leaf = idx->begun_leaf;
}

/*
 * As take_lines.  A transaction goes on over some steps: each of them writes
 * the pages that it changed, and rows of one time are far apart.
 */
static int
follow(struct record_index *idx, int64_t until)
{
	int got;

	if (begin(idx) == -1)
		return -1;
	got = sqlite3_get_autocommit(idx->db) ? -1 : take_lines(idx, until);
	if (got == 1 && idx->rows < TRANSACTION_ROWS)
		return 1;
	if (got == -1 || commit(idx) == -1) {
		roll_back(idx);
		got = -1;
	}
	if (got != 1) {
		segment_reader_free(idx->reader);
		idx->reader = NULL;
	}
	return got;
}

/* 1: there may be more; 0; -1. */
static int
prune(struct record_index *idx)
{
	sqlite3_stmt *st = NULL;
	int code;

	code = sqlite3_prepare_v2(idx->db, prune_text, -1, &st, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, (sqlite3_int64)idx->oldest_leaf);
		code = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	if (code != SQLITE_DONE) {
		index_failed(idx, code);
		return -1;
	}
	idx->pruned = sqlite3_changes(idx->db) == 0;
	return !idx->pruned;
}

bool
index_step(struct record_index *idx, int64_t us)
{
	struct index_place end = index_log_end(idx);
	int got = 0;

	if (idx->db == NULL)
		return true;
	if (idx->doubted && idx->remakes++ < REMAKES_MAX)
		begin_anew(idx);
	else if (idx->doubted)
		disconnect(idx);
	if (idx->db == NULL || find_oldest(idx) == -1)
		return true;
	if (!index_has(idx, &end) || idx->changing)
		got = follow(idx, index_clock() + us);
	else if (!idx->pruned)
		got = prune(idx);
	if (idx->doubted)
		return false;
	if (index_has(idx, &end))
		idx->complete = true;
	return got == -1 || (got == 0 && idx->pruned);
}

void
index_close(struct record_index *idx)
{
	if (idx == NULL)
		return;
	if (idx->changing && commit(idx) == -1)
		roll_back(idx);
	if (idx->db != NULL && index_file_mark(idx->db, "") == -1)
		log_warn("audit.index", "The index was not closed: %s",
		    sqlite3_errmsg(idx->db));
	disconnect(idx);
	line_files_free(idx->files);
	recent_free(idx->recent);
	free(idx->folder);
	free(idx->log);
	free(idx->boot);
	free(idx);
}

/* --- For queries ------------------------------------------------------------- */

sqlite3 *
index_database(const struct record_index *idx)
{
	return idx->db;
}

unsigned int
index_generation(const struct record_index *idx)
{
	return idx->generation;
}

void
index_columns(const struct record_index *idx,
    struct filter_sql_column list[INDEX_COLUMNS + 1])
{
	unsigned int i, n = 0;

	for (i = 0; i < INDEX_COLUMNS; i++)
		if ((idx->odd & 1U << i) == 0)
			list[n++] = columns[i];
	list[n] = (struct filter_sql_column){ 0 };
}

int
index_range(struct record_index *idx, uint64_t *from, uint64_t *end)
{
	if (find_oldest(idx) == -1)
		return -1;
	*from = idx->oldest_leaf;
	*end = idx->leaf;
	return 0;
}

bool
index_range_is_all(const struct record_index *idx)
{
	return idx->pruned;
}

struct index_place
index_place(const struct record_index *idx, uint64_t leaf)
{
	struct line_place row;

	if (leaf >= idx->leaf || index_row_from(idx->db, leaf, &row) == -1 ||
	    row.segment == 0)
		return idx->place;
	return (struct index_place){ .segment = row.segment, .bytes = row.at };
}

void
index_count_documents(struct record_index *idx)
{
	idx->documents = 0;
}

uint64_t
index_documents(const struct record_index *idx, uint64_t *last)
{
	*last = idx->last_document;
	return idx->documents;
}
