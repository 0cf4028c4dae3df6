/* What the files that read and make certificates share. */
#ifndef HF_WORKER_CERTIFICATE_H
#define HF_WORKER_CERTIFICATE_H

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/wire.h"

/*
 * What a certificate, or a request, says, by the names of certificate.query;
 * of the first what only that has as well.  New references; members whose text
 * is none (no UTF-8) are null.  (certificate_told.c)
 */
json_t	*certificate_told(const X509 *);
json_t	*certificate_request_told(X509_REQ *);

/* Of which kind it is, if others take such: "RSA", "EC", ...; else NULL. */
const char *certificate_key_kind(const EVP_PKEY *);

/* Adds the key as PKCS#8, not encrypted; -1: it cannot be. */
int	 certificate_put_key(struct wire_out *, const EVP_PKEY *);
/* Adds the text of what was written to it; frees it. */
void	 certificate_put_text(struct wire_out *, BIO *);
void	 certificate_put_told(struct wire_out *, json_t *told); /* stolen */

#endif
