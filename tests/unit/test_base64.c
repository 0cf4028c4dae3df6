/* Base64: one text for some bytes, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base64.h"

/* RFC 4648 section 10. */
static const struct {
	const char *plain, *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static void
test_vectors(void **state)
{
	uint8_t *data;
	char *text;
	size_t i, len, wanted;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		wanted = strlen(vectors[i].plain);
		text = base64_encode(vectors[i].plain, wanted);
		assert_string_equal(text, vectors[i].text);
		assert_int_equal(strlen(text), BASE64_LEN(wanted));
		data = base64_decode(text, wanted, &len);
		assert_non_null(data);
		assert_int_equal(len, wanted);
		assert_memory_equal(data, vectors[i].plain, wanted);
		free(data);
		free(text);
	}
}

static void
test_wrong(void **state)
{
	static const char *const wrong[] = { "Z", "Zg",
		"Zg=", "Zg===", "Zh==", " Zg==", "Zg==\n",
		"Zg==Zg==", "====", "Z===", "Zm9-", "Zm9_",
		"=Zg=", "Zm8=Zm8=", "Zm\x019" };
	uint8_t *data;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		data = base64_decode(wrong[i], 100, &len);
		if (data != NULL)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(len, 0);
	}
	assert_null(base64_decode("Zm9vYg==", 3, &len));
	assert_null(base64_decode("Zm8=", 1, &len));
}

static void
test_exact(void **state)
{
	uint8_t data[3] = { 1, 2, 3 };

	(void)state;
	assert_int_equal(base64_decode_exact("Zm8=", data, 3), -1);
	assert_int_equal(base64_decode_exact("Zm9vYg==", data, 3), -1);
	assert_memory_equal(data, "\1\2\3", 3);
	assert_int_equal(base64_decode_exact("Zm9v", data, 3), 0);
	assert_memory_equal(data, "foo", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
