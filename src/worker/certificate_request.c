/*
 * The task certificate-request: a new key, and the request by which an
 * authority is asked for its certificate (RFC 2986).
 */
#include "worker/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "lib/xalloc.h"
#include "worker/tasks.h"

#define TEXT_MAX 1024

static const int parts[CERTIFICATE_PARTS] = { NID_countryName,
	NID_stateOrProvinceName, NID_localityName, NID_organizationName,
	NID_organizationalUnitName, NID_commonName, NID_pkcs9_emailAddress };
static const int settings[] = { NID_basic_constraints, NID_key_usage,
	NID_ext_key_usage };

struct making {
	EVP_PKEY *key;
	X509_REQ *request;
	STACK_OF(X509_EXTENSION) * extensions;
};

static EVP_PKEY *
make_key(const char *kind, uint32_t bits)
{
	if (strcmp(kind, "RSA") == 0)
		return bits == 2048 || bits == 3072 || bits == 4096 ?
		    EVP_RSA_gen(bits) :
		    NULL;
	if (strcmp(kind, "ED25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_EC_gen(kind);
}

static bool
add_subject(struct making *m, struct wire_in *in)
{
	X509_NAME *name = X509_REQ_get_subject_name(m->request);
	bool good = true;
	char *text;
	size_t i;

	for (i = 0; i < CERTIFICATE_PARTS; i++) {
		text = wire_get_str(in, TEXT_MAX);
		if (text != NULL && *text != '\0')
			good = good &&
			    X509_NAME_add_entry_by_NID(name, parts[i],
				MBSTRING_UTF8, (unsigned char *)text, -1, -1,
				0) == 1;
		free(text);
	}
	return good;
}

static GENERAL_NAME *
name_of(const char *text)
{
	unsigned char address[16];
	int type = GEN_DNS;

	if (inet_pton(AF_INET, text, address) == 1 ||
	    inet_pton(AF_INET6, text, address) == 1)
		type = GEN_IPADD;
	else if (strchr(text, '@') != NULL)
		type = GEN_EMAIL;
	return a2i_GENERAL_NAME(NULL, NULL, NULL, type, text, 0);
}

static bool
add_names(struct making *m, struct wire_in *in)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	uint32_t n = wire_get_u32(in);
	GENERAL_NAME *name;
	bool good = names != NULL;
	char *text;

	for (; n > 0 && good && !in->bad; n--) {
		text = wire_get_str(in, TEXT_MAX);
		name = text != NULL ? name_of(text) : NULL;
		good = name != NULL && sk_GENERAL_NAME_push(names, name) > 0;
		free(text);
	}
	if (good && sk_GENERAL_NAME_num(names) > 0)
		good = X509V3_add1_i2d(&m->extensions, NID_subject_alt_name,
			   names, 0, X509V3_ADD_APPEND) == 1;
	GENERAL_NAMES_free(names);
	return good;
}

/* What core says of the others is made of words of its own. */
static bool
add_settings(struct making *m, struct wire_in *in)
{
	X509_EXTENSION *extension;
	bool good = true;
	char *text;
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		text = wire_get_str(in, TEXT_MAX);
		if (text != NULL && *text != '\0') {
			extension =
			    X509V3_EXT_conf_nid(NULL, NULL, settings[i], text);
			good = good && extension != NULL &&
			    X509v3_add_ext(&m->extensions, extension, -1) !=
				NULL;
			X509_EXTENSION_free(extension);
		}
		free(text);
	}
	return good;
}

static int
sign(struct making *m, const char *digest, const char **why)
{
	/* Ed25519 has its own (RFC 8410). */
	const EVP_MD *md = EVP_PKEY_get_base_id(m->key) == EVP_PKEY_ED25519 ?
	    NULL :
	    EVP_get_digestbyname(digest);

	*why = "The request cannot be signed";
	if (X509_REQ_set_version(m->request, X509_REQ_VERSION_1) != 1 ||
	    X509_REQ_set_pubkey(m->request, m->key) != 1 ||
	    (m->extensions != NULL &&
		X509_REQ_add_extensions(m->request, m->extensions) != 1) ||
	    X509_REQ_sign(m->request, m->key, md) == 0)
		return EIO;
	return 0;
}

static int
put(const struct making *m, struct wire_out *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio == NULL)
		abort();
	PEM_write_bio_X509_REQ(bio, m->request);
	certificate_put_text(out, bio);
	return certificate_put_key(out, m->key) == -1 ? EIO : 0;
}

static int
make(struct making *m, struct wire_in *in, struct wire_out *out,
    const char **why)
{
	char *kind = wire_get_str(in, 32), *digest;
	uint32_t bits = wire_get_u32(in);
	bool subject, names, rest;
	int error = EPROTO;

	digest = wire_get_str(in, 32);
	subject = add_subject(m, in);
	names = add_names(m, in);
	rest = add_settings(m, in);
	if (wire_end(in) == 0) {
		*why = !subject ?
		    "A part of the subject cannot be in a request" :
		    !names ? "A subject alternative name cannot be one" :
			     "An extension cannot be in a request";
		error = subject && names && rest ? 0 : EINVAL;
	}
	if (error == 0 && (m->key = make_key(kind, bits)) == NULL) {
		*why = "There are no such keys";
		error = EINVAL;
	}
	if (error == 0 && (error = sign(m, digest, why)) == 0)
		error = put(m, out);
	free(kind);
	free(digest);
	return error;
}

int
task_certificate_request(
    struct wire_in *in, struct wire_out *out, const char **why)
{
	struct making m = { .request = X509_REQ_new() };
	int error;

	if (m.request == NULL)
		abort();
	error = make(&m, in, out, why);
	sk_X509_EXTENSION_pop_free(m.extensions, X509_EXTENSION_free);
	X509_REQ_free(m.request);
	EVP_PKEY_free(m.key);
	return error;
}
