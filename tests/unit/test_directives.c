/*
 * The table of sshd's directives and the checks of auxiliary parameters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/verr.h"
#include "lib/xalloc.h"
#include "real_sshd.h"
#include "services/ssh/directives.h"
#include "services/ssh/ssh_complaint.h"

/* The errors on options, as one text. */
static char *
errors_of(const char *text, bool full_admin)
{
	struct verr *errors = verr_new();
	char *reason;

	directives_check_auxiliary(text, full_admin, errors);
	reason = verr_any(errors) ? verr_reason(errors) : xstrdup("");
	verr_free(errors);
	return reason;
}

static void
expect(const char *text, bool full_admin, const char *wanted)
{
	char *errors = errors_of(text, full_admin);

	if (*wanted == '\0' ? *errors != '\0' : strstr(errors, wanted) == NULL)
		fail_msg(
		    "\"%s\": wanted \"%s\", got \"%s\"", text, wanted, errors);
	free(errors);
}

static void
test_table_sound(void **state)
{
	const struct directive *d, *other;

	(void)state;
	for (d = directives; d->name != NULL; d++) {
		assert_ptr_equal(directive_find(d->name, strlen(d->name)), d);
		if (d->shown != NULL) {
			other = directive_find(d->shown, strlen(d->shown));
			assert_non_null(other);
			assert_null(other->shown);
			assert_int_equal(other->form, d->form);
			assert_int_equal(other->class, d->class);
		}
		if (d->class == CLASS_IGNORED)
			assert_int_equal(d->form, FORM_HIDDEN);
	}
	assert_null(directive_find("PermitRotLogin", 14));
	assert_null(directive_find("Por", 3));
	assert_null(directive_find("", 0));
	assert_non_null(directive_find("pORT", 4));
}

/* Whatever the installed sshd shows has a row. */
static void
test_sshd_knows_no_more(void **state)
{
	char *output, *rest, *line;
	bool ok;
	size_t len, seen = 0;

	(void)state;
	if (!real_sshd_enter())
		skip();
	rest = output = real_sshd_run("-T", "", NULL, &ok);
	assert_true(ok);
	while ((line = strsep(&rest, "\n")) != NULL) {
		len = strcspn(line, " ");
		if (len == 0)
			continue;
		seen++;
		if (directive_find(line, len) == NULL)
			fail_msg("no row: %s", line);
	}
	assert_true(seen > 50);
	free(output);
}

/* Inside Match: a row says so exactly when sshd says so. */
static void
test_sshd_match(void **state)
{
	const struct directive *d;
	char *config, *output;
	bool ok, refused;

	(void)state;
	if (!real_sshd_enter())
		skip();
	for (d = directives; d->name != NULL; d++) {
		/* Those newer than 9.2 are known to newer ones only. */
		if (d->match > 902 || d->from > 902)
			continue;
		config = xasprintf("Match User x\n%s none\n", d->name);
		output = real_sshd_run("-t", config, NULL, &ok);
		refused = strstr(output, "not allowed within a Match") != NULL;
		if (strstr(output, "Bad configuration option") != NULL)
			fail_msg("%s: sshd does not know it", d->name);
		if (refused != (d->match == 0))
			fail_msg("%s: %s", d->name, output);
		free(output);
		free(config);
	}
}

