/*
 * The monitor's TLS key and certificate: made once, kept while they are good,
 * the certificate renewed before it expires and when it does not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/xalloc.h"
#include "monitor/folder.h"
#include "monitor/tls.h"

#define DAY (24L * 60 * 60)
#define ADDRESS "192.0.2.7"

static char base[] = "/tmp/test_tls_files.XXXXXX";
static int base_fd;
static char *certificate, *key;

static void
forget(void)
{
	free(certificate);
	free(key);
	certificate = key = NULL;
}

static void
ensure(const char *address)
{
	char why[256];

	if (tls_ensure(base_fd, "host.example", address, why, sizeof(why)) ==
	    -1)
		fail_msg("%s", why);
	forget();
	assert_int_equal(tls_read(base_fd, &certificate, &key), 0);
}

static void
write_file(const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/tls/%s", base, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static EVP_PKEY *
parse_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *parsed = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(parsed);
	return parsed;
}

static X509 *
parse_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *parsed = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(parsed);
	return parsed;
}

/* Puts one in place that is good for so many days, for this key. */
static void
write_certificate(EVP_PKEY *for_key, long days)
{
	X509 *made = X509_new();
	X509_EXTENSION *names;
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;

	X509_set_version(made, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 7);
	X509_gmtime_adj(X509_getm_notBefore(made), -DAY);
	X509_gmtime_adj(X509_getm_notAfter(made), days * DAY);
	X509_set_pubkey(made, for_key);
	names = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, "IP:" ADDRESS);
	assert_non_null(names);
	X509_add_ext(made, names, -1);
	X509_EXTENSION_free(names);
	assert_true(X509_sign(made, for_key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, made), 1);
	BIO_write(bio, "", 1);
	BIO_get_mem_data(bio, &data);
	write_file("certificate.pem", data);
	BIO_free(bio);
	X509_free(made);
}

static bool
is_test_certificate(void)
{
	X509 *parsed = parse_certificate(certificate);
	long serial = ASN1_INTEGER_get(X509_get_serialNumber(parsed));

	X509_free(parsed);
	return serial == 7;
}

/* Good for the address, the names, the key, and long enough. */
static void
assert_good(const char *address)
{
	X509 *parsed = parse_certificate(certificate);
	EVP_PKEY *parsed_key = parse_key(key);
	time_t later = time(NULL) + 800 * DAY;

	assert_int_equal(X509_check_private_key(parsed, parsed_key), 1);
	assert_int_equal(X509_check_ip_asc(parsed, address, 0), 1);
	assert_int_equal(X509_check_ip_asc(parsed, "127.0.0.1", 0), 1);
	assert_int_equal(
	    X509_check_host(parsed, "host.example", 0, 0, NULL), 1);
	assert_true(X509_cmp_time(X509_get0_notAfter(parsed), &later) > 0);
	assert_true(X509_cmp_time(X509_get0_notBefore(parsed), NULL) < 0);
	EVP_PKEY_free(parsed_key);
	X509_free(parsed);
}

static void
test_made_once(void **state)
{
	static const char *const files[] = { "tls/key.pem",
		"tls/certificate.pem" };
	char *first, *first_key;
	struct stat st;
	size_t i;

	(void)state;
	ensure(ADDRESS);
	assert_good(ADDRESS);
	for (i = 0; i < 2; i++) {
		assert_int_equal(fstatat(base_fd, files[i], &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	first = xstrdup(certificate);
	first_key = xstrdup(key);
	ensure(ADDRESS);
	assert_string_equal(certificate, first);
	assert_string_equal(key, first_key);
	/* Another address: another certificate, the same key. */
	ensure("2001:db8::7");
	assert_good("2001:db8::7");
	assert_string_equal(key, first_key);
	free(first);
	free(first_key);
}

static void
test_renewed_in_time(void **state)
{
	EVP_PKEY *parsed;
	char *first_key;

	(void)state;
	ensure(ADDRESS);
	first_key = xstrdup(key);
	parsed = parse_key(key);
	write_certificate(parsed, 31);
	ensure(ADDRESS);
	assert_true(is_test_certificate());
	write_certificate(parsed, 29);
	ensure(ADDRESS);
	assert_false(is_test_certificate());
	assert_good(ADDRESS);
	write_certificate(parsed, 0);
	ensure(ADDRESS);
	assert_false(is_test_certificate());
	assert_good(ADDRESS);
	assert_string_equal(key, first_key);
	EVP_PKEY_free(parsed);
	free(first_key);
}

static void
test_of_another_key(void **state)
{
	EVP_PKEY *other = EVP_EC_gen("P-256");

	(void)state;
	ensure(ADDRESS);
	write_certificate(other, 400);
	ensure(ADDRESS);
	assert_false(is_test_certificate());
	assert_good(ADDRESS);
	EVP_PKEY_free(other);
}

static void
test_damaged(void **state)
{
	(void)state;
	write_file("certificate.pem", "-----BEGIN CERTIFICATE-----\nMII");
	ensure(ADDRESS);
	assert_good(ADDRESS);
	write_file("key.pem", "");
	ensure(ADDRESS);
	assert_good(ADDRESS);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(base) == NULL)
		return -1;
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return base_fd == -1 ? -1 : mkdirat(base_fd, "tls", 0700);
}

static int
tear_down(void **state)
{
	(void)state;
	forget();
	folder_remove(base_fd, "tls");
	close(base_fd);
	return rmdir(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_once),
		cmocka_unit_test(test_renewed_in_time),
		cmocka_unit_test(test_of_another_key),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
