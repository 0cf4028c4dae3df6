/*
 * Query options, and the evaluation of filters and options over entries in
 * memory.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/filter.h"
#include "lib/filter_tree.h"
#include "lib/json.h"
#include "lib/query_plan.h"
#include "lib/xalloc.h"

/*
 * What filters and options together may take of the processor, so that
 * nobody's query holds up the others for long; looked at every so many
 * entries.
 */
#define BUDGET_MS 500
#define BUDGET_EVERY 16

/* Why the path cannot be selected; NULL: it can. */
static const char *
select_problem(const char *text)
{
	const char *problem = NULL;
	struct path path;
	size_t i;

	if (path_parse(text, &path) == -1)
		return "Too many parts";
	for (i = 0; i < path.count; i++)
		if (path_part_is_number(path.parts[i]) ||
		    strcmp(path.parts[i], "*") == 0)
			problem = "Selecting by list index is not supported";
	path_free(&path);
	return problem;
}

static void
check_select(const json_t *select, const char *attribute, struct verr *errors)
{
	const json_t *item, *name;
	const char *problem;
	size_t i;

	json_array_foreach(select, i, item) {
		name = item;
		if (json_is_array(item)) {
			name = json_array_get(item, 0);
			if (json_array_size(item) != 2 ||
			    !json_is_string(json_array_get(item, 1)))
				name = NULL;
		}
		if (!json_is_string(name))
			problem =
			    "A select as list may only contain two parameters: "
			    "the name of the parameter being selected, and the "
			    "name to which to assign it in resulting data.";
		else
			problem = select_problem(json_string_value(name));
		if (problem != NULL)
			verr_add(errors, attribute,
			    "Value error, select.%zu: %s", i, problem);
	}
}

static void
check_order(const json_t *order, const char *attribute, struct verr *errors)
{
	const json_t *item;
	struct path path;
	char *name;
	size_t i;

	if (json_array_size(order) > QUERY_ORDER_MAX) {
		name = xasprintf("%s.order_by", attribute);
		verr_add(errors, name, "List should have at most %d items",
		    QUERY_ORDER_MAX);
		free(name);
		return;
	}
	json_array_foreach(order, i, item) {
		name = xasprintf("%s.order_by.%zu", attribute, i);
		if (!json_is_string(item))
			verr_add(
			    errors, name, "Input should be a valid string");
		else if (path_parse(json_string_value(item), &path) == -1)
			verr_add(errors, name, "Value error, Too many parts");
		else
			path_free(&path);
		free(name);
	}
}

static json_t *
list_of(const json_t *options, const char *name)
{
	json_t *list = json_object_get(options, name);

	return json_array_size(list) > 0 ? list : NULL;
}

int
query_options_parse(const json_t *options, const char *attribute,
    struct query_options *q, struct verr *errors)
{
	size_t before = verr_count(errors);
	char *path;

	memset(q, 0, sizeof *q);
	q->select = list_of(options, "select");
	q->order_by = list_of(options, "order_by");
	q->count = json_bool(options, "count", false);
	q->get = json_bool(options, "get", false);
	q->sql = json_bool(options, "force_sql_filters", false);
	q->offset = json_int(options, "offset", 0);
	q->limit = json_int(options, "limit", 0);
	check_select(q->select, attribute, errors);
	check_order(q->order_by, attribute, errors);
	if (q->limit > QUERY_LIMIT_MAX) {
		path = xasprintf("%s.limit", attribute);
		verr_add(errors, path,
		    "Input should be less than or equal to %d",
		    QUERY_LIMIT_MAX);
		free(path);
	}
	if (q->get && (q->offset != 0 || q->limit > 1))
		verr_add(errors, attribute,
		    "Value error, Invalid options combination. `get` implies a "
		    "single result.");
	return verr_count(errors) == before ? 0 : -1;
}

/* A match, with the values that it is sorted by. */
struct row {
	json_t *entry; /* borrowed; selected already: a reference */
	size_t place; /* keeps the sort stable */
	const json_t *keys[];
};

struct run {
	const struct query_options *q;
	struct query_plan *plan;
	bool selected; /* rows hold what is selected of their entries */
	size_t wanted; /* rows that can be in the result; 0: all */
	size_t row_size;
	char *rows; /* of row_size each */
	size_t count, room;
	size_t matches;
	bool full; /* the row at wanted - 1 bounds what may come */
	int64_t started; /* processor time at the first look; 0: none yet */
};

static struct row *
row_at(const struct run *run, size_t i)
{
	return (struct row *)(void *)(run->rows + i * run->row_size);
}

static int64_t
processor_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Asking is a system call: few entries are done without. */
static bool
budget_spent(struct run *run)
{
	int64_t now = processor_ms();

	if (run->started == 0)
		run->started = now;
	return now - run->started > BUDGET_MS;
}

static int
compare_key(const struct order_key *key, const json_t *a, const json_t *b)
{
	bool a_null = json_is_null(a), b_null = json_is_null(b);
	int order;

	if (key->nulls != NULLS_AS_VALUE && a_null != b_null)
		return a_null == (key->nulls == NULLS_FIRST) ? -1 : 1;
	order = value_sort(a, b);
	return key->descending ? -order : order;
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const struct query_plan *plan = arg;
	size_t i;
	int order;

	for (i = 0; i < plan->orders; i++) {
		order = compare_key(&plan->order[i], x->keys[i], y->keys[i]);
		if (order != 0)
			return order;
	}
	return x->place < y->place ? -1 : x->place > y->place;
}

