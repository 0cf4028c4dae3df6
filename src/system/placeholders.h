/*
 * Texts with places for values: "group {0}", "{0[name]} of {1}".
 */
#ifndef HF_PLACEHOLDERS_H
#define HF_PLACEHOLDERS_H

#include <jansson.h>
#include <stddef.h>

/*
 * The text with the values of an array put in: {0} the first one, {} the next
 * one, {0[name]} and {0.name} a member, {{ and }} a brace; strings as they
 * are, others as JSON, "?" for what is not there.  Cut at max bytes.  NULL
 * when the text is not of this form.  Caller frees.
 */
char	*placeholders_fill(const char *text, const json_t *values, size_t max);

#endif
