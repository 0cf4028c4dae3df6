/*
 * sshd_config against golden files, each of which the real sshd accepts.
 *
 * HF_UPDATE_GOLDEN=1 writes the golden files anew; look at the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/process.h"
#include "lib/xalloc.h"
#include "golden.h"
#include "installed.h"
#include "real_sshd.h"
#include "services/ssh/conf.h"
#include "services/ssh/ssh_render.h"
#include "services/ssh/ssh_verify.h"

static char *no_names[] = { NULL };
static char no_text[] = "";

static struct ssh_config
defaults(void)
{
	struct ssh_config c = { .bindiface = no_names,
		.tcpport = 22,
		.password_login_groups = no_names,
		.options = no_text };

	return c;
}

static const char *const loopback[] = { "127.0.0.1", NULL };

struct golden {
	const char *name;
	struct ssh_config config;
	struct ssh_surroundings around;
};

static char *groups[] = { (char *)"adm", (char *)"domain users", NULL };
static char *signers[] = { (char *)"ssh-ed25519 AAAA", NULL };
static const char *const users[] = { "bea", NULL };
static const char *const asked[] = { "ann", "bea", NULL };
static const struct ssh_rooted rooted[] = { { "bea", "/mnt/tank/box/bea" },
	{ NULL, NULL } };
static const char *const two[] = { "127.0.0.1", "fe80::1%lo", NULL };

static struct golden *
goldens(size_t *countp)
{
	static struct golden g[20];
	size_t n = 0, i;

	g[n].name = "defaults";
	g[n++].config = defaults();

	g[n].name = "trial";
	g[n].config = defaults();
	g[n].config.tcpport = 2222;
	g[n++].around.listen = loopback;

	g[n].name = "everything";
	g[n].config = defaults();
	g[n].config.tcpport = 65535;
	g[n].config.passwordauth = true;
	g[n].config.password_login_groups = groups;
	g[n].config.kerberosauth = true;
	g[n].config.tcpfwd = true;
	g[n].config.compression = true;
	g[n].config.sftp_log_level = SFTP_LEVEL_DEBUG3;
	g[n].config.sftp_log_facility = 11;
	g[n].config.weak_ciphers = WEAK_CIPHER_AES128_CBC | WEAK_CIPHER_NONE;
	g[n].around.listen = two;
	g[n].around.password_users = users;
	g[n].around.banner = true;
	g[n++].around.root_password_login = true;

	/* The first of a type is the one that sshd proves itself by. */
	g[n].name = "host-keys";
	g[n].config = defaults();
	g[n].config.new_host_keys = 1u << 0 | 1u << 2;
	g[n++].config.second_host_keys = 1u << 1 | 1u << 2;

	g[n].name = "certificates";
	g[n].config = defaults();
	g[n].config.user_ca_keys = signers;
	g[n].config.revoked_keys = signers;
	g[n].config.host_ed25519_certificate = no_text;
	g[n++].config.host_rsa_certificate = no_text;

	/* Without passwordauth, groups and users mean nothing. */
	g[n].name = "no-password";
	g[n].config = defaults();
	g[n].config.password_login_groups = groups;
	g[n].config.weak_ciphers = WEAK_CIPHER_NONE;
	g[n].around.password_users = users;
	g[n++].around.listen = loopback;

	g[n].name = "auxiliary";
	g[n].config = defaults();
	g[n].config.passwordauth = true;
	g[n].config.password_login_groups = groups;
	g[n].config.options =
	    (char *)"MaxStartups 20\n"
		    "PerSourceMaxStartups 5\n"
		    "PerSourceNetBlockSize 32:56\n"
		    "# ours\n"
		    "\n"
		    "NoneEnabled no\n"
		    "Protocol 2\n"
		    "  permitrootlogin=no\n"
		    "Port 2022\n"
		    "subsystem sftp /usr/lib/openssh/sftp-server\n"
		    "Match User bea\n"
		    "\tX11Forwarding yes\n"
		    "Match all\n"
		    "  MaxAuthTries 3";
	g[n++].around.listen = loopback;

	g[n].name = "ciphers";
	g[n].config = defaults();
	g[n].config.weak_ciphers = WEAK_CIPHER_AES128_CBC;
	g[n].config.options = (char
		*)"Ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,"
		  "aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com\n";
	g[n++].around.listen = loopback;

	/* Keys and passwords, each with a code; bea and the groups' members. */
	g[n].name = "codes";
	g[n].config = defaults();
	g[n].config.passwordauth = true;
	g[n].config.password_login_groups = groups;
	g[n].around.password_users = users;
	g[n].around.code_users = asked;
	g[n++].around.listen = loopback;

	g[n].name = "codes-keys";
	g[n].config = defaults();
	g[n].config.password_login_groups = groups;
	g[n].around.code_users = asked;
	g[n++].around.listen = loopback;

	/* Their block is the first: no other one takes anything back. */
	g[n].name = "transfer";
	g[n].config = defaults();
	g[n].config.tcpfwd = true;
	g[n].config.passwordauth = true;
	g[n].config.options = (char *)"Match User bea\n"
				      "\tAllowTcpForwarding yes";
	g[n].around.password_users = users;
	g[n].around.transfer_users = asked;
	g[n].around.rooted_users = rooted;
	g[n++].around.listen = loopback;

	g[n].name = "fips";
	g[n].config = defaults();
	g[n].config.hardening = HARDENING_FIPS;
	g[n].config.kept_host_keys = 1 << 0;
	g[n++].around.listen = loopback;

	g[n].name = "compatible";
	g[n].config = defaults();
	g[n].config.hardening = HARDENING_COMPATIBLE;
	g[n++].around.listen = two;

	g[n].name = "modern-kept";
	g[n].config = defaults();
	g[n++].config.kept_host_keys = 1 << 1;

	for (i = 0; i < n; i++)
		g[i].around.installed = installed_debian_12;

	g[n].name = "debian-13";
	g[n].config = defaults();
	g[n].around.listen = two;
	g[n++].around.installed = installed_debian_13;

	/* Its own choice is all that can be said. */
	g[n].name = "unknown";
	g[n].config = defaults();
	g[n++].config.weak_ciphers = WEAK_CIPHER_AES128_CBC;

	*countp = n;
	return g;
}

