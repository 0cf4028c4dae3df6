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

/* What sshd says when it ends a login itself, or what it would not allow. */
static void
test_ended(void **state)
{
	static const struct {
		const char *text;
		enum words_kind kind;
		const char *user, *address;
	} said[] = {
		{ "Disconnecting authenticating user anna 192.0.2.1 port 5: "
		  "Too many authentication failures [preauth]",
		    WORDS_GIVEN_UP, "anna", "192.0.2.1" },
		{ "Disconnecting invalid user x ::1 port 5: Change of username "
		  "or service not allowed: (x,ssh-connection) -> "
		  "(y,ssh-connection) [preauth]",
		    WORDS_GIVEN_UP, "x", "::1" },
		{ "Disconnecting authenticating user anna ::1 port 5: "
		  "no authentication methods enabled [preauth]",
		    WORDS_GIVEN_UP, "anna", "::1" },
		{ "Connection from authenticating user anna ::1 port 5 "
		  "timed out [preauth]",
		    WORDS_GIVEN_UP, "anna", "::1" },
		{ "Connection from invalid user x ::1 port 5: Connection timed "
		  "out [preauth]",
		    WORDS_GIVEN_UP, "x", "::1" },
		{ "ssh_dispatch_run_fatal: Connection from authenticating user "
		  "anna ::1 port 5: message authentication code incorrect "
		  "[preauth]",
		    WORDS_GIVEN_UP, "anna", "::1" },
		{ "error: maximum authentication attempts exceeded for invalid "
		  "user x from ::1 port 5 ssh2 [preauth]",
		    WORDS_GIVEN_UP, "x", "::1" },
		{ "ROOT LOGIN REFUSED FROM ::1 port 5 [preauth]",
		    WORDS_GIVEN_UP, "root", "::1" },
		{ "User anna from host.example not allowed because not listed "
		  "in AllowUsers",
		    WORDS_REFUSED, "anna", "host.example" },
		{ "User anna not allowed because shell /bin/no does not exist",
		    WORDS_REFUSED, "anna", "" },
		{ "fatal: Access denied for user anna by PAM account "
		  "configuration [preauth]",
		    WORDS_REFUSED, "anna", "" },
		{ "fatal: Timeout before authentication for ::1 port 5",
		    WORDS_GIVEN_UP, "", "::1" },
		{ "Timeout before authentication for connection from ::1 to "
		  "::2, pid = 77",
		    WORDS_GIVEN_UP, "", "::1" },
	};
	struct words words;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		assert_words(
		    said[i].text, said[i].kind, said[i].user, said[i].address);
	(void)words_parse(said[8].text, strlen(said[8].text), &words);
	assert_string_equal(
	    words.why, "Not allowed because not listed in AllowUsers");
	assert_int_equal(words.pid, 0);
	(void)words_parse(said[12].text, strlen(said[12].text), &words);
	assert_int_equal(words.pid, 77);
	assert_words("Received disconnect from fe80::11 port 5:11: x:11: y "
		     "[preauth]",
	    WORDS_FAREWELL, "", "");
	(void)words_parse(
	    "Received disconnect from ::1 port 5:11: bye", 43, &words);
	assert_string_equal(words.why, "bye");
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
		"Disconnecting user anna ::1 port 5: timeout",
		"Disconnecting 192.0.2.1 port 5: Protocol error [preauth]",
		"Disconnecting invalid user x", "Disconnecting ",
		"Connection from 192.0.2.1 port 5 on ::1 port 22",
		"ssh_dispatch_run_fatal: Connection from ::1 port 5: x",
		"User ", "User child is on pid 7",
		"Postponed publickey for invalid user x from ::1 port 5 ssh2",
		"Partial publickey for anna from ::1 port 5 ssh2: X",
		"Invalid user x from ::1 port 5",
		"Unable to negotiate with ::1 port 5: no matching host key "
		"type found. Their offer: x [preauth]",
		"Received disconnect from ::1 port 5:2: bye [preauth]",
		"Received disconnect from ::1 port 5",
		"fatal: Access denied for user anna",
		"Timeout before authentication for connection from ::1",
		"Timeout before authentication for connection from ::1 to ::2, "
		"pid = x",
		/* Nor does who talks to strangers watch the time. */
		"Timeout before authentication for connection from ::1 to ::2, "
		"pid = 7 [preauth]",
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
	assert_words("Disconnecting invalid user a 9.9.9.9 port 1: x ::1 port "
		     "5: Too many authentication failures [preauth]",
	    WORDS_GIVEN_UP, "a 9.9.9.9 port 1: x", "::1");
	/* Two names of one's own choice. */
	assert_words("Disconnecting invalid user a ::1 port 5: Change of "
		     "username or service not allowed: (a,s) -> (b 9.9.9.9 "
		     "port 1: c,s) [preauth]",
	    WORDS_GIVEN_UP,
	    "a ::1 port 5: Change of username or service not allowed: (a,s) -> "
	    "(b 9.9.9.9 port 1: c,s)",
	    "");
	assert_words("ssh_dispatch_run_fatal: Connection from invalid user "
		     "a 9.9.9.9 port 1: x ::1 port 5: Broken pipe [preauth]",
	    WORDS_GIVEN_UP, "a 9.9.9.9 port 1: x", "::1");
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
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
