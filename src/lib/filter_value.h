/*
 * What filters, select and order_by have in common: dotted paths into an
 * entry, and how values compare.
 */
#ifndef HF_FILTER_VALUE_H
#define HF_FILTER_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_MAX_PARTS	16

/*
 * "a.b" descends, "a\.b" is one name, a number indexes an array, "*" is any
 * of its elements.
 */
struct path {
	size_t	 count;
	char	*parts[PATH_MAX_PARTS];
};

/* 0, or -1 when there are too many parts (the path is empty then). */
int	 path_parse(const char *text, struct path *);
void	 path_free(struct path *);
/* A text that parses to the path; caller frees. */
char	*path_write(const struct path *);
bool	 path_part_is_number(const char *part);
/*
 * The value there, borrowed; NULL when a name is missing, JSON null when an
 * index is.  "*" counts as a name.
 */
const json_t *path_get(const json_t *entry, const struct path *);
/* Does the test hold for the value there, for any of them with "*"? */
bool	 path_any(const json_t *entry, const struct path *,
	    bool (*test)(const json_t *value, const void *arg),
	    const void *arg);

/*
 * Equality as the API has it: 1 equals 1.0, and true equals 1.  Deep.
 */
bool	 value_equal(const json_t *, const json_t *);
/*
 * The order of two numbers (booleans count), two strings or two {"$date"}:
 * false when they have none.
 */
bool	 value_order(const json_t *, const json_t *, int *order);
/*
 * A total order for sorting: by kind, then as value_order; arrays by their
 * elements; objects are equal.
 */
enum value_kind {
	KIND_NULL,
	KIND_NUMBER,
	KIND_TEXT,
	KIND_DATE,
	KIND_ARRAY,
	KIND_OBJECT
};

enum value_kind value_kind(const json_t *);
/* The ms of {"$date": ms} and nothing else, borrowed; NULL: it is none. */
const json_t *date_value(const json_t *);
int	 value_sort(const json_t *, const json_t *);
/*
 * The case-folded form of a string, an array of strings, or null; NULL for
 * anything else.  A new reference.
 */
json_t	*value_fold(const json_t *);
/*
 * Case-folds a text (valid UTF-8) into *buffer, which grows and is the
 * caller's to free (NULL and size 0 at first); the length.
 */
size_t	 text_fold(const char *text, size_t len, char **buffer, size_t *size);

/*
 * A calendar date of ISO 8601, with "-" and ":" or without, and a time or
 * not; UTC without an offset; to milliseconds.  0 or -1.
 */
int	 date_parse(const char *text, int64_t *ms);

#endif
