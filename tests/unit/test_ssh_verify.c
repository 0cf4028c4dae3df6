/*
 * Does a difference between what was rendered and what sshd does show?
 */
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "golden.h"
#include "lib/xalloc.h"
#include "real_sshd.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh_complaint.h"
#include "services/ssh/ssh_render.h"
#include "services/ssh/ssh_verify.h"

static void
compare(const char *rendered, const char *effective, const char *problem)
{
	char *text = xasprintf("port 22\n%s", effective), *why = NULL;
	int r = ssh_verify_effective(rendered, text, &why);

	if (problem == NULL && r == -1)
		fail_msg("\"%s\": %s", rendered, why);
	if (problem != NULL && (r == 0 || strstr(why, problem) == NULL))
		fail_msg("\"%s\": wanted \"%s\", got \"%s\"", rendered, problem,
		    r == 0 ? "" : why);
	free(why);
	free(text);
}

static void
test_same(void **state)
{
	static const char *const pairs[][2] = {
		{ "PrintMotd no", "printmotd no\n" },
		{ "printmotd=No # x", "printmotd no\n" },
		{ "PermitRootLogin prohibit-password",
		    "permitrootlogin without-password\n" },
		{ "Compression delayed", "compression yes\n" },
		{ "ClientAliveInterval 1m30s", "clientaliveinterval 90\n" },
		{ "UnusedConnectionTimeout none",
		    "unusedconnectiontimeout none\n" },
		{ "Port 022", "" },
		{ "Port 22\nPort 23", "port 23\n" },
		{ "ListenAddress 127.0.0.1", "listenaddress 127.0.0.1:22\n" },
		{ "ListenAddress 127.0.0.1:22",
		    "listenaddress 127.0.0.1:22\n" },
		{ "ListenAddress ::1", "listenaddress [::1]:22\n" },
		{ "ListenAddress [0:0::1]:22", "listenaddress [::1]:22\n" },
		{ "ListenAddress localhost", "listenaddress [::1]:22\n" },
		{ "AcceptEnv LANG LC_*\nAcceptEnv X",
		    "acceptenv LC_*\nacceptenv X\nacceptenv LANG\n" },
		{ "Ciphers +aes128-cbc", "ciphers a,b,aes128-cbc\n" },
		{ "Ciphers -aes*-cbc", "ciphers a,b\n" },
		{ "Ciphers ^b", "ciphers b,a\n" },
		{ "Ciphers a,b", "ciphers a,b\n" },
		{ "HostKeyAlgorithms ssh-*,rsa",
		    "hostkeyalgorithms ssh-a,"
		    "ssh-b,rsa\n" },
		{ "MaxStartups 20", "maxstartups 20:30:20\n" },
		{ "MaxStartups 10:30:60", "maxstartups 10:30:60\n" },
		{ "RekeyLimit 1G 1h", "rekeylimit 1073741824 3600\n" },
		{ "RekeyLimit default none", "rekeylimit 0 0\n" },
		{ "Subsystem sftp internal-sftp -l  INFO",
		    "subsystem sftp internal-sftp -l INFO\n" },
		{ "ForceCommand echo \"a  b\"",
		    "forcecommand echo \"a  b\"\n" },
		{ "KeepAlive no", "tcpkeepalive no\n" },
		{ "ChallengeResponseAuthentication no",
		    "kbdinteractiveauthentication no\n" },
		/* The first value counts. */
		{ "PrintMotd no\nPrintMotd yes", "printmotd no\n" },
		{ "KeepAlive no\nTCPKeepAlive yes", "tcpkeepalive no\n" },
		/* A block may have changed it. */
		{ "X11Forwarding no\nMatch all\nX11Forwarding yes",
		    "x11forwarding yes\n" },
		{ "Match all\nX11Forwarding yes", "" },
		{ "DebianBanner no\nUseLogin no\n# x", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		compare(pairs[i][0], pairs[i][1], NULL);
}

static void
test_different(void **state)
{
	static const char *const cases[][2] = {
		{ "PrintMotd no", "printmotd yes\n" },
		{ "PrintMotd no", "" },
		{ "PermitRootLogin no", "permitrootlogin without-password\n" },
		{ "Compression no", "compression yes\n" },
		{ "ClientAliveInterval 15", "clientaliveinterval 0\n" },
		{ "Port 23", "" },
		{ "ListenAddress 127.0.0.1", "listenaddress 0.0.0.0:22\n" },
		{ "ListenAddress 127.0.0.1:23",
		    "listenaddress 127.0.0.1:22\n" },
		{ "AcceptEnv LANG X", "acceptenv LANG\n" },
		{ "Ciphers +aes128-cbc", "ciphers a,b\n" },
		{ "Ciphers -aes128-cbc", "ciphers a,aes128-cbc\n" },
		{ "Ciphers a,b", "ciphers a,b,c\n" },
		{ "Ciphers a,b", "ciphers b,a\n" },
		{ "Ciphers a,b", "ciphers a\n" },
		{ "MaxStartups 20", "maxstartups 10:30:100\n" },
		{ "MaxStartups 2", "maxstartups 20:30:20\n" },
		{ "RekeyLimit 1G", "rekeylimit 0 0\n" },
		{ "Subsystem sftp internal-sftp", "subsystem sftp x\n" },
		{ "PrintMotd no\nPrintMotd yes", "printmotd yes\n" },
		{ "X11Forwarding no\nMatch all\nX11Forwarding no",
		    "x11forwarding yes\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		compare(cases[i][0], cases[i][1], "in effect");
}

static void
test_no_answer(void **state)
{
	char *why = NULL;

	(void)state;
	assert_int_equal(
	    ssh_verify_effective("PrintMotd no\n",
		"Missing privilege separation directory: /run/sshd\n", &why),
	    -1);
	assert_string_equal(why, "sshd does not tell its configuration");
	free(why);
}

static void
test_blocks(void **state)
{
	static const char rendered[] =
	    "PrintMotd no\n"
	    "Match User \"bea\"\n\tPasswordAuthentication yes\n"
	    "Match Group x\nMatch User \xc3\xa4\nMatch User b Address 1.2.3.4\n"
	    "Match all\n";
	char *spec, *why = NULL;
	unsigned int i;

	(void)state;
	spec = ssh_verify_spec(rendered, 0);
	assert_non_null(strstr(spec, "user=bea,"));
	free(spec);
	for (i = 1; i < 5; i++) {
		spec = ssh_verify_spec(rendered, i);
		assert_string_equal(spec, "");
		free(spec);
	}
	assert_null(ssh_verify_spec(rendered, 5));
	assert_int_equal(ssh_verify_block(rendered, 0,
			     "port 22\npasswordauthentication yes\n", &why),
	    0);
	assert_int_equal(ssh_verify_block(rendered, 0,
			     "port 22\npasswordauthentication no\n", &why),
	    -1);
	free(why);
}

static void
test_listen(void **state)
{
	uint16_t port;
	char *address;

	(void)state;
	address = ssh_verify_listen("listenaddress [::1%lo]:2222\n", 0, &port);
	assert_string_equal(address, "::1%lo");
	assert_int_equal(port, 2222);
	free(address);
	address =
	    ssh_verify_listen("listenaddress 1.2.3.4:22 rdomain x\n", 0, &port);
	assert_string_equal(address, "1.2.3.4");
	assert_int_equal(port, 22);
	free(address);
	assert_null(ssh_verify_listen("port 22\n", 0, &port));
}

/* The host keys of one configuration with the rest of another: refused. */
static void
compare_offer(
    const char *host_keys, const char *effective, const struct ssh_offer *offer)
{
	char *copy = xstrdup(effective), *rest = copy, *line, *longer;
	char *text = xstrdup(host_keys), *why = NULL;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "hostkey", 7) == 0)
			continue;
		longer = xasprintf("%s%s\n", text, line);
		free(text);
		text = longer;
	}
	assert_int_equal(ssh_verify_offer(text, offer, &why), -1);
	assert_non_null(strstr(why, "host key algorithms"));
	free(why);
	free(text);
	free(copy);
}

/* The recorded server against its own configuration, and others. */
static void
test_offer(void **state)
{
	static const char *const changes[][2] = {
		{ "hmac-sha2-256-etm@openssh.com\n", "hmac-sha2-256\n" },
		{ "aes256-gcm@openssh.com\n", "aes256-ctr\n" },
		{ "curve25519-sha256,", "" },
		{ "compression yes", "compression no" },
		{ "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa",
		    "ecdsa-sha2-nistp256,ecdsa" },
	};
	struct ssh_offer offer;
	const char *reason;
	char *why = NULL, *text, *at, *changed;
	uint8_t *data;
	size_t len, i;

	(void)state;
	text = golden_read("ssh", "offer-openssh-9.2.txt", &len);
	data = (uint8_t *)golden_read("ssh", "offer-openssh-9.2.bin", &len);
	assert_int_equal(
	    ssh_offer_parse(data, len, &offer, &reason), OFFER_DONE);
	if (ssh_verify_offer(text, &offer, &why) == -1)
		fail_msg("%s", why);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		at = strstr(text, i == 4 ? "\nhostkeyalgorithms " : text);
		at = strstr(at, changes[i][0]);
		assert_non_null(at);
		changed = xasprintf("%.*s%s%s", (int)(at - text), text,
		    changes[i][1], at + strlen(changes[i][0]));
		if (ssh_verify_offer(changed, &offer, &why) == 0)
			fail_msg("\"%s\" is not seen", changes[i][0]);
		free(why);
		free(changed);
	}
	/* A host key that is configured but not offered. */
	free(offer.lists[LIST_HOST_KEY]);
	offer.lists[LIST_HOST_KEY] = xstrdup("ssh-ed25519,rsa-sha2-256");
	assert_int_equal(ssh_verify_offer(text, &offer, &why), -1);
	assert_non_null(strstr(why, "ssh_host_ecdsa_key"));
	free(why);
	/* And one that is offered without a file. */
	free(offer.lists[LIST_HOST_KEY]);
	offer.lists[LIST_HOST_KEY] = xstrdup("ssh-ed25519");
	compare_offer("port 22\nhostkeyalgorithms ssh-ed25519,rsa-sha2-256\n"
		      "hostkey /etc/ssh/ssh_host_rsa_key\n",
	    text, &offer);
	ssh_offer_free(&offer);
	free(data);
	free(text);
}

