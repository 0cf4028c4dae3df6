/*
 * Query options made ready: see query_plan.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/query_plan.h"
#include "lib/xalloc.h"

/* A string, or a pair of path and alias; an alias is one name. */
static void
plan_item(struct select_item *plan, const json_t *item)
{
	const json_t *pair = json_is_array(item) ? item : NULL;
	const json_t *source = pair != NULL ? json_array_get(pair, 0) : item;

	path_parse(json_string_value(source), &plan->source);
	if (pair == NULL) {
		path_parse(json_string_value(source), &plan->target);
		return;
	}
	plan->target.count = 1;
	plan->target.parts[0] =
	    xstrdup(json_string_value(json_array_get(pair, 1)));
}

static void
plan_select(struct query_plan *plan, const json_t *select)
{
	const json_t *item;
	size_t i;

	if (json_array_size(select) == 0)
		return;
	plan->select = xcalloc(json_array_size(select), sizeof *plan->select);
	json_array_foreach(select, i, item)
		plan_item(&plan->select[plan->selects++], item);
}

static bool
starts_with(const struct path *path, const struct path *start)
{
	size_t i;

	if (path->count < start->count)
		return false;
	for (i = 0; i < start->count; i++)
		if (strcmp(path->parts[i], start->parts[i]) != 0)
			return false;
	return true;
}

/* The path of the item's source, and on from there. */
static void
retrace(struct path *path, const struct select_item *item)
{
	struct path result = { 0 };
	size_t i;

	for (i = 0; i < item->source.count; i++)
		result.parts[result.count++] = xstrdup(item->source.parts[i]);
	for (i = item->target.count; i < path->count; i++)
		result.parts[result.count++] = xstrdup(path->parts[i]);
	path_free(path);
	*path = result;
}

/*
 * Sorting comes after selecting.  Where one selected item alone makes up what
 * the key sorts by, it is read from the entry; false: nothing makes it up, so
 * that it is null in every entry.
 */
static bool
trace_key(const struct query_plan *plan, struct order_key *key)
{
	const struct select_item *item, *found = NULL;
	size_t i, related = 0;

	for (i = 0; i < plan->selects; i++) {
		item = &plan->select[i];
		if (!starts_with(&key->path, &item->target) &&
		    !starts_with(&item->target, &key->path))
			continue;
		found = item;
		related++;
	}
	if (related == 0)
		return false;
	if (related == 1 && starts_with(&key->path, &found->target) &&
	    found->source.count + key->path.count - found->target.count <=
		PATH_MAX_PARTS)
		retrace(&key->path, found);
	else
		key->of_selected = true;
	return true;
}

static bool
skip(const char **text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(*text, prefix, len) != 0)
		return false;
	*text += len;
	return true;
}

static void
plan_key(struct query_plan *plan, const char *by, bool sql)
{
	struct order_key *key = &plan->order[plan->orders];

	if (skip(&by, "nulls_first:"))
		key->nulls = NULLS_FIRST;
	else if (skip(&by, "nulls_last:"))
		key->nulls = NULLS_LAST;
	key->descending = skip(&by, "-");
	path_parse(by, &key->path);
	if (sql || plan->selects == 0 || trace_key(plan, key))
		plan->orders++;
	else
		path_free(&key->path);
}

/*
 * Each entry of order_by sorts anew what the ones before it sorted, so the
 * last one counts most; in SQL the first.
 */
static void
plan_order(struct query_plan *plan, const struct query_options *q)
{
	size_t count = json_array_size(q->order_by), i, at;

	if (count == 0)
		return;
	plan->order = xcalloc(count, sizeof *plan->order);
	for (i = 0; i < count; i++) {
		at = q->sql ? i : count - 1 - i;
		plan_key(plan,
		    json_string_value(json_array_get(q->order_by, at)), q->sql);
	}
}

struct query_plan *
query_plan_new(const struct query_options *q)
{
	struct query_plan *plan = xcalloc(1, sizeof *plan);

	plan_select(plan, q->select);
	plan_order(plan, q);
	return plan;
}

void
query_plan_free(struct query_plan *plan)
{
	size_t i;

	if (plan == NULL)
		return;
	for (i = 0; i < plan->selects; i++) {
		path_free(&plan->select[i].source);
		path_free(&plan->select[i].target);
	}
	for (i = 0; i < plan->orders; i++)
		path_free(&plan->order[i].path);
	free(plan->select);
	free(plan->order);
	free(plan);
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

json_t *
query_plan_select(const struct query_plan *plan, json_t *entry)
{
	const json_t *value;
	json_t *result;
	size_t i;

	if (plan->selects == 0)
		return json_incref(entry);
	result = json_object();
	for (i = 0; i < plan->selects; i++) {
		value = path_get(entry, &plan->select[i].source);
		if (value != NULL)
			put(result, &plan->select[i].target, value);
	}
	return result;
}

const json_t *
order_key_value(const struct order_key *key, const json_t *entry)
{
	return path_get(entry, &key->path);
}
