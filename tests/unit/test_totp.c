/*
 * One-time codes: those of RFC 6238, the window, what was used, and the URI.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/totp.h"
#include "lib/xalloc.h"

/* "12345678901234567890" of RFC 6238 appendix B. */
#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static const struct totp eight = { SECRET, 30, 8 };
static const struct totp six = { SECRET, 30, 6 };

static int64_t
at(const struct totp *t, int64_t step, const char *code)
{
	return totp_find(t, code, step, step, NULL, 0);
}

static void
test_codes_of_the_rfc(void **state)
{
	/* clang-format off */
	static const struct {
		int64_t time;
		const char *code;
	} vectors[] = {
		{ 59, "94287082" }, { 1111111109, "07081804" },
		{ 1111111111, "14050471" }, { 1234567890, "89005924" },
		{ 2000000000, "69279037" }, { 20000000000, "65353130" },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(
		    at(&eight, vectors[i].time / 30, vectors[i].code),
		    vectors[i].time / 30);
		/* Fewer digits are its last ones: RFC 4226 section 5.3. */
		assert_int_equal(
		    at(&six, vectors[i].time / 30, vectors[i].code + 2),
		    vectors[i].time / 30);
		assert_int_equal(
		    at(&eight, vectors[i].time / 30 + 1, vectors[i].code), -1);
	}
}

static void
test_window_is_exact(void **state)
{
	(void)state;
	/* Step 1. */
	assert_int_equal(totp_find(&eight, "94287082", 0, 2, NULL, 0), 1);
	assert_int_equal(totp_find(&eight, "94287082", 1, 3, NULL, 0), 1);
	assert_int_equal(totp_find(&eight, "94287082", -1, 1, NULL, 0), 1);
	assert_int_equal(totp_find(&eight, "94287082", 2, 4, NULL, 0), -1);
	assert_int_equal(totp_find(&eight, "94287082", -1, 0, NULL, 0), -1);
}

static void
test_used_ones_are_none(void **state)
{
	const int64_t used[] = { 7, 1 };

	(void)state;
	assert_int_equal(totp_find(&eight, "94287082", 0, 2, used, 2), -1);
	assert_int_equal(totp_find(&eight, "94287082", 0, 2, used, 1), 1);
}

static void
test_what_is_no_code(void **state)
{
	static const char *const wrong[] = { "", "9428708", "942870822",
		"94287082 ", "+4287082", "9428708a", NULL };
	const struct totp damaged = { "not base32!", 30, 6 };
	size_t i;

	(void)state;
	for (i = 0; wrong[i] != NULL; i++)
		assert_int_equal(at(&eight, 1, wrong[i]), -1);
	assert_int_equal(at(&damaged, 1, "287082"), -1);
}

static void
test_new_secrets(void **state)
{
	char *a = totp_new_secret(), *b = totp_new_secret();

	(void)state;
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 32);
	assert_string_not_equal(a, b);
	freezero_str(a);
	freezero_str(b);
}

static void
test_uri_is_encoded(void **state)
{
	const struct totp t = { SECRET, 60, 8 };
	char *uri = totp_uri(&t, "Hold fast", "a&b?#%\xc3\xa9@host:1");

	(void)state;
	assert_string_equal(uri,
	    "otpauth://totp/Hold%20fast:a%26b%3F%23%25%C3%A9%40host%3A1"
	    "?secret=" SECRET "&issuer=Hold%20fast&digits=8&period=60");
	freezero_str(uri);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes_of_the_rfc),
		cmocka_unit_test(test_window_is_exact),
		cmocka_unit_test(test_used_ones_are_none),
		cmocka_unit_test(test_what_is_no_code),
		cmocka_unit_test(test_new_secrets),
		cmocka_unit_test(test_uri_is_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
