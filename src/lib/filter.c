/*
 * Query filters: an array of [field, operator, value] and ["OR", [...]] made
 * into a tree, and written again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filter.h"
#include "lib/filter_tree.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define NESTING_MAX 3

/* clang-format off */
static const struct {
	const char *name;
	bool sql;		/* one of force_sql_filters */
} operators[] = {
	[OP_EQ] = { "=", true }, [OP_NE] = { "!=", true },
	[OP_GT] = { ">", true }, [OP_GE] = { ">=", true },
	[OP_LT] = { "<", true }, [OP_LE] = { "<=", true },
	[OP_RE] = { "~", true },
	[OP_IN] = { "in", true }, [OP_NIN] = { "nin", true },
	[OP_RIN] = { "rin", true }, [OP_RNIN] = { "rnin", false },
	[OP_STARTS] = { "^", true }, [OP_NSTARTS] = { "!^", false },
	[OP_ENDS] = { "$", true }, [OP_NENDS] = { "!$", false },
};
/* clang-format on */
#define OPERATORS (sizeof operators / sizeof operators[0])

struct parse {
	const char *attribute;
	struct verr *errors;
	struct filter *filter;
};

static void
node_clear(struct filter_node *node)
{
	size_t i;

	for (i = 0; i < node->count; i++)
		node_clear(&node->children[i]);
	free(node->children);
	path_free(&node->path);
	json_decref(node->value);
	free(node->sorted);
	regex_free(node->regex);
}

/* What was given, for a message: its text, cut. */
static char *
quote(const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY), *result;
	json_malloc_t allocate;
	json_free_t release;
	size_t len;

	if (text == NULL)
		return xstrdup("");
	len = strlen(text);
	if (len > 100)
		for (len = 100; ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	result = xstrndup(text, len);
	json_get_alloc_funcs(&allocate, &release);
	release(text);
	return result;
}

static int
fail(const struct parse *p, const char *text, const json_t *given)
{
	char *quoted = quote(given);

	verr_add(p->errors, p->attribute, "Value error, %s %s", text, quoted);
	free(quoted);
	return -1;
}

static int
parse_op(const struct parse *p, const char *name, struct filter_node *node)
{
	bool sql = p->filter->sql;
	const char *bare = name;
	size_t i;

	if (*bare == 'C' && !sql) {
		node->fold = true;
		bare++;
	}
	for (i = 0; i < OPERATORS; i++)
		if (strcmp(bare, operators[i].name) == 0 &&
		    (!sql || operators[i].sql))
			break;
	if (i == OPERATORS) {
		verr_add(p->errors, p->attribute,
		    "Value error, Invalid operation: %.64s", name);
		return -1;
	}
	node->op = (enum filter_op)i;
	if (node->fold && node->op == OP_RE) {
		verr_add(p->errors, p->attribute,
		    "Value error, Invalid case-insensitive operation: %s",
		    name);
		return -1;
	}
	return 0;
}

static int
compile(const struct parse *p, struct filter_node *node)
{
	char why[160];

	if (++p->filter->regexes > FILTER_REGEXES_MAX) {
		verr_add(p->errors, p->attribute,
		    "Value error, Filters may have %d regular expressions at "
		    "most",
		    FILTER_REGEXES_MAX);
		return -1;
	}
	node->regex = regex_new(json_string_value(node->value),
	    json_string_length(node->value), p->filter->sql, why, sizeof why);
	if (node->regex != NULL)
		return 0;
	verr_add(p->errors, p->attribute,
	    "Value error, Invalid regular expression: %s", why);
	return -1;
}

static int
compare_values(const void *a, const void *b)
{
	return value_sort(*(const json_t *const *)a, *(const json_t *const *)b);
}

/* So that each look into the list is a search by halves. */
static void
sort_list(struct filter_node *node)
{
	size_t count = json_array_size(node->value), i;
	const json_t *element;

	json_array_foreach(node->value, i, element)
		if (json_is_array(element) || json_is_object(element))
			return;
	node->sorted = xcalloc(count + 1, sizeof *node->sorted);
	for (i = 0; i < count; i++)
		node->sorted[i].value = json_array_get(node->value, i);
	qsort(node->sorted, count, sizeof *node->sorted, compare_values);
}