static char *
render(const struct golden *g)
{
	char *why = NULL, *text = ssh_render(&g->config, &g->around, &why);

	if (text == NULL)
		fail_msg("%s: %s", g->name, why);
	return text;
}

static void
test_golden(void **state)
{
	size_t count, i, len;
	struct golden *g = goldens(&count);
	int dir = golden_folder("ssh");
	char *text, *file, *wanted;

	(void)state;
	for (i = 0; i < count; i++) {
		text = render(&g[i]);
		file = xasprintf("%s.conf", g[i].name);
		if (getenv("HF_UPDATE_GOLDEN") != NULL)
			assert_int_equal(
			    file_install(dir, file, text, strlen(text), 0644,
				geteuid(), getegid(), NULL),
			    0);
		wanted = golden_read("ssh", file, &len);
		assert_string_equal(text, wanted);
		free(wanted);
		free(file);
		free(text);
	}
	close(dir);
}

/* Is the OpenSSH that is installed at least of this version? */
static bool
real_version_is(unsigned int version)
{
	const char *argv[] = { "/usr/bin/ssh", "-V", NULL };
	struct process_result result = { 0 };
	unsigned int major = 0, minor = 0;

	assert_int_equal(
	    process_run(argv, -1, NULL, 4096, 30, NULL, NULL, &result), 0);
	assert_int_equal(
	    sscanf(result.output, "OpenSSH_%u.%u", &major, &minor), 2);
	free(result.output);
	return major * 100 + minor >= version;
}

static void
test_sshd_accepts(void **state)
{
	size_t count, i;
	struct golden *g = goldens(&count);
	char *text, *output, *why = NULL;
	bool ok;

	(void)state;
	if (!real_sshd_enter())
		skip();
	for (i = 0; i < count; i++) {
		if (!real_version_is(g[i].around.installed.version))
			continue;
		text = render(&g[i]);
		output = real_sshd_run("-t", text, NULL, &ok);
		if (!ok)
			fail_msg("%s: %s", g[i].name, output);
		free(output);
		output = real_sshd_run("-T", text, NULL, &ok);
		assert_true(ok);
		if (ssh_verify_effective(text, output, &why) == -1)
			fail_msg("%s: %s", g[i].name, why);
		free(output);
		free(text);
	}
}

