/*
 * verr: the list of errors and the two forms in which it is sent.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/json.h"
#include "lib/verr.h"

static void
check_extra(const struct verr *v, const char *expected)
{
	json_t *extra = verr_extra(v);
	char *text = json_text(extra);

	assert_string_equal(text, expected);
	free(text);
	json_decref(extra);
}

static void
test_forms(void **state)
{
	struct verr *v = verr_new();
	char *reason;

	(void)state;
	assert_false(verr_any(v));
	check_extra(v, "[]");
	verr_add(v, "data.tcpport", "at most %d", 65535);
	verr_add_errno(v, ENOENT, NULL, "Group %d does not exist", 1);
	verr_add_errno(v, 207, "", "odd");
	assert_true(verr_any(v));
	assert_int_equal(verr_count(v), 3);
	check_extra(v,
	    "[[\"data.tcpport\",\"at most 65535\",22],"
	    "[null,\"Group 1 does not exist\",2],[\"\",\"odd\",207]]");
	reason = verr_reason(v);
	assert_string_equal(reason,
	    "[EINVAL] data.tcpport: at most 65535\n"
	    "[ENOENT] None: Group 1 does not exist\n"
	    "[EUNKNOWN] : odd\n");
	free(reason);
	verr_free(v);
	verr_free(NULL);
}

static void
test_prefix(void **state)
{
	struct verr *v = verr_new();

	(void)state;
	verr_prefix(v, "ssh_update");
	verr_add(v, "options", "a");
	verr_add(v, "", "b");
	verr_add(v, NULL, "c");
	verr_prefix(v, NULL);
	verr_add(v, "x", "d");
	check_extra(v,
	    "[[\"ssh_update.options\",\"a\",22],"
	    "[\"ssh_update\",\"b\",22],[null,\"c\",22],[\"x\",\"d\",22]]");
	verr_free(v);
}

static void
test_foreign_text(void **state)
{
	struct verr *v = verr_new();
	int i;

	(void)state;
	verr_add(v, "a", "%s", "bad \xff\xfe \xc3\xa9 \xc3");
	check_extra(v, "[[\"a\",\"bad ?? \xc3\xa9 ?\",22]]");
	for (i = 0; i < 1000; i++)
		verr_add(v, "a", "%d", i);
	assert_int_equal(verr_count(v), 1001);
	verr_free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_foreign_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