static void
test_accepted(void **state)
{
	static const char *const texts[] = { "", "\n", "# comment",
		"\t # comment \"", "MaxStartups 20", "ClientAliveInterval 30\n",
		"  maxstartups=20", "MaxSessions = 5", "MaxSessions\t5",
		"MaxSessions \"5\"", "Port 99",
		"MaxStartups 20\nClientAliveInterval 30\n",
		"Match User bea\n  X11Forwarding no", "NoneEnabled no",
		"noneenabled NO", "Protocol 2", "UseLogin no",
		"Ciphers aes128-ctr", "X11Forwarding yes # a comment",
		"Match all\nMatch User x\n\tMaxAuthTries 3", NULL };
	size_t i;

	(void)state;
	for (i = 0; texts[i] != NULL; i++)
		expect(texts[i], true, "");
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "PermitRotLogin no",
		    "[EINVAL] options: line 1: Bad "
		    "configuration option: PermitRotLogin\n" },
		{ "MaxSessions 5\nfoo",
		    "line 2: Bad configuration option: foo" },
		{ "Include /etc/shadow", "line 1: Include is not accepted" },
		{ "iNcLuDe /etc/shadow", "line 1: Include is not accepted" },
		{ "Include=/etc/shadow", "line 1: Include is not accepted" },
		{ "Include = x", "line 1: Include is not accepted" },
		{ "\tInclude\tx", "line 1: Include is not accepted" },
		{ "Match all\nInclude x", "line 2: Include is not accepted" },
		/* sshd takes these for Include. */
		{ "\"Include\" x", "line 1: a line begins with the plain" },
		{ "Inc\"lude\" x", "line 1: a line begins with the plain" },
		{ "=Include x", "line 1: a line begins with the plain" },
		{ " =Include x", "line 1: a line begins with the plain" },
		{ "Include\"x\"", "line 1: a line begins with the plain" },
		{ "Incl\\ude x", "line 1: a line begins with the plain" },
		{ "'Include' x", "line 1: a line begins with the plain" },
		{ "MaxStartups 20\r\nX11Forwarding no", "line 1: a carriage" },
		{ "MaxStartups 20\rInclude x", "line 1: a carriage return" },
		{ "# comment\rInclude x", "line 1: a carriage return" },
		{ "MaxSessions 5\fInclude x", "line 1: a control character" },
		{ "MaxSessions 5\vx", "line 1: a control character" },
		{ "MaxSessions 5\177", "line 1: a control character" },
		{ "Match User x\nPort 22",
		    "line 2: Directive 'Port' is not "
		    "allowed within a Match block" },
		{ "Banner \"/etc/issue", "line 1: Banner: a quote is not" },
		{ "Port", "line 1: no argument after keyword \"Port\"" },
		{ "Port   ", "line 1: no argument after keyword \"Port\"" },
		{ "Port=", "line 1: no argument after keyword \"Port\"" },
		{ "NoneEnabled yes", "line 1: NoneEnabled: OpenSSH has no" },
		{ "Protocol 1", "line 1: Protocol: OpenSSH speaks" },
		{ "\xc3\xa4 1", "line 1: a line begins with the plain" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].text, true, cases[i].wanted);
}

static void
test_full_administrator(void **state)
{
	static const char *const texts[] = { "AuthorizedKeysCommand /bin/x",
		"ForceCommand x", "Subsystem x /bin/x", "SetEnv LD_PRELOAD=/x",
		"SecurityKeyProvider /x", "Banner /etc/issue",
		"PermitRootLogin yes", "LogLevel QUIET", "TrustedUserCAKeys /x",
		"Match User x\n\tForceCommand x", "UsePAM no",
		"AuthorizedKeysFile /tmp/%u", "PermitUserEnvironment yes",
		NULL };
	size_t i;

	(void)state;
	for (i = 0; texts[i] != NULL; i++) {
		expect(texts[i], true, "");
		expect(texts[i], false, "only a full administrator may");
	}
	expect("MaxStartups 20\nMatch User x\nX11Forwarding no", false, "");
}