/* Everything a name could do to the file. */
static void
test_names_refused(void **state)
{
	static const char *const names[] = { "a\nPermitRootLogin yes", "a\"",
		"*", "a?", "!root", "a,b", "", "a\rb", "a\tb", "a\177", "a\\",
		NULL };
	struct ssh_config c = defaults();
	struct ssh_surroundings around = { 0 };
	char *list[2] = { NULL, NULL }, *why, *text;
	size_t i;

	(void)state;
	c.passwordauth = true;
	c.password_login_groups = list;
	for (i = 0; names[i] != NULL; i++) {
		list[0] = xstrdup(names[i]);
		why = NULL;
		assert_false(conf_name_ok(names[i]));
		text = ssh_render(&c, &around, &why);
		assert_null(text);
		assert_non_null(why);
		free(why);
		free(list[0]);
	}
}

static void
test_asked_names_refused(void **state)
{
	struct ssh_config c = defaults();
	const char *list[] = { "ann", "b,root", NULL };
	struct ssh_surroundings around = { .code_users = list };
	char *why = NULL;

	(void)state;
	assert_null(ssh_render(&c, &around, &why));
	assert_non_null(why);
	free(why);
}

static void
test_words_refused(void **state)
{
	static const char *const words[] = { "127.0.0.1\nPort 1", "a b", "\"",
		"#", "", "=x", "a\\", NULL };
	struct ssh_config c = defaults();
	const char *listen[2] = { NULL, NULL };
	struct ssh_surroundings around = { .listen = listen };
	char *why, *text;
	size_t i;

	(void)state;
	for (i = 0; words[i] != NULL; i++) {
		listen[0] = words[i];
		why = NULL;
		text = ssh_render(&c, &around, &why);
		assert_null(text);
		assert_non_null(why);
		free(why);
	}
}

/* A control character that got past every check still makes no line. */
static void
test_options_refused(void **state)
{
	struct ssh_config c = defaults();
	struct ssh_surroundings around = { 0 };
	char *why = NULL;

	(void)state;
	c.options = (char *)"MaxStartups 20\rPermitRootLogin yes";
	assert_null(ssh_render(&c, &around, &why));
	assert_non_null(why);
	free(why);
}

static unsigned int
line_number(const char *text, const char *what)
{
	const char *at = strstr(text, what), *p;
	unsigned int n = 1;

	assert_non_null(at);
	for (p = text; p < at; p++)
		n += *p == '\n';
	return n;
}

static void
test_sent_line(void **state)
{
	struct ssh_config c = defaults();
	struct ssh_surroundings around = { .listen = loopback };
	char *text, *why = NULL;

	(void)state;
	c.passwordauth = true;
	c.password_login_groups = groups;
	c.options = (char *)"MaxStartups 21\n\nMaxSessions 5\n"
			    "Match User q\nMaxAuthTries 4\n";
	text = ssh_render(&c, &around, &why);
	assert_non_null(text);
#define SENT(what)                                                             \
	ssh_render_sent_line(text, c.options, line_number(text, what))
	assert_int_equal(SENT("MaxStartups 21"), 1);
	assert_int_equal(SENT("MaxSessions 5"), 3);
	assert_int_equal(SENT("Match User q"), 4);
	assert_int_equal(SENT("MaxAuthTries 4"), 5);
	assert_int_equal(SENT("UseDNS"), 0);
	assert_int_equal(SENT("Match Group"), 0);
	assert_int_equal(ssh_render_sent_line(text, c.options, 1), 0);
	assert_int_equal(ssh_render_sent_line(text, c.options, 9999), 0);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_sshd_accepts),
		cmocka_unit_test(test_names_refused),
		cmocka_unit_test(test_asked_names_refused),
		cmocka_unit_test(test_words_refused),
		cmocka_unit_test(test_options_refused),
		cmocka_unit_test(test_sent_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
