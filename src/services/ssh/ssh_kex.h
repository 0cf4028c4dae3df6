/*
 * A client's part of the key exchanges of SSH (RFC 4253 section 8, RFC 5656,
 * RFC 8268, RFC 8731, draft-ietf-sshm-mlkem-hybrid-kex), by OpenSSL.
 */
#ifndef HF_SSH_KEX_H
#define HF_SSH_KEX_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "services/ssh/ssh_reply.h"

struct ssh_kex;

/*
 * The first of ours, strongest first, that is in the comma-separated list;
 * NULL: none.  Static.
 */
const char	*ssh_kex_choose(const char *offered);

/* For a name that ssh_kex_choose gave; NULL when OpenSSL fails. */
struct ssh_kex	*ssh_kex_begin(const char *name);
void		 ssh_kex_free(struct ssh_kex *);
/* What the first message carries. */
struct ssh_bytes ssh_kex_value(const struct ssh_kex *);
const EVP_MD	*ssh_kex_digest(const struct ssh_kex *);
/*
 * The shared secret as it enters the hash, without its length; freezero() it.
 * NULL when the server's value is none.
 */
uint8_t		*ssh_kex_finish(struct ssh_kex *, const struct ssh_bytes *,
		    size_t *lenp);

#endif
