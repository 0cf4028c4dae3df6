/*
 * What TLS of the web role is: versions, ciphers, certificate and key.  All
 * of it is decided here, before the sandbox; nothing is read from a file.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "lib/log.h"
#include "web/web.h"

/* TLS 1.2: forward secrecy and authenticated encryption only. */
#define TLS12_CIPHERS                                                          \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"           \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"           \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
#define TLS13_CIPHERS                                                          \
	"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"                 \
	"TLS_AES_128_GCM_SHA256"
#define TLS_GROUPS "X25519:P-256:P-384"

/* The key is never encrypted; without this, OpenSSL would ask a terminal. */
static int
no_passphrase(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The first certificate is ours, the others are its chain. */
static int
load_chain(SSL_CTX *ctx, const char *pem)
{
	X509 *certificate;
	BIO *bio;
	long taken = 0;
	int count;

	bio = BIO_new_mem_buf(pem, -1);
	if (bio == NULL)
		return -1;
	for (count = 0;; count++) {
		certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (certificate == NULL)
			break;
		if (count == 0)
			taken = SSL_CTX_use_certificate(ctx, certificate);
		else
			taken = SSL_CTX_add1_chain_cert(ctx, certificate);
		X509_free(certificate);
		if (taken != 1)
			break;
	}
	/* The end of the text is reported like an error. */
	ERR_clear_error();
	BIO_free(bio);
	return taken == 1 ? 0 : -1;
}

static int
load_key(SSL_CTX *ctx, const char *pem)
{
	EVP_PKEY *key;
	BIO *bio;
	bool fits;

	bio = BIO_new_mem_buf(pem, -1);
	if (bio == NULL)
		return -1;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	fits = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	return fits ? 0 : -1;
}

/*
 * The client's last handshake message is the one we do not answer, as there
 * are no tickets.  Its kernel may hold the request back until that message is
 * acknowledged (Nagle), ours the acknowledgement for 40 ms (tcp(7)): say it
 * now.
 */
static void
handshake_event(const SSL *ssl, int where, int value)
{
	int one = 1;

	(void)value;
	if ((where & SSL_CB_HANDSHAKE_DONE) != 0)
		setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_QUICKACK, &one,
		    sizeof(one));
}

int
web_tls_setup(SSL_CTX *ctx, const char *certificate, const char *key)
{
	/*
	 * No tickets and no session cache: a key that opens past sessions is
	 * not worth a handshake saved on connections that live for hours.
	 */
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
		SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_info_callback(ctx, handshake_event);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, TLS12_CIPHERS) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, TLS13_CIPHERS) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, TLS_GROUPS) != 1) {
		log_error("web.tls", "OpenSSL refuses the TLS parameters");
		return -1;
	}
	if (load_chain(ctx, certificate) == -1) {
		log_error("web.tls", "the certificate can not be used");
		return -1;
	}
	if (load_key(ctx, key) == -1) {
		log_error("web.tls",
		    "the key can not be used, or it does not belong to the "
		    "certificate");
		return -1;
	}
	web_certificate_setup(ctx);
	return 0;
}

void
web_tls_versions(SSL_CTX *ctx, bool tls12, bool tls13)
{
	SSL_CTX_set_min_proto_version(
	    ctx, tls12 || !tls13 ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_CTX_set_max_proto_version(
	    ctx, tls13 || !tls12 ? TLS1_3_VERSION : TLS1_2_VERSION);
}

/*
 * The hash of the algorithm that it is signed with, SHA-256 in place of MD5
 * and SHA-1; algorithms that have none (Ed25519) leave it undefined.
 */
static const EVP_MD *
end_point_hash(const X509 *certificate)
{
	int hash = NID_undef;

	if (OBJ_find_sigid_algs(
		X509_get_signature_nid(certificate), &hash, NULL) != 1)
		return NULL;
	if (hash == NID_md5 || hash == NID_sha1)
		return EVP_sha256();
	return EVP_get_digestbynid(hash);
}

size_t
web_tls_end_point(
    const X509 *certificate, uint8_t hash[static WEB_END_POINT_MAX])
{
	const EVP_MD *type =
	    certificate != NULL ? end_point_hash(certificate) : NULL;
	unsigned int len = 0;

	if (type == NULL || EVP_MD_get_size(type) > WEB_END_POINT_MAX ||
	    X509_digest(certificate, type, hash, &len) != 1)
		len = 0;
	return len;
}
