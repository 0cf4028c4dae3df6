/*
 * SCRAM-SHA-512 against exchanges computed with Python's hashlib, and what an
 * attacker would send instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/scram.h"
#include "lib/base64.h"
#include "lib/xalloc.h"

#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF"
#define BOTH CLIENT_NONCE SERVER_NONCE
#define SALT "U1ByNGNCU3cwclM0V3NleQ=="
#define CHALLENGE "r=" BOTH ",s=" SALT ",i=4096"
#define FIRST "n,,n=root:1,r=" CLIENT_NONCE
#define PROOF                                                                  \
	"cK8UjGTmMWN/"                                                         \
	"EmZ0NjX9pANDd5BYTv+PCJqdkcX2uPCBqPN9GqOiJ4STY1P8Za3JftNaT"            \
	"/A6pf/g6wE36Q2IHQ=="
#define FINAL "c=biws,r=" BOTH ",p=" PROOF
#define SIGNATURE                                                              \
	"mIBGddTlFlNLD2RDTmRg92QTFk/NUm32TkJTT19egwDDez9qojN2HqFVWR+YKkqt/"    \
	"tIUx"                                                                 \
	"POYi7CtMvAPREzKuw=="

/* The same secret, bound to a certificate whose hash is 0, 1, ..., 47. */
#define BOUND_FIRST "p=tls-server-end-point,,n=root:1,r=" CLIENT_NONCE
#define BOUND_FINAL                                                            \
	"c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGB" \
	"kaGxwdHh8gISIjJCUmJygpKissLS4v,r=" BOTH                               \
	",p=lbYqo4tTHE0NXx7mrG8+WwkjKOjZAv4WN3hMPkY56BgPmG8Jqdi/"              \
	"bW5QZ5tLSJ9dSXh"                                                      \
	"XkjxR5dA0YocU/QSngg=="
#define BOUND_SIGNATURE                                                        \
	"yeBbcQL5V7hTayH7EyNLHwNtkYX0eCEFGdt5Bb7e8gqIadImt1UhDk4oXcGUVG2S+"    \
	"kkbJ"                                                                 \
	"KB6pkU9BWVYcfW9GQ=="

static const struct scram_binding unbound;

static struct scram_keys
keys(void)
{
	struct scram_keys k = { .salt = SALT, .iterations = 4096 };

	assert_int_equal(base64_decode_exact(
			     "J1BKBAA1ptcCwM/gYCZlP+z/G8TbZsh46ZU033Bbe/Hn9VlIE"
			     "VHQgwQpssnFIPY4rQv8EnsyEj+vhGkc7gR4VQ==",
			     k.stored_key, sizeof(k.stored_key)),
	    0);
	assert_int_equal(base64_decode_exact(
			     "FgtLQZEuPObjfUaHWzDwrMUVaULDkxVQT+Iuo3BQssSDSJp9Q"
			     "AhV4kvJ2c0GPDaJKqoQkjcl6GcxRset9mgw4A==",
			     k.server_key, sizeof(k.server_key)),
	    0);
	return k;
}

static struct scram *
begun(const char *first)
{
	const char *why = NULL;
	struct scram *s = scram_begin(first, &why);

	if (s == NULL)
		fail_msg("\"%s\": %s", first, why);
	assert_string_equal(
	    scram_challenge(s, SERVER_NONCE, SALT, 4096), CHALLENGE);
	return s;
}

/* What the server answers in the end, NULL: nothing. */
static char *
exchange(
    const char *first, const char *final, const struct scram_binding *binding)
{
	struct scram *s = begun(first);
	struct scram_keys k = keys();
	const char *why = NULL;
	char *answer = scram_finish(s, final, &k, binding, &why);

	assert_non_null(why);
	scram_free(s);
	return answer;
}

static void
test_exchange(void **state)
{
	char *answer = exchange(FIRST, FINAL, &unbound);

	(void)state;
	assert_string_equal(answer, "v=" SIGNATURE);
	free(answer);
}

static void
test_binding(void **state)
{
	uint8_t hash[48], other[48] = { 0 };
	struct scram_binding ours = { hash, sizeof(hash) };
	struct scram_binding foreign = { other, sizeof(other) };
	struct scram_binding shorter = { hash, sizeof(hash) - 1 };
	char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hash); i++)
		hash[i] = (uint8_t)i;
	answer = exchange(BOUND_FIRST, BOUND_FINAL, &ours);
	assert_string_equal(answer, "v=" BOUND_SIGNATURE);
	free(answer);
	assert_null(exchange(BOUND_FIRST, BOUND_FINAL, &foreign));
	assert_null(exchange(BOUND_FIRST, BOUND_FINAL, &shorter));
	assert_null(exchange(BOUND_FIRST, BOUND_FINAL, &unbound));
	/* A client that does not bind need not, where it says so. */
	answer = exchange(FIRST, FINAL, &ours);
	assert_non_null(answer);
	free(answer);
	/* The header that it began with was another one. */
	assert_null(exchange(BOUND_FIRST, FINAL, &ours));
	assert_null(exchange(FIRST, BOUND_FINAL, &ours));
}

