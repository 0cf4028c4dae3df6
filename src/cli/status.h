/*
 * The result of holdfast.status as tables for people.
 */
#ifndef HF_CLI_STATUS_H
#define HF_CLI_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * Whether somebody should look: not ready, without an administrator, with
 * alerts from a warning on, to be started anew, or with problems.
 */
bool	status_needs_attention(const json_t *status);

/* instance NULL: this machine's own; named in the advice. */
void	status_print(FILE *, const json_t *status, const char *instance);

/* What ssh.import_report answers; nothing of null. */
void	status_print_import(FILE *, const json_t *report);

#endif