/* Is the value one that the operator can do something with? */
static int
check_value(
    const struct parse *p, struct filter_node *node, const json_t *given)
{
	int order;

	switch (node->op) {
	case OP_EQ:
	case OP_NE:
	case OP_RIN:
	case OP_RNIN:
		return 0;
	case OP_GT:
	case OP_GE:
	case OP_LT:
	case OP_LE:
		if (value_order(node->value, node->value, &order))
			return 0;
		return fail(
		    p, "A number, a text or a date is needed in", given);
	case OP_IN:
	case OP_NIN:
		if (json_is_array(node->value))
			sort_list(node);
		else if (!json_is_string(node->value))
			return fail(
			    p, "An array of values is needed in", given);
		return 0;
	default:
		if (!json_is_string(node->value))
			return fail(p, "A text is needed in", given);
		return node->op == OP_RE ? compile(p, node) : 0;
	}
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

/*
 * A field "x.$date" against an ISO 8601 text becomes field x against
 * {"$date": ms}, which is how entries carry times.  The two may also stand
 * the other way round.
 */
static int
parse_date(const struct parse *p, struct filter_node *node, const char *field,
    const json_t *value, const json_t *given)
{
	static const enum filter_op mirrored[] = { OP_EQ, OP_NE, OP_LT, OP_LE,
		OP_GT, OP_GE };
	const char *text = json_string_value(value), *swap;
	char *bare;
	int64_t ms;
	int result;

	if (node->op > OP_LE || node->fold)
		return fail(p, "Invalid operation for a time:", given);
	if (!ends_with(field, ".$date")) {
		swap = field;
		field = text;
		text = swap;
		node->op = mirrored[node->op];
	}
	if (text == NULL || date_parse(text, &ms) == -1)
		return fail(p, "A time in ISO 8601 form is needed in", given);
	bare = xstrndup(field, strlen(field) - strlen(".$date"));
	if (ends_with(bare, ".$date")) {
		free(bare);
		return fail(p, "Invalid filter", given);
	}
	result = path_parse(bare, &node->path);
	free(bare);
	if (result == -1)
		return fail(p, "Invalid filter", given);
	node->value = json_pack("{s:I}", "$date", (json_int_t)ms);
	return 0;
}

static int
parse_test(const struct parse *p, const json_t *given, struct filter_node *node)
{
	const json_t *field = json_array_get(given, 0);
	const json_t *op = json_array_get(given, 1);
	json_t *value = json_array_get(given, 2);

	node->type = NODE_TEST;
	node->work = &p->filter->work;
	if (++p->filter->tests > FILTER_TESTS_MAX) {
		verr_add(p->errors, p->attribute,
		    "Value error, Filters may have %d conditions at most",
		    FILTER_TESTS_MAX);
		return -1;
	}
	if (!json_is_string(field) || !json_is_string(op))
		return fail(p, "Invalid filter", given);
	if (parse_op(p, json_string_value(op), node) == -1)
		return -1;
	if (ends_with(json_string_value(field), ".$date") ||
	    (json_is_string(value) &&
		ends_with(json_string_value(value), ".$date")))
		return parse_date(
		    p, node, json_string_value(field), value, given);
	if (path_parse(json_string_value(field), &node->path) == -1)
		return fail(p, "Invalid filter", given);
	node->value = node->fold ? value_fold(value) : json_incref(value);
	if (node->value == NULL)
		return fail(p, "A text, texts or null are needed in", given);
	return check_value(p, node, given);
}

static int parse_list(
    const struct parse *, const json_t *, struct filter_node *, int depth);

static int
parse_or(const struct parse *p, const json_t *given, struct filter_node *node,
    int depth)
{
	const json_t *branches = json_array_get(given, 1), *branch;
	const json_t *name = json_array_get(given, 0);
	json_t *single;
	size_t i;
	int result;

	if (!json_is_string(name))
		return fail(p, "Invalid filter", given);
	if (strcmp(json_string_value(name), "OR") != 0) {
		verr_add(p->errors, p->attribute,
		    "Value error, Invalid operation: %.64s",
		    json_string_value(name));
		return -1;
	}
	if (!json_is_array(branches))
		return fail(p, "Invalid filter", given);
	if (json_array_size(branches) == 0) {
		verr_add(p->errors, p->attribute,
		    "Value error, OR filter requires at least one branch.");
		return -1;
	}
	if (depth >= NESTING_MAX) {
		verr_add(p->errors, p->attribute,
		    "Value error, Filters may be nested %d deep at most",
		    NESTING_MAX);
		return -1;
	}
	node->type = NODE_OR;
	node->work = &p->filter->work;
	node->children =
	    xcalloc(json_array_size(branches), sizeof *node->children);
	json_array_foreach(branches, i, branch) {
		node->count++;
		/* One filter, or an array of them. */
		if (json_is_array(json_array_get(branch, 0)))
			single = json_incref((json_t *)(uintptr_t)branch);
		else
			single = json_pack("[O]", branch);
		result = parse_list(p, single, &node->children[i], depth + 1);
		json_decref(single);
		if (result == -1)
			return -1;
	}
	return 0;
}

static int
parse_list(const struct parse *p, const json_t *given, struct filter_node *node,
    int depth)
{
	const json_t *element;
	size_t i;
	int result;

	node->type = NODE_AND;
	node->work = &p->filter->work;
	if (json_array_size(given) > 0)
		node->children =
		    xcalloc(json_array_size(given), sizeof *node->children);
	json_array_foreach(given, i, element) {
		node->count++;
		if (json_array_size(element) == 2)
			result =
			    parse_or(p, element, &node->children[i], depth);
		else if (json_array_size(element) == 3)
			result = parse_test(p, element, &node->children[i]);
		else
			result = fail(p, "Invalid filter", element);
		if (result == -1)
			return -1;
	}
	return 0;
}

static struct filter *
parse(
    const json_t *filters, bool sql, const char *attribute, struct verr *errors)
{
	struct parse p = { .attribute = attribute, .errors = errors };

	if (!json_is_array(filters)) {
		verr_add(errors, attribute, "Input should be a valid list");
		return NULL;
	}
	p.filter = xcalloc(1, sizeof *p.filter);
	p.filter->sql = sql;
	if (parse_list(&p, filters, &p.filter->root, 0) == 0)
		return p.filter;
	filter_free(p.filter);
	return NULL;
}

struct filter *
filter_parse(const json_t *filters, const char *attribute, struct verr *errors)
{
	return parse(filters, false, attribute, errors);
}

struct filter *
filter_parse_with(const json_t *filters, const json_t *options,
    const char *attribute, struct verr *errors)
{
	return parse(filters, json_bool(options, "force_sql_filters", false),
	    attribute, errors);
}

void
filter_free(struct filter *filter)
{
	if (filter == NULL)
		return;
	node_clear(&filter->root);
	free(filter->work.folded);
	free(filter);
}

size_t
filter_regexes(const struct filter *filter)
{
	return filter->regexes;
}

static json_t *
write_test(const struct filter_node *node)
{
	char *path = path_write(&node->path), op[8];
	json_t *test;

	snprintf(op, sizeof op, "%s%s", node->fold ? "C" : "",
	    operators[node->op].name);
	test = json_pack("[s, s, O]", path, op, node->value);
	free(path);
	return test;
}

static json_t *
write_list(const struct filter_node *node)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < node->count; i++) {
		const struct filter_node *child = &node->children[i];

		if (child->type == NODE_TEST)
			json_array_append_new(list, write_test(child));
		else if (child->type == NODE_OR)
			json_array_append_new(
			    list, json_pack("[s, o]", "OR", write_list(child)));
		else
			json_array_append_new(list, write_list(child));
	}
	return list;
}

