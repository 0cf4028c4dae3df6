/*
 * audit.query over the index or the segments: see query.h.
 *
 * What matches is selected at once, so that only what was asked for is kept.
 * Without order_by the first offset + limit matches suffice.  With it, the
 * kept entries are sorted and cut to offset + limit from time to time; the
 * sort is stable and newer entries stand behind, so the cut does not change
 * the outcome.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/hide.h"
#include "audit/index_query.h"
#include "audit/query.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define CUT_MIN ((size_t)1000)
/* A regular expression at its limit takes as long as so many bytes. */
#define REGEX_WORK ((size_t)16 * 1024)
/* A line that is not parsed as so many of its bytes. */
#define PASSED_SHARE 8

struct record_query {
	const struct segments *store;
	struct record_index *index; /* NULL: by reading */
	struct index_place until; /* so far it has to be */
	struct index_query *by_index; /* NULL: not begun */
	struct segment_reader *reader; /* NULL: not begun */
	struct index_place reader_end; /* segment 0: the log's */
	json_t *data;
	const json_t *services; /* borrowed from data */
	struct filter *filter;
	struct query_options options;
	bool hide; /* arguments of programs */
	json_t *kept;
	size_t kept_size; /* as text */
	json_int_t matches;
	size_t damaged;
	bool done;
	int error;
	char *text;
};

static void
query_end(struct record_query *query, int error, char *text)
{
	query->done = true;
	query->error = error;
	query->text = text;
}

/* 0, or -1 with the outcome set. */
static int
query_prepare(struct record_query *query, const char *text, size_t len)
{
	static const char options_attribute[] = "query-options";
	struct verr *errors = NULL;
	const char *problem;
	json_t *filters, *options, *none;
	int result = -1;

	query->data = json_parse(text, len, &problem);
	if (query->data == NULL) {
		query_end(query, EINVAL, xstrdup(problem));
		return -1;
	}
	filters = json_object_get(query->data, "query-filters");
	options = json_object_get(query->data, options_attribute);
	query->services = json_object_get(query->data, "services");
	query->hide = json_bool(query->data, "hide_arguments", true);
	errors = verr_new();
	none = json_array();
	query->filter = filter_parse_with(
	    filters == NULL ? none : filters, options, "query-filters", errors);
	json_decref(none);
	if (!json_is_object(options))
		verr_add(
		    errors, options_attribute, "Input should be an object");
	else if (query_options_parse(options, options_attribute,
		     &query->options, errors) == 0 &&
	    !verr_any(errors))
		result = 0;
	if (result == -1)
		query_end(query, EINVAL, verr_reason(errors));
	verr_free(errors);
	return result;
}

struct record_query *
record_query_new(const struct segments *store, const char *data, size_t len)
{
	struct record_query *query;

	query = xcalloc(1, sizeof(*query));
	query->store = store;
	query->kept = json_array();
	if (query_prepare(query, data, len) == 0)
		query->reader = segment_reader_new(store);
	return query;
}

void
record_query_use(struct record_query *query, struct record_index *index)
{
	if (query->done || !index_usable(index))
		return;
	query->index = index;
	query->until = index_log_end(index);
	segment_reader_free(query->reader);
	query->reader = NULL;
}

void
record_query_free(struct record_query *query)
{
	if (query == NULL)
		return;
	index_query_free(query->by_index);
	segment_reader_free(query->reader);
	filter_free(query->filter);
	json_decref(query->kept);
	json_decref(query->data);
	freezero_str(query->text);
	free(query);
}

static bool
service_wanted(const struct record_query *query, const json_t *record)
{
	const char *service;
	json_t *wanted;
	size_t i;

	if (query->services == NULL)
		return true;
	service = json_str(record, "service", "");
	json_array_foreach(query->services, i, wanted)
		if (json_is_string(wanted) &&
		    strcmp(json_string_value(wanted), service) == 0)
			return true;
	return false;
}

/* Are matches found in the order of the result, those before offset left out? */
static bool
query_in_order(const struct record_query *query)
{
	return query->by_index != NULL && !index_query_windows(query->by_index);
}

/* The place in the result is known only when all were seen. */
static bool
query_late(const struct record_query *query)
{
	const struct query_options *options = &query->options;

	if (query_in_order(query))
		return false;
	/* Negative numbers count from the end. */
	return json_array_size(options->order_by) > 0 || options->offset < 0 ||
	    options->limit < 0;
}

