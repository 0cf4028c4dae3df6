/*
 * The certificate that somebody chose for the page (system.general's
 * ui_certificate), as core says it: MSG_CERTIFICATE.  Each handshake takes the
 * present one, so that a change cuts nobody who is in.  The machine's own,
 * which the monitor gave us, is there from the start and again when none is
 * chosen.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "web/web.h"

#define PEM_MAX (128 * 1024)
#define CHAIN_MAX 16

struct certificate {
	X509 *own;
	STACK_OF(X509) * others; /* its chain */
	EVP_PKEY *key;
};

static struct certificate chosen; /* no key: the machine's own */

static void
release(struct certificate *c)
{
	X509_free(c->own);
	sk_X509_pop_free(c->others, X509_free);
	EVP_PKEY_free(c->key);
	memset(c, 0, sizeof(*c));
}

static int
no_passphrase(char *buffer, int size, int writing, void *arg)
{
	(void)buffer, (void)size, (void)writing, (void)arg;
	return -1;
}

static void
read_chain(struct certificate *c, BIO *bio)
{
	X509 *one;

	if ((c->others = sk_X509_new_null()) == NULL)
		abort();
	c->own = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	while (c->own != NULL && sk_X509_num(c->others) < CHAIN_MAX) {
		one = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (one == NULL)
			break;
		if (sk_X509_push(c->others, one) == 0)
			abort();
	}
}

static void
read_certificate(struct certificate *c, const char *chain, const char *key)
{
	BIO *bio = BIO_new_mem_buf(chain, -1);

	if (bio == NULL)
		abort();
	read_chain(c, bio);
	BIO_free(bio);
	if ((bio = BIO_new_mem_buf(key, -1)) == NULL)
		abort();
	c->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
}

/* NULL, or why no browser would be content with it, or OpenSSL. */
static const char *
wrong_with(const struct certificate *c)
{
	SSL_CTX *probe;
	bool taken;

	if (c->own == NULL || c->key == NULL)
		return "The certificate or its private key cannot be read";
	if (X509_check_purpose(c->own, X509_PURPOSE_SSL_SERVER, 0) != 1)
		return "The certificate is not one of a server: its extensions "
		       "forbid that";
	if ((probe = SSL_CTX_new(TLS_server_method())) == NULL)
		return "OpenSSL has no room for it";
	taken =
	    SSL_CTX_use_cert_and_key(probe, c->own, c->key, c->others, 1) == 1;
	SSL_CTX_free(probe);
	return taken ? NULL :
		       "OpenSSL does not take the certificate: its key "
		       "or a signature is too weak";
}

/* For each handshake, when its first message is there. */
static int
choose(SSL *ssl, void *arg)
{
	(void)arg;
	if (chosen.key == NULL)
		return 1;
	SSL_certs_clear(ssl); /* else that of another kind of key is left */
	return SSL_use_cert_and_key(
	    ssl, chosen.own, chosen.key, chosen.others, 1);
}

void
web_certificate_setup(SSL_CTX *ctx)
{
	SSL_CTX_set_cert_cb(ctx, choose, NULL);
}

const X509 *
web_certificate_present(const struct web *w)
{
	return chosen.key != NULL ? chosen.own :
				    SSL_CTX_get0_certificate(w->tls_context);
}

static void
answer(struct web *w, uint32_t id, const char *why)
{
	struct wire_out out = { 0 };

	wire_put_str(&out, why);
	ipc_send(w->core, MSG_CERTIFICATE_USED, id, &out, NULL, 0);
	wire_free(&out);
}

void
web_certificate_message(struct web *w, struct ipc_msg *msg)
{
	char *chain = wire_get_str(&msg->body, PEM_MAX);
	char *key = wire_get_str(&msg->body, PEM_MAX);
	struct certificate new = { 0 };
	const char *why = NULL;

	if (wire_end(&msg->body) == -1)
		fatal("wrong certificate from core");
	if (*chain != '\0') {
		read_certificate(&new, chain, key);
		why = wrong_with(&new);
		ERR_clear_error();
	}
	if (why == NULL) {
		release(&chosen);
		chosen = new; /* transferred */
		web_end_point_tell(w);
	} else
		release(&new);
	answer(w, msg->id, why);
	free(chain);
	freezero_str(key);
}
