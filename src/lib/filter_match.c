/*
 * The first back end of filters: evaluation over JSON in memory.  Nothing is
 * allocated for an entry but the case-folded copy of an array.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/filter_tree.h"

/* Borrowed, ended by NUL; jansson's strings have none inside. */
struct text {
	const char *at;
	size_t len;
};

static const char too_long[] = "The regular expression takes too long on "
			       "some value";

static struct text
text_of(const json_t *string)
{
	return (struct text){ json_string_value(string),
		json_string_length(string) };
}

static bool
text_equal(struct text a, struct text b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool
starts(struct text text, struct text start)
{
	return text.len >= start.len &&
	    memcmp(text.at, start.at, start.len) == 0;
}

static bool
ends(struct text text, struct text end)
{
	return text.len >= end.len &&
	    memcmp(text.at + text.len - end.len, end.at, end.len) == 0;
}

static bool
has(struct text text, struct text part)
{
	return memmem(text.at, text.len, part.at, part.len) != NULL;
}

static bool
match_regex(const struct filter_node *node, struct text text)
{
	int result = regex_match(node->regex, text.at, text.len);

	if (result == -1)
		node->work->problem = too_long;
	return result == 1;
}

static bool
ordered(enum filter_op op, int order)
{
	switch (op) {
	case OP_GT:
		return order > 0;
	case OP_GE:
		return order >= 0;
	case OP_LT:
		return order < 0;
	default:
		return order <= 0;
	}
}

static int
text_to_element(const void *key, const void *element)
{
	const json_t *value = ((const struct element *)element)->value;
	const struct text *text = key;

	/* Strings stand behind null and numbers: see value_sort. */
	return json_is_string(value) ?
	    strcmp(text->at, json_string_value(value)) :
	    1;
}

static int
value_to_element(const void *key, const void *element)
{
	return value_sort(key, ((const struct element *)element)->value);
}

/* Is the value an element of the operand? */
static bool
listed(const struct filter_node *node, const json_t *value)
{
	const json_t *element;
	size_t i;

	if (node->sorted != NULL && !json_is_array(value) &&
	    !json_is_object(value))
		return bsearch(value, node->sorted,
			   json_array_size(node->value), sizeof *node->sorted,
			   value_to_element) != NULL;
	json_array_foreach(node->value, i, element)
		if (value_equal(value, element))
			return true;
	return false;
}

/* "in" of a text: an element of the operand, or a part of its text. */
static bool
text_listed(const struct filter_node *node, struct text text)
{
	const json_t *element;
	size_t i;

	if (json_is_string(node->value))
		return has(text_of(node->value), text);
	if (node->sorted != NULL)
		return bsearch(&text, node->sorted,
			   json_array_size(node->value), sizeof *node->sorted,
			   text_to_element) != NULL;
	json_array_foreach(node->value, i, element)
		if (json_is_string(element) &&
		    text_equal(text, text_of(element)))
			return true;
	return false;
}

static bool
test_text(const struct filter_node *node, struct text text)
{
	bool comparable = json_is_string(node->value);
	struct text operand =
	    comparable ? text_of(node->value) : (struct text){ "", 0 };

	switch (node->op) {
	case OP_EQ:
		return comparable && text_equal(text, operand);
	case OP_NE:
		return !comparable || !text_equal(text, operand);
	case OP_RE:
		return match_regex(node, text);
	case OP_IN:
		return text_listed(node, text);
	case OP_NIN:
		return !text_listed(node, text);
	case OP_RIN:
		return comparable && has(text, operand);
	case OP_RNIN:
		return !comparable || !has(text, operand);
	case OP_STARTS:
		return starts(text, operand);
	case OP_NSTARTS:
		return !starts(text, operand);
	case OP_ENDS:
		return ends(text, operand);
	case OP_NENDS:
		return !ends(text, operand);
	default:
		return comparable &&
		    ordered(node->op, strcmp(text.at, operand.at));
	}
}

/* "rin": is the operand an element, or the name of a member? */
static bool
holds(const struct filter_node *node, const json_t *value)
{
	const json_t *element;
	size_t i;

	json_array_foreach(value, i, element)
		if (value_equal(node->value, element))
			return true;
	return json_is_object(value) && json_is_string(node->value) &&
	    json_object_get(value, json_string_value(node->value)) != NULL;
}

/* What is no text. */
static bool
test_other(const struct filter_node *node, const json_t *value)
{
	bool null = json_is_null(value);
	int order;

	switch (node->op) {
	case OP_EQ:
		return value_equal(value, node->value);
	case OP_NE:
		return !value_equal(value, node->value);
	case OP_RE:
		return null && match_regex(node, (struct text){ "", 0 });
	case OP_IN:
		return listed(node, value);
	case OP_NIN:
		return !null && !listed(node, value);
	case OP_RIN:
		return holds(node, value);
	case OP_RNIN:
		return !null && !holds(node, value);
	case OP_STARTS:
	case OP_NSTARTS:
	case OP_ENDS:
	case OP_NENDS:
		return false;
	default:
		return value_order(value, node->value, &order) &&
		    ordered(node->op, order);
	}
}

static bool
test_folded_array(const struct filter_node *node, const json_t *value)
{
	json_t *folded = value_fold(value);
	bool result = folded != NULL && test_other(node, folded);

	json_decref(folded);
	return result;
}

bool
filter_node_test(const struct filter_node *node, const json_t *value)
{
	struct filter_work *work = node->work;
	struct text text;

	if (json_is_string(value)) {
		text = text_of(value);
		if (node->fold) {
			text.len = text_fold(text.at, text.len, &work->folded,
			    &work->folded_size);
			text.at = work->folded;
		}
		return test_text(node, text);
	}
	if (!node->fold || json_is_null(value))
		return test_other(node, value);
	return json_is_array(value) && test_folded_array(node, value);
}

static bool
test(const json_t *value, const void *node)
{
	return filter_node_test(node, value);
}

bool
filter_node_match(const struct filter_node *node, const json_t *entry)
{
	size_t i;

	if (node->type == NODE_TEST)
		return path_any(entry, &node->path, test, node);
	for (i = 0; i < node->count; i++)
		if (filter_node_match(&node->children[i], entry) ==
		    (node->type == NODE_OR))
			return node->type == NODE_OR;
	return node->type == NODE_AND;
}

bool
filter_match(const struct filter *filter, const json_t *entry)
{
	if (filter->work.problem != NULL)
		return false;
	return filter_node_match(&filter->root, entry) &&
	    filter->work.problem == NULL;
}

const char *
filter_problem(const struct filter *filter)
{
	return filter != NULL ? filter->work.problem : NULL;
}

void
filter_give_up(const struct filter *filter, const char *problem)
{
	filter->root.work->problem = problem;
}
