/*
 * Signatures of SSH: see ssh_signature.h.
 */
#include "services/ssh/ssh_signature.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

#define ED25519_KEY 32
#define RSA_BYTES_MAX 2048
#define RSA_EXPONENT_MAX 8
#define EC_POINT_MAX 256

enum family { FAMILY_ED25519, FAMILY_ECDSA, FAMILY_RSA };

/* clang-format off */
static const struct kind {
	const char *algorithm;
	enum family family;
	const char *type;	/* of the key */
	const char *curve;	/* as in the key, and as OpenSSL calls it */
	const char *group;
	const char *digest;	/* NULL: the algorithm's own */
} kinds[] = {
	{ "ssh-ed25519", FAMILY_ED25519, "ssh-ed25519", NULL, NULL, NULL },
	{ "ecdsa-sha2-nistp256", FAMILY_ECDSA, "ecdsa-sha2-nistp256",
	  "nistp256", "P-256", "SHA256" },
	{ "ecdsa-sha2-nistp384", FAMILY_ECDSA, "ecdsa-sha2-nistp384",
	  "nistp384", "P-384", "SHA384" },
	{ "ecdsa-sha2-nistp521", FAMILY_ECDSA, "ecdsa-sha2-nistp521",
	  "nistp521", "P-521", "SHA512" },
	{ "rsa-sha2-256", FAMILY_RSA, "ssh-rsa", NULL, NULL, "SHA256" },
	{ "rsa-sha2-512", FAMILY_RSA, "ssh-rsa", NULL, NULL, "SHA512" },
};
/* clang-format on */
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool
next_is(struct ssh_in *in, const char *text)
{
	size_t len;
	const uint8_t *data = ssh_get_string(in, &len);

	return !in->bad && len == strlen(text) && memcmp(data, text, len) == 0;
}

static bool
at_end(const struct ssh_in *in)
{
	return !in->bad && in->at == in->len;
}

/* --- Keys ----------------------------------------------------------------- */

