/*
 * What a filter can tell of an entry by its text, before it is parsed: a text
 * that a condition asks for has to be in it.
 *
 * A letter of a JSON text stands for itself, or is written as \uXXXX (RFC 8259
 * section 7); the few that have a shorter escape as well are not searched for.
 */
#include <string.h>

#include "lib/filter_tree.h"

struct piece {
	const char *at;
	size_t len;
};

static bool
stands_for_itself(char c)
{
	return (unsigned char)c >= ' ' && c != '"' && c != '\\' && c != '/';
}

/* The longest part of an operand that has one form alone. */
static struct piece
longest_piece(const json_t *string)
{
	const char *text = json_string_value(string);
	size_t len = json_string_length(string), start = 0, i;
	struct piece best = { text, 0 };

	for (i = 0; i <= len; i++) {
		if (i < len && stands_for_itself(text[i]))
			continue;
		if (i - start > best.len)
			best = (struct piece){ text + start, i - start };
		start = i + 1;
	}
	return best;
}

static bool
has_piece(const json_t *operand, const char *text, size_t len)
{
	struct piece piece;

	if (!json_is_string(operand))
		return true;
	piece = longest_piece(operand);
	return memmem(text, len, piece.at, piece.len) != NULL;
}

static bool
has_any_piece(const json_t *operands, const char *text, size_t len)
{
	const json_t *operand;
	size_t i;

	json_array_foreach(operands, i, operand)
		if (has_piece(operand, text, len))
			return true;
	return false;
}

static bool
test_possible(const struct filter_node *node, const char *text, size_t len)
{
	if (node->fold)
		return true;
	switch (node->op) {
	case OP_EQ:
	case OP_RIN:
	case OP_STARTS:
	case OP_ENDS:
		return has_piece(node->value, text, len);
	case OP_IN:
		return !json_is_array(node->value) ||
		    has_any_piece(node->value, text, len);
	default:
		return true;
	}
}

static bool
node_possible(const struct filter_node *node, const char *text, size_t len)
{
	size_t i;

	if (node->type == NODE_TEST)
		return test_possible(node, text, len);
	for (i = 0; i < node->count; i++)
		if (node_possible(&node->children[i], text, len) ==
		    (node->type == NODE_OR))
			return node->type == NODE_OR;
	return node->type == NODE_AND;
}

bool
filter_possible(const struct filter *filter, const char *text, size_t len)
{
	return node_possible(&filter->root, text, len) ||
	    memmem(text, len, "\\u", 2) != NULL;
}
