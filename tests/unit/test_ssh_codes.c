/*
 * Who is asked for a second factor by SSH: restricted keys, the file's lines,
 * and ours in sshd's PAM service.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/second_factor.h"
#include "lib/ssh_codes_file.h"
#include "services/ssh/ssh_pam.h"

#define KEY "ssh-ed25519 AAAAC3Nz"

static void
test_restricted(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		bool restricted;
	} keys[] = {
		{ "", false },
		{ "# from=\"10.0.0.1\" is not here\n", false },
		{ KEY, false },
		{ KEY " from=\"10.0.0.1\"", false },
		{ "no-pty " KEY, false },
		{ "from=\"10.0.0.1\" " KEY, true },
		{ "no-pty,FROM=\"10.0.0.1,10.0.0.2\",no-pty " KEY, true },
		{ "command=\"/bin/backup \\\"a b\\\"\" " KEY " robot", true },
		/* Of an option's value, not an option. */
		{ "environment=\"X=,from=\\\"1\\\"\" " KEY, false },
		{ "environment=\"A=1,from=\" " KEY, false },
		{ "permitopen=\"from=:1\" " KEY, false },
		/* One that is not is enough. */
		{ "from=\"10.0.0.1\" " KEY "\n" KEY "\n", false },
		{ "from=\"10.0.0.1\" " KEY "\n\n# x\ncommand=\"y\" " KEY "\n",
		  true },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (ssh_codes_restricted(keys[i].text, NULL) !=
		    keys[i].restricted)
			fail_msg("%s", keys[i].text);
}

static void
test_keys_are_told(void **state)
{
	json_t *keys = json_array();

	(void)state;
	ssh_codes_restricted("command=\"a b\",no-pty ssh-rsa AAAAB3 me too\n"
			     "\tssh-ed25519\tAAAAC3\n",
	    keys);
	assert_int_equal(json_array_size(keys), 2);
	assert_string_equal(
	    json_string_value(json_array_get(keys, 0)), "ssh-rsa AAAAB3");
	assert_string_equal(
	    json_string_value(json_array_get(keys, 1)), "ssh-ed25519 AAAAC3");
	json_decref(keys);
}

static bool
accepted(const char *text)
{
	char *why = NULL;
	bool ok = ssh_codes_vet(text, strlen(text), &why) == 0;

	assert_true(ok == (why == NULL));
	free(why);
	return ok;
}

static void
test_vet(void **state)
{
	static const char *const wrong[] = { "a", "\n", "a\n\n", " a\n", "a \n",
		"a b\n", "a b c d\n", "a  b\n", "a\tb\n", "a\xc3\xa9\n", NULL };
	size_t i;

	(void)state;
	assert_true(accepted(""));
	assert_true(accepted("a\nb\nb ssh-rsa AAAA\n"));
	for (i = 0; wrong[i] != NULL; i++)
		assert_false(accepted(wrong[i]));
}

/* Whatever was there, ours come first and last, once. */
static void
test_pam_lines(void **state)
{
	static const char theirs[] =
	    "# sshd\n@include common-auth\naccount required pam_nologin.so\n";
	char *once = ssh_pam_text(theirs), *again = ssh_pam_text(once);
	const char *at;

	(void)state;
	assert_string_equal(once, again);
	assert_non_null(at = strstr(once, theirs));
	assert_true(strncmp(once, "# Holdfast", 10) == 0);
	assert_non_null(strstr(at, "pam_holdfast.so\n"));
	free(again);
	/* Without a line break at the end, and of an older form. */
	again = ssh_pam_text("auth optional /old/pam_holdfast.so\n"
			     "# sshd\n@include common-auth\n"
			     "account required pam_nologin.so");
	assert_string_equal(once, again);
	free(again);
	free(once);
}

/* A question of the module's: all of it, and nothing but text. */
static void
test_questions(void **state)
{
	static const char good[] = "\2canna\0"
				   "123456\0"
				   "::1";
	static const char blank[] = "\2canna b\0\0";
	static const char old[] = "\1anna\0"
				  "123456\0"
				  "::1";
	struct second_factor_question q;
	size_t len;

	(void)state;
	assert_int_equal(second_factor_parse(good, sizeof(good), &q), 0);
	assert_int_equal(q.about, SECOND_FACTOR_CODE);
	assert_string_equal(q.user, "anna");
	assert_string_equal(q.code, "123456");
	assert_string_equal(q.address, "::1");
	for (len = 0; len < sizeof(good); len++)
		assert_int_equal(second_factor_parse(good, len, &q), -1);
	assert_int_equal(second_factor_parse(blank, sizeof(blank), &q), -1);
	assert_int_equal(second_factor_parse(old, sizeof(old), &q), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restricted),
		cmocka_unit_test(test_keys_are_told),
		cmocka_unit_test(test_vet),
		cmocka_unit_test(test_pam_lines),
		cmocka_unit_test(test_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