/* How many of the sorted matches matter; 0: all. */
static size_t
query_needed(const struct record_query *query)
{
	const struct query_options *options = &query->options;

	if (options->get)
		return 1;
	if (options->limit <= 0 || options->offset < 0)
		return 0;
	if (options->offset > INT32_MAX || options->limit > INT32_MAX)
		return 0;
	return (size_t)(options->offset + options->limit);
}

static size_t
text_size(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* Sorts what is kept and forgets what can not be in the result. */
static void
query_cut(struct record_query *query)
{
	struct query_options options = { 0 };
	size_t needed = query_needed(query);
	json_t *sorted;

	options.order_by = query->options.order_by;
	options.sql = query->options.sql;
	options.limit = (json_int_t)needed;
	sorted = query_run(query->kept, NULL, &options);
	json_decref(query->kept);
	query->kept = sorted;
	query->kept_size = text_size(sorted);
}

static void
query_keep(struct record_query *query, json_t *record)
{
	struct query_options options = { 0 };
	json_t *one, *selected;

	/* In SQL's way, sorting sees what is not selected as well. */
	if (!query->options.sql || query_in_order(query))
		options.select = query->options.select;
	one = json_pack("[O]", record);
	selected = query_run(one, NULL, &options);
	json_decref(one);
	query->kept_size += text_size(selected);
	(void)json_array_extend(query->kept, selected);
	json_decref(selected);
}

/* Ends the query when what is kept can not be answered any more. */
static void
query_bound(struct record_query *query)
{
	size_t count = json_array_size(query->kept);
	size_t needed = query_needed(query);

	if (query_late(query) && needed > 0 &&
	    (count >= 2 * needed + CUT_MIN ||
		(query->kept_size > QUERY_RESULT_MAX && count > needed)))
		query_cut(query);
	if (query->kept_size > QUERY_RESULT_MAX)
		query_end(query, E2BIG,
		    xstrdup("The result is too large: narrow the filters, or "
			    "use select or limit"));
}

/* Counts a match: is its record wanted? */
static bool
query_counts(struct record_query *query)
{
	const struct query_options *options = &query->options;

	query->matches++;
	if (options->count)
		return false;
	return query_late(query) || query_in_order(query) || options->get ||
	    query->matches > options->offset;
}

static void
query_consider(struct record_query *query, json_t *record)
{
	if (query->hide)
		record_hide_arguments(record);
	if (!service_wanted(query, record) ||
	    !filter_match(query->filter, record) || !query_counts(query))
		return;
	query_keep(query, record);
	query_bound(query);
}

/* No further record can change the outcome. */
static bool
query_satisfied(const struct record_query *query)
{
	const struct query_options *options = &query->options;
	size_t kept = json_array_size(query->kept);

	if (options->count || query_late(query) || query_in_order(query))
		return false;
	if (options->get)
		return kept > 0;
	return options->limit > 0 && kept >= (size_t)options->limit;
}

static void
query_conclude(struct record_query *query)
{
	struct query_options options = query->options;
	json_t *result;
	char *text;

	if (options.count)
		result = json_integer(query->matches);
	else if (query_in_order(query)) {
		options = filter_sql_rest(&options);
		options.select = NULL; /* was done */
		result = query_run(query->kept, NULL, &options);
	} else {
		if (!options.sql)
			options.select = NULL; /* was done */
		if (!query_late(query))
			options.offset = 0; /* was passed over */
		result = query_run(query->kept, NULL, &options);
	}
	if (result == NULL) {
		query_end(query, ENOENT, xstrdup("No record matches"));
		return;
	}
	text = json_text(result);
	json_decref(result);
	query_end(query, 0, text);
}

static void
query_unreadable(struct record_query *query)
{
	query_end(query, errno, xstrdup("The audit log can not be read"));
}

/* What follows when the filter takes too long: it matches nothing any more. */
static void
query_given_up(struct record_query *query)
{
	const char *problem = filter_problem(query->filter);

	if (!query->done && problem != NULL)
		query_end(query, ETIMEDOUT, xstrdup(problem));
}

/* By the text alone: may the record be one that is asked for? */
static bool
line_possible(const struct record_query *query, const char *line, size_t len)
{
	return filter_possible(query->filter, line, len) ||
	    (query->hide && line_may_hide(line, len));
}

/* What it cost, in bytes. */
static size_t
query_line(struct record_query *query, const char *line, size_t len)
{
	json_t *record;

	if (!line_possible(query, line, len))
		return len / PASSED_SHARE + 1;
	if ((record = record_parse(line, len)) != NULL)
		query_consider(query, record);
	else
		query->damaged++;
	json_decref(record);
	query_given_up(query);
	return len + 1 + filter_regexes(query->filter) * REGEX_WORK;
}

/* Does the line that was read belong to what follows? */
static bool
behind_end(const struct record_query *query)
{
	const struct index_place *end = &query->reader_end;
	uint64_t at;
	uint32_t segment;

	if (end->segment == 0)
		return false;
	segment = segment_reader_place(query->reader, &at);
	return segment > end->segment ||
	    (segment == end->segment && at >= end->bytes);
}

static void
reader_stop(struct record_query *query)
{
	segment_reader_free(query->reader);
	query->reader = NULL;
}

/* What was found until now does not count. */
static void
query_again(struct record_query *query)
{
	json_array_clear(query->kept);
	query->kept_size = 0;
	query->matches = 0;
}

/* From now on by reading. */
static void
query_by_reading(struct record_query *query)
{
	query_again(query);
	index_query_free(query->by_index);
	query->by_index = NULL;
	query->index = NULL;
	reader_stop(query);
	query->reader = segment_reader_new(query->store);
	query->reader_end.segment = 0;
}

/* One record more, or the outcome; what it cost, in bytes. */
static size_t
query_read(struct record_query *query)
{
	bool stretch = query->index != NULL;
	const char *line;
	size_t len = 0;
	int got = 0;

	if (query_satisfied(query)) {
		query_conclude(query);
		return 0;
	}
	got = segment_reader_next(query->reader, &line, &len);
	if (got == 1 && !behind_end(query))
		return query_line(query, line, len);
	if (stretch && got == -1)
		query_by_reading(query);
	else if (stretch)
		reader_stop(query);
	else if (got == -1)
		query_unreadable(query);
	else
		query_conclude(query);
	return 0;
}

/* The index leaves the next records to us. */
static void
query_stretch(struct record_query *query)
{
	struct index_place from;

	index_query_stretch(query->by_index, &from, &query->reader_end);
	query->reader =
	    segment_reader_at(query->store, from.segment, from.bytes);
}

/* A record that the index found. */
static void
query_found(struct record_query *query, const struct line_place *place)
{
	const char *line;
	json_t *record;

	if (!query_counts(query))
		return;
	if (index_line(query->index, place, &line) == -1 ||
	    (record = record_parse(line, (size_t)place->length)) == NULL) {
		query_by_reading(query);
		return;
	}
	if (query->hide)
		record_hide_arguments(record);
	query_keep(query, record);
	query_bound(query);
	json_decref(record);
}

/* Has the index what was committed when the query began?  Asks it then. */
static bool
query_begun(struct record_query *query)
{
	if (query->by_index != NULL)
		return true;
	if (!index_has(query->index, &query->until) &&
	    !index_step(query->index, INDEX_SLICE_US))
		return false;
	if (index_has(query->index, &query->until))
		query->by_index = index_query_new(query->index, query->services,
		    query->filter, &query->options, query_needed(query),
		    query->hide);
	if (query->by_index == NULL)
		query_by_reading(query);
	return query->by_index != NULL;
}

/* For a slice of time. */
static void
query_ask(struct record_query *query)
{
	enum index_found found = INDEX_FOUND;
	struct line_place place;

	if (!query_begun(query))
		return;
	index_query_slice(query->by_index);
	while (!query->done && query->by_index != NULL &&
	    query->reader == NULL && found != INDEX_LATER) {
		found = query_satisfied(query) ?
		    INDEX_END :
		    index_query_next(query->by_index, &place);
		if (found == INDEX_FOUND)
			query_found(query, &place);
		else if (found == INDEX_END)
			query_conclude(query);
		else if (found == INDEX_WINDOWS)
			query_again(query);
		else if (found == INDEX_STRETCH)
			query_stretch(query);
		else if (found == INDEX_FAILED) {
			query_given_up(query);
			query_by_reading(query);
		}
	}
}

bool
record_query_step(struct record_query *query, size_t bytes)
{
	size_t seen = 0;

	while (!query->done && query->reader != NULL && seen <= bytes)
		seen += query_read(query);
	if (!query->done && query->reader == NULL && seen == 0)
		query_ask(query);
	if (!query->done && filter_problem(query->filter) != NULL)
		query_end(
		    query, ETIMEDOUT, xstrdup(filter_problem(query->filter)));
	return query->done;
}

int
record_query_outcome(const struct record_query *query, const char **textp)
{
	*textp = query->text == NULL ? "" : query->text;
	return query->error;
}

size_t
record_query_damaged(const struct record_query *query)
{
	return query->damaged;
}
