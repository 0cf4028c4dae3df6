/*
 * Query options: which members (select), in which order, how many.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/filter.h"
#include "lib/filter_value.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define LIMIT_MAX 10000

/* "a.b" with an index in it: what should the result look like? */
static bool
selects_index(const char *text)
{
	struct path path;
	bool found = false;
	size_t i;

	if (path_parse(text, &path) == -1)
		return true;
	for (i = 0; i < path.count; i++)
		if (path_part_is_number(path.parts[i]) ||
		    strcmp(path.parts[i], "*") == 0)
			found = true;
	path_free(&path);
	return found;
}

static void
check_select(const json_t *select, const char *attribute, struct verr *errors)
{
	const json_t *item, *name;
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
			verr_add(errors, attribute,
			    "Value error, select.%zu: A select as list may "
			    "only contain two parameters: the name of the "
			    "parameter being selected, and the name to which "
			    "to assign it in resulting data.",
			    i);
		else if (selects_index(json_string_value(name)))
			verr_add(errors, attribute,
			    "Value error, select.%zu: Selecting by list index "
			    "is not supported",
			    i);
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
	size_t before = verr_count(errors), i;
	const json_t *item;
	char *path;

	memset(q, 0, sizeof *q);
	q->select = list_of(options, "select");
	q->order_by = list_of(options, "order_by");
	q->count = json_bool(options, "count", false);
	q->get = json_bool(options, "get", false);
	q->offset = json_int(options, "offset", 0);
	q->limit = json_int(options, "limit", 0);
	check_select(q->select, attribute, errors);
	json_array_foreach(q->order_by, i, item) {
		if (json_is_string(item))
			continue;
		path = xasprintf("%s.order_by.%zu", attribute, i);
		verr_add(errors, path, "Input should be a valid string");
		free(path);
	}
	if (q->limit > LIMIT_MAX) {
		path = xasprintf("%s.limit", attribute);
		verr_add(errors, path,
		    "Input should be less than or equal to %d", LIMIT_MAX);
		free(path);
	}
	if (q->get && (q->offset != 0 || q->limit > 1))
		verr_add(errors, attribute,
		    "Value error, Invalid options combination. `get` implies a "
		    "single result.");
	return verr_count(errors) == before ? 0 : -1;
}

/* Puts value at the path of result, making the objects on the way. */
static void
put(json_t *result, const struct path *path, const json_t *value)
{
	json_t *child;
	size_t i;

	for (i = 0; i + 1 < path->count; i++) {
		child = json_object_get(result, path->parts[i]);
		/* It may be the entry's own, selected before: copied. */
		child =
		    json_is_object(child) ? json_copy(child) : json_object();
		json_object_set_new(result, path->parts[i], child);
		result = child;
	}
	json_object_set(result, path->parts[i], (json_t *)(uintptr_t)value);
}

static json_t *
select_members(const json_t *entry, const json_t *select)
{
	json_t *result = json_object();
	const json_t *item, *value;
	struct path path, alias;
	size_t i;

	json_array_foreach(select, i, item) {
		path_parse(
		    json_string_value(
			json_is_array(item) ? json_array_get(item, 0) : item),
		    &path);
		value = path_get(entry, &path);
		if (value != NULL && json_is_array(item)) {
			alias = (struct path){ .count = 1,
				.parts = { (char *)(uintptr_t)json_string_value(
				    json_array_get(item, 1)) } };
			put(result, &alias, value);
		} else if (value != NULL) {
			put(result, &path, value);
		}
		path_free(&path);
	}
	return result;
}

/* The members that a sort compares, looked up once. */
struct sort_key {
	json_t *entry;
	const json_t *value;
	size_t place; /* keeps the sort stable */
};

struct sort_order {
	bool descending;
	int nulls; /* -1 first, 1 last, 0 as a value */
};

static int
sort_compare(const void *a, const void *b, void *arg)
{
	const struct sort_key *x = a, *y = b;
	const struct sort_order *o = arg;
	int order, x_null, y_null;

	x_null = json_is_null(x->value);
	y_null = json_is_null(y->value);
	if (o->nulls != 0 && x_null != y_null)
		return x_null ? o->nulls : -o->nulls;
	order = value_sort(x->value, y->value);
	if (order != 0)
		return o->descending ? -order : order;
	return x->place < y->place ? -1 : 1;
}

static void
sort_entries(json_t *entries, const char *by)
{
	struct sort_order order = { 0 };
	size_t count = json_array_size(entries), i;
	struct sort_key *keys;
	struct path path;

	if (strncmp(by, "nulls_first:", 12) == 0) {
		order.nulls = -1;
		by += 12;
	} else if (strncmp(by, "nulls_last:", 11) == 0) {
		order.nulls = 1;
		by += 11;
	}
	if (*by == '-') {
		order.descending = true;
		by++;
	}
	if (count < 2 || path_parse(by, &path) == -1)
		return;
	keys = xcalloc(count, sizeof *keys);
	for (i = 0; i < count; i++) {
		keys[i].entry = json_incref(json_array_get(entries, i));
		keys[i].value = path_get(keys[i].entry, &path);
		if (keys[i].value == NULL)
			keys[i].value = json_null();
		keys[i].place = i;
	}
	qsort_r(keys, count, sizeof *keys, sort_compare, &order);
	for (i = 0; i < count; i++)
		json_array_set_new(entries, i, keys[i].entry);
	free(keys);
	path_free(&path);
}

/* The part from offset, of limit entries; below 0 counts from the end. */
static json_t *
slice(json_t *entries, json_int_t offset, json_int_t limit)
{
	json_int_t count = (json_int_t)json_array_size(entries);
	json_int_t start = offset, end = count;
	json_t *part;

	if (offset == 0 && limit == 0)
		return entries;
	if (start < 0)
		start = start < -count ? 0 : count + start;
	if (start > count)
		start = count;
	if (limit > 0 && limit < count - start)
		end = start + limit;
	else if (limit < 0)
		end = limit < start - count ? start : count + limit;
	part = json_array();
	for (; start < end; start++)
		json_array_append(part, json_array_get(entries, (size_t)start));
	json_decref(entries);
	return part;
}

json_t *
query_run(const json_t *entries, const struct filter *filter,
    const struct query_options *q)
{
	json_t *found = json_array(), *entry, *first;
	const json_t *item;
	size_t i;

	json_array_foreach(entries, i, entry)
		if (filter == NULL || filter_match(filter, entry))
			json_array_append(found, entry);
	if (q->count) {
		i = json_array_size(found);
		json_decref(found);
		return json_integer((json_int_t)i);
	}
	if (q->select != NULL)
		json_array_foreach(found, i, entry)
			json_array_set_new(
			    found, i, select_members(entry, q->select));
	json_array_foreach(q->order_by, i, item)
		sort_entries(found, json_string_value(item));
	if (q->get) {
		first = json_incref(json_array_get(found, 0));
		json_decref(found);
		return first;
	}
	return slice(found, q->offset, q->limit);
}
