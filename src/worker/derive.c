/*
 * The task derive-keys: what is kept of a secret, RFC 5802 section 3, with
 * SHA-512.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#include "core/scram.h"
#include "lib/xalloc.h"
#include "worker/tasks.h"

#define SECRET_MAX 1024
#define ITERATIONS_MAX 10000000 /* a minute or less */

struct derivation {
	uint8_t salt[SCRAM_SALT_LEN];
	uint8_t salted[SCRAM_KEY_LEN], client[SCRAM_KEY_LEN];
	uint8_t stored[SCRAM_KEY_LEN], server[SCRAM_KEY_LEN];
};

static int
take_salt(const void *given, size_t len, struct derivation *d)
{
	if (len == 0)
		return RAND_bytes(d->salt, sizeof(d->salt)) == 1 ? 0 : EIO;
	if (len != sizeof(d->salt))
		return EPROTO;
	memcpy(d->salt, given, len);
	return 0;
}

static int
derive(const char *secret, uint32_t iterations, struct derivation *d)
{
	static const uint8_t client[] = "Client Key", server[] = "Server Key";

	if (PKCS5_PBKDF2_HMAC(secret, (int)strlen(secret), d->salt,
		sizeof(d->salt), (int)iterations, EVP_sha512(),
		sizeof(d->salted), d->salted) != 1 ||
	    HMAC(EVP_sha512(), d->salted, sizeof(d->salted), client,
		sizeof(client) - 1, d->client, NULL) == NULL ||
	    HMAC(EVP_sha512(), d->salted, sizeof(d->salted), server,
		sizeof(server) - 1, d->server, NULL) == NULL)
		return EIO;
	SHA512(d->client, sizeof(d->client), d->stored);
	return 0;
}

int
task_derive_keys(struct wire_in *in, struct wire_out *out, const char **why)
{
	char *secret = wire_get_str(in, SECRET_MAX);
	size_t len;
	const void *salt = wire_get_bytes(in, &len);
	uint32_t iterations = wire_get_u32(in);
	struct derivation d;
	int error;

	if (wire_end(in) == -1 || iterations == 0 ||
	    iterations > ITERATIONS_MAX) {
		freezero_str(secret);
		return EPROTO;
	}
	if ((error = take_salt(salt, len, &d)) == 0) {
		*why = "OpenSSL cannot derive the keys";
		error = derive(secret, iterations, &d);
	}
	if (error == 0) {
		wire_put_bytes(out, d.salt, sizeof(d.salt));
		wire_put_bytes(out, d.stored, sizeof(d.stored));
		wire_put_bytes(out, d.server, sizeof(d.server));
		wire_put_bytes(out, d.client, sizeof(d.client));
	}
	explicit_bzero(&d, sizeof(d));
	freezero_str(secret);
	return error;
}
