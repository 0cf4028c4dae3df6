/*
 * What Holdfast asks of jansson beyond jansson: memory that is zeroed when
 * freed (messages carry passwords), a limit on depth, and short readers.
 */
#ifndef HF_JSON_H
#define HF_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/wire.h"

#define JSON_DEPTH_MAX	64

/* Makes jansson zero what it frees.  Call first in every program. */
void	 json_secure(void);

/*
 * Parses one whole text (no trailing garbage; duplicate members: the last one
 * counts; UTF-8 checked; NUL in strings refused; at most JSON_DEPTH_MAX deep).
 * NULL on failure with *errp set to a static or thread-local text that names
 * line and column but quotes nothing of the input.
 */
json_t	*json_parse(const char *text, size_t len, const char **errp);

/*
 * Appends the text, compact, keys as inserted.  -1: there is none (no value,
 * or no valid UTF-8), and what was appended is of no use.
 */
int	 json_write(const json_t *, struct wire_out *);
/* The text alone, NULL when there is none; free with freezero_str(). */
char	*json_text(const json_t *);
/* Keys sorted: equal values give equal texts. */
char	*json_text_sorted(const json_t *);

/* Member as string, or def when absent or of another type. */
const char *json_str(const json_t *object, const char *key, const char *def);
json_int_t  json_int(const json_t *object, const char *key, json_int_t def);
bool	    json_bool(const json_t *object, const char *key, bool def);

/* {"$date": ms}, whole seconds, as the API sends times. */
json_t	*json_date(int64_t seconds);
/* {"$set": [...]}; steals the array. */
json_t	*json_set(json_t *array);

#endif
