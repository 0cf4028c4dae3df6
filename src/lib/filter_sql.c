/*
 * Filters for SQLite: see filter_sql.h.
 *
 * What SQL says exactly is said in SQL.  The rest (regular expressions, case
 * folding, lists, deep equality, reals, of which SQLite's reader may miss the
 * last bit, paths with "*" or an index) is asked of functions that call the
 * first back end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filter_sql.h"
#include "lib/filter_sql_functions.h"
#include "lib/filter_tree.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

/* SQLite refuses expressions deeper than 1,000. */
#define CHILDREN_MAX 100

/*
 * Conditions by what they compare with; NULL: the functions'.  %T is the type
 * of what is at the path (NULL: nothing is), %X its value, %V the operand, %F
 * the answer of filter_test.
 */
/* clang-format off */
#define NUMBER "%T IN ('integer', 'true', 'false')"
#define REAL(test) "CASE %T WHEN 'real' THEN %F ELSE " test " END"

static const struct {
	const char *text, *number, *null;
} conditions[] = {
	[OP_EQ] = { "%T = 'text' AND %X = %V", REAL(NUMBER " AND %X = %V"),
	    "%T = 'null'" },
	[OP_NE] = { "%T <> 'text' OR %X <> %V",
	    REAL("NOT (" NUMBER ") OR %X <> %V"), "%T <> 'null'" },
	[OP_GT] = { "%T = 'text' AND %X > %V", REAL(NUMBER " AND %X > %V") },
	[OP_GE] = { "%T = 'text' AND %X >= %V",
	    REAL(NUMBER " AND %X >= %V") },
	[OP_LT] = { "%T = 'text' AND %X < %V", REAL(NUMBER " AND %X < %V") },
	[OP_LE] = { "%T = 'text' AND %X <= %V",
	    REAL(NUMBER " AND %X <= %V") },
	[OP_RIN] = { "CASE %T WHEN 'text' THEN instr(%X, %V) > 0 "
	    "ELSE %F END" },
	[OP_RNIN] = { "CASE %T WHEN 'text' THEN instr(%X, %V) = 0 "
	    "ELSE %F END" },
	[OP_STARTS] = { "%T = 'text' AND substr(%X, 1, length(%V)) = %V" },
	[OP_NSTARTS] = { "%T = 'text' AND substr(%X, 1, length(%V)) <> %V" },
	[OP_ENDS] = { "%T = 'text' AND "
	    "(%V = '' OR substr(%X, -length(%V)) = %V)" },
	[OP_NENDS] = { "%T = 'text' AND "
	    "%V <> '' AND substr(%X, -length(%V)) <> %V" },
};

/* Of a column that repeats the member: what an index can answer. */
static const char *const comparisons[] = {
	[OP_EQ] = "=", [OP_GT] = ">", [OP_GE] = ">=", [OP_LT] = "<",
	[OP_LE] = "<=", [OP_NENDS] = NULL
};

/*
 * Of columns that are not NULL, by their type: what json_type would say of the
 * member (numbers and truths are the same to all conditions), and its JSON.
 */
static const struct {
	json_type type;
	const char *name, *json;
} column_types[] = {
	{ JSON_STRING, "'text'", "json_quote(%s)" },
	{ JSON_INTEGER, "'integer'", "json_quote(%s)" },
	{ JSON_TRUE, "'true'", "iif(%s, 'true', 'false')" },
	{ JSON_OBJECT, "'object'", "json_object('$date', %s)" },
};
/* clang-format on */

enum bound_type {
	BOUND_TEXT,
	BOUND_INTEGER,
	BOUND_REAL,
	BOUND_NODE,
	BOUND_SORT
};

struct bound {
	enum bound_type type;
	union {
		char *text;
		json_int_t integer;
		double real;
		const struct filter_node *node;
		struct sort *sort;
	};
};

struct statement {
	const struct filter_sql *source;
	FILE *out;
	struct bound *bound;
	size_t count;
};

/* The number of a new parameter, behind those of the source. */
static size_t
bind(struct statement *s, struct bound bound)
{
	s->bound = xreallocarray(s->bound, s->count + 1, sizeof *s->bound);
	s->bound[s->count] = bound;
	return s->source->parameters + ++s->count;
}

static size_t
bind_integer(struct statement *s, json_int_t integer)
{
	return bind(
	    s, (struct bound){ .type = BOUND_INTEGER, .integer = integer });
}

