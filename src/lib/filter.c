/*
 * Query filters: an array of [field, operator, value] and ["OR", [...]] made
 * into a tree once, then matched against entries.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filter.h"
#include "lib/filter_value.h"
#include "lib/xalloc.h"

#define NESTING_MAX 3
#define PATTERN_MAX 1024
/* Far above what a sane expression needs, some ten milliseconds at most. */
#define MATCH_LIMIT 100000
#define MATCH_HEAP_KIB 1024

enum op {
	OP_EQ,
	OP_NE,
	OP_GT,
	OP_GE,
	OP_LT,
	OP_LE,
	OP_RE,
	OP_IN,
	OP_NIN,
	OP_RIN,
	OP_RNIN,
	OP_STARTS,
	OP_NSTARTS,
	OP_ENDS,
	OP_NENDS
};

/* clang-format off */
static const char *const op_names[] = {
	"=", "!=", ">", ">=", "<", "<=", "~", "in", "nin", "rin", "rnin",
	"^", "!^", "$", "!$"
};
/* clang-format on */
#define OP_COUNT (sizeof op_names / sizeof op_names[0])

enum node_type { NODE_AND, NODE_OR, NODE_TEST };

struct node {
	enum node_type type;
	/* AND, OR */
	struct node *children;
	size_t count;
	/* TEST */
	struct path path;
	enum op op;
	bool fold; /* case-insensitive */
	json_t *value; /* folded when fold */
	pcre2_code *code;
	pcre2_match_data *match;
};

struct filter {
	struct node root;
};

struct parse {
	const char *attribute;
	struct verr *errors;
};

static pcre2_match_context *match_context;

