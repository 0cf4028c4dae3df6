/*
 * Name-lists as SSH has them: names with commas between (RFC 4251 section 5).
 */
#ifndef HF_SSH_NAMES_H
#define HF_SSH_NAMES_H

#include <stdbool.h>
#include <stddef.h>

bool	 ssh_names_have(const char *list, const char *name, size_t len);
/*
 * The next name of the list, its length set; *at is NULL at first.  NULL: no
 * more.
 */
const char *ssh_names_next(const char *list, const char **at, size_t *lenp);

#endif