static size_t
bind_node(struct statement *s, const struct filter_node *node)
{
	return bind(s, (struct bound){ .type = BOUND_NODE, .node = node });
}

/* 0 for what SQL does not know. */
static size_t
bind_value(struct statement *s, const json_t *value)
{
	struct bound bound = { 0 };

	switch (json_typeof(value)) {
	case JSON_STRING:
		bound.type = BOUND_TEXT;
		bound.text = xstrdup(json_string_value(value));
		break;
	case JSON_REAL:
		bound.type = BOUND_REAL;
		bound.real = json_real_value(value);
		break;
	case JSON_INTEGER:
		return bind_integer(s, json_integer_value(value));
	case JSON_TRUE:
	case JSON_FALSE:
		return bind_integer(s, json_is_true(value));
	default:
		return 0;
	}
	return bind(s, bound);
}

/*
 * Can SQLite find it?  It compares names as they are written, with escapes,
 * so that those which need any are left to us; numbers may index an array.
 */
static bool
plain(const char *part)
{
	const char *c;

	for (c = part; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '"' ||
		    *c == '\\')
			return false;
	return c > part && strcmp(part, "*") != 0 && !path_part_is_number(part);
}

/* $."a"."b", bound; 0: SQLite does not find it. */
static size_t
bind_path(struct statement *s, const struct path *path)
{
	struct wire_out text = { 0 };
	struct bound bound = { .type = BOUND_TEXT };
	size_t i;

	for (i = 0; i < path->count; i++)
		if (!plain(path->parts[i]))
			return 0;
	wire_put_raw(&text, "$", 1);
	for (i = 0; i < path->count; i++) {
		wire_put_raw(&text, ".\"", 2);
		wire_put_raw(&text, path->parts[i], strlen(path->parts[i]));
		wire_put_raw(&text, "\"", 1);
	}
	wire_put_u8(&text, '\0');
	bound.text = (char *)text.data;
	return bind(s, bound);
}

static const char *
condition_of(const struct filter_node *node)
{
	if (node->fold)
		return NULL;
	switch (json_typeof(node->value)) {
	case JSON_STRING:
		return conditions[node->op].text;
	case JSON_NULL:
		return conditions[node->op].null;
	case JSON_INTEGER:
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
		return conditions[node->op].number;
	default:
		return NULL;
	}
}

/* What a condition is about: a column, or a path into the document. */
struct subject {
	const struct filter_sql_column *column; /* or NULL */
	size_t path;
};

/* The value as JSON. */
static void
put_json(struct statement *s, const struct subject *subject)
{
	const char *column, *c;
	size_t i;

	if (subject->column == NULL) {
		fprintf(
		    s->out, "%s -> ?%zu", s->source->document, subject->path);
		return;
	}
	column = subject->column->column;
	for (i = 0; column_types[i].type != subject->column->type; i++)
		;
	for (c = column_types[i].json; *c != '\0'; c++) {
		if (c[0] == '%' && c[1] == 's') {
			fputs(column, s->out);
			c++;
		} else
			fputc(*c, s->out);
	}
}

static void
put_type(struct statement *s, const struct subject *subject)
{
	size_t i;

	if (subject->column == NULL) {
		fprintf(s->out, "json_type(%s, ?%zu)", s->source->document,
		    subject->path);
		return;
	}
	for (i = 0; column_types[i].type != subject->column->type; i++)
		;
	fputs(column_types[i].name, s->out);
}

static void
put_value(struct statement *s, const struct subject *subject)
{
	if (subject->column != NULL)
		fputs(subject->column->column, s->out);
	else
		fprintf(s->out, "json_extract(%s, ?%zu)", s->source->document,
		    subject->path);
}

/* Parameters are made when they are used: SQLite refuses one too many. */
static void
put_placeholder(struct statement *s, const struct filter_node *node,
    const struct subject *subject, char what, size_t *value)
{
	switch (what) {
	case 'T':
		put_type(s, subject);
		break;
	case 'X':
		put_value(s, subject);
		break;
	case 'V':
		if (*value == 0)
			*value = bind_value(s, node->value);
		fprintf(s->out, "?%zu", *value);
		break;
	default:
		fputs("filter_test(", s->out);
		put_json(s, subject);
		fprintf(s->out, ", ?%zu)", bind_node(s, node));
		break;
	}
}

