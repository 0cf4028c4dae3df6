/*
 * Texts with places for values: what is put in, what is refused, the cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "system/placeholders.h"

static const char values[] =
    "[\"one\", {\"name\": \"two\", \"list\": [1, {\"x\": null}]}, true, 3]";

/* clang-format off */
static const struct {
	const char *text, *filled; /* NULL: refused */
} cases[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "{0}", "one" },
	{ "{}, {}", "one, {\"name\":\"two\",\"list\":[1,{\"x\":null}]}" },
	{ "{2} {3}", "true 3" },
	{ "{1[name]}", "two" },
	{ "{1.name}", "two" },
	{ "{1[list][0]}", "1" },
	{ "{1[list].1[x]}", "null" },
	{ "{9} {1[none]} {0[name]} {1[list][7]}", "? ? ? ?" },
	{ "{{0}} }}{{", "{0} }{" },
	{ "{{{0}}}", "{one}" },
	{ "gr\303\266\303\237e {0}", "gr\303\266\303\237e one" },
	{ "{", NULL }, { "}", NULL }, { "{0", NULL }, { "0}", NULL },
	{ "{0[", NULL }, { "{0[]}", NULL }, { "{0[a}", NULL },
	{ "{0.}", NULL }, { "{x}", NULL }, { "{0!r}", NULL },
	{ "{0:>5}", NULL }, { "{-1}", NULL }, { "{99999}", NULL },
	{ "{{0}", NULL }, { "{0}}", NULL }, { "{0{1}}", NULL },
};
/* clang-format on */

static void
test_cases(void **state)
{
	json_t *list = json_loads(values, 0, NULL);
	char *filled;
	size_t i;

	(void)state;
	assert_non_null(list);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		filled = placeholders_fill(cases[i].text, list, 1000);
		if (cases[i].filled == NULL)
			assert_null(filled);
		else
			assert_string_equal(filled, cases[i].filled);
		free(filled);
	}
	json_decref(list);
}

/* Neither in a character's middle nor beyond; what follows is still read. */
static void
test_cut(void **state)
{
	json_t *list = json_pack("[s]", "\303\244\303\244");
	char *filled;

	(void)state;
	filled = placeholders_fill("{0}{0}{0}", list, 5);
	assert_string_equal(filled, "\303\244\303\244");
	free(filled);
	filled = placeholders_fill("{0}", list, 0);
	assert_string_equal(filled, "");
	free(filled);
	assert_null(placeholders_fill("{0}{0}{", list, 1));
	json_decref(list);
}

/* A short text that names a long value many times takes little memory. */
static void
test_amplification(void **state)
{
	size_t count = 20000, len = 60000, i;
	char *text = calloc(count, 3), *value = malloc(len + 1), *filled;
	json_t *list;

	(void)state;
	assert_true(text != NULL && value != NULL);
	for (i = 0; i + 1 < count; i++)
		memcpy(text + i * 3, "{0}", 3);
	text[(count - 1) * 3] = '\0';
	memset(value, 'x', len);
	value[len] = '\0';
	list = json_pack("[s]", value);
	filled = placeholders_fill(text, list, 1024);
	assert_int_equal(strlen(filled), 1024);
	free(filled);
	json_decref(list);
	free(text);
	free(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_amplification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
