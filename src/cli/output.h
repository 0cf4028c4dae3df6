/*
 * What the commands print.  Texts of the server go to a terminal only with
 * their control characters shown as \u escapes.
 */
#ifndef HF_CLI_OUTPUT_H
#define HF_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Text as text_clean() gives it, with its newlines and tabs. */
void	print_text(FILE *, const char *);

/* The program's name and a line for people on standard error. */
void	complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A value and a newline: pretty on a terminal, else compact. */
void	print_json(FILE *, const json_t *);

/* A result on standard output: for people on a terminal unless json. */
void	print_result(const json_t *, bool json);

/*
 * A JSON-RPC error object on standard error: as JSON, or for people, one line
 * for each validation error.
 */
void	print_failure(const json_t *error, bool json);

#endif