static void
put_condition(struct statement *s, const struct filter_node *node,
    const struct subject *subject)
{
	const char *c = condition_of(node);
	size_t value = 0;

	for (c = c == NULL ? "%F" : c; *c != '\0'; c++) {
		if (*c == '%')
			put_placeholder(s, node, subject, *++c, &value);
		else
			fputc(*c, s->out);
	}
}

static const struct filter_sql_column *
column_of(const struct statement *s, const struct path *path)
{
	const struct filter_sql_column *column = s->source->columns;

	if (column == NULL || path->count != 1)
		return NULL;
	for (; column->field != NULL; column++)
		if (strcmp(column->field, path->parts[0]) == 0)
			return column;
	return NULL;
}

/* Is the operand of the column's type? */
static bool
fits(const struct filter_sql_column *column, const json_t *value)
{
	if (column->type == JSON_TRUE)
		return json_is_boolean(value);
	if (column->type == JSON_OBJECT)
		return date_value(value) != NULL;
	return json_typeof(value) == column->type;
}

/*
 * A condition on a member that a column repeats.  Comparing it with what is of
 * its type needs nothing else, and an index can be used.  Otherwise the
 * document is read only where the column is NULL: of what is null and what is
 * absent it does not tell which.
 */
static void
put_column(struct statement *s, const struct filter_node *node,
    const struct filter_sql_column *column)
{
	const char *comparison = comparisons[node->op];
	struct subject in_column = { .column = column }, in_document = { 0 };

	if (comparison != NULL && !node->fold && fits(column, node->value)) {
		fprintf(s->out, "%s %s ?%zu", column->column, comparison,
		    bind_value(s,
			column->type == JSON_OBJECT ? date_value(node->value) :
						      node->value));
		return;
	}
	in_document.path = bind_path(s, &node->path);
	fprintf(s->out, "CASE WHEN %s NOT NULL THEN ", column->column);
	put_condition(s, node, &in_column);
	fputs(" ELSE ", s->out);
	put_condition(s, node, &in_document);
	fputs(" END", s->out);
}

/* All of it by the first back end, which then reads the whole entry. */
static void
put_match(struct statement *s, const struct filter_node *node)
{
	fprintf(s->out, "filter_match(%s, ?%zu)", s->source->document,
	    bind_node(s, node));
}

static void
put_test(struct statement *s, const struct filter_node *node)
{
	const struct filter_sql_column *column = column_of(s, &node->path);
	struct subject subject = { 0 };

	if (column != NULL) {
		put_column(s, node, column);
		return;
	}
	subject.path = bind_path(s, &node->path);
	if (subject.path != 0)
		put_condition(s, node, &subject);
	else
		put_match(s, node);
}

static void
put_node(struct statement *s, const struct filter_node *node)
{
	size_t i;

	fputc('(', s->out);
	if (node->type == NODE_TEST) {
		put_test(s, node);
	} else if (node->count > CHILDREN_MAX) {
		put_match(s, node);
	} else if (node->count == 0) {
		fputs(node->type == NODE_AND ? "1" : "0", s->out);
	}
	for (i = 0; i < node->count && node->count <= CHILDREN_MAX; i++) {
		if (i > 0)
			fputs(
			    node->type == NODE_AND ? " AND " : " OR ", s->out);
		put_node(s, &node->children[i]);
	}
	fputc(')', s->out);
}

/* Of what the plan says at that place; a plan for each, to go with it. */
static struct sort *
sort_new(const struct query_options *q, size_t place)
{
	struct sort *sort = xcalloc(1, sizeof *sort);

	sort->plan = query_plan_new(q);
	sort->key = &sort->plan->order[place];
	return sort;
}

static void
sort_free(void *arg)
{
	struct sort *sort = arg;

	query_plan_free(sort->plan);
	free(sort);
}

/* What rows are sorted by: a column, what is at a path, or a plan's key. */
static void
put_key_value(struct statement *s, const struct query_options *q,
    const struct order_key *key, size_t place)
{
	const struct filter_sql_column *column = column_of(s, &key->path);
	const char *document = s->source->document;
	struct bound bound = { .type = BOUND_SORT };
	size_t path;

	if (!key->of_selected && column != NULL) {
		fputs(column->column, s->out);
		return;
	}
	path = key->of_selected ? 0 : bind_path(s, &key->path);
	if (path != 0) {
		fprintf(s->out, "filter_key(%s -> ?%zu)", document, path);
		return;
	}
	bound.sort = sort_new(q, place);
	fprintf(s->out, "filter_key_of(%s, ?%zu)", document, bind(s, bound));
}

