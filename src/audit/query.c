/*
 * audit.query over the segments: see query.h.
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

#include "audit/query.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define CUT_MIN ((size_t)1000)
/* A regular expression at its limit takes as long as so many bytes. */
#define REGEX_WORK ((size_t)16 * 1024)

struct record_query {
	struct segment_reader *reader;
	json_t *data;
	const json_t *services; /* borrowed from data */
	struct filter *filter;
	struct query_options options;
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
	query->kept = json_array();
	if (query_prepare(query, data, len) == 0)
		query->reader = segment_reader_new(store);
	return query;
}

void
record_query_free(struct record_query *query)
{
	if (query == NULL)
		return;
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

/* The place in the result is known only when all were seen. */
static bool
query_late(const struct record_query *query)
{
	const struct query_options *options = &query->options;

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
	if (!query->options.sql)
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

static void
query_consider(struct record_query *query, json_t *record)
{
	const struct query_options *options = &query->options;

	if (!service_wanted(query, record) ||
	    !filter_match(query->filter, record))
		return;
	query->matches++;
	if (options->count)
		return;
	if (query_late(query)) {
		query_keep(query, record);
		query_bound(query);
		return;
	}
	if (!options->get && query->matches <= options->offset)
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

	if (options->count || query_late(query))
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
	else {
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

bool
record_query_step(struct record_query *query, size_t bytes)
{
	const char *line;
	json_t *record;
	size_t len, seen = 0;
	int got;

	while (!query->done && seen <= bytes) {
		got = 0;
		if (!query_satisfied(query))
			got = segment_reader_next(query->reader, &line, &len);
		if (got == -1)
			query_end(query, errno,
			    xstrdup("The audit log can not be read"));
		else if (got == 0)
			query_conclude(query);
		if (got != 1)
			break;
		seen += len + 1 + filter_regexes(query->filter) * REGEX_WORK;
		if ((record = record_parse(line, len)) != NULL)
			query_consider(query, record);
		else
			query->damaged++;
		json_decref(record);
		if (filter_problem(query->filter) != NULL)
			query_end(query, ETIMEDOUT,
			    xstrdup(filter_problem(query->filter)));
	}
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