static EVP_PKEY *
key_from(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *key = NULL;

	if (context == NULL || params == NULL ||
	    EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *
ed25519_key(struct ssh_in *in)
{
	size_t len;
	const uint8_t *data = ssh_get_string(in, &len);

	if (!at_end(in) || len != ED25519_KEY)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, data, len);
}

static EVP_PKEY *
ecdsa_key(struct ssh_in *in, const struct kind *kind)
{
	OSSL_PARAM_BLD *build;
	EVP_PKEY *key = NULL;
	const uint8_t *point;
	size_t len;

	if (!next_is(in, kind->curve))
		return NULL;
	point = ssh_get_string(in, &len);
	if (!at_end(in) || len > EC_POINT_MAX)
		return NULL;
	build = OSSL_PARAM_BLD_new();
	if (build != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(
		build, OSSL_PKEY_PARAM_GROUP_NAME, kind->group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(
		build, OSSL_PKEY_PARAM_PUB_KEY, point, len) == 1)
		key = key_from("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *
rsa_key(struct ssh_in *in)
{
	OSSL_PARAM_BLD *build = NULL;
	EVP_PKEY *key = NULL;
	const uint8_t *e, *n;
	size_t e_len, n_len;
	BIGNUM *exponent, *modulus;

	e = ssh_get_string(in, &e_len);
	n = ssh_get_string(in, &n_len);
	if (!at_end(in) || e_len > RSA_EXPONENT_MAX || n_len > RSA_BYTES_MAX)
		return NULL;
	exponent = BN_bin2bn(e, (int)e_len, NULL);
	modulus = BN_bin2bn(n, (int)n_len, NULL);
	if (exponent != NULL && modulus != NULL &&
	    (build = OSSL_PARAM_BLD_new()) != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) ==
		1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		key = key_from("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(exponent);
	BN_free(modulus);
	return key;
}

static EVP_PKEY *
read_key(const struct kind *kind, const struct ssh_bytes *bytes)
{
	struct ssh_in in = { .data = bytes->data, .len = bytes->len };

	if (!next_is(&in, kind->type))
		return NULL;
	switch (kind->family) {
	case FAMILY_ED25519:
		return ed25519_key(&in);
	case FAMILY_ECDSA:
		return ecdsa_key(&in, kind);
	case FAMILY_RSA:
		return rsa_key(&in);
	}
	return NULL;
}

/* --- Signatures ----------------------------------------------------------- */

/* Two numbers (RFC 5656 section 3.1.2) in the form of OpenSSL; NULL: none. */
static uint8_t *
ecdsa_der(const uint8_t *data, size_t size, size_t *lenp)
{
	struct ssh_in in = { .data = data, .len = size };
	ECDSA_SIG *signature = ECDSA_SIG_new();
	uint8_t *der = NULL, *copy = NULL;
	const uint8_t *r, *s;
	size_t r_len, s_len;
	BIGNUM *first, *second;
	int len = 0;

	r = ssh_get_string(&in, &r_len);
	s = ssh_get_string(&in, &s_len);
	if (signature == NULL || !at_end(&in) || r_len > EC_POINT_MAX ||
	    s_len > EC_POINT_MAX) {
		ECDSA_SIG_free(signature);
		return NULL;
	}
	first = BN_bin2bn(r, (int)r_len, NULL);
	second = BN_bin2bn(s, (int)s_len, NULL);
	if (first != NULL && second != NULL &&
	    ECDSA_SIG_set0(signature, first, second) == 1) {
		len = i2d_ECDSA_SIG(signature, &der);
	} else {
		BN_free(first);
		BN_free(second);
	}
	if (len > 0)
		copy = xmemdup(der, (size_t)len);
	OPENSSL_free(der);
	ECDSA_SIG_free(signature);
	*lenp = len > 0 ? (size_t)len : 0;
	return copy;
}

/* As long as the modulus, whose leading zeros are left out on the wire. */
static uint8_t *
rsa_whole(const uint8_t *data, size_t size, const EVP_PKEY *key, size_t *lenp)
{
	size_t whole = (size_t)EVP_PKEY_get_size(key);
	uint8_t *copy;

	if (size > whole || whole > RSA_BYTES_MAX)
		return NULL;
	copy = xcalloc(whole, 1);
	if (size > 0)
		memcpy(copy + (whole - size), data, size);
	*lenp = whole;
	return copy;
}

static bool
verify(const struct kind *kind, EVP_PKEY *key, const uint8_t *signature,
    size_t len, const struct ssh_bytes *message)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	good = context != NULL &&
	    EVP_DigestVerifyInit_ex(
		context, NULL, kind->digest, NULL, NULL, key, NULL) == 1 &&
	    EVP_DigestVerify(
		context, signature, len, message->data, message->len) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

static bool
good_with(const struct kind *kind, EVP_PKEY *key,
    const struct ssh_bytes *signature, const struct ssh_bytes *message)
{
	struct ssh_in in = { .data = signature->data, .len = signature->len };
	const uint8_t *data;
	uint8_t *form;
	size_t size, len = 0;
	bool good;

	if (!next_is(&in, kind->algorithm))
		return false;
	data = ssh_get_string(&in, &size);
	if (!at_end(&in))
		return false;
	switch (kind->family) {
	case FAMILY_ECDSA:
		form = ecdsa_der(data, size, &len);
		break;
	case FAMILY_RSA:
		form = rsa_whole(data, size, key, &len);
		break;
	default:
		form = xmemdup(data, size > 0 ? size : 1);
		len = size;
	}
	good = form != NULL && verify(kind, key, form, len, message);
	free(form);
	return good;
}

bool
ssh_signature_good(const char *algorithm, const struct ssh_bytes *key,
    const struct ssh_bytes *signature, const struct ssh_bytes *message)
{
	EVP_PKEY *public;
	bool good;
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].algorithm, algorithm) == 0)
			break;
	if (i == KINDS || (public = read_key(&kinds[i], key)) == NULL)
		return false;
	good = good_with(&kinds[i], public, signature, message);
	EVP_PKEY_free(public);
	return good;
}
