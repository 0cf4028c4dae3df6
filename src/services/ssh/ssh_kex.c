/*
 * A client's part of the key exchanges of SSH.
 */
#include "services/ssh/ssh_kex.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_names.h"

#define MLKEM_PUBLIC 1184 /* ML-KEM-768, FIPS 203 section 8 */
#define MLKEM_CIPHERTEXT 1088
#define MLKEM_SECRET 32
#define X25519_LEN 32
#define GROUP_BYTES_MAX 1024 /* group 18 */

enum kind { KIND_CURVE, KIND_GROUP, KIND_HYBRID };

struct method {
	const char *name;
	enum kind kind;
	const char *curve; /* "X25519", or of EC */
	BIGNUM *(*prime)(BIGNUM *);
	const EVP_MD *(*digest)(void);
};

struct ssh_kex {
	const struct method *method;
	EVP_PKEY *key; /* of the curve */
	EVP_PKEY *kem;
	BIGNUM *prime, *exponent;
	uint8_t *value;
	size_t value_len;
};

/* clang-format off */
static const struct method methods[] = {
	{ "mlkem768x25519-sha256", KIND_HYBRID, "X25519", NULL, EVP_sha256 },
	{ "curve25519-sha256", KIND_CURVE, "X25519", NULL, EVP_sha256 },
	{ "curve25519-sha256@libssh.org", KIND_CURVE, "X25519", NULL,
	  EVP_sha256 },
	{ "ecdh-sha2-nistp256", KIND_CURVE, "P-256", NULL, EVP_sha256 },
	{ "ecdh-sha2-nistp384", KIND_CURVE, "P-384", NULL, EVP_sha384 },
	{ "ecdh-sha2-nistp521", KIND_CURVE, "P-521", NULL, EVP_sha512 },
	{ "diffie-hellman-group15-sha512", KIND_GROUP, NULL,
	  BN_get_rfc3526_prime_3072, EVP_sha512 },
	{ "diffie-hellman-group16-sha512", KIND_GROUP, NULL,
	  BN_get_rfc3526_prime_4096, EVP_sha512 },
	{ "diffie-hellman-group17-sha512", KIND_GROUP, NULL,
	  BN_get_rfc3526_prime_6144, EVP_sha512 },
	{ "diffie-hellman-group18-sha512", KIND_GROUP, NULL,
	  BN_get_rfc3526_prime_8192, EVP_sha512 },
	{ "diffie-hellman-group14-sha256", KIND_GROUP, NULL,
	  BN_get_rfc3526_prime_2048, EVP_sha256 },
	{ "diffie-hellman-group14-sha1", KIND_GROUP, NULL,
	  BN_get_rfc3526_prime_2048, EVP_sha1 },
	{ "diffie-hellman-group1-sha1", KIND_GROUP, NULL,
	  BN_get_rfc2409_prime_1024, EVP_sha1 },
};
/* clang-format on */

/* ML-KEM came with OpenSSL 3.5. */
static bool
kem_available(void)
{
	EVP_PKEY_CTX *ctx =
	    EVP_PKEY_CTX_new_from_name(NULL, "ML-KEM-768", NULL);

	EVP_PKEY_CTX_free(ctx);
	return ctx != NULL;
}

const char *
ssh_kex_choose(const char *offered)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (ssh_names_have(
			offered, methods[i].name, strlen(methods[i].name)) &&
		    (methods[i].kind != KIND_HYBRID || kem_available()))
			return methods[i].name;
	return NULL;
}

