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
#include "services/ssh/ssh_host_cert.h"

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

/* ssh-keygen -s rsa_ca -I host -h -n nas.example.org,nas -V 2026:2027 */
static const char of_names[] =
    "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQ"
    "tdjAxQG9wZW5zc2guY29tAAAAIPZg2FjARy+WoVRIbtoN59XX8i7Yb9mq1UR"
    "H529K++e6AAAAIJF+CzKSWAylyyITwUys2car0vQE5GuYtNueeER5irboAAA"
    "AAAAAAAAAAAACAAAABGhvc3QAAAAaAAAAD25hcy5leGFtcGxlLm9yZwAAAAN"
    "uYXMAAAAAaVW5AAAAAABrNuyAAAAAAAAAAAAAAAAAAAABFwAAAAdzc2gtcnN"
    "hAAAAAwEAAQAAAQEA25aF1ldLtPJJVf0S4LSaDDpMvTgn0PP/5ugeLt8jHcA"
    "yZXe2gPa1WPqk1p7vP+sNUJ4c4sa9TSAWTxg+gHu21Rxa+OtGR7dmp7dACkt"
    "gD1QZTPVptW1Y/qwg8I8OjyAMooVn0LlnZHO18yzIl9OYV2ehO4cnlyuNG1+"
    "RvqvoJq9CXpATz3MAJ7tuc4nt0uX+TNC0DvYjekb1rqVzmvykAoczEsYAVHY"
    "MAGrUtaGM31NM17QNUpzPcScD8sIvlESLLVs7OsUOLrNAytSA+U8pQxvkVpU"
    "tZI/eKHpS5EVrdi/9dFvmj4OkOFAk099DDlxt1kuzdApF7E72oZRm38BERQA"
    "AARQAAAAMcnNhLXNoYTItNTEyAAABAJtbSXrXcvy6sEAdLnylPNhvnX7Z5HR"
    "DZMnsYcZ/+7zU4EhujujwH3hfq3dASFVVOc1xAEX0WJSFfA84xEYRlWtVJhI"
    "DuqKhoQZoCPfCogxFcXQP++FAyh6OPuvDE7iv4uOP7cJ3JDEpGvrtpGo8fww"
    "cp2GKqD626Ge2uPBnj1gyogIDg9rxUcbqaJJTW0yB+GJsOP0vZzA19hSHzvS"
    "zPTynSgtE3JQT8Bs+rhfqvfrqodQcePmNoaeyqqw0Cpk13L2Qa1TiAOYQ9E1"
    "UyA1M30+gBOiKFFfDRARZ+G7Aff6m6cGtlvPzQGfSEZ4+omI8oPlZo72/tZz"
    "p4Z3R8kCEojo=";

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

/* Certificates of a year, of two days, and for ever; now is 1,000,000,000. */
static void
test_age(void **state)
{
	static const struct {
		uint64_t after, before;
		enum ssh_cert_age age;
	} all[] = {
		{ 0, SSH_CERTIFICATE_FOREVER, SSH_CERT_YOUNG },
		{ 990000000, 1000000000 + 15 * 86400, SSH_CERT_YOUNG },
		{ 990000000, 1000000000 + 13 * 86400, SSH_CERT_ENDS },
		{ 990000000, 1000000000, SSH_CERT_ENDED },
		{ 990000000, 0, SSH_CERT_ENDED },
		{ 1000000000 - 86400, 1000000000 + 86400, SSH_CERT_YOUNG },
		{ 1000000000 - 86400, 1000000000 + 40000, SSH_CERT_ENDS },
	};
	struct ssh_certificate cert = { .host = true };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cert.after = all[i].after;
		cert.before = all[i].before;
		assert_int_equal(ssh_cert_age(&cert, 1000000000), all[i].age);
	}
}

static const char *
problem_of(const char *line, time_t now)
{
	struct ssh_certificate cert;
	const char *why;

	if (ssh_certificate_read(line, &cert, &why) == 0)
		why = ssh_host_cert_problem(&cert, now);
	ssh_certificate_free(&cert);
	return why;
}

static void
test_problem(void **state)
{
	char *copy = xstrdup(of_names);

	(void)state;
	assert_null(problem_of(of_names, 1790000000));
	assert_non_null(problem_of(of_names, 1700000000));
	assert_non_null(problem_of(of_names, 1800000000));
	assert_non_null(problem_of(of_user, 1790000000));
	assert_non_null(problem_of(of_host, 1790000000));
	/* Of what is signed. */
	copy[120] = copy[120] == 'A' ? 'B' : 'A';
	assert_string_equal(
	    problem_of(copy, 1790000000), "has a signature that is wrong");
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
