/*
 * Does a signature belong to a public key?  Both as they go over the wire of
 * SSH (RFC 4253 section 6.6, RFC 5656, RFC 8332, RFC 8709), by OpenSSL.  Pure;
 * the bytes are a peer's.
 */
#ifndef HF_SSH_SIGNATURE_H
#define HF_SSH_SIGNATURE_H

#include <stdbool.h>

#include "services/ssh/ssh_reply.h"

/*
 * algorithm: the one that was agreed upon, which both have to be of.  Those
 * there are: ssh-ed25519, ecdsa-sha2-nistp256, -384 and -521, rsa-sha2-256 and
 * -512.
 */
bool	ssh_signature_good(const char *algorithm, const struct ssh_bytes *key,
	    const struct ssh_bytes *signature, const struct ssh_bytes *message);

#endif
