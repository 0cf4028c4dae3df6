/*
 * A query over the index: see index_query.h.
 */
#include "audit/index_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

#define SERVICES_MAX 8
#define WHERE_MAX 128
#define PARAMETERS 2 /* from which record, up to which */

/* Records of a window: as many as fit into a slice, in these bounds. */
#define WINDOW_FIRST 20000
#define WINDOW_LEAST 32
#define WINDOW_MOST 200000
/* A statement that is only counted is cheaper than a look at the clock. */
#define CLOCK_EVERY 64

/*
 * Texts of records that a statement may ask for: of so many rows one.  Beyond
 * that it is cheaper to read the lines of all, a stretch at a time.
 */
#define DENSE_SHARE 16
#define DENSE_LEAST 32
#define STRETCH_FIRST 128
#define STRETCH_MOST 65536

struct index_query {
	struct record_index *idx;
	unsigned int generation;
	const json_t *services;
	const struct filter *filter;
	const struct query_options *options;
	uint64_t needed;
	struct filter_sql source;
	struct filter_sql_column columns[INDEX_COLUMNS + 1];
	char where[WHERE_MAX];
	sqlite3_stmt *statement;
	int64_t now, slice_end;
	unsigned int rows;
	uint64_t from, end; /* records that are not asked yet */
	bool windows;
	uint64_t window;
	/* Of the statement, since it began: texts that it asked for. */
	uint64_t documents, last_document;
	bool dense; /* the last window was */
	uint64_t stretch; /* the last one's records, 0: none before this */
	struct index_place stretch_from, stretch_end;
	/* What the last window gave, and how much of it was handed out. */
	struct line_place *found;
	size_t found_count, found_room, found_next;
};

/* Are these a few names? */
static bool
services_plain(const json_t *services)
{
	json_t *service;
	size_t i;

	if (services == NULL)
		return true;
	if (!json_is_array(services) || json_array_size(services) == 0 ||
	    json_array_size(services) > SERVICES_MAX)
		return false;
	json_array_foreach(services, i, service)
		if (!json_is_string(service) ||
		    json_string_length(service) == 0)
			return false;
	return true;
}

/* By the records' numbers, or by whatever is better. */
static const char by_number[] = "leaf >= ?1 AND leaf < ?2",
		  not_by_number[] = "+leaf >= ?1 AND +leaf < ?2";
static const char all_rows[] = "1";

static void
put_where(struct index_query *q, const char *range)
{
	size_t i, count = json_array_size(q->services);
	int len;

	len = snprintf(q->where, sizeof(q->where), "%s", range);
	for (i = 0; i < count; i++)
		len += snprintf(q->where + len, sizeof(q->where) - (size_t)len,
		    "%s?%zu", i == 0 ? " AND service IN (" : ", ",
		    PARAMETERS + 1 + i);
	if (count > 0)
		(void)snprintf(
		    q->where + len, sizeof(q->where) - (size_t)len, ")");
	q->source.where = q->where;
	q->source.parameters = PARAMETERS + count;
}

static void
set_range(struct index_query *q, uint64_t from, uint64_t end)
{
	sqlite3_bind_int64(q->statement, 1, (sqlite3_int64)from);
	sqlite3_bind_int64(q->statement, 2, (sqlite3_int64)end);
}

static int
prepare(struct index_query *q, const struct query_options *options)
{
	json_t *service;
	size_t i;

	sqlite3_finalize(q->statement);
	q->statement = filter_sql_prepare(
	    index_database(q->idx), &q->source, q->filter, options);
	if (q->statement == NULL)
		return -1;
	json_array_foreach(q->services, i, service)
		sqlite3_bind_text(q->statement, PARAMETERS + 1 + (int)i,
		    json_string_value(service), -1, SQLITE_STATIC);
	set_range(q, q->from, q->end);
	return 0;
}

