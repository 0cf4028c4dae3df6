/*
 * What the commands print.  Texts of the server go to a terminal only with
 * their control characters shown as \u escapes.
 */
#ifndef HF_CLI_OUTPUT_H
#define HF_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Text with control characters escaped, but for newline and tab. */
void	print_text(FILE *, const char *);

/* "holdfast: " and a line for people on standard error. */
void	complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A value and a newline: pretty on a terminal, else compact. */
void	print_json(FILE *, const json_t *);

/*
 * A JSON-RPC error object on standard error: as JSON, or for people, one line
 * for each validation error.
 */
void	print_failure(const json_t *error, bool json);

#endif
