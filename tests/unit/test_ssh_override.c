/*
 * What auxiliary parameters say otherwise than the settings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "installed.h"
#include "lib/json.h"
#include "services/ssh/ssh_override.h"

static char *no_names[] = { NULL };

/* As "line directive field", those for some in brackets. */
static char *
found(const char *options, const struct ssh_installed *installed)
{
	struct ssh_config c = { .bindiface = no_names,
		.tcpport = 2222,
		.tcpfwd = true,
		.password_login_groups = no_names,
		.options = (char *)(uintptr_t)options };
	json_t *list = ssh_override_list(&c, installed);
	const json_t *one;
	char *text = NULL;
	size_t i, len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	json_array_foreach(list, i, one) {
		bool all = json_bool(one, "everybody", true);

		fprintf(out, "%s%s%lld %s %s%s", i > 0 ? "; " : "",
		    all ? "" : "[", (long long)json_int(one, "line", 0),
		    json_str(one, "directive", "?"),
		    json_str(one, "field", "?"), all ? "" : "]");
	}
	assert_int_equal(fclose(out), 0);
	json_decref(list);
	return text;
}

/* clang-format off */
static const struct {
	const char *options, *found;
} cases[] = {
	{ "", "" },
	{ "# Port 1\nNoneEnabled no\nMaxStartups 20", "" },
	{ "Port 2222\nallowTcpForwarding=TRUE\nCompression \"no\"", "" },
	{ "Port 22", "1 Port tcpport" },
	{ "Port 2222\n\n  port=22\nPort 23",
	  "3 Port tcpport; 4 Port tcpport" },
	{ "AllowTcpForwarding local", "1 AllowTcpForwarding tcpfwd" },
	/* The second is nobody's: sshd took the first. */
	{ "AllowTcpForwarding yes\nAllowTcpForwarding no", "" },
	{ "Compression delayed", "1 Compression compression" },
	{ "ChallengeResponseAuthentication yes",
	  "1 KbdInteractiveAuthentication passwordauth" },
	{ "PasswordAuthentication no\nGSSAPIAuthentication no", "" },
	{ "ListenAddress 0.0.0.0", "1 ListenAddress bindiface" },
	{ "Ciphers aes256-ctr",
	  "1 Ciphers hardening; 1 Ciphers weak_ciphers" },
	{ "HostKey /etc/ssh/ssh_host_rsa_key\nHostKey /root/own",
	  "2 HostKey hardening" },
	{ "Subsystem other /bin/x\n"
	  "Subsystem sftp internal-sftp -l ERROR -f AUTH", "" },
	{ "Subsystem SFTP /usr/lib/openssh/sftp-server",
	  "1 Subsystem sftp_log_facility; 1 Subsystem sftp_log_level" },
	{ "Match User bea\n AllowTcpForwarding no\n X11Forwarding no\n"
	  "Match all\n\tAllowTcpForwarding yes\n\tPasswordAuthentication yes",
	  "[2 AllowTcpForwarding tcpfwd]; "
	  "[6 PasswordAuthentication passwordauth]" },
};
/* clang-format on */

static void
test_list(void **state)
{
	size_t i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = found(cases[i].options, &installed_debian_12);
		assert_string_equal(text, cases[i].found);
		free(text);
	}
}

/* The very list of the hardening is none, of another OpenSSH's it is. */
static void
test_hardening(void **state)
{
	char *macs = ssh_hardening_offer(
	    HARDENING_MODERN, ALGORITHMS_MAC, &installed_debian_13, 0);
	char line[2000], *text;

	(void)state;
	assert_non_null(macs);
	snprintf(line, sizeof(line), "MACs %s", macs);
	free(macs);
	text = found(line, &installed_debian_13);
	assert_string_equal(text, "");
	free(text);
	snprintf(line, sizeof(line), "KexAlgorithms +ecdh-sha2-nistp256");
	text = found(line, &installed_debian_13);
	assert_string_equal(text, "1 KexAlgorithms hardening");
	free(text);
}

static void
test_fields(void **state)
{
	struct ssh_config c = { .bindiface = no_names,
		.tcpport = 22,
		.password_login_groups = no_names,
		.options = (char *)(uintptr_t) "MACs hmac-sha2-256\nPort 1\n"
					       "Ciphers aes256-ctr\nPort 2\n"
					       "Match all\nCompression yes" };
	json_t *names = ssh_override_fields(&c, &installed_debian_12);
	json_t *wanted =
	    json_pack("[s, s, s]", "hardening", "tcpport", "weak_ciphers");

	(void)state;
	assert_true(json_equal(names, wanted));
	json_decref(names);
	json_decref(wanted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_hardening),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
