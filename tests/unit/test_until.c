/*
 * Access for a time, while clocks are set and machines are started anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/until.h"

#define HOUR (3600 * INT64_C(1000))
#define WALL (INT64_C(1800000000) * 1000)
#define BOOT (5 * HOUR)

/* An hour from WALL and BOOT on. */
static int64_t
left_at(bool lock, int64_t wall, int64_t boot)
{
	struct until u = { WALL + HOUR, BOOT + HOUR, lock };
	struct until_now now = { wall, boot };

	return until_left(&u, &now);
}

static void
test_undisturbed(void **state)
{
	int lock;

	(void)state;
	for (lock = 0; lock < 2; lock++) {
		assert_int_equal(left_at(lock, WALL, BOOT), HOUR);
		assert_int_equal(
		    left_at(lock, WALL + HOUR - 1, BOOT + HOUR - 1), 1);
		assert_int_equal(left_at(lock, WALL + HOUR, BOOT + HOUR), 0);
		assert_int_equal(
		    left_at(lock, WALL + 9 * HOUR, BOOT + 9 * HOUR), 0);
	}
}

/* Put back, a grant goes on no longer; the lock does as its date says. */
static void
test_put_back(void **state)
{
	(void)state;
	assert_int_equal(left_at(false, WALL - 24 * HOUR, BOOT), HOUR);
	assert_int_equal(left_at(false, WALL - 24 * HOUR, BOOT + HOUR), 0);
	assert_int_equal(left_at(true, WALL - 24 * HOUR, BOOT), 25 * HOUR);
	assert_int_equal(
	    left_at(true, WALL - 24 * HOUR, BOOT + HOUR), 25 * HOUR);
}

/* Put forward, the lock is not opened by it; the grant is over. */
static void
test_put_forward(void **state)
{
	(void)state;
	assert_int_equal(left_at(true, WALL + 24 * HOUR, BOOT), HOUR);
	assert_int_equal(left_at(true, WALL + 24 * HOUR, BOOT + HOUR), 0);
	assert_int_equal(left_at(false, WALL + 24 * HOUR, BOOT), 0);
}

/* The machine was started anew: its clock since then tells nothing. */
static void
test_other_boot(void **state)
{
	struct until u = { WALL, -1, true };
	struct until_now before = { WALL - 5, 0 }, after = { WALL, 0 };

	(void)state;
	assert_int_equal(until_left(&u, &before), 5);
	assert_int_equal(until_left(&u, &after), 0);
	u.lock = false;
	assert_int_equal(until_left(&u, &before), 5);
	assert_int_equal(until_left(&u, &after), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undisturbed),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_put_forward),
		cmocka_unit_test(test_other_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