static void
node_clear(struct node *node)
{
	size_t i;

	for (i = 0; i < node->count; i++)
		node_clear(&node->children[i]);
	free(node->children);
	path_free(&node->path);
	json_decref(node->value);
	pcre2_match_data_free(node->match);
	pcre2_code_free(node->code);
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
parse_op(const struct parse *p, const char *name, struct node *node)
{
	const char *bare = name;
	size_t i;

	if (*bare == 'C') {
		node->fold = true;
		bare++;
	}
	for (i = 0; i < OP_COUNT; i++)
		if (strcmp(bare, op_names[i]) == 0)
			break;
	if (i == OP_COUNT) {
		verr_add(p->errors, p->attribute,
		    "Value error, Invalid operation: %.64s", name);
		return -1;
	}
	node->op = (enum op)i;
	if (node->fold && node->op == OP_RE) {
		verr_add(p->errors, p->attribute,
		    "Value error, Invalid case-insensitive operation: %s",
		    name);
		return -1;
	}
	return 0;
}

static int
compile(const struct parse *p, struct node *node)
{
	pcre2_compile_context *context;
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	int error;

	context = pcre2_compile_context_create(NULL);
	if (context == NULL)
		abort();
	pcre2_set_max_pattern_length(context, PATTERN_MAX);
	pcre2_set_parens_nest_limit(context, 32);
	node->code = pcre2_compile((PCRE2_SPTR)json_string_value(node->value),
	    json_string_length(node->value),
	    PCRE2_ANCHORED | PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C,
	    &error, &offset, context);
	pcre2_compile_context_free(context);
	if (node->code == NULL) {
		pcre2_get_error_message(error, message, sizeof message);
		verr_add(p->errors, p->attribute,
		    "Value error, Invalid regular expression: %s at position "
		    "%zu",
		    (char *)message, offset);
		return -1;
	}
	node->match = pcre2_match_data_create(1, NULL);
	if (node->match == NULL)
		abort();
	if (match_context != NULL)
		return 0;
	match_context = pcre2_match_context_create(NULL);
	if (match_context == NULL)
		abort();
	pcre2_set_match_limit(match_context, MATCH_LIMIT);
	pcre2_set_depth_limit(match_context, MATCH_LIMIT);
	pcre2_set_heap_limit(match_context, MATCH_HEAP_KIB);
	return 0;
}

/* Is the value one that the operator can do something with? */
static int
check_value(const struct parse *p, struct node *node, const json_t *given)
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
		if (json_is_array(node->value) || json_is_string(node->value))
			return 0;
		return fail(p, "An array of values is needed in", given);
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
parse_date(const struct parse *p, struct node *node, const char *field,
    const json_t *value, const json_t *given)
{
	static const enum op mirrored[] = { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT,
		OP_GE };
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
	result = path_parse(bare, &node->path);
	free(bare);
	if (result == -1)
		return fail(p, "Invalid filter", given);
	node->value = json_pack("{s:I}", "$date", (json_int_t)ms);
	return 0;
}

static int
parse_test(const struct parse *p, const json_t *given, struct node *node)
{
	const json_t *field = json_array_get(given, 0);
	const json_t *op = json_array_get(given, 1);
	json_t *value = json_array_get(given, 2);

	node->type = NODE_TEST;
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
    const struct parse *, const json_t *, struct node *, int depth);

static int
parse_or(
    const struct parse *p, const json_t *given, struct node *node, int depth)
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
parse_list(
    const struct parse *p, const json_t *given, struct node *node, int depth)
{
	const json_t *element;
	size_t i;
	int result;

	node->type = NODE_AND;
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

struct filter *
filter_parse(const json_t *filters, const char *attribute, struct verr *errors)
{
	struct parse p = { .attribute = attribute, .errors = errors };
	struct filter *filter;

	if (!json_is_array(filters)) {
		verr_add(errors, attribute, "Input should be a valid list");
		return NULL;
	}
	filter = xcalloc(1, sizeof *filter);
	if (parse_list(&p, filters, &filter->root, 0) == -1) {
		filter_free(filter);
		return NULL;
	}
	return filter;
}

void
filter_free(struct filter *filter)
{
	if (filter == NULL)
		return;
	node_clear(&filter->root);
	free(filter);
}

static bool
match_regex(const struct node *node, const json_t *value)
{
	const char *text;
	size_t len;

	if (json_is_null(value)) {
		text = "";
		len = 0;
	} else if (json_is_string(value)) {
		text = json_string_value(value);
		len = json_string_length(value);
	} else {
		return false;
	}
	/* Over the limit counts as no match. */
	return pcre2_match(node->code, (PCRE2_SPTR)text, len, 0, 0, node->match,
		   match_context) >= 0;
}

/* Is a an element, a part of the text, or a name of b? */
static bool
contained(const json_t *a, const json_t *b)
{
	const json_t *element;
	size_t i;

	if (json_is_array(b)) {
		json_array_foreach(b, i, element)
			if (value_equal(a, element))
				return true;
		return false;
	}
	if (!json_is_string(a))
		return false;
	if (json_is_string(b))
		return strstr(json_string_value(b), json_string_value(a)) !=
		    NULL;
	return json_is_object(b) &&
	    json_object_get(b, json_string_value(a)) != NULL;
}

static bool
has_prefix(const json_t *value, const json_t *start)
{
	return strncmp(json_string_value(value), json_string_value(start),
		   json_string_length(start)) == 0;
}

static bool
compare(const struct node *node, const json_t *value)
{
	int order;

	if (!value_order(value, node->value, &order))
		return false;
	switch (node->op) {
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

static bool
test_plain(const struct node *node, const json_t *value)
{
	bool null = json_is_null(value), text = json_is_string(value);

	switch (node->op) {
	case OP_EQ:
		return value_equal(value, node->value);
	case OP_NE:
		return !value_equal(value, node->value);
	case OP_RE:
		return match_regex(node, value);
	case OP_IN:
		return contained(value, node->value);
	case OP_NIN:
		return !null && !contained(value, node->value);
	case OP_RIN:
		return contained(node->value, value);
	case OP_RNIN:
		return !null && !contained(node->value, value);
	case OP_STARTS:
		return text && has_prefix(value, node->value);
	case OP_NSTARTS:
		return text && !has_prefix(value, node->value);
	case OP_ENDS:
		return text &&
		    ends_with(json_string_value(value),
			json_string_value(node->value));
	case OP_NENDS:
		return text &&
		    !ends_with(json_string_value(value),
			json_string_value(node->value));
	default:
		return compare(node, value);
	}
}

static bool
test(const json_t *value, const void *arg)
{
	const struct node *node = arg;
	json_t *folded;
	bool result;

	if (!node->fold)
		return test_plain(node, value);
	folded = value_fold(value);
	if (folded == NULL)
		return false;
	result = test_plain(node, folded);
	json_decref(folded);
	return result;
}

static bool
match(const struct node *node, const json_t *entry)
{
	size_t i;

	if (node->type == NODE_TEST)
		return path_any(entry, &node->path, test, node);
	for (i = 0; i < node->count; i++)
		if (match(&node->children[i], entry) == (node->type == NODE_OR))
			return node->type == NODE_OR;
	return node->type == NODE_AND;
}

bool
filter_match(const struct filter *filter, const json_t *entry)
{
	return match(&filter->root, entry);
}