/* Directives as people write them: the real sshd shows each as expected. */
static bool
resolves(const char *name)
{
	struct addrinfo *found;

	if (getaddrinfo(name, NULL, NULL, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

static void
test_real_sshd(void **state)
{
	static const char *const texts[] = {
		"MaxStartups 20\n",
		"MaxStartups 10:30:60\n",
		"RekeyLimit 1G 1h\n",
		"RekeyLimit default none\n",
		"RekeyLimit 512M\n",
		"LoginGraceTime 2m\n",
		"LogLevel debug1\n",
		"LogLevel DEBUG\n",
		"IPQoS af21 cs1\n",
		"AcceptEnv LANG LC_*\nAcceptEnv FOO\n",
		"AllowUsers a b\n",
		"DenyGroups \"a b\"\n",
		"AllowUsers c@192.0.2.1\n",
		"KeepAlive no\n",
		"ChallengeResponseAuthentication yes\n",
		"Banner \"/etc/issue net\"\n",
		"VersionAddendum \"foo bar\"\n",
		"ForceCommand /bin/echo \"hello  x\" y\n",
		"PermitOpen 192.0.2.1:22 host:80\n",
		"PermitListen 8080\n",
		"AuthenticationMethods publickey,password publickey\n",
		"PermitUserEnvironment LANG,LC_*\n",
		"StreamLocalBindMask 22\n",
		"ChannelTimeout session:*=5m\n",
		"X11DisplayOffset 11\n",
		"UnusedConnectionTimeout 1h\n",
		"PerSourceMaxStartups 3\n",
		"PerSourceNetBlockSize 24\n",
		"PubkeyAuthOptions none\n",
		"Ciphers +aes128-cbc,aes256-cbc\n",
		"Ciphers -aes*-ctr\n",
		"Ciphers ^aes256-ctr\n",
		"MACs -hmac-sha1*\n",
		"KexAlgorithms curve25519-sha256,ecdh-sha2-nistp256\n",
		"HostKeyAlgorithms ssh-ed25519,rsa-sha2-*\n",
		"PubkeyAcceptedKeyTypes +ssh-rsa\n",
		"CASignatureAlgorithms -rsa*\n",
		"GatewayPorts clientspecified\n",
		"AllowTcpForwarding all\n",
		"AllowStreamLocalForwarding local\n",
		"PermitTunnel point-to-point\n",
		"IgnoreRhosts shosts-only\n",
		"FingerprintHash md5\n",
		"AddressFamily inet\n",
		"PidFile none\n",
		"AuthorizedKeysFile none\n",
		"RevokedKeys none\n",
		"AuthorizedKeysFile .ssh/authorized_keys /etc/keys/%u\n",
		"SetEnv A=b C=d\n",
		"SetEnv \"A=b c\"\n",
		"SyslogFacility local3\n",
		"PermitRootLogin forced-commands-only\n",
		"PermitTTY no\n",
		"LogVerbose kex.c:*:1000,packet.c:*\n",
		"MaxAuthTries 03\n",
		"ListenAddress 127.0.0.1:2022\nPort 2023\n",
		"ListenAddress [::1]:2022\n",
		"ListenAddress localhost\n",
		"Port 2022\nPort 2023\n",
		"RequiredRSASize 2048\n",
		"Subsystem sftp internal-sftp -f AUTH -l INFO\n",
		"UseDNS yes\nMatch all\n\tX11Forwarding yes\n",
		"ClientAliveInterval 1m30\n",
		"TCPKeepAlive yes\n",
		("AuthorizedKeysCommand /bin/true %u %k\n"
		 "AuthorizedKeysCommandUser nobody\n"),
		"AuthorizedPrincipalsCommand none\n",
		"XAuthLocation none\n",
		"HostKey /etc/ssh/ssh_host_rsa_key\n",
		"ModuliFile /etc/x\n",
		"ChrootDirectory %h\n",
		"ExposeAuthInfo yes\n",
		"MaxSessions 0\n",
		"ClientAliveCountMax 0\n",
		"GSSAPIKeyExchange no\n",
		"DisableForwarding yes\n",
		"KerberosTicketCleanup no\n",
	};
	char *output, *why = NULL;
	size_t i, failed = 0;
	bool ok;

	(void)state;
	if (!real_sshd_enter())
		skip();
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		/* A minimal machine may know no localhost. */
		if (strstr(texts[i], "localhost") != NULL &&
		    !resolves("localhost"))
			continue;
		output = real_sshd_run("-T", texts[i], NULL, &ok);
		if (!ok)
			fail_msg("%s%s", texts[i], output);
		if (ssh_verify_effective(texts[i], output, &why) == -1) {
			print_error("%s\n", why);
			free(why);
			failed++;
		}
		free(output);
	}
	assert_int_equal(failed, 0);
	output = real_sshd_run("-T", "Match User root\nX11Forwarding yes\n",
	    "user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22",
	    &ok);
	assert_true(ok);
	assert_non_null(strstr(output, "x11forwarding yes"));
	free(output);
}

static char *no_names[] = { NULL };

static char *
complaint_of(const char *complaint, const char *options)
{
	struct ssh_config c = { .bindiface = no_names,
		.tcpport = 22,
		.password_login_groups = no_names,
		.options = (char *)options };
	struct ssh_surroundings around = { 0 };
	char *why = NULL, *rendered = ssh_render(&c, &around, &why);
	char *message = ssh_complaint(complaint, rendered, options);

	free(rendered);
	return message;
}

static void
test_complaint(void **state)
{
	static const char *const cases[][3] = {
		{ "/proc/self/fd/7: line 4: Bad configuration option: Foo\n"
		  "/proc/self/fd/7: terminating, 1 bad configuration "
		  "options\n",
		    "MaxSessions 1\nFoo no",
		    "line 2: Bad configuration option: Foo" },
		{ "/tmp/x line 3: Bad SSH2 cipher spec 'foo'.\n", "Ciphers foo",
		    "line 1: Bad SSH2 cipher spec 'foo'." },
		{ "/tmp/x line 3: Deprecated option UseLogin\n"
		  "/tmp/x line 4: Badly formatted port number.\n",
		    "UseLogin no\nPort x",
		    "line 2: Badly formatted port "
		    "number." },
		{ "bad addr or host: 1.2.3.999 (Name or service not known)\n",
		    "ListenAddress 1.2.3.999",
		    "sshd: bad addr or host: "
		    "1.2.3.999 (Name or service not known)" },
		/* What the sender did not write stays here. */
		{ "/tmp/x line 3: Bad number root:$6$secret.\n", "Port x",
		    "line 1: Bad number ..." },
		{ "Could not load \"/etc/ssh/ssh_host_rsa_key\"\n", "Port 1",
		    "sshd: Could not ... ..." },
		{ "line 3: Banner: it does not exist", "Banner /nonexist",
		    "line 1: Banner: it does not exist" },
		{ "", "", "sshd refuses this configuration" },
	};
	char *message;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message = complaint_of(cases[i][0], cases[i][1]);
		assert_string_equal(message, cases[i][2]);
		free(message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_different),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_real_sshd),
		cmocka_unit_test(test_complaint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