static EVP_PKEY *
generate(const char *curve)
{
	if (strcmp(curve, "X25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

static int
begin_curve(struct ssh_kex *kex)
{
	unsigned char *encoded = NULL;

	kex->key = generate(kex->method->curve);
	if (kex->key == NULL)
		return -1;
	kex->value_len = EVP_PKEY_get1_encoded_public_key(kex->key, &encoded);
	if (kex->value_len == 0)
		return -1;
	kex->value = xmemdup(encoded, kex->value_len);
	OPENSSL_free(encoded);
	return 0;
}

static int
begin_hybrid(struct ssh_kex *kex)
{
	uint8_t *both = xmalloc(MLKEM_PUBLIC + X25519_LEN);
	size_t len = 0;

	kex->kem = EVP_PKEY_Q_keygen(NULL, NULL, "ML-KEM-768");
	if (kex->kem == NULL || begin_curve(kex) == -1 ||
	    EVP_PKEY_get_octet_string_param(kex->kem, OSSL_PKEY_PARAM_PUB_KEY,
		both, MLKEM_PUBLIC, &len) != 1 ||
	    len != MLKEM_PUBLIC || kex->value_len != X25519_LEN) {
		free(both);
		return -1;
	}
	memcpy(both + MLKEM_PUBLIC, kex->value, X25519_LEN);
	free(kex->value);
	kex->value = both;
	kex->value_len = MLKEM_PUBLIC + X25519_LEN;
	return 0;
}

/* As an mpint without its length; malloc'd. */
static uint8_t *
number_bytes(const uint8_t *p, size_t len, size_t *lenp)
{
	uint8_t *bytes;

	while (len > 0 && *p == 0) {
		p++;
		len--;
	}
	bytes = xcalloc(1, len + 1);
	if (len > 0 && p[0] & 0x80) {
		memcpy(bytes + 1, p, len);
		*lenp = len + 1;
	} else {
		memcpy(bytes, p, len);
		*lenp = len;
	}
	return bytes;
}

static uint8_t *
bignum_bytes(const BIGNUM *n, size_t *lenp)
{
	uint8_t plain[GROUP_BYTES_MAX], *bytes;
	int len = BN_num_bytes(n);

	if (len > (int)sizeof(plain) || BN_bn2bin(n, plain) != len)
		return NULL;
	bytes = number_bytes(plain, (size_t)len, lenp);
	explicit_bzero(plain, sizeof(plain));
	return bytes;
}

/* An exponent of twice the strength of a cipher with 256 bits. */
static int
begin_group(struct ssh_kex *kex)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *two = BN_new(), *value = BN_new();
	int r = -1;

	kex->prime = kex->method->prime(NULL);
	kex->exponent = BN_secure_new();
	if (ctx != NULL && two != NULL && value != NULL && kex->prime != NULL &&
	    kex->exponent != NULL && BN_set_word(two, 2) == 1 &&
	    BN_priv_rand(
		kex->exponent, 512, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	    BN_mod_exp(value, two, kex->exponent, kex->prime, ctx) == 1) {
		kex->value = bignum_bytes(value, &kex->value_len);
		r = kex->value == NULL ? -1 : 0;
	}
	BN_free(two);
	BN_free(value);
	BN_CTX_free(ctx);
	return r;
}

struct ssh_kex *
ssh_kex_begin(const char *name)
{
	struct ssh_kex *kex = xcalloc(1, sizeof(*kex));
	size_t i;
	int r = -1;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			kex->method = &methods[i];
	if (kex->method != NULL && kex->method->kind == KIND_CURVE)
		r = begin_curve(kex);
	else if (kex->method != NULL && kex->method->kind == KIND_GROUP)
		r = begin_group(kex);
	else if (kex->method != NULL)
		r = begin_hybrid(kex);
	if (r == 0)
		return kex;
	ssh_kex_free(kex);
	return NULL;
}

void
ssh_kex_free(struct ssh_kex *kex)
{
	if (kex == NULL)
		return;
	EVP_PKEY_free(kex->key);
	EVP_PKEY_free(kex->kem);
	BN_free(kex->prime);
	BN_clear_free(kex->exponent);
	free(kex->value);
	free(kex);
}

struct ssh_bytes
ssh_kex_value(const struct ssh_kex *kex)
{
	struct ssh_bytes value = { kex->value, kex->value_len };

	return value;
}

const EVP_MD *
ssh_kex_digest(const struct ssh_kex *kex)
{
	return kex->method->digest();
}

/* The secret of the curve (malloc'd), or NULL. */
static uint8_t *
derive(EVP_PKEY *key, const uint8_t *value, size_t len, size_t *lenp)
{
	EVP_PKEY *peer = EVP_PKEY_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	uint8_t *secret = NULL;
	size_t size = 0;

	if (peer == NULL || ctx == NULL ||
	    EVP_PKEY_copy_parameters(peer, key) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(peer, value, len) != 1 ||
	    EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
	    EVP_PKEY_derive(ctx, NULL, &size) != 1)
		goto out;
	secret = xcalloc(1, size);
	*lenp = size;
	if (EVP_PKEY_derive(ctx, secret, lenp) != 1) {
		freezero(secret, size);
		secret = NULL;
	}
out:
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(ctx);
	return secret;
}

static uint8_t *
finish_curve(struct ssh_kex *kex, const struct ssh_bytes *theirs, size_t *lenp)
{
	size_t len = 0;
	uint8_t *secret, *number;

	secret = derive(kex->key, theirs->data, theirs->len, &len);
	if (secret == NULL)
		return NULL;
	number = number_bytes(secret, len, lenp);
	freezero(secret, len);
	return number;
}

static uint8_t *
finish_group(struct ssh_kex *kex, const struct ssh_bytes *theirs, size_t *lenp)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *value = NULL, *secret = BN_new(), *top = BN_dup(kex->prime);
	uint8_t *bytes = NULL;

	if (theirs->len <= GROUP_BYTES_MAX + 1)
		value = BN_bin2bn(theirs->data, (int)theirs->len, NULL);
	/* RFC 4253 section 8: between 1 and p-1. */
	if (ctx != NULL && value != NULL && secret != NULL && top != NULL &&
	    BN_sub_word(top, 1) == 1 && BN_cmp(value, BN_value_one()) > 0 &&
	    BN_cmp(value, top) < 0 &&
	    BN_mod_exp(secret, value, kex->exponent, kex->prime, ctx) == 1)
		bytes = bignum_bytes(secret, lenp);
	BN_free(value);
	BN_free(top);
	BN_clear_free(secret);
	BN_CTX_free(ctx);
	return bytes;
}

/* The hash of both secrets. */
static uint8_t *
finish_hybrid(struct ssh_kex *kex, const struct ssh_bytes *theirs, size_t *lenp)
{
	uint8_t both[MLKEM_SECRET + X25519_LEN], *secret = NULL, *hash = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, kex->kem, NULL);
	size_t len = MLKEM_SECRET, curve_len = 0;

	if (ctx == NULL || theirs->len != MLKEM_CIPHERTEXT + X25519_LEN ||
	    EVP_PKEY_decapsulate_init(ctx, NULL) != 1 ||
	    EVP_PKEY_decapsulate(
		ctx, both, &len, theirs->data, MLKEM_CIPHERTEXT) != 1 ||
	    len != MLKEM_SECRET)
		goto out;
	secret = derive(
	    kex->key, theirs->data + MLKEM_CIPHERTEXT, X25519_LEN, &curve_len);
	if (secret == NULL || curve_len != X25519_LEN)
		goto out;
	memcpy(both + MLKEM_SECRET, secret, X25519_LEN);
	hash = xcalloc(1, EVP_MAX_MD_SIZE);
	if (EVP_Q_digest(
		NULL, "SHA256", NULL, both, sizeof(both), hash, lenp) != 1) {
		free(hash);
		hash = NULL;
	}
out:
	explicit_bzero(both, sizeof(both));
	freezero(secret, curve_len);
	EVP_PKEY_CTX_free(ctx);
	return hash;
}

uint8_t *
ssh_kex_finish(
    struct ssh_kex *kex, const struct ssh_bytes *theirs, size_t *lenp)
{
	switch (kex->method->kind) {
	case KIND_CURVE:
		return finish_curve(kex, theirs, lenp);
	case KIND_GROUP:
		return finish_group(kex, theirs, lenp);
	case KIND_HYBRID:
		return finish_hybrid(kex, theirs, lenp);
	}
	return NULL;
}