static void
put_key(struct statement *s, const struct query_options *q,
    const struct order_key *key, size_t place)
{
	/* clang-format off */
	static const char *const nulls[] = { [NULLS_AS_VALUE] = "",
		[NULLS_FIRST] = " NULLS FIRST", [NULLS_LAST] = " NULLS LAST" };
	/* clang-format on */

	put_key_value(s, q, key, place);
	fprintf(s->out, "%s%s, ", key->descending ? " DESC" : "",
	    nulls[key->nulls]);
}

static void
put_order(struct statement *s, const struct query_options *q)
{
	struct query_plan *plan = query_plan_new(q);
	size_t i;

	fputs(" ORDER BY ", s->out);
	for (i = 0; i < plan->orders; i++)
		put_key(s, q, &plan->order[i], i);
	fputs(s->source->order, s->out);
	query_plan_free(plan);
}

/* Numbers below 0 count from an end that is not known yet. */
static bool
cuts(const struct query_options *q)
{
	return !q->get && !q->count && q->limit >= 0 && q->offset >= 0;
}

static void
put_limit(struct statement *s, const struct query_options *q)
{
	if (q->get)
		fputs(" LIMIT 1", s->out);
	else if (cuts(q) && (q->limit > 0 || q->offset > 0))
		fprintf(s->out, " LIMIT ?%zu OFFSET ?%zu",
		    bind_integer(s, q->limit > 0 ? q->limit : -1),
		    bind_integer(s, q->offset));
}

struct query_options
filter_sql_rest(const struct query_options *q)
{
	struct query_options rest = { .select = q->select, .get = q->get };

	if (!cuts(q)) {
		rest.limit = q->limit;
		rest.offset = q->offset;
	}
	return rest;
}

static char *
write_statement(struct statement *s, const struct filter *filter,
    const struct query_options *q)
{
	char *text = NULL;
	size_t size;

	s->out = open_memstream(&text, &size);
	if (s->out == NULL)
		abort();
	fprintf(s->out, "SELECT %s FROM %s WHERE ",
	    q->count                   ? "count(*)" :
		s->source->row != NULL ? s->source->row :
					 s->source->document,
	    s->source->table);
	if (s->source->where != NULL)
		fprintf(s->out, "%s AND ", s->source->where);
	if (filter != NULL)
		put_node(s, &filter->root);
	else
		fputs("1", s->out);
	if (!q->count) {
		if (s->source->order != NULL)
			put_order(s, q);
		put_limit(s, q);
	}
	if (fclose(s->out) != 0)
		abort();
	return text;
}

/* Texts and sort keys go to the statement, which frees them. */
static int
bind_one(sqlite3_stmt *statement, int number, struct bound *bound)
{
	int code = SQLITE_OK;

	switch (bound->type) {
	case BOUND_TEXT:
		code =
		    sqlite3_bind_text(statement, number, bound->text, -1, free);
		break;
	case BOUND_INTEGER:
		code = sqlite3_bind_int64(statement, number, bound->integer);
		break;
	case BOUND_REAL:
		code = sqlite3_bind_double(statement, number, bound->real);
		break;
	case BOUND_NODE:
		code = sqlite3_bind_pointer(statement, number,
		    (void *)(uintptr_t)bound->node, POINTER_NODE, NULL);
		break;
	case BOUND_SORT:
		code = sqlite3_bind_pointer(
		    statement, number, bound->sort, POINTER_SORT, sort_free);
		break;
	}
	return code;
}

static void
drop_bound(struct bound *bound)
{
	if (bound->type == BOUND_TEXT)
		free(bound->text);
	else if (bound->type == BOUND_SORT)
		sort_free(bound->sort);
}

sqlite3_stmt *
filter_sql_prepare(sqlite3 *db, const struct filter_sql *source,
    const struct filter *filter, const struct query_options *q)
{
	struct statement s = { .source = source };
	char *text = write_statement(&s, filter, q);
	sqlite3_stmt *statement = NULL;
	int code;
	size_t i;

	code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
	for (i = 0; i < s.count; i++) {
		/* Even where it fails, SQLite frees what it was given. */
		if (code == SQLITE_OK)
			code = bind_one(statement,
			    (int)(source->parameters + i) + 1, &s.bound[i]);
		else
			drop_bound(&s.bound[i]);
	}
	if (code != SQLITE_OK) {
		sqlite3_finalize(statement);
		statement = NULL;
	}
	free(s.bound);
	free(text);
	return statement;
}
