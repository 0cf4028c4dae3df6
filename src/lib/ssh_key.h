/*
 * The public SSH keys of an account, as a text of many lines in the form of
 * sshd(8), AUTHORIZED_KEYS FILE FORMAT.
 */
#ifndef HF_SSH_KEY_H
#define HF_SSH_KEY_H

#include <stddef.h>

/*
 * What is wrong with the text, its line named (malloc'd); NULL: each line is
 * a key of a type that sshd accepts, with options before it or without, or a
 * comment, or blank.
 */
char	*ssh_keys_problem(const char *text);

/*
 * The same of one key alone, without options: static text that completes
 * "it ...".
 */
const char *ssh_key_problem(const char *line);

/* How many bits the RSA key of such a line has; 0: it is none. */
size_t	 ssh_key_rsa_bits(const char *line);

#endif
