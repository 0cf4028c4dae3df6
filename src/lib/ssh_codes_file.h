/*
 * The file of the second factors (lib/second_factor.h), and the keys that may
 * stand in it.
 */
#ifndef HF_SSH_CODES_FILE_H
#define HF_SSH_CODES_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Does every key of the text, as authorized_keys has them (sshd(8)), have
 * from= or command=?  False when there is none.  Appends "TYPE BASE64" of each
 * to keys, unless that is NULL.
 */
bool	ssh_codes_restricted(const char *text, json_t *keys);

/* Is it such a file?  An output's function (services/catalog.h). */
int	ssh_codes_vet(const char *content, size_t len, char **whyp);

#endif
