/*
 * What sshd says of logins: read from its end, whatever names are in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "audit/source_words.h"

static void
assert_words(const char *text, enum words_kind kind, const char *user,
    const char *address)
{
	struct words words;
	char *copy = strdup(text); /* no byte behind it may be looked at */
	size_t len = strlen(text);

	copy = realloc(copy, len > 0 ? len : 1);
	assert_non_null(copy);
	assert_int_equal(words_parse(copy, len, &words), kind);
	if (kind != WORDS_NOTHING) {
		assert_string_equal(words.user, user);
		assert_string_equal(words.address, address);
	}
	free(copy);
}

static void
test_lines(void **state)
{
	(void)state;
	assert_words("Failed password for anna from 192.0.2.1 port 5 ssh2",
	    WORDS_REFUSED, "anna", "192.0.2.1");
	assert_words("Failed password for invalid user x from ::1 port 5 ssh2",
	    WORDS_REFUSED, "x", "::1");
	assert_words("Failed publickey for anna from ::1 port 5 ssh2: "
		     "ED25519 SHA256:abc",
	    WORDS_REFUSED, "anna", "::1");
	assert_words("error: PAM: Authentication failure for anna from ::1",
	    WORDS_REFUSED, "anna", "::1");
	assert_words("error: PAM: User not known to the underlying "
		     "authentication module for illegal user x from 192.0.2.1",
	    WORDS_REFUSED, "x", "192.0.2.1");
	assert_words("Connection closed by authenticating user anna ::1 port 5 "
		     "[preauth]",
	    WORDS_GIVEN_UP, "anna", "::1");
	assert_words("Connection reset by invalid user x 192.0.2.1 port 5 "
		     "[preauth]",
	    WORDS_GIVEN_UP, "x", "192.0.2.1");
	assert_words("Accepted publickey for anna from ::1 port 5 ssh2: X Y",
	    WORDS_ACCEPTED, "anna", "::1");
}

static void
test_nothing(void **state)
{
	static const char *const texts[] = { "", "Failed", "Failed ",
		"Failed none for x from ::1 port 5 ssh2",
		"Failed keyboard-interactive/pam for x from ::1 port 5 ssh2",
		"Failed password for anna from ::1 port x ssh2",
		"Failed password for anna from  port 5 ssh2",
		"Connection closed by 192.0.2.1 port 5",
		"Connection closed by invalid user ",
		"Disconnected from user anna 192.0.2.1 port 5",
		"error: PAM: ", "error: PAM:  for ", "Accepted ",
		/* Whom strangers talk to accepts nobody. */
		"Accepted password for root from ::1 port 5 ssh2 [preauth]" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_words(texts[i], WORDS_NOTHING, NULL, NULL);
}

/* A name that says where it comes from. */
static void
test_forged(void **state)
{
	(void)state;
	assert_words("Failed password for invalid user root from 9.9.9.9 port "
		     "1 ssh2 from ::1 port 5 ssh2",
	    WORDS_REFUSED, "root from 9.9.9.9 port 1 ssh2", "::1");
	assert_words("error: PAM: Authentication failure for illegal user "
		     "a from 9.9.9.9 from ::1",
	    WORDS_REFUSED, "a from 9.9.9.9", "::1");
	assert_words("Connection closed by invalid user a 9.9.9.9 port 1 "
		     "::1 port 5 [preauth]",
	    WORDS_GIVEN_UP, "a 9.9.9.9 port 1", "::1");
	/* A certificate's name: nobody can tell which of them is sshd's. */
	assert_words("Failed publickey for anna from ::1 port 5 ssh2: "
		     "ED25519-CERT ID x from 9.9.9.9 port 1 ssh2: y",
	    WORDS_REFUSED,
	    "anna from ::1 port 5 ssh2: ED25519-CERT ID x from 9.9.9.9 port 1 "
	    "ssh2: y",
	    "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
