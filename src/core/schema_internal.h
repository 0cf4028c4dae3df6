/*
 * What the parts of the schema engine share among themselves.
 */
#ifndef HF_SCHEMA_INTERNAL_H
#define HF_SCHEMA_INTERNAL_H

#define PCRE2_CODE_UNIT_WIDTH	8
#include <pcre2.h>

#include "core/schema.h"

/* The parsed default; NULL when there is none or it is no JSON. */
json_t		*schema_default(const struct field *);
/*
 * The default in full: what an object's own members default to is filled in.
 * NULL when there is none; fatal when it breaks its own rules (schema_lint
 * finds that first).
 */
json_t		*schema_default_full(const struct field *);
/* Is it a member that this use does not know? */
bool		 schema_hidden(const struct field *, enum schema_use);
/* The row of that name, or NULL. */
const struct field *schema_find(const struct field *, const char *name);
/* The variant whose tag the object has, or NULL. */
const struct variant *schema_variant(const struct field *, const json_t *);
/* Does it or anything below it hold a secret? */
bool		 schema_has_secret(const struct field *);
/* Largest length of a text of this row, in characters. */
int64_t		 schema_text_max(const struct field *);
/* Number of choices. */
size_t		 schema_choice_count(const struct field *);
/* Index of a choice, or -1. */
int		 schema_choice(const struct field *, const char *text);
/* One row for the elements of F_STRV and F_ENUMV: its own, of one text. */
struct field	 schema_element(const struct field *);
/* Compiles a row's pattern, anchored; NULL with *errorp of PCRE2. */
pcre2_code	*schema_pattern(const struct field *, int *errorp);

#endif
