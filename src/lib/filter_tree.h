/*
 * The tree that filters are parsed into; for the parser and the two back ends
 * alone.
 */
#ifndef HF_FILTER_TREE_H
#define HF_FILTER_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/filter.h"
#include "lib/filter_regex.h"
#include "lib/filter_value.h"

enum filter_op {
	OP_EQ,		/* these six have an order, and times know no others */
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

enum filter_node_type { NODE_AND, NODE_OR, NODE_TEST };

/* What evaluating changes, of one filter. */
struct filter_work {
	const char	*problem;	/* see filter_problem */
	char		*folded;	/* text_fold's buffer */
	size_t		 folded_size;
};

struct element {
	const json_t	*value;
};

struct filter_node {
	enum filter_node_type	  type;
	/* AND, OR */
	struct filter_node	 *children;
	size_t			  count;
	/* TEST */
	struct path		  path;
	enum filter_op		  op;
	bool			  fold;		/* case-insensitive */
	json_t			 *value;	/* folded when fold */
	struct element		 *sorted;	/* of an array without arrays
						   and objects; else NULL */
	struct regex		 *regex;
	struct filter_work	 *work;
};

struct filter {
	struct filter_node	 root;
	struct filter_work	 work;
	bool			 sql;
	size_t			 tests;
	size_t			 regexes;
};

/* Does the node hold for the entry? */
bool	 filter_node_match(const struct filter_node *, const json_t *entry);
/* Does the TEST hold for the value at its path? */
bool	 filter_node_test(const struct filter_node *, const json_t *value);
/* As query_run gives a filter up. */
void	 filter_give_up(const struct filter *, const char *problem);

#endif