/* Large, long and many: bounded answers, valid text. */
static void
test_large(void **state)
{
	size_t len = 100 * 1024, i;
	char *text = xmalloc(len + 1), *errors;

	(void)state;
	for (i = 0; i < len; i++)
		text[i] = i % 64 == 63 ? '\n' : '#';
	text[len] = '\0';
	expect(text, true, "");
	memset(text, '#', len);
	expect(text, true, "line 1: the line is too long");
	for (i = 0; i < len; i++)
		text[i] = i % 2 ? '\n' : 'x';
	errors = errors_of(text, true);
	assert_true(strlen(errors) < 4096);
	assert_non_null(strstr(errors, "and 51180 more errors"));
	free(errors);
	/* A quote is cut between characters: verr takes UTF-8 only. */
	for (i = 0; i + 1 < len; i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[201] = '\0';
	memmove(text + 1, text, 200);
	text[0] = '=';
	errors = errors_of(text, true);
	assert_non_null(strstr(errors, "line 1: a line begins"));
	free(errors);
	free(text);
}

static void
vet(const char *text, size_t len, const char *wanted)
{
	char *why = NULL;
	int r = directives_vet(text, len, &why);

	if (wanted == NULL && r == -1)
		fail_msg("\"%s\": %s", text, why);
	if (wanted != NULL && (r == 0 || strstr(why, wanted) == NULL))
		fail_msg("\"%s\": wanted \"%s\", got \"%s\"", text, wanted,
		    r == 0 ? "" : why);
	free(why);
}

static void
test_vet(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "Port 22\n", NULL },
		{ "Subsystem sftp internal-sftp -l ERROR -f AUTH\n", NULL },
		{ "AuthorizedKeysFile .ssh/authorized_keys %h/x none", NULL },
		{ "ForceCommand internal-sftp", NULL },
		{ "ForceCommand echo hello", NULL },
		{ "ChrootDirectory %h", NULL },
		{ "Banner none", NULL },
		{ "XAuthLocation none", NULL },
		{ "Include /etc/passwd", "line 1: Include: not accepted" },
		{ "Port 22\nfoo bar", "line 2: Bad configuration option: foo" },
		{ "\"Include\" x", "line 1: a line begins" },
		{ "Banner /nonexistent/x", "it does not exist" },
		{ "Banner issue", "has to be absolute" },
		{ "Banner ~/issue", "has to be absolute" },
		{ "Banner /etc/%u", "tokens are not accepted" },
		{ "HostKey %h/key", "has to be absolute" },
		{ "AuthorizedKeysFile ../x", "leads out of its folder" },
		{ "AuthorizedKeysFile %h/../x", "leads out of its folder" },
		{ "AuthorizedKeysFile ok /tmp/%u", "others than root" },
		{ "AuthorizedKeysFile /tmp/%u/keys", "others than root" },
		{ "AuthorizedPrincipalsFile /nonexistent/%u", "not exist" },
		{ "Match User x\nForceCommand /nonexistent/x",
		    "line 2: Force" },
		{ "Subsystem sftp sftp-server", "has to be absolute" },
		{ "Subsystem sftp \"/nonexistent/x\"", "it does not exist" },
		{ "AuthorizedKeysCommand \"/nonexistent/x\" %u", "not exist" },
		{ "SecurityKeyProvider /tmp/x.so", "Provider: " },
		{ "TrustedUserCAKeys /proc/self/environ", "CAKeys: " },
		{ "RevokedKeys \"/tmp\"", "others than root" },
		{ "ChrootDirectory /tmp", "others than root" },
		{ "PidFile /tmp/nonexistent.pid", "others than root" },
		{ "Banner '/tmp", "a quote is not closed" },
	};
	size_t i;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		vet(cases[i].text, strlen(cases[i].text), cases[i].wanted);
	vet("Port 22\0\nInclude x\n", 19, "line 1: a NUL character");
	vet("", 0, NULL);
}

static void
test_arguments(void **state)
{
	static const struct {
		const char *rest;
		const char *words[4];
	} cases[] = {
		{ "a b", { "a", "b" } },
		{ " a\t b ", { "a", "b" } },
		{ "\"a b\" c", { "a b", "c" } },
		{ "a\"b c\"d", { "ab cd" } },
		{ "'a \"b'", { "a \"b" } },
		{ "a\\ b \\\"c \\\\", { "a b", "\"c", "\\" } },
		{ "\\n", { "\\n" } },
		{ "a # b", { "a" } },
		{ "a#b", { "a#b" } },
		{ "\"\"", { "" } },
		{ "", { NULL } },
	};
	char **words;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		words = arguments_split(cases[i].rest, strlen(cases[i].rest));
		assert_non_null(words);
		for (j = 0; cases[i].words[j] != NULL; j++) {
			assert_non_null(words[j]);
			assert_string_equal(words[j], cases[i].words[j]);
		}
		assert_null(words[j]);
		arguments_free(words);
	}
	assert_null(arguments_split("\"a", 2));
	assert_null(arguments_split("a '", 3));
}

static void
test_has_global(void **state)
{
	(void)state;
	assert_true(directives_has_global("a 1\nport=2", "Port", NULL));
	assert_false(directives_has_global("#port 2", "Port", NULL));
	assert_false(directives_has_global("Match all\nPort 2", "Port", NULL));
	assert_true(
	    directives_has_global("Subsystem SFTP x", "Subsystem", "sftp"));
	assert_false(
	    directives_has_global("Subsystem y x", "Subsystem", "sftp"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_sound),
		cmocka_unit_test(test_vet),
		cmocka_unit_test(test_sshd_knows_no_more),
		cmocka_unit_test(test_sshd_match),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full_administrator),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_has_global),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
