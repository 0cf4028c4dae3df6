/*
 * SHA-256 as a text: see digest.h.
 */
#include "lib/digest.h"

#include <openssl/evp.h>

#include "lib/hex.h"
#include "lib/log.h"

void
digest_text(const void *data, size_t len, char text[static DIGEST_TEXT])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	if (EVP_Digest(data, len, md, NULL, EVP_sha256(), NULL) != 1)
		fatal("SHA-256 failed");
	hex_write(md, (DIGEST_TEXT - 1) / 2, text);
}
