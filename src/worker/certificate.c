/*
 * The task certificate-read: a certificate with its chain, or a request, and
 * the private key, from elsewhere.  What is wrong is said; what comes back is
 * written anew, with nothing else that stood in the text.
 */
#include "worker/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "worker/tasks.h"

#define PASSPHRASE_MAX 1024
#define CHAIN_MAX 10
#define STRENGTH_MIN 112 /* bits, of a signature: no MD5, no SHA-1 */

struct reading {
	bool request_wanted; /* no certificate */
	bool timeless; /* one that has expired is fine */
	char *text, *private, *passphrase; /* as given; "": not at all */
	STACK_OF(X509) * chain;
	X509_REQ *request;
	EVP_PKEY *key;
	bool encrypted; /* the key asked for its passphrase */
};

static char why_text[256];

/* OpenSSL would ask a terminal. */
static int
no_passphrase(char *buffer, int size, int writing, void *arg)
{
	(void)buffer, (void)size, (void)writing, (void)arg;
	return -1;
}

static int
tell_passphrase(char *buffer, int size, int writing, void *arg)
{
	struct reading *r = arg;
	size_t len = strlen(r->passphrase);

	(void)writing;
	r->encrypted = true;
	if (len == 0 || size < 0 || len > (size_t)size)
		return -1;
	memcpy(buffer, r->passphrase, len);
	return (int)len;
}

/* --- Reading -------------------------------------------------------------- */

