/* The instance's own TLS key and self-signed certificate. */
#ifndef HF_MONITOR_TLS_H
#define HF_MONITOR_TLS_H

#include <stddef.h>

/*
 * Makes DIR/tls/key.pem and certificate.pem (0600, root) when they are not
 * there, and a new certificate when it is about to expire or does not name
 * the address.  In a child of its own.  0 or -1 with why.
 */
int	tls_ensure(int dir_fd, const char *hostname, const char *address,
	    char *why, size_t size);

/* Both texts, fresh; the key for freezero_str().  0 or -1 with errno. */
int	tls_read(int dir_fd, char **certificatep, char **keyp);

#endif
