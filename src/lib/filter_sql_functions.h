/*
 * The functions that statements of filter_sql.h call: the first back end,
 * seen from SQL.  What they evaluate travels as pointers (the "pointer
 * passing interface" of SQLite), which no statement's text can forge.
 */
#ifndef HF_FILTER_SQL_FUNCTIONS_H
#define HF_FILTER_SQL_FUNCTIONS_H

#include <sqlite3.h>

#include "lib/query_plan.h"

/* filter_match(entry, node), filter_test(value or NULL, node) */
#define POINTER_NODE	"holdfast filter node"
/*
 * filter_key(value) and filter_key_of(entry, sort): the sort key of
 * value_key.h; NULL of null
 */
#define POINTER_SORT	"holdfast sort"

struct sort {
	struct query_plan	*plan;
	const struct order_key	*key;
};

#endif