/* What is counted, here, comes in any order. */
static int
prepare_whole(struct index_query *q)
{
	struct query_options options = *q->options;

	q->source.table = "record";
	q->source.order = "leaf";
	put_where(q, not_by_number);
	if (options.count) {
		/* Half of what a row costs; those that come meanwhile count. */
		if (index_range_is_all(q->idx))
			put_where(q, all_rows);
		q->source.order = NULL;
		options = (struct query_options){ .sql = options.sql };
	}
	return prepare(q, &options);
}

static int
prepare_windows(struct index_query *q)
{
	struct query_options options = { .order_by = q->options->order_by,
		.select = q->options->select,
		.sql = q->options->sql,
		.limit = (json_int_t)q->needed };

	/* By their numbers, and by nothing else. */
	q->source.table = "record NOT INDEXED";
	q->source.order = "leaf";
	put_where(q, by_number);
	if (q->options->count)
		options = (struct query_options){ .sql = options.sql };
	q->windows = true;
	q->window = WINDOW_FIRST;
	return prepare(q, &options);
}

struct index_query *
index_query_new(struct record_index *idx, const json_t *services,
    const struct filter *filter, const struct query_options *options,
    uint64_t needed, bool hide)
{
	struct index_query *q;

	if (!index_usable(idx) || !services_plain(services))
		return NULL;
	q = xcalloc(1, sizeof(*q));
	q->idx = idx;
	q->generation = index_generation(idx);
	q->services = services;
	q->filter = filter;
	q->options = options;
	q->needed = needed;
	index_columns(idx, q->columns);
	q->source.columns = q->columns;
	q->source.document = hide ? INDEX_HIDDEN : INDEX_DOCUMENT;
	/* To count, an index alone may do. */
	q->source.row = options->count ? "leaf" : "leaf, segment, at, length";
	if (index_range(idx, &q->from, &q->end) == 0 && prepare_whole(q) == 0)
		return q;
	index_query_free(q);
	return NULL;
}

void
index_query_free(struct index_query *q)
{
	if (q == NULL)
		return;
	sqlite3_finalize(q->statement);
	free(q->found);
	free(q);
}

bool
index_query_windows(const struct index_query *q)
{
	return q->windows;
}

void
index_query_slice(struct index_query *q)
{
	q->now = index_clock();
	q->slice_end = q->now + INDEX_SLICE_US;
	q->rows = 0;
}

void
index_query_stretch(const struct index_query *q, struct index_place *from,
    struct index_place *end)
{
	*from = q->stretch_from;
	*end = q->stretch_end;
}

/* Other queries may have their turns between those of this one. */
static int
step(struct index_query *q, int64_t deadline)
{
	int code;

	index_count_documents(q->idx);
	index_deadline(q->idx, deadline);
	code = sqlite3_step(q->statement);
	index_deadline(q->idx, 0);
	q->documents += index_documents(q->idx, &q->last_document);
	return code;
}

/* Did the statement ask for the text of too many out of so many rows? */
static bool
too_dense(const struct index_query *q, uint64_t rows)
{
	return q->documents >= DENSE_LEAST && q->documents > rows / DENSE_SHARE;
}

static enum index_found
failed(struct index_query *q, int code)
{
	index_failed(q->idx, code);
	return INDEX_FAILED;
}

static void
get_place(const struct index_query *q, struct line_place *place)
{
	*place = (struct line_place){ .leaf = (uint64_t)sqlite3_column_int64(
					  q->statement, 0) };
	if (q->options->count)
		return;
	place->segment = (uint32_t)sqlite3_column_int64(q->statement, 1);
	place->at = (uint64_t)sqlite3_column_int64(q->statement, 2);
	place->length = (uint64_t)sqlite3_column_int64(q->statement, 3);
}

static enum index_found
next_of_whole(struct index_query *q, struct line_place *place)
{
	int code;

	if (!q->options->count || ++q->rows % CLOCK_EVERY == 0)
		q->now = index_clock();
	if (q->now > q->slice_end)
		return INDEX_LATER;
	code = step(q, q->now + INDEX_SLICE_US);
	if (code == SQLITE_ROW && too_dense(q, q->end - q->from))
		code = SQLITE_INTERRUPT;
	switch (code) {
	case SQLITE_ROW:
		get_place(q, place);
		return INDEX_FOUND;
	case SQLITE_DONE:
		return INDEX_END;
	case SQLITE_INTERRUPT:
		return prepare_windows(q) == 0 ? INDEX_WINDOWS : INDEX_FAILED;
	default:
		return failed(q, code);
	}
}