json_t *
filter_write(const struct filter *filter)
{
	return write_list(&filter->root);
}

static void
node_compared(const struct filter_node *node,
    void (*call)(const char *, const json_t *, void *), void *arg)
{
	size_t i;

	if (node->type == NODE_TEST && node->path.count == 1 &&
	    node->op >= OP_GT && node->op <= OP_LE)
		call(node->path.parts[0], node->value, arg);
	for (i = 0; i < node->count; i++)
		node_compared(&node->children[i], call, arg);
}

void
filter_compared(const struct filter *filter,
    void (*call)(const char *, const json_t *, void *), void *arg)
{
	node_compared(&filter->root, call, arg);
}

static bool
is_key(const json_t *value)
{
	return json_is_string(value) || json_is_integer(value);
}

static bool
are_keys(const json_t *list)
{
	const json_t *element;
	size_t i;

	json_array_foreach(list, i, element)
		if (!is_key(element))
			return false;
	return json_is_array(list);
}

/* The operand of a condition that every match meets. */
static const json_t *
demanded(const struct filter *filter, const char *field, enum filter_op op,
    bool (*fits)(const json_t *))
{
	const struct filter_node *node;
	size_t i;

	if (filter == NULL)
		return NULL;
	for (i = 0; i < filter->root.count; i++) {
		node = &filter->root.children[i];
		if (node->type == NODE_TEST && node->op == op && !node->fold &&
		    node->path.count == 1 &&
		    strcmp(node->path.parts[0], field) == 0 &&
		    fits(node->value))
			return node->value;
	}
	return NULL;
}

const json_t *
filter_equals(const struct filter *filter, const char *field)
{
	return demanded(filter, field, OP_EQ, is_key);
}

const json_t *
filter_among(const struct filter *filter, const char *field)
{
	return demanded(filter, field, OP_IN, are_keys);
}
