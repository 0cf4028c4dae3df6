/*
 * Failures by the minute: the first ones singly, the others as exact sums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/tally.h"

struct told {
	unsigned int sums;
	uint64_t count;
	struct tally_sum last;
};

static void
tell(const struct tally_sum *sum, void *arg)
{
	struct told *told = arg;

	told->sums++;
	told->count += sum->count;
	told->last = *sum;
}

static void
test_minute(void **state)
{
	struct told told = { 0 };
	struct tally *tally = tally_new(TALLY_SINGLY, tell, &told);
	unsigned int i, singly = 0;

	(void)state;
	for (i = 0; i < 100; i++)
		singly += tally_one(tally, 1000 + i, "sshd", "anna", "::1");
	assert_int_equal(singly, TALLY_SINGLY);
	assert_true(tally_turn(tally, 1000 + TALLY_MS - 1));
	assert_int_equal(told.sums, 0);
	assert_false(tally_turn(tally, 1000 + TALLY_MS));
	assert_int_equal(told.sums, 1);
	assert_int_equal(told.count, 100 - TALLY_SINGLY);
	assert_string_equal(told.last.what, "sshd");
	assert_string_equal(told.last.account, "anna");
	assert_string_equal(told.last.source, "::1");
	assert_int_equal(told.last.from, 1000 + TALLY_SINGLY);
	assert_int_equal(told.last.until, 1099);
	/* Nothing is left of it, and the next minute begins anew. */
	tally_flush(tally);
	assert_int_equal(told.sums, 1);
	assert_true(tally_one(tally, 70000, "sshd", "anna", "::1"));
	tally_free(tally);
}

/* What is told early is told once, and the minute goes on. */
static void
test_flush(void **state)
{
	struct told told = { 0 };
	struct tally *tally = tally_new(0, tell, &told);

	(void)state;
	assert_false(tally_one(tally, 0, "su", "a", "b"));
	tally_flush(tally);
	assert_int_equal(told.count, 1);
	assert_false(tally_one(tally, 1, "su", "a", "b"));
	tally_flush(tally);
	tally_flush(tally);
	assert_int_equal(told.sums, 2);
	assert_int_equal(told.last.from, 1);
	assert_false(tally_turn(tally, TALLY_MS));
	assert_int_equal(told.count, 2);
	tally_free(tally);
}

static void
test_next_minute_tells_the_last(void **state)
{
	struct told told = { 0 };
	struct tally *tally = tally_new(TALLY_SINGLY, tell, &told);
	unsigned int i;

	(void)state;
	for (i = 0; i < TALLY_SINGLY + 1; i++)
		tally_one(tally, 0, "su", "a", "b");
	assert_true(tally_one(tally, TALLY_MS, "su", "a", "b"));
	assert_int_equal(told.count, 1);
	tally_free(tally);
}

static void
test_others(void **state)
{
	struct told told = { 0 };
	struct tally *tally = tally_new(TALLY_SINGLY, tell, &told);
	char name[16];
	unsigned int i, singly = 0;

	(void)state;
	for (i = 0; i < 10 * TALLY_MAX; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		singly += tally_one(tally, 5, "sshd", name, "::1");
	}
	assert_int_equal(singly, TALLY_MAX);
	tally_flush(tally);
	assert_int_equal(told.sums, 1);
	assert_int_equal(told.count, 9 * TALLY_MAX);
	assert_string_equal(told.last.account, TALLY_OTHERS);
	tally_free(tally);
}

static void
test_long_names_stay_text(void **state)
{
	struct told told = { 0 };
	struct tally *tally = tally_new(0, tell, &told);
	char name[TALLY_TEXT + 8];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memcpy(name + TALLY_TEXT - 2, "\xc3\xa4", 2);
	tally_one(tally, 0, "su", name, "");
	tally_flush(tally);
	assert_int_equal(strlen(told.last.account), TALLY_TEXT - 2);
	tally_free(tally);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minute),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_next_minute_tells_the_last),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_long_names_stay_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