static void
put_found(struct index_query *q)
{
	if (q->found_count == q->found_room) {
		q->found_room = 2 * q->found_room + 64;
		q->found =
		    xreallocarray(q->found, q->found_room, sizeof(*q->found));
	}
	get_place(q, &q->found[q->found_count++]);
}

/* The next window grows and shrinks with what this one took. */
static void
fit_window(struct index_query *q, int64_t took)
{
	if (took > INDEX_SLICE_US / 2 && q->window > WINDOW_LEAST)
		q->window /= 2;
	else if (took < INDEX_SLICE_US / 8 && q->window < WINDOW_MOST)
		q->window *= 2;
}

/*
 * Asks the next window, whole or not at all: INDEX_FOUND, whatever it gave;
 * INDEX_LATER when it has to be smaller, or its lines are to be read.
 */
static enum index_found
ask_window(struct index_query *q)
{
	uint64_t left = q->end - q->from;
	uint64_t size = left < q->window ? left : q->window;
	int64_t began = index_clock();
	bool least = q->window <= WINDOW_LEAST;
	int code;

	q->found_count = q->found_next = 0;
	q->documents = 0;
	sqlite3_reset(q->statement);
	set_range(q, q->from, q->from + size);
	while (
	    (code = step(q, least ? 0 : began + INDEX_SLICE_US)) == SQLITE_ROW)
		put_found(q);
	sqlite3_reset(q->statement);
	if (code == SQLITE_INTERRUPT) {
		q->found_count = 0;
		q->window =
		    q->window / 8 > WINDOW_LEAST ? q->window / 8 : WINDOW_LEAST;
		q->dense = too_dense(q, q->last_document - q->from);
		return INDEX_LATER;
	}
	if (code != SQLITE_DONE)
		return failed(q, code);
	q->from += size;
	fit_window(q, index_clock() - began);
	q->dense = too_dense(q, size);
	if (!q->dense)
		q->stretch = 0;
	return INDEX_FOUND;
}

/* What comes next is read; behind it a small window tells how it goes on. */
static enum index_found
begin_stretch(struct index_query *q)
{
	uint64_t left = q->end - q->from;

	q->stretch = q->stretch == 0 ? STRETCH_FIRST : 2 * q->stretch;
	if (q->stretch > STRETCH_MOST)
		q->stretch = STRETCH_MOST;
	q->stretch_from = index_place(q->idx, q->from);
	q->from += left < q->stretch ? left : q->stretch;
	q->stretch_end = index_place(q->idx, q->from);
	q->window = WINDOW_LEAST;
	q->dense = false;
	return INDEX_STRETCH;
}

static enum index_found
next_of_windows(struct index_query *q, struct line_place *place)
{
	enum index_found found = INDEX_FOUND;

	if (!q->options->count)
		q->now = index_clock();
	while (q->found_next == q->found_count && found == INDEX_FOUND) {
		if (q->from >= q->end)
			return INDEX_END;
		if (q->dense)
			return begin_stretch(q);
		if ((q->now = index_clock()) > q->slice_end)
			return INDEX_LATER;
		found = ask_window(q);
	}
	if (found != INDEX_FOUND)
		return found;
	if (q->now > q->slice_end)
		return INDEX_LATER;
	*place = q->found[q->found_next++];
	return INDEX_FOUND;
}

enum index_found
index_query_next(struct index_query *q, struct line_place *place)
{
	/* The database may have been made anew in the meantime. */
	if (q->generation != index_generation(q->idx) || !index_usable(q->idx))
		return INDEX_FAILED;
	return q->windows ? next_of_windows(q, place) : next_of_whole(q, place);
}
