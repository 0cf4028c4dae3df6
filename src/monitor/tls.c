/* The instance's own TLS key and self-signed certificate. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/file.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/tls.h"

#define KEY_FILE "key.pem"
#define CERTIFICATE_FILE "certificate.pem"
#define PEM_MAX (64 * 1024)
#define DAY (24L * 60 * 60)
#define VALID_DAYS 825
#define RENEW_DAYS 30
#define SECONDS_MAX 30
#define DIR_FD 3 /* in the child */

struct request {
	const char *hostname, *address;
};

static EVP_PKEY *
key_read(int fd)
{
	EVP_PKEY *key = NULL;
	char *pem = NULL;
	size_t len;
	BIO *bio;

	if (file_read_at(fd, KEY_FILE, PEM_MAX, &pem, &len) == -1)
		return NULL;
	if ((bio = BIO_new_mem_buf(pem, (int)len)) != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	freezero(pem, len);
	return key;
}

static X509 *
certificate_read(int fd)
{
	X509 *certificate = NULL;
	char *pem = NULL;
	size_t len;
	BIO *bio;

	if (file_read_at(fd, CERTIFICATE_FILE, PEM_MAX, &pem, &len) == -1)
		return NULL;
	if ((bio = BIO_new_mem_buf(pem, (int)len)) != NULL)
		certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	freezero(pem, len);
	return certificate;
}

static bool
still_good(X509 *certificate, EVP_PKEY *key, const struct request *request)
{
	time_t soon = time(NULL) + RENEW_DAYS * DAY;

	return certificate != NULL &&
	    X509_check_private_key(certificate, key) == 1 &&
	    X509_cmp_time(X509_get0_notAfter(certificate), &soon) > 0 &&
	    X509_check_ip_asc(certificate, request->address, 0) == 1;
}

static int
add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;
	int rc;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (extension == NULL)
		return -1;
	rc = X509_add_ext(certificate, extension, -1) == 1 ? 0 : -1;
	X509_EXTENSION_free(extension);
	return rc;
}

static int
add_serial(X509 *certificate)
{
	unsigned char bytes[16];
	BIGNUM *number;
	int rc = -1;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -1;
	bytes[0] &= 0x7f;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	if (number != NULL &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) !=
		NULL)
		rc = 0;
	BN_free(number);
	return rc;
}

/* A host name is the machine's: only what a DNS name may hold goes in. */
static bool
hostname_usable(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-";
	size_t len = strlen(name);

	return len > 0 && len <= 64 && strspn(name, allowed) == len;
}

static X509 *
certificate_new(EVP_PKEY *key, const struct request *request)
{
	const char *host = request->hostname;
	X509 *certificate = X509_new();
	X509_NAME *name;
	char names[512];

	if (!hostname_usable(host))
		host = "localhost";
	if (certificate == NULL)
		return NULL;
	snprintf(names, sizeof(names),
	    "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1,IP:%s", host,
	    request->address);
	name = X509_get_subject_name(certificate);
	if (X509_set_version(certificate, X509_VERSION_3) != 1 ||
	    add_serial(certificate) == -1 ||
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(certificate),
		VALID_DAYS * DAY - 3600) == NULL ||
	    X509_set_pubkey(certificate, key) != 1 ||
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)host, -1, -1, 0) != 1 ||
	    X509_set_issuer_name(certificate, name) != 1 ||
	    add_extension(certificate, NID_basic_constraints,
		"critical,CA:FALSE") == -1 ||
	    add_extension(certificate, NID_key_usage,
		"critical,digitalSignature") == -1 ||
	    add_extension(certificate, NID_ext_key_usage, "serverAuth") == -1 ||
	    add_extension(certificate, NID_subject_alt_name, names) == -1 ||
	    X509_sign(certificate, key, EVP_sha256()) == 0) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

static int
pem_install(int fd, const char *file, EVP_PKEY *key, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data;
	size_t len;
	int rc = -1, written;

	errno = EIO;
	if (bio == NULL)
		return -1;
	if (key != NULL)
		written = PEM_write_bio_PKCS8PrivateKey(
		    bio, key, NULL, NULL, 0, NULL, NULL);
	else
		written = PEM_write_bio_X509(bio, certificate);
	if (written == 1) {
		len = (size_t)BIO_get_mem_data(bio, &data);
		rc = file_install(fd, file, data, len, 0600, 0, 0, NULL);
	}
	BIO_free(bio);
	return rc;
}

static int
make(void *arg, char *why, size_t size)
{
	const struct request *request = arg;
	X509 *certificate = NULL;
	EVP_PKEY *key;
	int fd, rc = -1;

	fd = file_open_beneath(DIR_FD, "tls", O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1) {
		snprintf(why, size, "the folder tls: %s", strerror(errno));
		return -1;
	}
	errno = EIO;
	if ((key = key_read(fd)) == NULL) {
		if ((key = EVP_EC_gen("P-256")) == NULL ||
		    pem_install(fd, KEY_FILE, key, NULL) == -1)
			goto out;
	}
	certificate = certificate_read(fd);
	if (!still_good(certificate, key, request)) {
		X509_free(certificate);
		if ((certificate = certificate_new(key, request)) == NULL ||
		    pem_install(fd, CERTIFICATE_FILE, NULL, certificate) == -1)
			goto out;
	}
	rc = 0;
out:
	if (rc == -1)
		snprintf(why, size, "making the TLS key and certificate: %s",
		    strerror(errno));
	X509_free(certificate);
	EVP_PKEY_free(key);
	close(fd);
	return rc;
}

int
tls_ensure(int dir_fd, const char *hostname, const char *address, char *why,
    size_t size)
{
	struct request request = { .hostname = hostname, .address = address };

	return child_run(make, &request, &dir_fd, 1, SECONDS_MAX, why, size);
}

int
tls_read(int dir_fd, char **certificatep, char **keyp)
{
	char *certificate = NULL, *key = NULL;
	size_t len;
	int fd, rc = -1;

	fd = file_open_beneath(dir_fd, "tls", O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return -1;
	if (file_read_at(fd, CERTIFICATE_FILE, PEM_MAX, &certificate, &len) ==
		0 &&
	    file_read_at(fd, KEY_FILE, PEM_MAX, &key, &len) == 0) {
		*certificatep = certificate;
		*keyp = key;
		certificate = key = NULL; /* transferred */
		rc = 0;
	}
	freezero_str(certificate);
	freezero_str(key);
	close(fd);
	return rc;
}