static void
drop_rows(struct run *run, size_t count)
{
	for (; run->count > count; run->count--)
		if (run->selected)
			json_decref(row_at(run, run->count - 1)->entry);
}

/* Sorts, and forgets what cannot be in the result. */
static void
sort_rows(struct run *run)
{
	if (run->plan->orders == 0 || run->count == 0)
		return;
	qsort_r(run->rows, run->count, run->row_size, compare_rows, run->plan);
	if (run->wanted == 0 || run->count < run->wanted)
		return;
	drop_rows(run, run->wanted);
	run->full = true;
}

/* Where the next row goes; sorting now and then keeps few of many. */
static struct row *
next_row(struct run *run)
{
	if (run->count < run->room)
		return row_at(run, run->count);
	if (run->wanted != 0 && run->plan->orders > 0 &&
	    run->count >= 2 * run->wanted + 1000) {
		sort_rows(run);
		return row_at(run, run->count);
	}
	run->room = run->room == 0 ? 64 : 2 * run->room;
	run->rows = xreallocarray(run->rows, run->room, run->row_size);
	return row_at(run, run->count);
}

static void
add_match(struct run *run, json_t *entry)
{
	const struct query_plan *plan = run->plan;
	struct row *row;
	size_t i;

	row = next_row(run);
	row->entry = run->selected ? query_plan_select(plan, entry) : entry;
	row->place = run->matches;
	for (i = 0; i < plan->orders; i++) {
		row->keys[i] = order_key_value(&plan->order[i],
		    plan->order[i].of_selected ? row->entry : entry);
		if (row->keys[i] == NULL)
			row->keys[i] = json_null();
	}
	run->count++;
	if (run->full &&
	    compare_rows(row, row_at(run, run->wanted - 1), run->plan) > 0)
		drop_rows(run, run->count - 1);
}

/* All that can be in the result are there. */
static bool
satisfied(const struct run *run)
{
	return run->wanted != 0 && run->plan->orders == 0 && !run->q->count &&
	    run->count == run->wanted;
}

static void
collect(struct run *run, const json_t *entries, const struct filter *filter)
{
	json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry) {
		if (satisfied(run) || filter_problem(filter) != NULL)
			return;
		if (filter != NULL && i % BUDGET_EVERY == BUDGET_EVERY - 1 &&
		    budget_spent(run))
			filter_give_up(filter,
			    "The query takes too long: fewer or simpler "
			    "conditions are needed");
		if (filter != NULL && !filter_match(filter, entry))
			continue;
		if (!run->q->count)
			add_match(run, entry);
		run->matches++;
	}
}

/* Below 0 counts from the end, as limit does. */
static void
slice(const struct query_options *q, json_int_t count, json_int_t *start,
    json_int_t *end)
{
	*start = q->offset;
	*end = count;
	if (*start < 0)
		*start = *start < -count ? 0 : count + *start;
	if (*start > count)
		*start = count;
	if (q->limit > 0 && q->limit < count - *start)
		*end = *start + q->limit;
	else if (q->limit < 0)
		*end = q->limit < *start - count ? *start : count + q->limit;
}

static json_t *
returned(const struct run *run, size_t i)
{
	json_t *entry = row_at(run, i)->entry;

	return run->selected ? json_incref(entry) :
			       query_plan_select(run->plan, entry);
}

static json_t *
result_of(const struct run *run)
{
	json_int_t start, end;
	json_t *result;

	if (run->q->count)
		return json_integer((json_int_t)run->matches);
	if (run->q->get)
		return run->count > 0 ? returned(run, 0) : NULL;
	slice(run->q, (json_int_t)run->count, &start, &end);
	result = json_array();
	for (; start < end; start++)
		json_array_append_new(result, returned(run, (size_t)start));
	return result;
}

static size_t
wanted(const struct query_options *q)
{
	if (q->get)
		return 1;
	if (q->limit <= 0 || q->offset < 0 || q->offset > INT32_MAX)
		return 0;
	return (size_t)(q->offset + q->limit);
}

static void
run_init(struct run *run, const struct query_options *q)
{
	size_t i;

	memset(run, 0, sizeof *run);
	run->q = q;
	run->plan = query_plan_new(q);
	run->wanted = wanted(q);
	run->row_size =
	    sizeof(struct row) + run->plan->orders * sizeof(const json_t *);
	for (i = 0; i < run->plan->orders; i++)
		run->selected |= run->plan->order[i].of_selected;
}

json_t *
query_run(const json_t *entries, const struct filter *filter,
    const struct query_options *q)
{
	json_t *result = NULL;
	struct run run;

	run_init(&run, q);
	collect(&run, entries, filter);
	if (filter_problem(filter) == NULL) {
		sort_rows(&run);
		result = result_of(&run);
	}
	drop_rows(&run, 0);
	free(run.rows);
	query_plan_free(run.plan);
	return result;
}
