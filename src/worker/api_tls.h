/*
 * A TLS connection as a client, with a deadline for all that is done on it.
 */
#ifndef HF_WORKER_API_TLS_H
#define HF_WORKER_API_TLS_H

#include <stddef.h>

#include "worker/api_client.h"

struct api_tls;

void	api_tls_prepare(void);
/* As api_client_open(). */
int	api_tls_open(const struct api_server *, struct api_tls **,
	    const char **why);
void	api_tls_free(struct api_tls *);		/* NULL is fine */
/* All of it: 0 or -1. */
int	api_tls_send(struct api_tls *, const void *, size_t);
/* At least a byte: their number; 0 the end, -1 an error or time is over. */
int	api_tls_recv(struct api_tls *, void *, size_t);

#endif
