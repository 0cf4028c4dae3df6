/*
 * Certificates of OpenSSH: made by ssh-keygen(1) for users and hosts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base64.h"
#include "lib/ssh_certificate.h"
#include "lib/xalloc.h"

/* ssh-keygen -s ca -I "anna, laptop" -z ... -n anna,bea -V ... */
static const char of_user[] =
    "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQ"
    "tdjAxQG9wZW5zc2guY29tAAAAIJu13WobJFosqx/sGoXY4eKMNQyrCThJmKc"
    "v883V0F54AAAAIDg7kNtepSXQK7bd2JPdzqFk0hSCu1/cSt3hntYTh9v5gAA"
    "AAAAAAAUAAAABAAAADGFubmEsIGxhcHRvcAAAAA8AAAAEYW5uYQAAAANiZWE"
    "AAAAAaVW5AAAAAABrNuyAAAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJ"
    "kaW5nAAAAAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGV"
    "ybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB0eQAAAAAAAAA"
    "OcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAAGgAAAATZWNkc2Etc2hhMi1uaXN"
    "0cDI1NgAAAAhuaXN0cDI1NgAAAEEEAzCn4yiCs/jOUc9nmZz5K490/gU6sJ2"
    "qkPM3Mel4+Pz4U2vHvetofq5ZbvddtHXCJUxTyx+I72wx1BVmRfbVXQAAAGQ"
    "AAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEkAAAAhAMGx5uBY+zD/f8FaJrN"
    "mZEKzZM9uUnfIbWzHdf6u+MTwAAAAIH3fYYIAirZs9N79tAxWvCR2KKIvPKz"
    "jfK9yZeVUXdVC";
static const char user_key[] =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDg7kNtepSXQK7bd2JPdzqFk"
    "0hSCu1/cSt3hntYTh9v5";

/* ssh-keygen -s ca -I host -h */
static const char of_host[] =
    "ecdsa-sha2-nistp256-cert-v01@openssh.com AAAAKGVjZHNhLXNoYTI"
    "tbmlzdHAyNTYtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgUnORkWGc8mz4CM4"
    "3XD7RFRbKpt3R7xj+xSMxyaC7kQcAAAAIbmlzdHAyNTYAAABBBLYRW8TB2ML"
    "YQWe7t4IEMh9h/h3XH4/o9Z2INa9lzFwm2jBHCqaFKZZoctptlSmbPKhgOQS"
    "sCjY7DuYe6jyskAUAAAAAAAAAAAAAAAIAAAAEaG9zdAAAAAAAAAAAAAAAAP/"
    "/////////AAAAAAAAAAAAAAAAAAAAaAAAABNlY2RzYS1zaGEyLW5pc3RwMjU"
    "2AAAACG5pc3RwMjU2AAAAQQQDMKfjKIKz+M5Rz2eZnPkrj3T+BTqwnaqQ8zc"
    "x6Xj4/PhTa8e962h+rllu9120dcIlTFPLH4jvbDHUFWZF9tVdAAAAZQAAABN"
    "lY2RzYS1zaGEyLW5pc3RwMjU2AAAASgAAACEAuMr5SViQ5myK89lxMjylecj"
    "h3zGJCF1hhT21aHhFZ3AAAAAhAPoJNGuadk7ES17+7Ocpo86M8rqZvHr2+XJ"
    "SPwA6M16h";
static const char host_key[] =
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlz"
    "dHAyNTYAAABBBLYRW8TB2MLYQWe7t4IEMh9h/h3XH4/o9Z2INa9lzFwm2jBH"
    "CqaFKZZoctptlSmbPKhgOQSsCjY7DuYe6jyskAU=";
static const char signer[] =
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlz"
    "dHAyNTYAAABBBAMwp+MogrP4zlHPZ5mc+SuPdP4FOrCdqpDzNzHpePj8+FNr"
    "x73raH6uWW73XbR1wiVMU8sfiO9sMdQVZkX21V0=";

static void
test_user(void **state)
{
	struct ssh_certificate cert;
	const char *why;

	(void)state;
	assert_int_equal(ssh_certificate_read(of_user, &cert, &why), 0);
	assert_false(cert.host);
	assert_string_equal(cert.type, "ssh-ed25519-cert-v01@openssh.com");
	assert_string_equal(cert.public, user_key);
	assert_string_equal(cert.ca, signer);
	assert_string_equal(cert.key_id, "anna, laptop");
	assert_true(cert.serial == UINT64_C(9223372036854775813));
	assert_int_equal(cert.nprincipals, 2);
	assert_string_equal(cert.principals[0], "anna");
	assert_string_equal(cert.principals[1], "bea");
	assert_int_equal(cert.after, 1767225600);
	assert_int_equal(cert.before, 1798761600);
	ssh_certificate_free(&cert);
}

static void
test_host(void **state)
{
	struct ssh_certificate cert;
	const char *why;

	(void)state;
	assert_int_equal(ssh_certificate_read(of_host, &cert, &why), 0);
	assert_true(cert.host);
	assert_string_equal(cert.public, host_key);
	assert_string_equal(cert.ca, signer);
	assert_int_equal(cert.nprincipals, 0);
	assert_int_equal(cert.after, 0);
	assert_true(cert.before == SSH_CERTIFICATE_FOREVER);
	ssh_certificate_free(&cert);
}

static int
read_blob(const uint8_t *blob, size_t len)
{
	char *base64 = base64_encode(blob, len);
	char *line = xasprintf("ssh-ed25519-cert-v01@openssh.com %s", base64);
	struct ssh_certificate cert;
	const char *why;
	int r = ssh_certificate_read(line, &cert, &why);

	ssh_certificate_free(&cert);
	free(line);
	free(base64);
	return r;
}

/* However short it is cut, and whatever byte is another one. */
static void
test_damaged(void **state)
{
	const char *text = strchr(of_user, ' ') + 1;
	size_t len, n;
	uint8_t *blob = base64_decode(text, SSH_CERTIFICATE_MAX, &len), *copy;

	(void)state;
	assert_non_null(blob);
	for (n = 0; n < len; n++) {
		copy = xmemdup(blob, n);
		assert_int_equal(read_blob(copy, n), -1);
		free(copy);
	}
	copy = xcalloc(len + 1, 1);
	memcpy(copy, blob, len);
	assert_int_equal(read_blob(copy, len), 0);
	assert_int_equal(read_blob(copy, len + 1), -1);
	for (n = 0; n < len; n++) {
		copy[n] = 0xff;
		(void)read_blob(copy, len);
		copy[n] = blob[n];
	}
	free(copy);
	free(blob);
}

static void
test_no_certificate(void **state)
{
	static const char *const lines[] = { "", "nonsense", user_key,
		"ssh-ed25519-cert-v01@openssh.com",
		"ssh-ed25519-cert-v01@openssh.com ====",
		"ecdsa-sha2-nistp256-cert-v01@openssh.com AAAA" };
	struct ssh_certificate cert;
	const char *why;
	size_t i;

	(void)state;
	assert_true(ssh_certificate_is(of_user));
	assert_false(ssh_certificate_is(user_key));
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(
		    ssh_certificate_read(lines[i], &cert, &why), -1);
		ssh_certificate_free(&cert);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_no_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
