/*
 * One thing at a time: order, and many that end at once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/serial.h"

#define MANY 1000000

static char order[16];
static size_t ran;

static void
note(void *arg)
{
	if (ran < sizeof(order) - 1)
		order[ran] = *(const char *)arg;
	ran++;
}

static void
note_and_leave(void *arg)
{
	note(arg);
	serial_leave();
}

/* Ends only after it has let others in. */
static void
enter_and_leave(void *arg)
{
	note(arg);
	serial_enter(note_and_leave, (void *)(uintptr_t) "e");
	serial_leave();
	serial_enter(note_and_leave, (void *)(uintptr_t) "f");
}

static int
setup(void **state)
{
	(void)state;
	ran = 0;
	for (size_t i = 0; i < sizeof(order); i++)
		order[i] = '\0';
	return 0;
}

static void
test_order(void **state)
{
	(void)state;
	assert_false(serial_busy());
	serial_enter(note, (void *)(uintptr_t) "a");
	assert_true(serial_busy());
	serial_enter(note_and_leave, (void *)(uintptr_t) "b");
	serial_enter(enter_and_leave, (void *)(uintptr_t) "c");
	serial_enter(note_and_leave, (void *)(uintptr_t) "d");
	assert_string_equal(order, "a");
	serial_leave();
	assert_string_equal(order, "abcdef");
	assert_false(serial_busy());
}

static void
test_later_ones_wait(void **state)
{
	(void)state;
	serial_enter(note, (void *)(uintptr_t) "a");
	serial_enter(note, (void *)(uintptr_t) "b");
	serial_enter(note, (void *)(uintptr_t) "c");
	serial_leave();
	assert_string_equal(order, "ab");
	serial_leave();
	assert_string_equal(order, "abc");
	serial_leave();
	assert_false(serial_busy());
}

/* Each of which is over before its function returns. */
static void
test_many(void **state)
{
	size_t i;

	(void)state;
	serial_enter(note, (void *)(uintptr_t) "a");
	for (i = 0; i < MANY; i++)
		serial_enter(note_and_leave, (void *)(uintptr_t) "b");
	serial_leave();
	assert_int_equal(ran, MANY + 1);
	assert_false(serial_busy());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_later_ones_wait, setup),
		cmocka_unit_test_setup(test_many, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