/* "y": somebody has told it that we cannot bind. */
static void
test_downgrade(void **state)
{
	static const uint8_t hash[48];
	struct scram_binding ours = { hash, sizeof(hash) };
	struct scram_keys k = keys();
	struct scram *s = begun("y,,n=root:1,r=" CLIENT_NONCE);
	const char *why;

	(void)state;
	assert_null(
	    scram_finish(s, "c=eSws,r=" BOTH ",p=" PROOF, &k, &ours, &why));
	assert_string_equal(why, "wrong channel binding");
	/* The proof is the other exchange's: only that is wrong here. */
	assert_null(
	    scram_finish(s, "c=eSws,r=" BOTH ",p=" PROOF, &k, &unbound, &why));
	assert_string_equal(why, "wrong proof");
	scram_free(s);
}

static void
test_names(void **state)
{
	static const char *const names[][2] = {
		{ "n,,n=a=2Cb=3Dc:7,r=x", "a,b=c:7" },
		{ "n,,n=user,r=x,a=ignored,z=too", "user" },
		{ "y,,n=p\xc3\xa4:1,r=!~", "p\xc3\xa4:1" },
	};
	struct scram *s;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		s = scram_begin(names[i][0], &why);
		assert_non_null(s);
		assert_string_equal(scram_username(s), names[i][1]);
		scram_free(s);
	}
}

static void
test_wrong_first(void **state)
{
	static const char *const wrong[] = { "", "x", "n", "n,", "n,,",
		"n,,n=", "n,,n=a", "n,,n=a,", "n,,n=a,r",
		"n,,n=a,r=", "n,,r=x,n=a", "n,a=root,n=a,r=x", "n,,m=1,n=a,r=x",
		"p,,n=a,r=x", "p=,,n=a,r=x", "p=tls-unique,,n=a,r=x",
		"p=tls-server-end-point,n=a,r=x",
		"p=tls-server-end-pointx,,n=a,r=x", "n,,n=a=2c,r=x",
		"n,,n=a=,r=x", "n,,n=a=3,r=x", "n,,n=a,r=x y", "n,,n=a,r=\x7f",
		"n,,n=a,r=x,", "n,,n=a,r=x,b",
		"n,,n=a,r=x,b=", "n,,n=a,r=x,1=2", "N,,n=a,r=x", "n,,n=a,r=x\n",
		"z,,n=a,r=x" };
	char *longest;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why = NULL;
		if (scram_begin(wrong[i], &why) != NULL)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_non_null(why);
	}
	longest = xcalloc(1, SCRAM_MESSAGE_MAX + 2);
	memset(longest, 'x', SCRAM_MESSAGE_MAX + 1);
	memcpy(longest, FIRST, strlen(FIRST));
	assert_null(scram_begin(longest, &why));
	free(longest);
}

static void
test_wrong_final(void **state)
{
	static const char *const wrong[] = { "", "c=biws", "c=biws,r=" BOTH,
		"r=" BOTH ",c=biws,p=" PROOF,
		"c=biws,r=" BOTH ",p=", "c=biws,r=" CLIENT_NONCE ",p=" PROOF,
		"c=biws,r=" BOTH "x,p=" PROOF, "c=biws,r=" BOTH ",p=" PROOF ",",
		"c=biws,r=" BOTH ",p=" PROOF ",x=1",
		"c=biws,r=" BOTH ",x=1,p=" PROOF, "c=biwsx,r=" BOTH ",p=" PROOF,
		"c=eSws,r=" BOTH ",p=" PROOF, "c=biws,r=" BOTH ",p=AAAA",
		"c=biws,r=" BOTH ",p= " PROOF, " " FINAL, FINAL "\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (exchange(FIRST, wrong[i], &unbound) != NULL)
			fail_msg("\"%s\" was taken", wrong[i]);
}

/* Another key of ours, and one bit of the proof. */
static void
test_wrong_secret(void **state)
{
	struct scram *s = begun(FIRST);
	struct scram_keys k = keys();
	const char *why = NULL;
	char *final = xstrdup(FINAL), *at = strstr(final, "p=") + 2;

	(void)state;
	k.stored_key[63] ^= 1;
	assert_null(scram_finish(s, FINAL, &k, &unbound, &why));
	assert_string_equal(why, "wrong proof");
	k.stored_key[63] ^= 1;
	at[0] = 'd';
	assert_null(scram_finish(s, final, &k, &unbound, &why));
	assert_string_equal(why, "wrong proof");
	free(final);
	scram_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_downgrade),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_wrong_first),
		cmocka_unit_test(test_wrong_final),
		cmocka_unit_test(test_wrong_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
