/*
 * The host keys that an SSH server has: one connection each, in which the
 * server signs the key exchange with it.
 */
#ifndef HF_SSH_SCAN_H
#define HF_SSH_SCAN_H

#include <sys/socket.h>
#include <stdint.h>

/*
 * The key of the first of these algorithms (NULL ends) that the server has:
 * "type base64", malloc'd.  NULL with *why (static); *answeredp: it is an SSH
 * server none the less, which has none or does not prove it.
 */
char	*ssh_scan(const struct sockaddr_storage *, socklen_t, int64_t deadline,
	    const char *const *algorithms, int *answeredp, const char **why);

#endif
