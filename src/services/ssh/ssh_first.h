/*
 * The first start on a machine that runs sshd already: what it does becomes
 * settings of ours (ssh_import.h), and it starts with the machine as before.
 * Until that is done its sshd_config is left alone.
 */
#ifndef HF_SSH_FIRST_H
#define HF_SSH_FIRST_H

#include <stdbool.h>

struct ssh_files;

/*
 * At each start, before files are brought in line: is there something to be
 * taken over?  Then that is tried as soon as core serves.
 */
bool	ssh_first_begin(const struct ssh_files *);

#endif