/* Is the end of the text what ended it? */
static bool
at_end(void)
{
	unsigned long error = ERR_peek_last_error();

	ERR_clear_error();
	return ERR_GET_LIB(error) == ERR_LIB_PEM &&
	    ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static int
read_chain(struct reading *r, const char **why)
{
	BIO *bio = BIO_new_mem_buf(r->text, -1);
	X509 *one;
	bool whole;

	r->chain = sk_X509_new_null();
	if (bio == NULL || r->chain == NULL)
		abort();
	while (sk_X509_num(r->chain) <= CHAIN_MAX) {
		one = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (one == NULL)
			break;
		if (sk_X509_push(r->chain, one) == 0)
			abort();
	}
	whole = at_end();
	BIO_free(bio);
	*why = "This is not a certificate in PEM form";
	if (sk_X509_num(r->chain) > CHAIN_MAX)
		*why = "The chain has more than ten certificates";
	else if (whole && sk_X509_num(r->chain) > 0)
		return 0;
	return EINVAL;
}

static int
read_request(struct reading *r, const char **why)
{
	BIO *bio = BIO_new_mem_buf(r->text, -1);

	if (bio == NULL)
		abort();
	r->request = PEM_read_bio_X509_REQ(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	*why = "This is not a certificate signing request in PEM form";
	if (r->request == NULL)
		return EINVAL;
	*why = "The request is not signed by the key that it is about";
	return X509_REQ_verify(r->request, X509_REQ_get0_pubkey(r->request)) ==
		1 ?
	    0 :
	    EINVAL;
}

static int
read_key(struct reading *r, const char **why)
{
	BIO *bio;

	if (*r->private == '\0')
		return 0;
	if ((bio = BIO_new_mem_buf(r->private, -1)) == NULL)
		abort();
	r->key = PEM_read_bio_PrivateKey(bio, NULL, tell_passphrase, r);
	BIO_free(bio);
	if (r->key == NULL && r->encrypted) {
		*why = *r->passphrase != '\0' ?
		    "This is not the passphrase of the private key" :
		    "The private key is encrypted: its passphrase is needed";
		return ENOKEY;
	}
	*why = "This is not a private key in PEM form";
	if (r->key == NULL)
		return EKEYREJECTED;
	*why = "The private key is not encrypted";
	return *r->passphrase != '\0' && !r->encrypted ? ENOKEY : 0;
}

/* --- What is wrong with it ------------------------------------------------ */

static const char *
wrong_with_key(const EVP_PKEY *key)
{
	return certificate_key_kind(key) != NULL ?
	    NULL :
	    "Keys are of type RSA with 2048 to 8192 bits, of the curves P-256, "
	    "P-384 and P-521, or Ed25519";
}

static const char *
wrong_with_time(const X509 *certificate)
{
	if (X509_cmp_time(X509_get0_notAfter(certificate), NULL) != 1)
		return "has expired";
	if (X509_cmp_time(X509_get0_notBefore(certificate), NULL) != -1)
		return "is not valid yet";
	return NULL;
}

/* Of a certificate alone; all but the first one are authorities'. */
static const char *
wrong_with(X509 *certificate, bool first)
{
	int bits = 0;
	uint32_t flags = X509_get_extension_flags(certificate);

	if (flags & EXFLAG_INVALID)
		return "says what contradicts itself";
	if (!first && X509_check_ca(certificate) == 0)
		return "is no authority's, so it can have signed none";
	if (!(flags & EXFLAG_SS) &&
	    (X509_get_signature_info(certificate, NULL, NULL, &bits, NULL) !=
		    1 ||
		bits < STRENGTH_MIN))
		return "is signed in a way that is no longer safe";
	return NULL;
}

/* Did it sign the one before? */
static bool
signed_by(X509 *certificate, X509 *issuer)
{
	bool so = X509_check_issued(issuer, certificate) == X509_V_OK &&
	    X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return so;
}

static int
check_one(const struct reading *r, int i, const char **why)
{
	X509 *one = sk_X509_value(r->chain, i);
	const char *wrong = wrong_with(one, i == 0);

	if (wrong == NULL && !r->timeless)
		wrong = wrong_with_time(one);
	if (wrong == NULL)
		return 0;
	*why = why_text;
	if (i == 0)
		snprintf(
		    why_text, sizeof(why_text), "The certificate %s", wrong);
	else
		snprintf(why_text, sizeof(why_text),
		    "Certificate %d of the chain %s", i + 1, wrong);
	return EINVAL;
}

static int
check_chain(const struct reading *r, const char **why)
{
	int i;

	for (i = 0; i < sk_X509_num(r->chain); i++) {
		if (check_one(r, i, why) != 0)
			return EINVAL;
		if (i == 0 ||
		    signed_by(sk_X509_value(r->chain, i - 1),
			sk_X509_value(r->chain, i)))
			continue;
		snprintf(why_text, sizeof(why_text),
		    "Certificate %d did not sign certificate %d: first comes "
		    "the machine's own, then whose signed it, and so on",
		    i + 1, i);
		*why = why_text;
		return EINVAL;
	}
	return 0;
}

/* The key that it is about, and whether ours is that. */
static int
check_key(const struct reading *r, EVP_PKEY *public, const char **why)
{
	if ((*why = wrong_with_key(public)) != NULL)
		return EINVAL;
	*why = "The private key is another one's";
	if (r->key != NULL && EVP_PKEY_eq(r->key, public) != 1)
		return EKEYREJECTED;
	return 0;
}

/* --- The answer ----------------------------------------------------------- */

void
certificate_put_text(struct wire_out *out, BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	wire_put_bytes(out, data, (size_t)len);
	BIO_free(bio);
}

int
certificate_put_key(struct wire_out *out, const EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	if (bio == NULL)
		abort();
	if (PEM_write_bio_PKCS8PrivateKey(
		bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return -1;
	}
	certificate_put_text(out, bio);
	return 0;
}

void
certificate_put_told(struct wire_out *out, json_t *told)
{
	char *text = json_text(told);

	wire_put_str(out, text != NULL ? text : "{}");
	free(text);
	json_decref(told);
}

static int
put(const struct reading *r, struct wire_out *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int i;

	if (bio == NULL)
		abort();
	if (r->request != NULL)
		PEM_write_bio_X509_REQ(bio, r->request);
	for (i = 0; i < sk_X509_num(r->chain); i++)
		PEM_write_bio_X509(bio, sk_X509_value(r->chain, i));
	certificate_put_text(out, bio);
	if (r->key == NULL)
		wire_put_str(out, "");
	else if (certificate_put_key(out, r->key) == -1)
		return EIO;
	certificate_put_told(out,
	    r->request != NULL ? certificate_request_told(r->request) :
				 certificate_told(sk_X509_value(r->chain, 0)));
	return 0;
}

static int
read_all(struct reading *r, struct wire_out *out, const char **why)
{
	EVP_PKEY *public;
	int error;

	error = r->request_wanted ? read_request(r, why) : read_chain(r, why);
	if (error == 0 && !r->request_wanted)
		error = check_chain(r, why);
	if (error == 0)
		error = read_key(r, why);
	if (error != 0)
		return error;
	public = r->request_wanted ?
	    X509_REQ_get0_pubkey(r->request) :
	    X509_get0_pubkey(sk_X509_value(r->chain, 0));
	if ((error = check_key(r, public, why)) != 0)
		return error;
	*why = "The private key cannot be written";
	return put(r, out);
}

int
task_certificate_read(
    struct wire_in *in, struct wire_out *out, const char **why)
{
	struct reading r = { .request_wanted = wire_get_u8(in) != 0 };
	int error = EPROTO;

	r.timeless = wire_get_u8(in) != 0;
	r.text = wire_get_str(in, CERTIFICATE_TEXT_MAX);
	r.private = wire_get_str(in, KEY_TEXT_MAX);
	r.passphrase = wire_get_str(in, PASSPHRASE_MAX);
	if (wire_end(in) == 0)
		error = read_all(&r, out, why);
	sk_X509_pop_free(r.chain, X509_free);
	X509_REQ_free(r.request);
	EVP_PKEY_free(r.key);
	free(r.text);
	freezero_str(r.private);
	freezero_str(r.passphrase);
	return error;
}
